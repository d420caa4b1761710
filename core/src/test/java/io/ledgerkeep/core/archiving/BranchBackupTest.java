package io.ledgerkeep.core.archiving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a roll back takes away is in the backup, as it was committed, or nothing is taken away. */
final class BranchBackupTest {

  private static final int COUNT = 40;

  @TempDir Path directory;

  private final List<Block> blocks = SampleChain.ofSeed(3).blocks(COUNT).toList();
  private final InMemoryStorage provider = new InMemoryStorage(new MemoryDisk());
  private final InMemoryArchiveStore archive = new InMemoryArchiveStore();
  private final InMemoryArchiveStore backup = new InMemoryArchiveStore();

  @BeforeEach
  void fill() {
    Workshop.archived(directory, provider, archive, blocks, 12, 24);
  }

  private Workshop open() {
    return new Workshop(directory, provider, archive, Runnable::run);
  }

  private static JobWatch watch() {
    return new JobWatch(JobControl.none(), () -> false);
  }

  @Test
  void itHasTheBlocksFromTheNodeAndFromTheArchive() {
    try (Workshop workshop = open()) {
      BranchBackup made = workshop.archiving.backUp(backup, 10, watch());
      assertThat(made.write()).isTrue();
      List<Block> found = new ArrayList<>();
      assertThat(made.forEach(block -> found.add(block.decode()))).isTrue();
      assertThat(found).isEqualTo(blocks.subList(10, COUNT));
      List<StoredBlock> some = new ArrayList<>();
      assertThat(made.forEach(block -> some.add(block) && some.size() < 5)).isFalse();
      assertThat(some).hasSize(5);
    }
  }

  /** Whatever object of it reads back otherwise than it was written, it is noticed. */
  @Test
  void whatReadsBackOtherwiseIsNoBackup() {
    long objects = 0;
    try (Workshop workshop = open()) {
      workshop.archiving.backUp(backup, 10, watch()).write();
      objects = backup.list("").size();
    }
    assertThat(objects).isGreaterThanOrEqualTo(4);
    for (int n = 1; n <= objects; n++) {
      InMemoryArchiveStore bad = new InMemoryArchiveStore();
      ArchiveStore flipping = new Flipping(bad, n);
      try (Workshop workshop = open()) {
        assertThatExceptionOfType(LedgerkeepException.class)
            .as("object %s of %s", n, objects)
            .isThrownBy(() -> workshop.archiving.backUp(flipping, 10, watch()).write());
      }
    }
  }

  /** Turns a bit over in the middle of one object, once it was written. */
  private record Flipping(InMemoryArchiveStore store, int[] left) implements ArchiveStore {

    Flipping(InMemoryArchiveStore store, int object) {
      this(store, new int[] {object});
    }

    @Override
    public String place() {
      return store.place();
    }

    @Override
    public void put(String name, Content content) {
      store.put(name, content);
      left[0]--;
      if (left[0] == 0) {
        store.flipBit(name, 4 * store.size(name).orElseThrow());
      }
    }

    @Override
    public OptionalLong size(String name) {
      return store.size(name);
    }

    @Override
    public Bytes get(String name, long offset, int length) {
      return store.get(name, offset, length);
    }

    @Override
    public List<String> list(String prefix) {
      return store.list(prefix);
    }

    @Override
    public void delete(String name) {
      store.delete(name);
    }

    @Override
    public void close() {
      store.close();
    }
  }
}
