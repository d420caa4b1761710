package io.ledgerkeep.cli;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import io.ledgerkeep.Block;
import io.ledgerkeep.cli.interchange.BlockLines;
import io.ledgerkeep.cli.interchange.BlockLinesWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "demo",
    description = {
      "Shows the main job: imports a chain, archives most of it, reads archived blocks, restores"
          + " them, and proves that nothing was lost.",
      "Works in a temporary directory; --data and --archive choose other places for the two."
    })
final class DemoCommand extends LedgerCommand {

  private static final int BLOCKS = 2_000;

  @Parameters(
      arity = "0..1",
      paramLabel = "FILE",
      description = "A chain in the interchange format; a made-up one if not given.")
  private @Nullable Path file;

  @Option(names = "--keep", description = "Leave the temporary directory in place.")
  private boolean keep;

  @Override
  Outcome run(Settings settings) throws IOException {
    Path directory = Files.createTempDirectory("ledgerkeep-demo-");
    try (JobWatch watch = JobWatch.begin(console())) {
      PrintStream story = json() ? console().err() : console().out();
      Path data = settings.hasData() ? settings.data() : directory.resolve("data");
      Path archive = settings.hasArchive() ? settings.archive() : directory.resolve("archive");
      InitCommand.requireNoLedger(data);
      Path chain = file == null ? madeUp(directory.resolve("chain.jsonl.gz"), story) : file;
      return new Demo(chain, settings.at(data, archive), watch, story).run();
    } finally {
      if (keep) {
        console().err().println("left in place: " + directory);
      } else {
        MoreFiles.deleteRecursively(directory, RecursiveDeleteOption.ALLOW_INSECURE);
      }
    }
  }

  private static Path madeUp(Path target, PrintStream story) throws IOException {
    try (OutputStream out = Files.newOutputStream(target);
        BlockLinesWriter writer =
            new BlockLinesWriter(BlockLines.compress(target.toString(), out))) {
      for (Iterator<Block> chain = new MadeUpChain(BLOCKS); chain.hasNext(); ) {
        writer.write(chain.next());
      }
    }
    story.println("Made up a chain of " + Units.blocks(BLOCKS) + " in " + target + ".");
    return target;
  }
}
