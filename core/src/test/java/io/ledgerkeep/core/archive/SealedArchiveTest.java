package io.ledgerkeep.core.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.sealing.EpochEncryptor;
import io.ledgerkeep.core.sealing.Keyring;
import io.ledgerkeep.core.sealing.SampleArchiveKeys;
import io.ledgerkeep.core.sealing.SealedEngine;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.testkit.FaultPlan;
import io.ledgerkeep.testkit.FaultPlan.Call;
import io.ledgerkeep.testkit.FaultPlan.Fault;
import io.ledgerkeep.testkit.FaultyArchiveStore;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import io.ledgerkeep.testkit.SampleEncryptor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The archive of a ledger that is encrypted, with the ledger and alone. */
final class SealedArchiveTest {

  private static final int UNARCHIVED = 10;
  private static final String HEX = "00112233445566778899aabbccddee";
  private static final String MASTER = "hex:" + HEX + "f1";
  private static final Options KEY = Options.of("key", MASTER);
  private static final Options OTHER_KEY = Options.of("key", "hex:" + HEX + "f2");

  @TempDir Path directory;

  private final MemoryDisk disk = new MemoryDisk(1);
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final List<Block> blocks =
      SampleChain.builder()
          .seed(5)
          .configAt(height -> height % 10 == 6)
          .build()
          .blocks(80)
          .toList();

  // ------------------------------------------------------------------------------------ a ledger

  @ParameterizedTest
  @CsvSource({"aes, 1", "aes, 2", "sm4, 1"})
  void nothingIsLostOrChangedByArchivesAndRestoresAtRandomHeights(String encryptor, long seed) {
    Random random = new Random(seed);
    try (Ledger ledger = builder(disk, store).encryption(encryptor, KEY).open()) {
      ledger.commitAll(blocks);
    }
    Map<Database, Map<Bytes, Bytes>> before = rows(encryptor);
    for (int round = 0; round < 6; round++) {
      boolean readThrough = random.nextBoolean();
      try (Ledger ledger =
          builder(disk, store).encryption(encryptor, KEY).readThrough(readThrough).open()) {
        long height = random.nextInt(70);
        if (random.nextBoolean()) {
          if (blocks.get((int) height).kind() == Block.Kind.NORMAL) {
            ledger.archiver().plan(ArchiveRequest.upTo(height));
            ledger.archiver().archive(ArchiveRequest.upTo(height));
          }
        } else {
          ledger.restorer().restore(RestoreRequest.downTo(height));
        }
        assertReads(ledger, readThrough);
        assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
      }
    }
    try (Ledger ledger = builder(disk, store).encryption(encryptor, KEY).open()) {
      ledger.archiver().archive(ArchiveRequest.upTo(69));
      ledger.restorer().restore(RestoreRequest.downTo(0));
      assertThat(ledger.archivedHeight()).isZero();
      assertReads(ledger, false);
    }
    assertThat(rows(encryptor)).isEqualTo(before);
    assertThat(store.list("").stream().filter(name -> name.contains("/keys/"))).hasSize(1);
  }

  private void assertReads(Ledger ledger, boolean readThrough) {
    for (Block block : blocks) {
      boolean archived =
          block.kind() == Block.Kind.NORMAL && block.height() <= ledger.archivedHeight();
      if (!archived || readThrough) {
        assertThat(ledger.block(block.height())).contains(block);
        for (Transaction transaction : block.transactions()) {
          assertThat(ledger.transaction(transaction.id())).contains(transaction);
        }
      }
    }
    if (ledger.archivedHeight() > 0) {
      assertThat(ledger.archive().verify(Verification.Request.of(Level.CONTENT)).findings())
          .isEmpty();
    }
  }

  /** All keys and opened values, the records of table 01 aside: pivot, job, checkpoints. */
  private Map<Database, Map<Bytes, Bytes>> rows(String provider) {
    Map<Database, Map<Bytes, Bytes>> all = new TreeMap<>();
    try (EpochEncryptor encryptor =
        SampleArchiveKeys.encryptor(directory.resolve("block"), provider, MASTER)) {
      Bytes ledger = Bytes.fromHex(ledgerId());
      for (Database database : Database.values()) {
        Path place = directory.resolve(database.lowerCaseName()).resolve("db");
        Map<Bytes, Bytes> rows = new TreeMap<>();
        try (StorageEngine engine =
                new SealedEngine(
                    new InMemoryStorage(disk).open(place, Options.none()),
                    encryptor,
                    ledger,
                    database,
                    key -> OptionalLong.empty(),
                    Runnable::run);
            StorageEngine.Cursor cursor =
                engine.scan(KeyRange.atLeast(Bytes.wrap(new byte[] {2})))) {
          while (cursor.next()) {
            rows.put(cursor.key(), cursor.value());
          }
        }
        all.put(database, rows);
      }
    }
    return all;
  }

