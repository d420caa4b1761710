package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Options;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.StorageEngine.Limits;
import io.ledgerkeep.storage.WriteBatch;
import io.ledgerkeep.testkit.SampleChain;
import io.ledgerkeep.testkit.SampleEncryptor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A ledger whose values lie sealed: it behaves as any other to who has the key, and only so. */
final class EncryptedLedgerTest {

  private static final String MARKER = "find-me-if-you-can";

  @TempDir Path directory;

  private final List<Block> blocks = markedChain(30);

  private static List<Block> markedChain(int count) {
    List<Block> chain = new ArrayList<>();
    SampleChain.builder()
        .seed(4)
        .configAt(height -> height % 8 == 5)
        .build()
        .blocks(count)
        .forEach(
            sample -> {
              Blocks next = Blocks.like(sample);
              long h = sample.height();
              next.header = Bytes.ofUtf8(MARKER + " header " + h);
              next.transaction("T" + h, Bytes.ofUtf8(MARKER + " payload " + h));
              next.put("S" + h, "token", Bytes.ofUtf8("k" + h % 7), Bytes.ofUtf8(MARKER + h));
              if (!chain.isEmpty()) {
                next.previousHash = chain.get(chain.size() - 1).hash();
              }
              chain.add(next.build());
            });
    return chain;
  }

  private World world() {
    return new World(directory.resolve("ledger"));
  }

  private static Settings with(World world, String encryptor, String key) {
    Settings settings = world.settings();
    settings.encryption = new Encryption.Named(encryptor, Options.of("key", key));
    settings.unarchivedBlocks = 10L;
    return settings;
  }

  private World filled(String encryptor, String key) {
    World world = world();
    try (Ledger ledger = world.open(with(world, encryptor, key))) {
      ledger.commitAll(blocks);
    }
    return world;
  }

  private static String key(String encryptor) {
    return encryptor.equals("aes") ? Keys.AES : Keys.SM4;
  }

  @ParameterizedTest
  @ValueSource(strings = {"aes", "sm4"})
  void itIsALedgerLikeAnyOther(String encryptor) {
    World world = filled(encryptor, key(encryptor));
    try (Ledger ledger = world.open(with(world, encryptor, key(encryptor)))) {
      Replay.of(blocks).assertToldBy(ledger);
    }
  }

  /** The second has no room in a batch beside its longest key and its largest value. */
  static Stream<Limits> narrowLimits() {
    return Stream.of(Keys.SMALLEST_LIMITS, new Limits(40 << 10, 984 << 10, 1 << 20, 4096));
  }

  @ParameterizedTest
  @MethodSource("narrowLimits")
  void itIsALedgerLikeAnyOtherOnAnEngineWithNarrowLimits(Limits limits) {
    World world = world();
    world.limits = limits;
    List<Block> large = new Story.Script(directory.resolve("story"), 20).blocks;
    try (Ledger ledger = world.open(with(world, "aes", Keys.AES))) {
      ledger.commitAll(large);
    }
    try (Ledger ledger = world.open(with(world, "aes", Keys.AES))) {
      Replay.of(large).assertToldBy(ledger);
    }
  }

  @Test
  void aForeignEncryptorIsUsedAsItIs() {
    World world = world();
    Settings settings = world.settings();
    try (SampleEncryptor encryptor = new SampleEncryptor(1)) {
      settings.encryption = new Encryption.Built(encryptor);
      try (Ledger ledger = world.open(settings)) {
        ledger.commitAll(blocks);
      }
      try (Ledger ledger = world.open(settings)) {
        Replay.of(blocks).assertToldBy(ledger);
      }
    }
    try (SampleEncryptor another = new SampleEncryptor(2)) {
      settings.encryption = new Encryption.Built(another);
      assertThatThrownBy(() -> world.open(settings)).isInstanceOf(IntegrityException.class);
    }
    assertThatThrownBy(() -> world.open(with(world, "aes", Keys.AES)))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("hand it in again");
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(world::open)
        .withMessageContaining("hand in the encryptor");
  }

