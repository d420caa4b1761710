package io.ledgerkeep.cli;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Expected;
import io.ledgerkeep.archive.Verification.Level;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "verify",
    description = {
      "Checks the ledger of --data with its archive, or else the archive on its own.",
      "Prints what is wrong, each on a line, and exits with 4 if there is anything."
    })
final class VerifyCommand extends LedgerCommand {

  private static final Pattern ANCHOR = Pattern.compile("([0-9]{1,18}):([0-9a-fA-F]{2,128})");

  @Option(
      names = "--level",
      paramLabel = "structure|bytes|content|ledger",
      description = "How deep; ledger, or content for an archive on its own.")
  private @Nullable Level level;

  @Option(
      names = "--expect",
      paramLabel = "HEIGHT:HASH",
      description = {
        "The block at HEIGHT must be there with that hash; may be given several times.",
        "Kept elsewhere, such an anchor shows that a whole directory was set back."
      })
  private List<String> expected = List.of();

  @Override
  Outcome run(Settings settings) {
    if (settings.hasData()) {
      try (MaintainedLedger open = OpenLedger.maintained(settings);
          JobWatch watch = JobWatch.begin(console())) {
        Level chosen = level == null ? Level.LEDGER : level;
        return outcome(
            open.ledger().verify(request(chosen).with(watch.control())), settings.hasArchive());
      }
    }
    if (level == Level.LEDGER) {
      throw CommandException.usage("--level ledger compares with a ledger: --data DIR is missing");
    }
    try (Archive archive = settings.openArchive();
        JobWatch watch = JobWatch.begin(console())) {
      Level chosen = level == null ? Level.CONTENT : level;
      return outcome(archive.verify(request(chosen).with(watch.control())), settings.hasArchive());
    }
  }

  private Verification.Request request(Level chosen) {
    Verification.Request request = Verification.Request.of(chosen);
    for (String anchor : expected) {
      Expected known = expected(anchor);
      request = request.expecting(known.height(), known.hash());
    }
    return request;
  }

  /** Returns what {@code --expect} names. */
  static Expected expected(String anchor) {
    Matcher parts = ANCHOR.matcher(anchor);
    if (!parts.matches() || parts.group(2).length() % 2 != 0) {
      throw CommandException.usage(
          "--expect takes HEIGHT:HASH, the hash in hexadecimal digits of at most 64 bytes, unlike "
              + anchor);
    }
    return new Expected(Long.parseLong(parts.group(1)), Bytes.fromHex(parts.group(2)));
  }

  private static Outcome outcome(Verification result, boolean archiveIsGiven) {
    if (result.cancelled() && result.ok()) {
      throw CommandException.interrupted(
          "stopped after " + Units.blocks(result.blocks()) + "; nothing wrong among them");
    }
    Outcome outcome = Outcome.of(result.ok() ? ExitCode.DONE : ExitCode.INTEGRITY);
    result.findings().forEach(outcome::say);
    outcome.say(
        "checked %s and %s, %s, level %s: %s"
            .formatted(
                Units.blocks(result.blocks()),
                Units.counted(result.segments(), "segment"),
                Units.bytes(result.bytes()),
                name(result.level()),
                verdict(result)));
    if (result.uncheckedBlocks() > 0) {
      outcome.say(
          "not checked: "
              + Units.counted(result.uncheckedBlocks(), "archived block")
              + (archiveIsGiven ? "" : "; --archive DIR checks them too"));
    }
    return outcome
        .put("ok", result.ok())
        .put("level", name(result.level()))
        .put("segments", result.segments())
        .put("blocks", result.blocks())
        .put("uncheckedBlocks", result.uncheckedBlocks())
        .put("bytes", result.bytes())
        .put("findings", result.findings())
        .put("exitCode", outcome.exitCode());
  }

  private static String verdict(Verification result) {
    if (!result.ok()) {
      return Units.counted(result.findings().size(), "finding");
    }
    return result.uncheckedBlocks() == 0 ? "all is well" : "nothing wrong among them";
  }

  private static String name(Level level) {
    return level.name().toLowerCase(Locale.ROOT);
  }
}
