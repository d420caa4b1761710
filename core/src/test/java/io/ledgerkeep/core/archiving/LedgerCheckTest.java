package io.ledgerkeep.core.archiving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A check names each thing that is not as it was committed. */
final class LedgerCheckTest {

  private static final int HEIGHT = 30;

  // The tables of the block database.
  private static final String METAS = "02";
  private static final String BODIES = "03";
  private static final String HASHES = "05";
  private static final String IDS = "06";

  @TempDir Path directory;

  private final MemoryDisk disk = new MemoryDisk();
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final List<Block> blocks = SampleChain.ofSeed(16).blocks(60).toList();
  private final Block block = blocks.get(HEIGHT);
  private final String id = block.transactions().get(0).id();

  @BeforeEach
  void commit() {
    try (Ledger ledger = open()) {
      ledger.commitAll(blocks);
      assertThat(findings(ledger, Level.LEDGER)).isEmpty();
    }
  }

  @Test
  void aBodyThatIsNotWhatWasCommittedIsNamedAndNotArchived() {
    change(BODIES + heightHex(), row -> flipped(row, row.size() - 1));
    try (Ledger ledger = open()) {
      assertThat(findings(ledger, Level.STRUCTURE)).as("bodies are not read").isEmpty();
      assertThat(findings(ledger, Level.BYTES))
          .containsExactly("block " + HEIGHT + " is not what was committed");
      assertThatThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(40)))
          .isInstanceOf(IntegrityException.class)
          .hasMessageContaining("block " + HEIGHT + " on the node");
      assertThat(ledger.archivedHeight()).isZero();
    }
    assertThat(store.list("")).as("segments").noneMatch(name -> name.endsWith(".lks"));
  }

  @Test
  void aRowOfABodyThatIsGoneIsNamed() {
    change(BODIES + heightHex(), row -> null);
    assertFound(Level.BYTES, "the body of block " + HEIGHT + " is not whole on the node");
  }

  @Test
  void anIdThatLeadsNowhereOrElsewhereIsNamed() {
    String key = IDS + Bytes.ofUtf8(id).hex();
    change(key, row -> flipped(row, row.size() - 1));
    assertFound(Level.BYTES, "the transaction index does not lead to '" + id + "'");
    change(key, row -> null);
    assertFound(Level.BYTES, "the transaction index does not lead to '" + id + "'");
  }

  @Test
  void aHashThatLeadsNowhereOrElsewhereIsNamed() {
    String key = HASHES + block.hash().hex();
    change(key, row -> flipped(row, row.size() - 1));
    assertFound(Level.STRUCTURE, "the hash index does not lead to block " + HEIGHT);
    change(key, row -> null);
    assertFound(Level.STRUCTURE, "the hash index does not lead to block " + HEIGHT);
  }

  @Test
  void aMetaThatDoesNotLinkIsNamed() {
    String previous = block.previousHash().hex();
    change(METAS + heightHex(), row -> flipped(row, row.hex().indexOf(previous) / 2));
    assertFound(
        Level.STRUCTURE,
        "block %d does not name the hash of block %d".formatted(HEIGHT, HEIGHT - 1));
  }

  @Test
  void sumsThatDoNotAddUpAreNamed() {
    change(METAS + heightHex(), row -> flipped(row, row.size() - 1));
    assertFound(Level.STRUCTURE, "the sums recorded with block " + HEIGHT + " are wrong");
  }

  @Test
  void anIdThatTheFilterDoesNotKnowIsNamed() throws IOException {
    Path layer = directory.resolve("block/ids").resolve("layer-00");
    byte[] filter = Files.readAllBytes(layer);
    byte[] empty = emptyLine(filter);
    for (int line = 4096; line < filter.length; line += empty.length) {
      System.arraycopy(empty, 0, filter, line, empty.length);
    }
    Files.write(layer, filter);
    assertFound(Level.BYTES, "the id filter does not know '" + id + "'");
  }

  /** A line of zeros with the sum that says that it is whole. */
  private static byte[] emptyLine(byte[] filter) {
    for (int line = 4096; line < filter.length; line += 64) {
      if (Arrays.equals(filter, line, line + 60, new byte[60], 0, 60)) {
        return Arrays.copyOfRange(filter, line, line + 64);
      }
    }
    throw new AssertionError("every line has a bit set");
  }

  private void assertFound(Level level, String finding) {
    try (Ledger ledger = open()) {
      assertThat(findings(ledger, level)).anySatisfy(found -> assertThat(found).contains(finding));
    }
  }

  private static List<String> findings(Ledger ledger, Level level) {
    return ledger.verify(Verification.Request.of(level)).findings();
  }

  private static String heightHex() {
    return "%016x".formatted(HEIGHT);
  }

  private static Bytes flipped(Bytes row, int at) {
    byte[] bytes = row.toArray();
    bytes[at] ^= 1;
    return Bytes.wrap(bytes);
  }

  /** Changes the first row whose key begins so, or removes it where nothing comes back. */
  private void change(String key, UnaryOperator<Bytes> change) {
    try (StorageEngine engine =
        new InMemoryStorage(disk).open(directory.resolve("block").resolve("db"), Options.none())) {
      WriteBatch batch = new WriteBatch();
      try (StorageEngine.Cursor cursor = engine.scan(KeyRange.prefix(Bytes.fromHex(key)))) {
        assertThat(cursor.next()).as(key).isTrue();
        Optional<Bytes> changed = Optional.ofNullable(change.apply(cursor.value()));
        changed.ifPresentOrElse(
            row -> batch.put(cursor.key(), row), () -> batch.delete(cursor.key()));
      }
      engine.write(batch, Durability.DURABLE);
    }
  }

  private Ledger open() {
    return Ledgerkeep.builder()
        .directory(directory)
        .storage(new InMemoryStorage(disk), Options.none())
        .archiveStore(store.reopen())
        .unarchivedBlocks(10)
        .reserveBytes(0)
        .open();
  }
}
