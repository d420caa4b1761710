package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep.Comparison;
import io.ledgerkeep.Ledgerkeep.Comparison.Difference;
import io.ledgerkeep.Ledgerkeep.Comparison.Part;
import io.ledgerkeep.Options;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.job.JobControl;
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
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Two ledgers are equal, or the first difference is named, and nothing of what it holds. */
final class LedgerComparisonTest {

  private static final String SECRET = "a-value-that-nobody-may-read";

  @TempDir Path temporary;

  private final MemoryDisk disk = new MemoryDisk();
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final List<Block> blocks =
      SampleChain.builder().seed(4).transactionsPerBlock(3).build().blocks(40).toList();

  private Settings settings(String name, boolean encrypted, boolean withArchive) {
    Settings settings = new Settings();
    settings.directory = temporary.resolve(name);
    settings.engine = new Settings.ProvidedEngine(new InMemoryStorage(disk), Options.none());
    settings.store = withArchive ? new Settings.BuiltStore(store.reopen()) : null;
    settings.reserveBytes = 0;
    settings.unarchivedBlocks = 10L;
    if (encrypted) {
      settings.encryption = new Encryption.Named("aes", Options.of("key", Keys.AES));
    }
    return settings;
  }

  private Settings plain(String name) {
    return settings(name, false, true);
  }

  private static Settings filled(Settings settings, List<Block> with, long archivedTo) {
    try (Ledger ledger = new LedgerOpener(settings).open(true)) {
      ledger.commitAll(with);
      if (archivedTo > 0) {
        ledger.archiver().archive(ArchiveRequest.upTo(archivedTo));
      }
    }
    return settings;
  }

  private static Comparison compare(Settings one, Settings other) {
    return LedgerComparison.of(one, other, JobControl.none());
  }

  private Difference firstOf(List<Block> others) {
    filled(plain("one"), blocks, 0);
    Settings other = filled(plain("other"), others, 0);
    Comparison found = compare(plain("one"), other);
    assertThat(found.isEqual()).isFalse();
    Comparison turned = compare(other, plain("one"));
    assertThat(turned.first().map(Difference::part)).isEqualTo(found.first().map(Difference::part));
    assertThat(turned.blocks()).isEqualTo(found.blocks());
    return found.first().orElseThrow();
  }

  // ------------------------------------------------------------------------------------ equal

  @ParameterizedTest
  @CsvSource({
    "false,0,false,0",
    "false,0,true,0",
    "true,0,true,24",
    "false,24,true,24",
    "false,12,true,24"
  })
  void ledgersOfTheSameBlocksAreEqualHoweverTheyAreKept(
      boolean encrypted, long archived, boolean otherEncrypted, long otherArchived) {
    filled(settings("one", encrypted, true), blocks, archived);
    filled(settings("other", otherEncrypted, true), blocks, otherArchived);
    Comparison found =
        compare(settings("one", encrypted, true), settings("other", otherEncrypted, true));
    assertThat(found.isEqual()).isTrue();
    assertThat(found.blocks()).isEqualTo(40);
    assertThat(found.blocksByDigest()).isZero();

    Comparison without =
        compare(settings("one", encrypted, false), settings("other", otherEncrypted, false));
    assertThat(without.isEqual()).isTrue();
    assertThat(without.blocksByDigest())
        .isEqualTo(
            blocks.stream()
                .filter(block -> block.kind() == Block.Kind.NORMAL)
                .filter(block -> block.height() <= Math.max(archived, otherArchived))
                .count());
  }

  @Test
  void emptyLedgersAreEqual() {
    filled(plain("one"), List.of(), 0);
    filled(plain("other"), List.of(), 0);
    assertThat(compare(plain("one"), plain("other")).isEqual()).isTrue();
  }

  // ------------------------------------------------------------------------------------ different

  @Test
  void theHeightAtWhichOneEndsIsNamed() {
    Difference first = firstOf(blocks.subList(0, 30));
    assertThat(first.part()).isEqualTo(Part.HEIGHT);
    assertThat(first.height()).isEqualTo(30);
    assertThat(first.what()).contains("39", "29");
  }

  @Test
  void theBlockIsNamedAndInWhatItDiffers() {
    Blocks header = Blocks.like(blocks.get(39));
    header.header = Bytes.ofUtf8(SECRET);
    assertThat(firstOf(withLast(header))).isEqualTo(Difference.at(Part.BLOCK, 39, "the header"));
  }

  private List<Block> withLast(Blocks last) {
    List<Block> others = new ArrayList<>(blocks.subList(0, 39));
    others.add(last.build());
    return others;
  }

  @Test
  void theTransactionIsNamed() {
    Blocks payload = Blocks.like(blocks.get(39));
    payload.transactions.set(
        1, new Transaction(payload.transactions.get(1).id(), Bytes.ofUtf8(SECRET)));
    Difference first = firstOf(withLast(payload));
    assertThat(first).isEqualTo(Difference.at(Part.TRANSACTION, 39, "transaction 1"));
  }

