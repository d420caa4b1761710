package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Options;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Blocks are sealed before it is their turn, and never written under a key that is over. */
final class SealingAheadTest {

  private static final int RECORDS = 1;

  @TempDir Path directory;

  private final List<Block> blocks =
      SampleChain.builder()
          .seed(6)
          .configAt(height -> height % 16 == 9)
          .build()
          .blocks(60)
          .toList();

  private Settings settings(World world) {
    Settings settings = world.settings();
    settings.encryption = new Encryption.Named("aes", Options.of("key", Keys.AES));
    return settings;
  }

  /** The first slice of blocks is sealed under the old key before anything of it is written. */
  @Test
  void aKeyRotatedBeforeTheWriteSealsWhatIsWritten() {
    World world = new World(directory.resolve("ledger"));
    AtomicReference<Runnable> afterSealing = new AtomicReference<>();
    Settings settings = settings(world);
    settings.executor =
        task -> {
          task.run();
          Runnable once = afterSealing.getAndSet(null);
          if (once != null) {
            once.run();
          }
        };
    try (Ledger ledger = world.open(settings)) {
      afterSealing.set(() -> ledger.keys().orElseThrow().rotate("SM4-GCM"));
      ledger.commitAll(blocks);
      assertThat(afterSealing.get()).isNull();
      Replay.of(blocks).assertToldBy(ledger);
      for (Database database : Database.values()) {
        assertThat(rows(world, database).values())
            .isNotEmpty()
            .allSatisfy(row -> assertThat(row.asBuffer().getInt(1)).isEqualTo(3));
      }
    }
    try (Ledger ledger = world.open(settings(world))) {
      Replay.of(blocks).assertToldBy(ledger);
    }
  }

  private static TreeMap<Bytes, Bytes> rows(World world, Database database) {
    TreeMap<Bytes, Bytes> rows = World.content(world.engine(database));
    rows.keySet().removeIf(key -> key.get(0) == RECORDS);
    return rows;
  }

  @Test
  void keysRotatedAllTheTimeLoseNothing() throws InterruptedException {
    World world = new World(directory.resolve("ledger"));
    ExecutorService threads = Executors.newFixedThreadPool(3);
    try {
      Settings settings = settings(world);
      settings.executor = threads;
      try (Ledger ledger = world.open(settings)) {
        AtomicBoolean over = new AtomicBoolean();
        Thread rotating =
            new Thread(
                () -> {
                  while (!over.get()) {
                    ledger.keys().orElseThrow().rotate("AES-128-GCM");
                  }
                });
        rotating.start();
        ledger.commitAll(blocks.subList(0, 50));
        blocks.subList(50, 60).forEach(ledger::commit);
        over.set(true);
        rotating.join();
        Replay.of(blocks).assertToldBy(ledger);
      }
      try (Ledger ledger = world.open(settings)) {
        Replay.of(blocks).assertToldBy(ledger);
      }
    } finally {
      threads.shutdown();
    }
  }
}