  private String ledgerId() {
    return Keyring.head(directory.resolve("block")).orElseThrow().ledgerId().hex();
  }

  @Test
  void nothingInTheArchiveShowsABlockOrAKey() {
    String marker = "MARKER";
    List<Block> marked = new ArrayList<>();
    for (long height = 0; height < 40; height++) {
      marked.add(marked(height, marker, marked));
    }
    for (boolean encrypted : List.of(false, true)) {
      InMemoryArchiveStore archive = new InMemoryArchiveStore();
      Ledgerkeep.Builder builder =
          builder(new MemoryDisk(2), archive).directory(directory.resolve("" + encrypted));
      if (encrypted) {
        builder.encryption("aes", KEY);
      }
      try (Ledger ledger = builder.open()) {
        ledger.commitAll(marked);
        ledger.archiver().archive(ArchiveRequest.upTo(5));
        ledger.archiver().archive(ArchiveRequest.upTo(25));
        ledger.restorer().restore(RestoreRequest.downTo(8));
        ledger.archiver().archive(ArchiveRequest.upTo(29));
      }
      StringBuilder everything = new StringBuilder();
      for (String name : archive.list("")) {
        int size = (int) archive.size(name).orElseThrow();
        everything.append(name).append(archive.get(name, 0, size).hex());
      }
      assertThat(everything.toString().contains(Bytes.ofUtf8(marker).hex())).isEqualTo(!encrypted);
      assertThat(everything).doesNotContain(HEX, Bytes.ofUtf8(HEX).hex());
    }
  }

  @Test
  void theKeyObjectComesFirstAndIsPutBackWhereItWasLost() {
    InMemoryArchiveStore full = new InMemoryArchiveStore();
    List<String> order = new ArrayList<>();
    ArchiveStore watched = new WatchedStore(full, order);
    try (Ledger ledger = builder(disk, watched).encryption("aes", KEY).open()) {
      ledger.commitAll(blocks);
      assertThat(full.list("")).isEmpty();
      ledger.archiver().archive(ArchiveRequest.upTo(20));
      assertThat(order.get(0)).contains("/keys/00000001-");
      assertThat(order.get(1)).contains("/manifest/0000000000000000");
      assertThat(order.get(2)).contains("/segments/");
      String key = order.get(0);
      ledger.archiver().archive(ArchiveRequest.upTo(30));
      assertThat(order.subList(1, order.size())).noneMatch(name -> name.contains("/keys/"));
      full.remove(key);
      assertThat(ledger.verify(Verification.Request.of(Level.STRUCTURE)).findings())
          .hasSize(1)
          .allMatch(finding -> finding.contains("archive key 1"));
      ledger.archiver().archive(ArchiveRequest.upTo(40));
      assertThat(full.size(key)).isPresent();
      assertThat(ledger.verify(Verification.Request.of(Level.STRUCTURE)).findings()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Fault.class,
      names = {"FAIL", "OUT_OF_SPACE", "LOSE_ANSWER"})
  void whateverCallOfTheStoreFailsTheNextRunMakesGood(Fault fault) {
    long calls = Long.MAX_VALUE;
    for (long n = 1; n <= calls; n++) {
      InMemoryArchiveStore archive = new InMemoryArchiveStore();
      FaultPlan plan = new FaultPlan().at(Call.ALL, n, fault);
      try (Ledger ledger =
          builder(new MemoryDisk(n), new FaultyArchiveStore(archive, plan))
              .directory(directory.resolve(fault + "-" + n))
              .encryption("aes", KEY)
              .open()) {
        ledger.commitAll(blocks);
        try {
          ledger.archiver().archive(ArchiveRequest.upTo(20));
          calls = plan.calls(Call.ALL) < n ? n : calls;
          plan.repair();
        } catch (LedgerkeepException e) {
          plan.repair();
          ledger.archiver().archive(ArchiveRequest.upTo(20));
        }
        ledger.archiver().archive(ArchiveRequest.upTo(25));
        assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
      }
      try (Archive alone = Ledgerkeep.archive().store(archive).encryption("aes", KEY).open()) {
        assertThat(alone.block(24)).contains(blocks.get(24));
      }
    }
    assertThat(calls).isBetween(10L, 1000L);
  }

  /** Tells in which order objects are written. */
  private record WatchedStore(ArchiveStore store, List<String> order) implements ArchiveStore {
    @Override
    public String place() {
      return store.place();
    }

    @Override
    public void put(String name, Content content) {
      order.add(name);
      store.put(name, content);
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

  // ------------------------------------------------------------------------------------ mixtures

  @Test
  void anEncryptedLedgerDoesNotTakeAnArchiveInPlain() {
    try (Ledger ledger = builder(disk, store).encryption("aes", KEY).open()) {
      ledger.commitAll(blocks);
      SampleArchive.write(
          store, Bytes.fromHex(ledger.status().ledgerId()), blocks.subList(0, 20), 10);
      List<String> before = store.list("");
      assertThatThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(30)))
          .isInstanceOf(IntegrityException.class)
          .hasMessageContaining("in plain");
      assertThat(store.list("")).isEqualTo(before);
      assertThat(ledger.archivedHeight()).isZero();
    }
  }

  @Test
  void aLedgerInPlainDoesNotTakeAnEncryptedArchive() {
    try (Ledger ledger = builder(disk, store).open()) {
      ledger.commitAll(blocks);
      Bytes id = Bytes.fromHex(ledger.status().ledgerId());
      SampleArchive.write(store, id, blocks.subList(0, 20), 10, SampleArchiveKeys.keys(id, 1));
      List<String> before = store.list("");
      assertThatThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(30)))
          .isInstanceOfSatisfying(
              ConflictException.class,
              e -> assertThat(e.reason()).isEqualTo(ConflictException.Reason.ARCHIVE))
          .hasMessageContaining("encrypted");
      assertThat(store.list("")).isEqualTo(before);
      assertThat(ledger.archivedHeight()).isZero();
    }
  }