  @Test
  void theReadWriteSetIsNamed() {
    Blocks more = Blocks.like(blocks.get(39));
    RwSet set = more.rwSets.get(2);
    List<RwSet.Write> writes = new ArrayList<>(set.writes());
    writes.add(new RwSet.Write("space", Bytes.ofUtf8("k"), Optional.of(Bytes.ofUtf8(SECRET))));
    more.rwSets.set(2, new RwSet(set.txId(), set.reads(), writes));
    assertThat(firstOf(withLast(more)))
        .isEqualTo(Difference.at(Part.RW_SET, 39, "the read/write set of transaction 2"));
  }

  @Test
  void additionalBytesCountToo() {
    Blocks votes = Blocks.like(blocks.get(39));
    votes.additional = Bytes.ofUtf8(SECRET);
    assertThat(firstOf(withLast(votes)).what()).isEqualTo("the additional bytes");
  }

  @Test
  void anArchivedBlockIsToldByWhatWasRecorded() {
    Blocks payload = Blocks.like(blocks.get(20));
    payload.transactions.set(
        0, new Transaction(payload.transactions.get(0).id(), Bytes.ofUtf8(SECRET)));
    List<Block> others = new ArrayList<>(blocks);
    others.set(20, payload.build());
    filled(plain("one"), blocks, 24);
    filled(plain("other"), others, 0);
    Comparison found = compare(settings("one", false, false), plain("other"));
    assertThat(found.first())
        .contains(Difference.at(Part.TRANSACTION, 20, "the root of its transactions"));
    assertThat(found.blocks()).isEqualTo(20);
  }

  @ParameterizedTest
  @CsvSource({"STATE,false", "HISTORY,false", "STATE,true", "HISTORY,true"})
  void theNamespaceIsNamedWhereStateOrHistoryDiffer(Database database, boolean isGone) {
    filled(plain("one"), blocks, 0);
    filled(plain("other"), blocks, 0);
    Bytes key;
    Path db = temporary.resolve("other").resolve(database.lowerCaseName()).resolve("db");
    try (StorageEngine engine = new InMemoryStorage(disk).open(db, Options.none())) {
      Map.Entry<Bytes, Bytes> last =
          World.content(engine).descendingMap().entrySet().stream()
              .filter(row -> !row.getValue().isEmpty())
              .findFirst()
              .orElseThrow();
      key = last.getKey();
      byte[] value = last.getValue().toArray();
      value[value.length - 1] ^= 1;
      WriteBatch batch = new WriteBatch();
      engine.write(
          isGone ? batch.delete(key) : batch.put(key, Bytes.wrap(value)), Durability.DURABLE);
    }
    Difference first = compare(plain("one"), plain("other")).first().orElseThrow();
    assertThat(first.part()).isEqualTo(Part.valueOf(database.name()));
    assertThat(first.height()).isEqualTo(-1);
    int length = (key.get(1) << 8) | key.get(2);
    assertThat(first.namespace()).contains(key.slice(3, 3 + length).utf8());
    assertThat(first.what()).contains("SHA-256").doesNotContain(key.hex());
    assertThat(compare(plain("other"), plain("one")).first()).contains(first);
  }

  // ------------------------------------------------------------------------------------ refusals

  @Test
  void damageIsNoDifferenceButToldAsSuch() {
    filled(plain("one"), blocks, 0);
    filled(plain("other"), blocks, 0);
    Path db = temporary.resolve("other/block/db");
    try (StorageEngine engine = new InMemoryStorage(disk).open(db, Options.none())) {
      Bytes key =
          World.content(engine).keySet().stream()
              .filter(candidate -> candidate.get(0) == 3)
              .findFirst()
              .orElseThrow();
      byte[] value = engine.get(key).orElseThrow().toArray();
      value[value.length - 1] ^= 1;
      engine.write(new WriteBatch().put(key, Bytes.wrap(value)), Durability.DURABLE);
    }
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> compare(plain("one"), plain("other")))
        .withMessageContaining("the ledger in " + temporary.resolve("other"))
        .withMessageContaining("not what was committed");
  }

  @Test
  void bothMustBeThereAndFree() {
    filled(plain("one"), blocks, 0);
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> compare(plain("one"), plain("nowhere")))
        .withMessageContaining("there is no ledger in " + temporary.resolve("nowhere"));
    assertThat(temporary.resolve("nowhere")).doesNotExist();
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(() -> compare(plain("one"), plain("one")));
  }

  @Test
  void aCancelledComparisonIsNoEquality() {
    filled(plain("one"), blocks, 0);
    filled(plain("other"), blocks, 0);
    Comparison found =
        LedgerComparison.of(
            plain("one"), plain("other"), JobControl.none().cancelledBy(() -> true));
    assertThat(found.cancelled()).isTrue();
    assertThat(found.isEqual()).isFalse();
  }
}
