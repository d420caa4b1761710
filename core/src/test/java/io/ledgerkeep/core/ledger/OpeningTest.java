package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.fail;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.UnsupportedFormatException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is no ledger, or not the one expected, is refused, told apart and left as it is. */
final class OpeningTest {

  private static final List<Block> BLOCKS = SampleChain.ofSeed(2).blocks(30).toList();
  private static final Bytes FORMAT = Bytes.ofUtf8("\u0001format");

  @TempDir Path temporary;
  private World world;

  private World made() {
    world = new World(temporary.resolve("ledger"));
    try (Ledger ledger = world.open()) {
      ledger.commitAll(BLOCKS.subList(0, 20));
    }
    return world;
  }

  @AfterEach
  void nothingIsLeftOpen() {
    if (world != null) {
      world.disk.assertAllClosed();
    }
  }

  private <E extends LedgerkeepException> E refused(Class<E> type, Settings settings) {
    try (Ledger ledger = world.open(settings)) {
      return fail("opened at height " + ledger.height());
    } catch (LedgerkeepException e) {
      assertThat(e).isInstanceOf(type);
      return type.cast(e);
    }
  }

  private void assertStillGood() {
    try (Ledger ledger = world.open()) {
      Replay.of(BLOCKS.subList(0, 20)).assertToldBy(ledger);
      ledger.commit(BLOCKS.get(20));
    }
  }

  // ------------------------------------------------------------------------------------ settings

  @Test
  void anotherChainIsRefused() {
    Settings settings = made().settings();
    settings.chainId = "chain2";
    ConflictException e = refused(ConflictException.class, settings);
    assertThat(e.reason()).isEqualTo(Reason.OTHER_CHAIN);
    assertThat(e).hasMessageContainingAll("'chain1'", "'chain2'");
    settings.chainId = "chain1";
    world.open(settings).close();
    assertStillGood();
  }

  @Test
  void theChainIdOfTheCreationIsKept() {
    world = new World(temporary.resolve("ledger"));
    Settings settings = world.settings();
    settings.chainId = "größer";
    world.open(settings).close();
    try (Ledger ledger = world.open()) {
      assertThat(ledger.status().chainId()).isEqualTo("größer");
    }
  }

  @Test
  void anotherDigestIsRefused() {
    Settings settings = made().settings();
    settings.digest = "sm3";
    assertThat(refused(ConfigurationException.class, settings))
        .hasMessageContainingAll("'sha256'", "'sm3'");
    settings.digest = "sha256";
    world.open(settings).close();
    assertStillGood();
  }

  @Test
  void anUnknownDigestMakesNoLedger() {
    world = new World(temporary.resolve("ledger"));
    Settings settings = world.settings();
    settings.digest = "md5";
    assertThat(refused(ConfigurationException.class, settings)).hasMessageContaining("'md5'");
    settings.digest = "sm3";
    assertThat(refused(ConfigurationException.class, settings)).hasMessageContaining("SM3");
    world.open().close();
  }

  @Test
  void anotherEngineIsRefused() {
    Settings settings = made().settings();
    settings.engine = new Settings.NamedEngine("leveldb", Options.none());
    assertThat(refused(ConfigurationException.class, settings))
        .hasMessageContainingAll("'memory'", "'leveldb'", "fixed at creation");
    assertStillGood();
  }

  @Test
  void theEngineOfOneDatabaseMayBeChosenApart() {
    world = new World(temporary.resolve("ledger"));
    MemoryDisk fast = new MemoryDisk();
    Settings settings = world.settings();
    settings.engines.put(
        Database.STATE, new Settings.ProvidedEngine(new InMemoryStorage(fast), Options.none()));
    try (Ledger ledger = world.open(settings)) {
      ledger.commitAll(BLOCKS);
    }
    assertThat(fast.usedBytes()).isPositive();
    try (Ledger ledger = world.open(settings)) {
      Replay.of(BLOCKS).assertToldBy(ledger);
    }
    assertThat(refused(IntegrityException.class, world.settings()))
        .hasMessageContainingAll("state database", "no format record", "doctor");
  }

  @Test
  void anEngineHasToBeChosen() {
    world = new World(temporary.resolve("ledger"));
    Settings settings = world.settings();
    settings.engine = null;
    assertThat(refused(ConfigurationException.class, settings))
        .hasMessageContainingAll("storage engine", "block");
    settings.directory = null;
    assertThat(refused(ConfigurationException.class, settings)).hasMessageContaining("directory");
  }