  @Test
  void noMarkerOfAValueIsStored() throws IOException {
    World world = world();
    try (Ledger ledger = world.open(with(world, "sm4", Keys.SM4))) {
      ledger.commitAll(blocks);
      world
          .content()
          .values()
          .forEach(
              content ->
                  content.forEach(
                      (key, value) ->
                          assertThat(new String(value.toArray(), StandardCharsets.ISO_8859_1))
                              .doesNotContain(MARKER)));
    }
    try (Stream<Path> files = Files.walk(world.directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(Files.readString(file, StandardCharsets.ISO_8859_1))
            .as(file.toString())
            .doesNotContain(MARKER);
      }
    }
  }

  // ------------------------------------------------------------------------------------ keys

  @Test
  void withoutItsKeyItIsRefusedByName() {
    World world = filled("aes", Keys.AES);
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(world::open)
        .withMessageContaining("chain1")
        .withMessageContaining(world.directory.toString())
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.MISSING));
  }

  @Test
  void withAnotherKeyItIsRefusedBeforeAByteIsServed() {
    World world = filled("aes", Keys.AES);
    long gets = world.plan.calls(io.ledgerkeep.testkit.FaultPlan.Call.ALL);
    for (String key : List.of(Keys.OTHER_AES, "hex:00112233445566778899aabbccddeeff")) {
      assertThatExceptionOfType(KeyUnavailableException.class)
          .isThrownBy(() -> world.open(with(world, "aes", key)))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.WRONG));
    }
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(() -> world.open(with(world, "sm4", Keys.SM4)));
    assertThat(world.plan.calls(io.ledgerkeep.testkit.FaultPlan.Call.ALL)).isEqualTo(gets);
  }

  @Test
  void aPlainLedgerOpenedWithAKeyIsRefusedWithTheWayOut() {
    World world = world();
    try (Ledger ledger = world.open()) {
      ledger.commitAll(blocks);
    }
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> world.open(with(world, "aes", Keys.AES)))
        .withMessageContaining("no registry of keys")
        .withMessageContaining("tde encrypt");
    try (Ledger ledger = world.open()) {
      Replay.of(blocks).assertToldBy(ledger);
    }
  }

  @Test
  void withoutItsRegistryItIsNoPlainLedger() throws IOException {
    World world = filled("aes", Keys.AES);
    Files.delete(world.directory.resolve("block/KEYS"));
    Files.delete(world.directory.resolve("block/KEYS.copy"));
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(world::open)
        .withMessageContaining("KEYS is missing");
    assertThatThrownBy(() -> world.open(with(world, "aes", Keys.AES)))
        .isInstanceOf(LedgerkeepException.class);
  }

  @Test
  void anOlderRegistryIsNoticed() throws IOException {
    World world = filled("aes", Keys.AES);
    byte[] older = Files.readAllBytes(world.directory.resolve("block/KEYS"));
    try (Ledger ledger = world.open(with(world, "aes", Keys.AES))) {
      ledger.commit(next());
    }
    Files.write(world.directory.resolve("block/KEYS"), older);
    Files.write(world.directory.resolve("block/KEYS.copy"), older);
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> world.open(with(world, "aes", Keys.AES)))
        .withMessageContaining("registry");
  }

  /** The same master key opens it too: only the databases tell whose registry it is. */
  @Test
  void theRegistryOfAnotherLedgerDestroysNoCopyOfTheRightOne() throws IOException {
    World world = filled("aes", Keys.AES);
    World other = new World(directory.resolve("other"));
    try (Ledger ledger = other.open(with(other, "aes", Keys.AES))) {
      ledger.commitAll(blocks);
    }
    byte[] right = Files.readAllBytes(world.directory.resolve("block/KEYS"));
    byte[] wrong = Files.readAllBytes(other.directory.resolve("block/KEYS"));
    for (String name : List.of("KEYS", "KEYS.copy")) {
      Files.write(world.directory.resolve("block").resolve(name), wrong);
      try (Ledger ledger = world.open(with(world, "aes", Keys.AES))) {
        Replay.of(blocks).assertToldBy(ledger);
      }
      assertThat(world.directory.resolve("block/KEYS")).hasBinaryContent(right);
      assertThat(world.directory.resolve("block/KEYS.copy")).hasBinaryContent(right);
      assertThat(world.directory.resolve("block").resolve(name + ".replaced"))
          .hasBinaryContent(wrong);
    }
    Files.write(world.directory.resolve("block/KEYS"), wrong);
    Files.write(world.directory.resolve("block/KEYS.copy"), wrong);
    assertThatThrownBy(() -> world.open(with(world, "aes", Keys.AES)))
        .isInstanceOf(IntegrityException.class);
  }

  /** A kill before LAYOUT leaves a record on the engines that nobody can open any more. */
  @Test
  void anInterruptedCreationOnEnginesHandedInIsRunAgain() throws IOException {
    World world = filled("aes", Keys.AES);
    for (Database database : Database.values()) {
      TreeMap<Bytes, Bytes> content = contentOf(world, database);
      WriteBatch onlyFormat = new WriteBatch();
      content.keySet().stream()
          .filter(key -> !key.utf8().equals("\u0001format") && !key.utf8().equals("\u0001keys"))
          .forEach(onlyFormat::delete);
      world.withStore(database, engine -> engine.write(onlyFormat, Durability.DURABLE));
    }
    Files.delete(world.directory.resolve("LAYOUT"));
    Files.createFile(world.directory.resolve("CREATING"));
    try (Ledger ledger = world.open(with(world, "aes", Keys.AES))) {
      ledger.commitAll(blocks);
      Replay.of(blocks).assertToldBy(ledger);
    }
  }

  private Block next() {
    return markedChain(31).get(30);
  }

  // ------------------------------------------------------------------------------------ rotation

  @Test
  void newValuesAreSealedUnderTheNewKeyAndOldOnesStayReadable() {
    World world = world();
    try (Ledger ledger = world.open(with(world, "aes", Keys.AES))) {
      ledger.commitAll(blocks.subList(0, 10));
      LedgerKeys keys = ledger.keys().orElseThrow();
      assertThat(keys.rotate("SM4-GCM").number()).isEqualTo(2);
      assertThat(ledger.status().encryption()).isEqualTo("SM4-GCM");
      ledger.commitAll(blocks.subList(10, 20));
      keys.rotate("AES-128-GCM");
      ledger.commitAll(blocks.subList(20, 30));
      assertThat(keys.dataKeys())
          .extracting(LedgerKeys.DataKey::suite, LedgerKeys.DataKey::state)
          .containsExactly(
              tuple("AES-256-GCM", LedgerKeys.State.READ_ONLY),
              tuple("SM4-GCM", LedgerKeys.State.READ_ONLY),
              tuple("AES-128-GCM", LedgerKeys.State.ACTIVE));
      Replay.of(blocks).assertToldBy(ledger);
    }
    try (Ledger ledger = world.open(with(world, "aes", Keys.AES))) {
      Replay.of(blocks).assertToldBy(ledger);
      assertThat(ledger.status().encryption()).isEqualTo("AES-128-GCM");
    }
  }

  @Test
  void aRotationThatFailsChangesNothing() throws IOException {
    World world = filled("aes", Keys.AES);
    Path inTheWay = world.directory.resolve("block/KEYS.new");
    try (Ledger ledger = world.open(with(world, "aes", Keys.AES))) {
      LedgerKeys keys = ledger.keys().orElseThrow();
      List<LedgerKeys.DataKey> before = keys.dataKeys();
      assertThatThrownBy(() -> keys.rotate("AES-512")).isInstanceOf(ConfigurationException.class);
      Files.createDirectory(inTheWay);
      assertThatThrownBy(() -> keys.rotate("SM4-GCM")).isInstanceOf(StorageException.class);
      assertThat(keys.dataKeys()).isEqualTo(before);
      Files.delete(inTheWay);
      ledger.commit(next());
    }
    List<Block> all = new ArrayList<>(blocks);
    all.add(next());
    try (Ledger ledger = world.open(with(world, "aes", Keys.AES))) {
      Replay.of(all).assertToldBy(ledger);
    }
  }

  /** A writer that cannot begin an epoch has sealed nothing. */
  @Test
  void aCommitThatCannotBeginAnEpochChangesNothing() throws IOException {
    World world = filled("aes", Keys.AES);
    Path inTheWay = world.directory.resolve("block/KEYS.new");
    try (Ledger ledger = world.open(with(world, "aes", Keys.AES))) {
      Files.createDirectory(inTheWay);
      assertThatThrownBy(() -> ledger.commit(next())).isInstanceOf(StorageException.class);
      Files.delete(inTheWay);
    }
    try (Ledger ledger = world.open(with(world, "aes", Keys.AES))) {
      Replay.of(blocks).assertToldBy(ledger);
      ledger.commit(next());
      assertThat(ledger.block(30)).contains(next());
    }
  }

  @Test
  void aPlainLedgerHasNoKeys() {
    World world = world();
    try (Ledger ledger = world.open()) {
      assertThat(ledger.keys()).isEmpty();
      assertThat(ledger.status().encryption()).isEmpty();
    }
  }

  // ------------------------------------------------------------------------------------ integrity

  /** Flips one bit of every stored value: whatever is read then is right, or refused. */
  @Test
  void everyValueThatWasChangedIsRefused() {
    World world = filled("aes", Keys.AES);
    for (Database database : Database.values()) {
      TreeMap<Bytes, Bytes> content = contentOf(world, database);
      content.forEach(
          (key, value) -> {
            byte[] changed = value.toArray();
            changed[(key.hashCode() & 0xFFFF) % changed.length] ^= 4;
            assertRefusedWith(world, database, key, Bytes.wrap(changed));
            put(world, database, key, value);
          });
    }
  }

  @Test
  void everyValueThatWasPutAtAnotherKeyIsRefused() {
    World world = filled("aes", Keys.AES);
    for (Database database : Database.values()) {
      TreeMap<Bytes, Bytes> content = contentOf(world, database);
      content.forEach(
          (key, value) -> {
            Map.Entry<Bytes, Bytes> other =
                content.higherEntry(key) == null ? content.firstEntry() : content.higherEntry(key);
            assertRefusedWith(world, database, key, other.getValue());
            put(world, database, key, value);
          });
    }
  }

  @Test
  void aPlainValueIsRefused() {
    World world = filled("aes", Keys.AES);
    TreeMap<Bytes, Bytes> content = contentOf(world, Database.STATE);
    content.forEach(
        (key, value) -> {
          assertRefusedWith(world, Database.STATE, key, Bytes.ofUtf8("in plain"));
          put(world, Database.STATE, key, value);
        });
  }

  @Test
  void aValueThatWasChangedIsToldWithItsHeight() {
    World world = filled("aes", Keys.AES);
    Bytes key =
        contentOf(world, Database.BLOCK).keySet().stream()
            .filter(found -> found.get(0) == 3 && found.asBuffer().getLong(1) == 7)
            .findFirst()
            .orElseThrow();
    put(world, Database.BLOCK, key, Bytes.wrap(new byte[40]));
    try (Ledger ledger = world.open(with(world, "aes", Keys.AES))) {
      assertThatExceptionOfType(IntegrityException.class)
          .isThrownBy(() -> ledger.block(7))
          .withMessageContaining("height 7")
          .withMessageContaining("block database")
          .withMessageContaining("digest");
      assertThat(ledger.block(8)).contains(blocks.get(8));
    }
  }

  /**
   * Opens the ledger and reads everything: it must fail somewhere, and tell nothing that is wrong.
   */
  private void assertRefusedWith(World world, Database database, Bytes key, Bytes value) {
    put(world, database, key, value);
    assertThatThrownBy(
            () -> {
              try (Ledger ledger = world.open(with(world, "aes", Keys.AES))) {
                Replay.of(blocks).assertToldBy(ledger);
              }
            })
        .as("%s database, key %s", database, key.hex())
        .isInstanceOf(LedgerkeepException.class);
  }

  private static TreeMap<Bytes, Bytes> contentOf(World world, Database database) {
    TreeMap<Bytes, Bytes> content = new TreeMap<>();
    world.withStore(database, engine -> content.putAll(World.content(engine)));
    return content;
  }

  private static void put(World world, Database database, Bytes key, Bytes value) {
    world.withStore(
        database,
        (StorageEngine engine) ->
            engine.write(new WriteBatch().put(key, value), Durability.DURABLE));
  }
}
