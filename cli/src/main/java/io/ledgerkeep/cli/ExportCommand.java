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

  @Option(
      names = "--from",
      paramLabel = "H",
      description = "The first height; 0, or the lowest of a backup.")
  private @Nullable Long from;

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
        return export(archive, new Heights(archive.firstHeight(), archive.lastHeight()), settings);
      }
    }
    try (OpenLedger open =
        OpenLedger.existing(settings.ledger().readThrough(settings.hasArchive()))) {
      Ledger ledger = open.ledger();
      Heights all = new Heights(0, ledger.height());
      if (!settings.hasArchive()) {
        requireHot(ledger, chosen(all));
      }
      return export(ledger, all, settings);
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

  /** A range, both ends included; of an empty ledger, the last is below the first. */
  private record Heights(long first, long last) {}

  private Outcome export(BlockReader source, Heights all, Settings settings) throws IOException {
    Heights chosen = chosen(all);
    try (JobWatch watch = JobWatch.begin(console())) {
      Exporter exporter = new Exporter(source, watch);
      if (file.equals("-")) {
        exporter.write(chosen.first(), chosen.last(), console().results());
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
                  return exporter.write(chosen.first(), chosen.last(), compressed);
                }
              });
      return outcome(report, chosen);
    }
  }

  private static Outcome outcome(Exporter.Report report, Heights chosen) {
    return Outcome.done()
        .say("exported " + Units.blocks(report.blocks()) + ", " + Units.bytes(report.bytes()))
        .say("sha256 " + report.sha256())
        .put("blocks", report.blocks())
        .put("firstHeight", chosen.first())
        .put("lastHeight", chosen.last())
        .put("bytes", report.bytes())
        .put("sha256", report.sha256());
  }

  private Heights chosen(Heights all) {
    Heights chosen = new Heights(from == null ? all.first() : from, to == null ? all.last() : to);
    boolean fits = chosen.first() >= all.first() && chosen.last() <= all.last();
    if (!chosen.equals(all) && (!fits || chosen.first() > chosen.last())) {
      throw CommandException.usage(
          "--from and --to must lie between %s and %s, in that order"
              .formatted(all.first(), all.last()));
    }
    return chosen;
  }

  /** Refuses before anything is written, so that not even a pipe sees half of it. */
  private void requireHot(Ledger ledger, Heights chosen) {
    long lastArchived = Math.min(chosen.last(), ledger.archivedHeight());
    for (long height = Math.max(chosen.first(), 1); height <= lastArchived; height++) {
      if (ledger.meta(height).map(BlockMeta::kind).orElseThrow() == Block.Kind.NORMAL) {
        throw new ArchivedException(ArchivedException.Subject.BLOCK, height, "");
      }
    }
  }
}