  @Test
  void aNameThatIsNoneIsRefusedBeforeAnythingIsMade() {
    world = new World(temporary.resolve("ledger"));
    for (String name : List.of("", "my engine", "LevelDB", "level\ndb")) {
      Settings settings = world.settings();
      settings.engine = new Settings.NamedEngine(name, Options.none());
      refused(ConfigurationException.class, settings);
      assertThat(world.directory.resolve("LAYOUT")).doesNotExist();
    }
    world.open().close();
  }

  @Test
  void theBuilderRefusesWhatCannotBe() {
    Ledgerkeep.Builder builder = Ledgerkeep.builder();
    assertThatExceptionOfType(ConfigurationException.class).isThrownBy(() -> builder.chainId(""));
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> builder.chainId("x".repeat(256)));
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> builder.reserveBytes(-1));
    assertThatExceptionOfType(ConfigurationException.class).isThrownBy(builder::open);
  }

  @Test
  void theBuilderLeadsToALedger() {
    MemoryDisk disk = new MemoryDisk();
    Path directory = temporary.resolve("built");
    Ledgerkeep.Builder builder =
        Ledgerkeep.builder()
            .directory(directory)
            .chainId("c")
            .digest("sha256")
            .storage(new InMemoryStorage(disk), Options.none())
            .unarchivedBlocks(50)
            .readThrough(true)
            .reserveBytes(1000)
            .executor(Runnable::run);
    try (Ledger ledger = builder.open()) {
      ledger.commitAll(BLOCKS);
      assertThat(ledger.status().chainId()).isEqualTo("c");
      assertThat(ledger.status().unarchivedBlocks()).isEqualTo(50);
      assertThat(ledger.status().readThrough()).isTrue();
      assertThat(directory.resolve("block/RESERVE")).hasSize(1000);
    }
    try (Ledger ledger = builder.openExisting()) {
      Replay.of(BLOCKS).assertToldBy(ledger);
    }
  }

  @Test
  void openExistingMakesNothing() {
    world = new World(temporary.resolve("ledger"));
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> new LedgerOpener(world.settings()).open(false))
        .withMessageContaining("init");
    assertThat(world.directory).doesNotExist();
    made();
    new LedgerOpener(world.settings()).open(false).close();
    assertStillGood();
  }

  // ------------------------------------------------------------------------------------ databases

  @ParameterizedTest
  @EnumSource
  void aMissingDatabaseIsRefused(Database database) {
    made();
    world.disk.copy(temporary.resolve("nowhere"), world.store(database));
    assertThat(refused(IntegrityException.class, world.settings()))
        .hasMessageContainingAll(database.lowerCaseName() + " database", "doctor");
  }

  @ParameterizedTest
  @EnumSource
  void aDatabaseOfAnotherLedgerIsRefused(Database database) {
    made();
    World other = new World(temporary.resolve("other"));
    try (Ledger ledger = other.open()) {
      ledger.commitAll(BLOCKS.subList(0, 20));
    }
    other.withStore(database, engine -> replace(database, World.content(engine)));
    ConflictException e = refused(ConflictException.class, world.settings());
    assertThat(e.reason()).isEqualTo(Reason.OTHER_CHAIN);
    assertThat(e.getMessage()).contains("belongs to ledger");
  }

  private void replace(Database database, TreeMap<Bytes, Bytes> content) {
    world.disk.copy(temporary.resolve("nowhere"), world.store(database));
    world.withStore(
        database,
        engine -> {
          WriteBatch batch = new WriteBatch();
          content.forEach(batch::put);
          engine.write(batch, Durability.DURABLE);
        });
  }

  @Test
  void databasesThatWereSwappedAreRefused() {
    made();
    Path aside = temporary.resolve("aside");
    world.disk.copy(world.store(Database.STATE), aside);
    world.disk.copy(world.store(Database.HISTORY), world.store(Database.STATE));
    world.disk.copy(aside, world.store(Database.HISTORY));
    assertThat(refused(IntegrityException.class, world.settings()))
        .hasMessageContainingAll("state database", "is a history database", "doctor");
    world.disk.copy(world.store(Database.STATE), world.store(Database.HISTORY));
    world.disk.copy(aside, world.store(Database.STATE));
    assertStillGood();
  }

  @ParameterizedTest
  @EnumSource
  void anOlderCopyThatWasPutBackIsRefusedAndNothingIsChanged(Database database) {
    made();
    Path older = temporary.resolve("older");
    world.disk.copy(world.store(database), older);
    try (Ledger ledger = world.open()) {
      ledger.commit(BLOCKS.get(20));
    }
    Path newer = temporary.resolve("newer");
    world.disk.copy(world.store(database), newer);
    world.disk.copy(older, world.store(database));
    Map<Database, TreeMap<Bytes, Bytes>> before = contentOfClosed();

    assertThat(refused(IntegrityException.class, world.settings()))
        .hasMessageContainingAll("another copy", "ledgerkeep doctor", "19", "20");
    assertThat(contentOfClosed()).isEqualTo(before);
    world.disk.copy(newer, world.store(database));
    try (Ledger ledger = world.open()) {
      Replay.of(BLOCKS.subList(0, 21)).assertToldBy(ledger);
    }
  }

  private Map<Database, TreeMap<Bytes, Bytes>> contentOfClosed() {
    Map<Database, TreeMap<Bytes, Bytes>> all = new TreeMap<>();
    for (Database database : Database.values()) {
      world.withStore(database, engine -> all.put(database, World.content(engine)));
    }
    return all;
  }

  /** The record of the last height may be the damage: what is above it may be all there is. */
  @Test
  void nothingIsSweptAwayWhileTheHeightsContradictEachOther() {
    made();
    change(Database.BLOCK, Bytes.ofUtf8("\u0001last"), new ByteWriter(8).u64(15).take());
    Map<Database, TreeMap<Bytes, Bytes>> before = contentOfClosed();
    refused(IntegrityException.class, world.settings());
    assertThat(contentOfClosed()).isEqualTo(before);
    change(Database.BLOCK, Bytes.ofUtf8("\u0001last"), new ByteWriter(8).u64(19).take());
    assertStillGood();
  }

  @Test
  void aDamagedStoreIsTold() {
    made();
    world.disk.damage(world.store(Database.STATE), Bytes.ofUtf8("\u0001height"));
    refused(IntegrityException.class, world.settings());
    world.disk.damage(world.store(Database.HISTORY));
    refused(IntegrityException.class, world.settings());
  }

  // ------------------------------------------------------------------------------------ formats

  private void change(Database database, Bytes key, Bytes value) {
    world.withStore(
        database, engine -> engine.write(new WriteBatch().put(key, value), Durability.DURABLE));
  }

  private Bytes formatRecord(Database database) {
    Bytes[] record = new Bytes[1];
    world.withStore(database, engine -> record[0] = engine.get(FORMAT).orElseThrow());
    return record[0];
  }

  @ParameterizedTest
  @EnumSource
  void aNewerFormatIsRefusedByName(Database database) {
    made();
    Bytes good = formatRecord(database);
    Bytes newer =
        new ByteWriter(0).raw(Bytes.ofUtf8("LKDB")).varint(2).text("7.3").text("unheard of").take();
    change(database, FORMAT, newer);
    assertThat(refused(UnsupportedFormatException.class, world.settings()))
        .hasMessageContainingAll("format 2", "release 7.3", "knows format 1");
    change(database, FORMAT, good);
    assertStillGood();
  }

  @Test
  void aDigestOfTheFutureIsRefusedByName() {
    made();
    String text = formatRecord(Database.BLOCK).hex();
    String future = text.replace(hex("sha256"), hex("sha999"));
    change(Database.BLOCK, FORMAT, Bytes.fromHex(future));
    assertThat(refused(UnsupportedFormatException.class, world.settings()))
        .hasMessageContaining("'sha999'");
  }

  private static String hex(String text) {
    return Bytes.ofUtf8(text).hex();
  }

  @Test
  void aDamagedFormatRecordThrowsNothingButOurs() {
    made();
    Bytes good = formatRecord(Database.BLOCK);
    Consumer<Bytes> open =
        record -> {
          change(Database.BLOCK, FORMAT, record);
          try (Ledger ledger = world.open()) {
            assertThat(ledger.height()).isEqualTo(19);
          } catch (LedgerkeepException e) {
            assertThat(e).hasMessageNotContaining("null");
          }
        };
    for (int at = 0; at < good.size(); at++) {
      byte[] bytes = good.toArray();
      bytes[at] ^= (byte) (1 << at % 8);
      open.accept(Bytes.wrap(bytes));
      open.accept(good.slice(0, at));
    }
    change(Database.BLOCK, FORMAT, good);
    assertStillGood();
  }

  @Test
  void anEngineThatNowTakesSmallerValuesIsRefused() {
    made();
    world.limits = InMemoryStorage.SMALLEST_LIMITS;
    assertThat(refused(ConfigurationException.class, world.settings()))
        .hasMessageContainingAll("block database", "1048576");
    world.limits = InMemoryStorage.ROOMY_LIMITS;
    assertStillGood();
  }

  @Test
  void anEngineMayTakeLargerValuesThanAtCreation() {
    world = new World(temporary.resolve("ledger"));
    world.limits = InMemoryStorage.SMALLEST_LIMITS;
    Blocks genesis = Blocks.genesis().put("a", "n", Bytes.EMPTY, Blocks.noise(1, 200_000));
    try (Ledger ledger = world.open()) {
      ledger.commit(genesis.build());
    }
    world.limits = InMemoryStorage.ROOMY_LIMITS;
    Blocks next =
        Blocks.after(genesis.build()).put("b", "n", Bytes.EMPTY, Blocks.noise(2, 150_000));
    try (Ledger ledger = world.open()) {
      ledger.commit(next.build());
      Replay.of(List.of(genesis.build(), next.build())).assertToldBy(ledger);
    }
  }

  // ------------------------------------------------------------------------------------ handed in

  private StorageEngine engine(String name) {
    world = world == null ? new World(temporary.resolve("ledger")) : world;
    return new InMemoryStorage(world.disk).open(temporary.resolve(name), Options.none());
  }

  private Settings handedIn(StorageEngine block, StorageEngine state, StorageEngine history) {
    Settings settings = world.settings();
    settings.engine = null;
    settings.engines.put(Database.BLOCK, new Settings.BuiltEngine(block));
    settings.engines.put(Database.STATE, new Settings.BuiltEngine(state));
    settings.engines.put(Database.HISTORY, new Settings.BuiltEngine(history));
    return settings;
  }

  @Test
  void enginesThatAreHandedInStayTheCallers() {
    try (StorageEngine block = engine("1");
        StorageEngine state = engine("2");
        StorageEngine history = engine("3")) {
      Settings settings = handedIn(block, state, history);
      Ledger ledger = world.open(settings);
      ledger.commitAll(BLOCKS);
      var view = ledger.view();
      var entries = view.scanState("token", io.ledgerkeep.KeyRange.all());
      assertThat(entries.hasNext()).isTrue();
      ledger.close();
      ViewTest.assertAllRefuse(ledger);
      ViewTest.assertAllRefuse(view);
      assertThatExceptionOfType(IllegalStateException.class).isThrownBy(entries::next);
      entries.close();
      assertThat(block.get(FORMAT)).isPresent();
      try (Ledger again = world.open(settings)) {
        Replay.of(BLOCKS).assertToldBy(again);
      }
      assertThat(refused(ConfigurationException.class, world.settings()))
          .hasMessageContainingAll("handed in", "block");
      Settings none = world.settings();
      none.engine = null;
      assertThat(refused(ConfigurationException.class, none)).hasMessageContaining("handed in");
    }
  }

  @Test
  void oneEngineForTwoDatabasesIsRefused() {
    try (StorageEngine one = engine("1");
        StorageEngine other = engine("2")) {
      assertThat(refused(ConfigurationException.class, handedIn(one, one, other)))
          .hasMessageContainingAll("block", "state", "same engine");
      assertThat(refused(ConfigurationException.class, handedIn(one, other, other)))
          .hasMessageContainingAll("history", "state", "same engine");
    }
  }

  @Test
  void anEngineThatHoldsAnythingIsNotTakenOver() {
    try (StorageEngine block = engine("1");
        StorageEngine state = engine("2");
        StorageEngine history = engine("3")) {
      history.write(new WriteBatch().put(Bytes.ofUtf8("k"), Bytes.EMPTY), Durability.DURABLE);
      ConflictException e = refused(ConflictException.class, handedIn(block, state, history));
      assertThat(e.reason()).isEqualTo(Reason.OTHER_CHAIN);
      assertThat(e).hasMessageContainingAll("history", "no ledger's");
      assertThat(World.content(history)).containsOnlyKeys(Bytes.ofUtf8("k"));
      history.deleteRange(io.ledgerkeep.KeyRange.all());
      // what the refused creation left on the other two is its own
      world.open(handedIn(block, state, history)).close();
    }
  }

  @Test
  void theEnginesOfAnotherLedgerAreNotTakenOver() {
    try (StorageEngine block = engine("1");
        StorageEngine state = engine("2");
        StorageEngine history = engine("3")) {
      Settings settings = handedIn(block, state, history);
      try (Ledger ledger = world.open(settings)) {
        ledger.commitAll(BLOCKS);
      }
      TreeMap<Bytes, Bytes> before = World.content(block);
      settings.directory = temporary.resolve("elsewhere");
      ConflictException e = refused(ConflictException.class, settings);
      assertThat(e.reason()).isEqualTo(Reason.OTHER_CHAIN);
      assertThat(e).hasMessageContainingAll("'chain1'", "block");
      // not even the second time, when the directory looks as if it had been ours
      refused(ConflictException.class, settings);
      assertThat(World.content(block)).isEqualTo(before);
    }
  }
}
