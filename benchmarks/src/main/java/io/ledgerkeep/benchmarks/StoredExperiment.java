package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.cli.interchange.BlockLines;
import io.ledgerkeep.cli.interchange.BlockLinesReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What share of real blocks an archive of them takes. */
final class StoredExperiment implements Experiment {

  private static final int BLOCKS_AT_ONCE = 500;
  private static final int LEFT_BLOCKS = 10;

  private final Workspace workspace = Workspace.ofThisProcess();
  private final Path archive = workspace.path("archive");

  @Override
  public List<Figure> run(Setting setting) throws IOException {
    if (setting.file().isEmpty()) {
      return List.of();
    }
    Path file = setting.file().get();
    long target;
    try (Ledger ledger =
        Ledgers.at(workspace.path("ours"))
            .archiveStore(Ledgers.STORE, Ledgers.archiveAt(archive))
            .open()) {
      importFile(ledger, file);
      target = target(ledger);
      ledger.archiver().archive(ArchiveRequest.upTo(target));
    }
    long stored = Workspace.sizeBytes(archive);
    long raw = rawBytes(file, target);
    return List.of(
        Figure.of(
            "stored archive to raw, " + nameOf(file),
            "MB",
            Rounds.once(stored / 1e6, raw / 1e6),
            Aim.atMost(0.25),
            Notes.format(
                "all files of the archive, manifest included; baseline: the decoded content of blocks"
                    + " 0 to %s, each id counted once",
                target)));
  }

  private static void importFile(Ledger ledger, Path file) throws IOException {
    List<Block> some = new ArrayList<>();
    try (BlockLinesReader reader = reader(file)) {
      for (Optional<Block> block = reader.read(); block.isPresent(); block = reader.read()) {
        some.add(block.get());
        if (some.size() == BLOCKS_AT_ONCE) {
          ledger.commitAll(some);
          some.clear();
        }
      }
    }
    ledger.commitAll(some);
  }

  private static long target(Ledger ledger) {
    long target = ledger.height() - LEFT_BLOCKS;
    while (ledger.meta(target).orElseThrow().kind() != Block.Kind.NORMAL) {
      target--;
    }
    return target;
  }

  private static long rawBytes(Path file, long target) throws IOException {
    long sum = 0;
    try (BlockLinesReader reader = reader(file)) {
      for (long height = 0; height <= target; height++) {
        Block block = reader.read().orElseThrow();
        sum += block.rawBytes();
        // The sum of the API counts the id of a read/write set too.
        for (RwSet rwSet : block.rwSets()) {
          sum -= rwSet.txId().getBytes(StandardCharsets.UTF_8).length;
        }
      }
    }
    return sum;
  }

  private static BlockLinesReader reader(Path file) throws IOException {
    return BlockLines.reader(file.toString(), Files.newInputStream(file));
  }

  private static String nameOf(Path file) {
    return file.getFileName().toString().replaceAll("\\.jsonl.*", "");
  }
}
