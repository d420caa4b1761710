package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.error.ArchivedException;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A body goes to the archive while somebody reads it, at exactly the instant that a test chooses:
 * the reader looked at the pivot before, and at the rows after.
 */
final class ReadDuringArchivingTest {

  private static final int HEIGHT = 5;

  @TempDir Path directory;

  private final List<Block> blocks =
      SampleChain.builder()
          .seed(15)
          .transactionsPerBlock(1)
          .payloadBytes(70_000)
          .build()
          .blocks(30)
          .toList();
  private final Block block = blocks.get(HEIGHT);
  private final String id = block.transactions().get(0).id();

  @Test
  void aBlockThatIsArchivedBeforeItsRowsAreReadComesFromTheArchive() {
    assertThat(read("block scan", true, ledger -> ledger.block(HEIGHT))).contains(block);
  }

  @Test
  void aTransactionThatIsArchivedBeforeItsRowIsReadComesFromTheArchive() {
    assertThat(read("block get 03", true, ledger -> ledger.transaction(id)))
        .contains(block.transactions().get(0));
  }

  @Test
  void aReadWriteSetThatIsArchivedBeforeItsRowIsReadComesFromTheArchive() {
    assertThat(read("block get 03", true, ledger -> ledger.rwSet(id)))
        .contains(block.rwSets().get(0));
  }

  @Test
  void aBlockThatIsArchivedBetweenThePiecesOfARowComesFromTheArchive() {
    assertThat(read("block get 83", true, ledger -> ledger.block(HEIGHT))).contains(block);
  }

  @Test
  void aTransactionThatIsArchivedBetweenItsPiecesComesFromTheArchive() {
    assertThat(read("block get 83", true, ledger -> ledger.transaction(id)))
        .contains(block.transactions().get(0));
  }

  @Test
  void withoutReadThroughItIsArchivedAndNotDamaged() {
    for (String instant : List.of("block get 03", "block get 83")) {
      assertThatThrownBy(() -> read(instant, false, ledger -> ledger.transaction(id)))
          .as(instant)
          .isInstanceOf(ArchivedException.class);
    }
  }

  /** Reads of a ledger that archives just before the first such call of the read. */
  private <T> Optional<T> read(
      String instant, boolean readThrough, Function<Ledger, Optional<T>> read) {
    World world = new World(directory.resolve(instant.replace(' ', '-') + readThrough));
    world.limits = InMemoryStorage.SMALLEST_LIMITS;
    HookedStorage storage = new HookedStorage(world.disk, world.limits);
    Settings settings = storage.settings(world);
    settings.store = new Settings.BuiltStore(new InMemoryArchiveStore());
    settings.unarchivedBlocks = 10L;
    settings.readThrough = readThrough;
    try (Ledger ledger = world.open(settings)) {
      ledger.commitAll(blocks);
      storage.hook =
          call -> {
            if (call.equals(instant)) {
              storage.hook = later -> {};
              ledger.archiver().archive(ArchiveRequest.upTo(15));
            }
          };
      Optional<T> answer = read.apply(ledger);
      assertThat(ledger.archivedHeight()).as("it was archived meanwhile").isEqualTo(15);
      return answer;
    }
  }
}
