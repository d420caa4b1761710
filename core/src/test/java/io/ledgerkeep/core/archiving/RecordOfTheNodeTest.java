package io.ledgerkeep.core.archiving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An archive that is whole in itself proves nothing: what comes from it has to be what the node
 * recorded at commit. Here the two differ, since the record is another.
 */
final class RecordOfTheNodeTest {

  private static final int HEIGHT = 30;
  private static final int PIVOT = 40;

  @TempDir Path directory;

  private final MemoryDisk disk = new MemoryDisk();
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final List<Block> blocks = SampleChain.ofSeed(13).blocks(60).toList();

  @Test
  void aBlockThatTheNodeRecordedOtherwiseIsNeitherServedNorPutBack() {
    BlockMeta meta = archived();
    recordOtherwise(meta.additionalDigest());
    try (Ledger ledger = open()) {
      assertThatThrownBy(() -> ledger.block(HEIGHT)).isInstanceOf(IntegrityException.class);
      assertThat(ledger.block(HEIGHT - 1)).contains(blocks.get(HEIGHT - 1));
      assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).findings())
          .anySatisfy(finding -> assertThat(finding).contains("block " + HEIGHT));
      assertThatThrownBy(() -> ledger.restorer().restore(RestoreRequest.downTo(1)))
          .isInstanceOf(IntegrityException.class)
          .hasMessageContaining("block " + HEIGHT);
      assertThat(ledger.archivedHeight()).isGreaterThanOrEqualTo(HEIGHT);
    }
  }

  @Test
  void aTransactionIsServedOnlyUnderTheRootThatTheNodeRecorded() {
    BlockMeta meta = archived();
    String id = blocks.get(HEIGHT).transactions().get(0).id();
    recordOtherwise(meta.transactionRoot());
    try (Ledger ledger = open()) {
      assertThatThrownBy(() -> ledger.transaction(id)).isInstanceOf(IntegrityException.class);
      assertThat(ledger.rwSet(id)).contains(blocks.get(HEIGHT).rwSets().get(0));
    }
  }

  @Test
  void aReadWriteSetIsServedOnlyUnderTheRootThatTheNodeRecorded() {
    BlockMeta meta = archived();
    String id = blocks.get(HEIGHT).transactions().get(0).id();
    recordOtherwise(meta.rwSetRoot());
    try (Ledger ledger = open()) {
      assertThatThrownBy(() -> ledger.rwSet(id)).isInstanceOf(IntegrityException.class);
      assertThat(ledger.transaction(id)).contains(blocks.get(HEIGHT).transactions().get(0));
    }
  }

  private BlockMeta archived() {
    try (Ledger ledger = open()) {
      ledger.commitAll(blocks);
      ledger.archiver().archive(ArchiveRequest.upTo(PIVOT));
      return ledger.meta(HEIGHT).orElseThrow();
    }
  }

  /** Turns a bit of the digest over wherever the block database holds it: in one meta. */
  private void recordOtherwise(Bytes digest) {
    List<Bytes> found = new ArrayList<>();
    WriteBatch changed = new WriteBatch();
    try (StorageEngine engine =
        new InMemoryStorage(disk).open(directory.resolve("block").resolve("db"), Options.none())) {
      try (StorageEngine.Cursor cursor = engine.scan(KeyRange.all())) {
        while (cursor.next()) {
          int at = cursor.value().hex().indexOf(digest.hex());
          if (at >= 0) {
            found.add(cursor.key());
            byte[] row = cursor.value().toArray();
            row[at / 2] ^= 1;
            changed.put(cursor.key(), Bytes.wrap(row));
          }
        }
      }
      assertThat(found).hasSize(1);
      engine.write(changed, Durability.DURABLE);
    }
  }

  private Ledger open() {
    return Ledgerkeep.builder()
        .directory(directory)
        .storage(new InMemoryStorage(disk), Options.none())
        .archiveStore(store.reopen())
        .unarchivedBlocks(10)
        .readThrough(true)
        .reserveBytes(0)
        .open();
  }
}
