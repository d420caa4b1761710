package io.ledgerkeep.cli;

import io.ledgerkeep.cli.interchange.BlockLines;
import io.ledgerkeep.cli.interchange.BlockLinesReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "import",
    description = {
      "Commits the blocks of a file in the interchange format.",
      "Blocks that the ledger has already are skipped if they are equal, so that an import that was"
          + " stopped is simply run again."
    })
final class ImportCommand extends LedgerCommand {

  @Parameters(
      paramLabel = "FILE|-",
      description = "JSON Lines; .gz and .zst are uncompressed; - reads standard input.")
  private String file = "";

  @Override
  Outcome run(Settings settings) throws IOException {
    try (OpenLedger open = OpenLedger.existing(settings.ledger());
        BlockLinesReader reader = reader();
        JobWatch watch = JobWatch.begin(console())) {
      Importer.Report report = new Importer(open.ledger(), reader, watch).run();
      if (report.cancelled()) {
        throw CommandException.interrupted(
            "stopped at height " + report.height() + "; run the same import again to go on");
      }
      return Outcome.done()
          .say("imported " + Units.blocks(report.imported()) + ", skipped " + report.skipped())
          .say("the ledger is at height " + report.height())
          .put("imported", report.imported())
          .put("skipped", report.skipped())
          .put("height", report.height());
    }
  }

  private BlockLinesReader reader() throws IOException {
    if (file.equals("-")) {
      return new BlockLinesReader(console().in());
    }
    InputStream content = Files.newInputStream(Path.of(file));
    try {
      return BlockLines.reader(file, content);
    } catch (IOException e) {
      content.close();
      throw e;
    }
  }
}