  @Test
  void aLedgerUnderAnEncryptorHandedInWritesNoArchiveInPlain() {
    try (Ledger ledger = builder(disk, store).encryption(new SampleEncryptor(1)).open()) {
      ledger.commitAll(blocks);
      assertThatThrownBy(() -> ledger.archiver().plan(ArchiveRequest.upTo(30)))
          .isInstanceOf(ConfigurationException.class);
      assertThatThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(30)))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("handed in");
      assertThat(store.list("")).isEmpty();
      assertThat(ledger.archivedHeight()).isZero();
    }
  }

  // ------------------------------------------------------------------------------------ alone

  private void writeArchive(String encryptor, Options options) {
    try (Ledger ledger = builder(disk, store).encryption(encryptor, options).open()) {
      ledger.commitAll(blocks);
      ledger.archiver().archive(ArchiveRequest.upTo(30));
      ledger.archiver().archive(ArchiveRequest.upTo(59));
    }
  }

  @ParameterizedTest
  @CsvSource({"aes", "sm4"})
  void anArchiveStandsAloneWithItsKey(String encryptor) {
    writeArchive(encryptor, KEY);
    Archive archive = Ledgerkeep.archive().store(store.reopen()).encryption(encryptor, KEY).open();
    try (archive) {
      assertThat(archive.lastHeight()).isEqualTo(59);
      assertThat(archive.verify(Verification.Request.of(Level.CONTENT)).findings()).isEmpty();
      for (Block block : blocks.subList(0, 60)) {
        assertThat(archive.block(block.height())).contains(block);
        assertThat(archive.blockByHash(block.hash())).contains(block);
        for (RwSet rwSet : block.rwSets()) {
          assertThat(archive.rwSet(rwSet.txId())).contains(rwSet);
        }
      }
    }
    archive.close();
    assertThatThrownBy(() -> archive.block(40)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void withAnotherKeyItIsRefused() {
    writeArchive("aes", KEY);
    for (String encryptor : List.of("aes", "sm4")) {
      Options wrong = encryptor.equals("aes") ? OTHER_KEY : KEY;
      assertThatThrownBy(
              () -> Ledgerkeep.archive().store(store.reopen()).encryption(encryptor, wrong).open())
          .isInstanceOfSatisfying(
              KeyUnavailableException.class, e -> assertThat(e.reason()).isEqualTo(Reason.WRONG))
          .hasMessageContaining(store.place());
    }
  }

  @Test
  void withoutAKeyItIsListedAndAnswersWhatToDo() {
    writeArchive("aes", KEY);
    try (Archive archive = Ledgerkeep.archive().store(store.reopen()).open()) {
      assertThat(archive.segments()).hasSize(2);
      assertThat(archive.verify(Verification.Request.of(Level.STRUCTURE)).findings()).isEmpty();
      assertThat(archive.verify(Verification.Request.of(Level.BYTES)).findings()).isEmpty();
      for (Runnable question :
          List.<Runnable>of(
              () -> archive.verify(Verification.Request.of(Level.CONTENT)),
              () -> archive.block(3),
              () -> archive.transaction("an id"),
              () -> archive.blockByHash(blocks.get(3).hash()))) {
        assertThatThrownBy(question::run)
            .isInstanceOfSatisfying(
                KeyUnavailableException.class,
                e -> assertThat(e.reason()).isEqualTo(Reason.MISSING))
            .hasMessageContainingAll(store.place(), "encryptor", "encrypt_key");
      }
    }
  }

  @Test
  void anArchiveInPlainIsRefusedWithAKey() {
    try (Ledger ledger = builder(disk, store).open()) {
      ledger.commitAll(blocks);
      ledger.archiver().archive(ArchiveRequest.upTo(30));
    }
    assertThatThrownBy(
            () -> Ledgerkeep.archive().store(store.reopen()).encryption("aes", KEY).open())
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("in plain");
  }

  @Test
  void whereAllKeyObjectsAreLostTheKeyIsMissing() {
    writeArchive("aes", KEY);
    InMemoryArchiveStore without = store.copy();
    without.list("").stream().filter(name -> name.contains("/keys/")).forEach(without::remove);
    assertThatThrownBy(() -> Ledgerkeep.archive().store(without).encryption("aes", KEY).open())
        .isInstanceOfSatisfying(
            KeyUnavailableException.class, e -> assertThat(e.reason()).isEqualTo(Reason.MISSING));
  }

  @Test
  void aKeyFileIsEmptiedWhenTheArchiveWasOpenedAndNotBefore() throws IOException {
    writeArchive("aes", KEY);
    Path right = keyFile("right", HEX + "f1");
    Path wrong = keyFile("wrong", HEX + "f2");
    assertThatThrownBy(
            () ->
                Ledgerkeep.archive()
                    .store(store.reopen())
                    .encryption("aes", Options.of("key", wrong.toString()))
                    .open())
        .isInstanceOf(KeyUnavailableException.class);
    assertThat(Files.size(wrong)).isEqualTo(16);
    InMemoryArchiveStore damaged = store.copy();
    damaged.list("").stream()
        .filter(n -> n.contains("/manifest/"))
        .forEach(n -> damaged.flipBit(n, 300));
    assertThatThrownBy(
            () ->
                Ledgerkeep.archive()
                    .store(damaged)
                    .encryption("aes", Options.of("key", right.toString()))
                    .open())
        .isInstanceOf(IntegrityException.class);
    assertThat(Files.size(right)).isEqualTo(16);
    try (Archive archive =
        Ledgerkeep.archive()
            .store(store.reopen())
            .encryption("aes", Options.of("key", right.toString()))
            .open()) {
      assertThat(archive.block(30)).contains(blocks.get(30));
    }
    assertThat(Files.size(right)).isZero();
  }

  private Path keyFile(String name, String hex) throws IOException {
    Path place = directory.resolve("keys");
    Files.createDirectories(place);
    Path file = place.resolve(name);
    Files.write(file, Bytes.fromHex(hex).toArray());
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    return file;
  }

  /** Every part of the block holds the marker, between noise that zstd leaves as it is. */
  private static Block marked(long height, String marker, List<Block> before) {
    Bytes noisy = noisy(marker, height);
    String id = marker + height;
    RwSet.Write write = new RwSet.Write(marker, Bytes.ofUtf8(marker + height), Optional.of(noisy));
    return new Block(
        height,
        height == 0 ? Block.Kind.GENESIS : Block.Kind.NORMAL,
        Bytes.ofUtf8("hash " + height),
        before.isEmpty() ? Bytes.EMPTY : before.get(before.size() - 1).hash(),
        Bytes.ofUtf8(marker + " header"),
        List.of(new Transaction(id, noisy)),
        List.of(new RwSet(id, List.of(), List.of(write))),
        noisy);
  }

  private static Bytes noisy(String marker, long seed) {
    byte[] noise = new byte[3000];
    new Random(seed).nextBytes(noise);
    Bytes.ofUtf8(marker).copyTo(noise, 1500);
    return Bytes.wrap(noise);
  }

  private Ledgerkeep.Builder builder(MemoryDisk on, ArchiveStore archive) {
    return Ledgerkeep.builder()
        .directory(directory)
        .storage(new InMemoryStorage(on), Options.none())
        .archiveStore(archive)
        .unarchivedBlocks(UNARCHIVED)
        .reserveBytes(0);
  }
}
