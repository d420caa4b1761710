package io.ledgerkeep.cli;

import io.ledgerkeep.Ledgerkeep.Diagnosis.Finding;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Remedy;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** Says in the words of a shell what repairs a finding of {@link DoctorCommand}. */
final class RepairCommand {

  private final String ledger;
  private final String archive;
  private final String data;
  private final String fromArchive;

  RepairCommand(Settings settings) {
    this.ledger = "ledgerkeep" + settings.asOptions(true);
    this.archive = settings.asOptions(false);
    this.data = quoted(settings.data());
    this.fromArchive =
        settings.hasArchive()
            ? " --from-archive " + quoted(settings.archive()) + " --leave-archived"
            : "";
  }

  private static String quoted(Path path) {
    return TdeConvertCommand.quoted(path.toString());
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
      case REPLACE_BLOCKS_FROM_ARCHIVE -> replaceBlocksFromArchive();
      case OTHER_RELEASE -> List.of("# use the release that the message names, or a newer one");
    };
  }

  private static String height(Remedy remedy) {
    return String.valueOf(remedy.height().orElse(0));
  }

  /** A block database that does not open is no source; without a height it does not. */
  private List<String> replaceBlocks(Remedy remedy) {
    String others = (remedy.height().isPresent() ? "--from " + data + " " : "") + "--from PEER";
    return List.of(
        "# restore a backup of this ledger (restore-backup --from DIR), put a copy of it back, or",
        "# make it anew in an empty directory NEW, what is lost taken from a ledger of a peer, PEER",
        sync(others, remedy.height().isPresent() || !fromArchive.isEmpty()));
  }

  private List<String> replaceBlocksFromArchive() {
    return List.of(
        "# the archive has them all: make the ledger anew of both in an empty directory NEW",
        sync("--from " + data, true));
  }

  /** Who has neither this ledger nor its archive cannot take its place. */
  private String sync(String from, boolean isSuccessor) {
    return "ledgerkeep --data NEW%s sync %s%s%s --trust-source"
        .formatted(archive, from, fromArchive, isSuccessor ? " --successor" : "");
  }

  private static String remove(Remedy remedy) {
    return "rm -r " + paths(remedy.paths());
  }

  private static String paths(List<Path> paths) {
    return paths.stream().map(RepairCommand::quoted).collect(Collectors.joining(" "));
  }
}
