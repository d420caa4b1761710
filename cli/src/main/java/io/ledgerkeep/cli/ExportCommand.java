package io.ledgerkeep.cli;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.BlockReader;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.cli.interchange.BlockLines;
import io.ledgerkeep.error.ArchivedException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "export",
    description = {
      "Writes blocks in the interchange format, byte for byte as a canonical import had them.",
      "Archived blocks are read from the archive where one is given."
    })
final class ExportCommand extends LedgerCommand {

  @Option(names = "--from", paramLabel = "H", description = "The first height; 0.")
  private long from;

  @Option(names = "--to", paramLabel = "H", description = "The last height; the newest.")
  private @Nullable Long to;

  @Parameters(
      paramLabel = "FILE|-",
      description =
          "Replaced as a whole once all is written; compressed if it ends in .gz or .zst; - is"
              + " standard output.")
  private String file = "";

  @Override
  Outcome run(Settings settings) throws IOException {
    if (file.equals("-") && json()) {
      throw CommandException.usage(
          "standard output takes the blocks or the --json object, not both");
    }
    if (!file.equals("-") && AtomicFile.isReplaceable(Path.of(file))) {
      requireOutside(settings);
    }
    if (!settings.hasData()) {
      try (Archive archive = settings.openArchive()) {
        return export(archive, archive.lastHeight(), settings);
      }
    }
    try (OpenLedger open =
        OpenLedger.existing(settings.ledger().readThrough(settings.hasArchive()))) {
      Ledger ledger = open.ledger();
      long last = lastHeight(ledger.height());
      if (!settings.hasArchive()) {
        requireHot(ledger, last);
      }
      return export(ledger, ledger.height(), settings);
    }
  }

  /** One name mistyped must not cost a ledger its LAYOUT or an archive a segment. */
  private void requireOutside(Settings settings) throws IOException {
    Path target = AtomicFile.target(Path.of(file));
    if (settings.hasData()) {
      requireOutside(settings.data(), "ledger", target);
    }
    if (settings.hasArchive()) {
      requireOutside(settings.archive(), "archive", target);
    }
  }

  private static void requireOutside(Path directory, String name, Path target) throws IOException {
    if (Files.isDirectory(directory) && target.startsWith(directory.toRealPath())) {
      throw CommandException.usage(
          target + " lies in the directory of the " + name + "; choose another place");
    }
  }

  private Outcome export(BlockReader source, long newest, Settings settings) throws IOException {
    long last = lastHeight(newest);
    try (JobWatch watch = JobWatch.begin(console())) {
      Exporter exporter = new Exporter(source, watch);
      if (file.equals("-")) {
        exporter.write(from, last, console().results());
        return Outcome.done();
      }
      if (settings.isEncrypted()) {
        console().err().println("the export is in plain: keep it as safe as the ledger's key");
      }
      Exporter.Report report =
          AtomicFile.replace(
              Path.of(file),
              settings.isEncrypted(),
              out -> {
                OutputStream keepsRoom =
                    settings.hasData()
                        ? RoomKeepingStream.of(out, Path.of(file), settings.data())
                        : out;
                try (OutputStream compressed = BlockLines.compress(file, keepsRoom)) {
                  return exporter.write(from, last, compressed);
                }
              });
      return outcome(report, last);
    }
  }

  private Outcome outcome(Exporter.Report report, long last) {
    return Outcome.done()
        .say("exported " + Units.blocks(report.blocks()) + ", " + Units.bytes(report.bytes()))
        .say("sha256 " + report.sha256())
        .put("blocks", report.blocks())
        .put("firstHeight", from)
        .put("lastHeight", last)
        .put("bytes", report.bytes())
        .put("sha256", report.sha256());
  }

  private long lastHeight(long newest) {
    long last = to == null ? newest : to;
    boolean all = from == 0 && to == null;
    if (!all && (from < 0 || from > last || last > newest)) {
      throw CommandException.usage(
          "--from and --to must lie between 0 and " + newest + ", in that order");
    }
    return last;
  }

  /** Refuses before anything is written, so that not even a pipe sees half of it. */
  private void requireHot(Ledger ledger, long last) {
    long lastArchived = Math.min(last, ledger.archivedHeight());
    for (long height = Math.max(from, 1); height <= lastArchived; height++) {
      if (ledger.meta(height).map(BlockMeta::kind).orElseThrow() == Block.Kind.NORMAL) {
        throw new ArchivedException(ArchivedException.Subject.BLOCK, height, "");
      }
    }
  }
}
