package io.ledgerkeep.cli;

import io.ledgerkeep.Ledgerkeep.Diagnosis.Finding;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Remedy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Says in the words of a shell what repairs a finding of {@link DoctorCommand}. */
final class RepairCommand {

  private final String ledger;
  private final String archive;

  RepairCommand(Settings settings) {
    this.ledger = "ledgerkeep" + settings.asOptions(true);
    this.archive = settings.asOptions(false);
  }

  /** Returns the commands, in their order; lines that begin with {@code #} are for people. */
  List<String> of(Finding finding) {
    Remedy remedy = finding.remedy();
    return switch (remedy.action()) {
      case NOTHING -> remedy.paths().isEmpty() ? List.of() : List.of("# " + remove(remedy));
      case OPEN -> List.of(ledger + " status");
      case CREATE -> List.of(ledger + " init");
      case REBUILD -> List.of(ledger + " rebuild-dbs --yes");
      case ARCHIVE -> List.of(ledger + " archive --to " + height(remedy) + " --yes");
      case RESTORE -> List.of(ledger + " restore --down-to " + height(remedy) + " --yes");
      case REENCRYPT -> List.of(ledger + " tde reencrypt");
      case ENCRYPT -> List.of(ledger + " tde encrypt --yes");
      case DECRYPT -> List.of(ledger + " tde decrypt --yes");
      case MIGRATE -> List.of("# run the same command again: " + ledger + " migrate …");
      case RESTORE_BACKUP ->
          List.of("# run the same command again: " + ledger + " restore-backup …");
      case SYNC -> List.of("# run the same command again: " + ledger + " sync …");
      case WRITE_LAYOUT -> List.of(ledger + " doctor --fix");
      case REMOVE -> List.of(remedy.isFix() ? ledger + " doctor --fix" : remove(remedy));
      case PUT_BACK ->
          List.of("# put it back from a copy of this ledger: " + paths(remedy.paths()));
      case GIVE_ARCHIVE ->
          List.of("# with the archive that this ledger wrote: --archive DIR", ledger + " doctor");
      case REPLACE_SEGMENT ->
          List.of(
              "# put that file of another copy of the archive in its place, then",
              ledger + " verify");
      case GIVE_KEY -> List.of("# with its key (encryptor, encrypt_key): --config FILE");
      case LOOK_ELSEWHERE -> List.of();
      case REPLACE_BLOCKS -> replaceBlocks(remedy);
      case REPLACE_BLOCKS_FROM_ARCHIVE -> replaceBlocksFromArchive(remedy);
      case OTHER_RELEASE -> List.of("# use the release that the message names, or a newer one");
    };
  }

  private static String height(Remedy remedy) {
    return String.valueOf(remedy.height().orElse(0));
  }

  private List<String> replaceBlocks(Remedy remedy) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "# restore a backup of this ledger (restore-backup --from DIR), put a copy of it back,");
    lines.add("# or make a new one in an empty directory NEW");
    lines.add("ledgerkeep --data NEW init");
    if (remedy.height().isPresent() && remedy.height().getAsLong() >= 0) {
      lines.add(
          "%s export --to %s - | ledgerkeep --data NEW import -"
              .formatted(ledger, remedy.height().getAsLong()));
    }
    lines.add("# and the other blocks from a peer's export");
    lines.add("ledgerkeep --data NEW import FILE");
    return lines;
  }

  private List<String> replaceBlocksFromArchive(Remedy remedy) {
    return List.of(
        "# the archive has them all: make a new ledger of both in an empty directory NEW",
        "ledgerkeep --data NEW init",
        "ledgerkeep%s export --to %s - | ledgerkeep --data NEW import -"
            .formatted(archive, height(remedy)),
        "%s export --from %s - | ledgerkeep --data NEW import -"
            .formatted(ledger, remedy.height().orElse(0) + 1));
  }

  private static String remove(Remedy remedy) {
    return "rm -r " + paths(remedy.paths());
  }

  private static String paths(List<Path> paths) {
    return paths.stream()
        .map(Path::toString)
        .map(TdeConvertCommand::quoted)
        .collect(Collectors.joining(" "));
  }
}
