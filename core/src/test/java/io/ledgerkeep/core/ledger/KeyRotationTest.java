package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Options;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.encryption.LedgerKeys.DataKey;
import io.ledgerkeep.encryption.LedgerKeys.Reencryption;
import io.ledgerkeep.encryption.LedgerKeys.State;
import io.ledgerkeep.encryption.LedgerKeys.Usage;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.testkit.FaultPlan;
import io.ledgerkeep.testkit.FaultPlan.Call;
import io.ledgerkeep.testkit.FaultPlan.Fault;
import io.ledgerkeep.testkit.SampleChain;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Keys are replaced while the ledger is in use, and no value is lost on the way. */
final class KeyRotationTest {

  private static final List<Block> BLOCKS = SampleChain.ofSeed(6).blocks(60).toList();

  private static final List<Block> FEW = BLOCKS.subList(0, 12);

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void make() {
    world = new World(directory.resolve("ledger"));
  }

  private Ledger open(String encryptor, String key) {
    Settings settings = world.settings();
    settings.encryption = new Encryption.Named(encryptor, Options.of("key", key));
    return world.open(settings);
  }

  private Ledger open() {
    return open("aes", Keys.AES);
  }

  private static LedgerKeys keysOf(Ledger ledger) {
    return ledger.keys().orElseThrow();
  }

  private static Map<Integer, Long> values(Ledger ledger) {
    return keysOf(ledger).usage(JobControl.none()).stream()
        .collect(Collectors.toMap(Usage::dataKey, Usage::values));
  }

  private static void rewrap(Ledger ledger, String encryptor, String key) {
    keysOf(ledger).rewrap(encryptor, Options.of("key", key), Optional.empty());
  }

  private static Map<String, byte[]> registry(World world) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    for (Path file : registryFiles(world)) {
      files.put(file.getFileName().toString(), Files.readAllBytes(file));
    }
    return files;
  }

  private static List<Path> registryFiles(World world) throws IOException {
    try (Stream<Path> files = Files.walk(world.directory)) {
      return files.filter(file -> file.getFileName().toString().startsWith("KEYS")).toList();
    }
  }

  private static void putBack(World world, Map<String, byte[]> files) throws IOException {
    for (Path file : registryFiles(world)) {
      Files.write(file, files.get(file.getFileName().toString()));
    }
  }

  // ------------------------------------------------------------------------------------ reencrypt

  @Test
  void everyValueIsSealedAnewUnderTheActiveKey() {
    try (Ledger ledger = open()) {
      ledger.commitAll(BLOCKS);
      long before = values(ledger).get(1);
      keysOf(ledger).rotate("SM4-GCM");
      Reencryption done = keysOf(ledger).reencrypt(JobControl.none());
      assertThat(done.complete()).isTrue();
      // The generation of the registry was recorded anew already.
      assertThat(done.values()).isEqualTo(before - 1);
      // The mark of the audit file came with the first job.
      assertThat(values(ledger)).isEqualTo(Map.of(1, 0L, 2, before + 1));
      Replay.of(BLOCKS).assertToldBy(ledger);
      assertThat(keysOf(ledger).reencrypt(JobControl.none()).values()).isZero();
    }
    try (Ledger ledger = open()) {
      Replay.of(BLOCKS).assertToldBy(ledger);
    }
  }

  @Test
  void smallEnginesAreServedToo() {
    world.limits = Keys.SMALLEST_LIMITS;
    List<Block> large = new Story.Script(directory.resolve("story"), 20).blocks;
    try (Ledger ledger = open()) {
      ledger.commitAll(large);
      keysOf(ledger).rotate("AES-128-GCM");
      keysOf(ledger).reencrypt(JobControl.none());
      assertThat(values(ledger).get(1)).isZero();
      Replay.of(large).assertToldBy(ledger);
    }
  }

  /** What is committed while values are sealed anew is never overwritten by what was there. */
  @Test
  void commitsGoOnMeanwhileAndTheNewestValueWins() throws Exception {
    try (Ledger ledger = open()) {
      ledger.commitAll(BLOCKS.subList(0, 5));
      AtomicBoolean over = new AtomicBoolean();
      Threads.run(
          () -> {
            for (Block block : BLOCKS.subList(5, BLOCKS.size())) {
              ledger.commit(block);
            }
            over.set(true);
          },
          () -> {
            for (int round = 0; !over.get(); round++) {
              keysOf(ledger).rotate(round % 2 == 0 ? "SM4-GCM" : "AES-256-GCM");
              keysOf(ledger).reencrypt(JobControl.none());
            }
          });
      Replay.of(BLOCKS).assertToldBy(ledger);
    }
    try (Ledger ledger = open()) {
      Replay.of(BLOCKS).assertToldBy(ledger);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FAIL", "OUT_OF_SPACE", "LOSE_ANSWER"})
  void whicheverCallFailsTheNextRunEndsIt(Fault fault) {
    for (int n = 1; failsAt(n, fault); n += 11) {
      try (Ledger ledger = open()) {
        Replay.of(FEW).assertToldBy(ledger);
        keysOf(ledger).reencrypt(JobControl.none());
        int active = keysOf(ledger).dataKeys().size();
        values(ledger).forEach((key, count) -> assertThat(count == 0).isEqualTo(key != active));
        Replay.of(FEW).assertToldBy(ledger);
      }
      make();
    }
  }

  /** Returns whether the fault came. */
  private boolean failsAt(int n, Fault fault) {
    world = new World(directory.resolve(fault + "-" + n), n);
    try (Ledger ledger = open()) {
      ledger.commitAll(FEW);
    }
    FaultPlan plan = new FaultPlan();
    world.plan = plan;
    Ledger ledger = open();
    long opening = plan.calls(Call.ALL);
    plan.at(Call.ALL, opening + n, fault);
    try {
      keysOf(ledger).rotate("SM4-GCM");
      keysOf(ledger).reencrypt(JobControl.none());
      ledger.close();
      return false;
    } catch (StorageException e) {
      closeQuietly(ledger);
      if (n % 2 == 0) {
        world.disk.crash();
      }
      return true;
    } finally {
      world.plan = new FaultPlan();
    }
  }

  private static void closeQuietly(Ledger ledger) {
    try {
      ledger.close();
    } catch (LedgerkeepException e) {
      assertThat(e.getMessage()).isNotBlank();
    }
  }

  @Test
  void aCancelledRunGoesOnWhereItWas() {
    try (Ledger ledger = open()) {
      ledger.commitAll(BLOCKS);
      keysOf(ledger).rotate("SM4-GCM");
      long all = values(ledger).get(1);
      AtomicInteger asked = new AtomicInteger();
      Reencryption first =
          keysOf(ledger)
              .reencrypt(JobControl.none().cancelledBy(() -> asked.incrementAndGet() > 1));
      assertThat(first.complete()).isFalse();
      assertThat(first.values()).isBetween(1L, all - 1);
      Replay.of(BLOCKS).assertToldBy(ledger);
      Reencryption second = keysOf(ledger).reencrypt(JobControl.none());
      assertThat(second.complete()).isTrue();
      assertThat(second.values()).isBetween(all - first.values(), all - first.values() + 1);
      assertThat(values(ledger).get(1)).isZero();
    }
  }

  // ------------------------------------------------------------------------------------ rewrap

  @Test
  void anotherMasterKeyOpensItAndTheOldOneNoMore() {
    try (Ledger ledger = open()) {
      ledger.commitAll(BLOCKS);
      rewrap(ledger, "sm4", Keys.SM4);
      Replay.of(BLOCKS).assertToldBy(ledger);
    }
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(this::open)
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.WRONG));
    try (Ledger ledger = open("sm4", Keys.SM4)) {
      Replay.of(BLOCKS).assertToldBy(ledger);
      assertThat(keysOf(ledger).dataKeys()).extracting(DataKey::suite).containsOnly("AES-256-GCM");
    }
  }

  @Test
  void aRegistryFromBeforeIsRefusedAlsoWithTheOldMasterKey() throws IOException {
    Map<String, byte[]> before;
    try (Ledger ledger = open()) {
      ledger.commitAll(BLOCKS);
      before = registry(world);
      rewrap(ledger, "aes", Keys.OTHER_AES);
    }
    Map<String, byte[]> after = registry(world);
    putBack(world, before);
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(this::open)
        .withMessageContaining("older");
    putBack(world, after);
    open("aes", Keys.OTHER_AES).close();
  }

  /** A rewrap that died before the databases had followed is ended by the next opening. */
  @Test
  void afterARewrapThatDiedTheNextOpeningShutsTheOldMasterKeyOut() throws IOException {
    Map<String, byte[]> before;
    Map<Database, TreeMap<io.ledgerkeep.Bytes, io.ledgerkeep.Bytes>> stored;
    try (Ledger ledger = open()) {
      ledger.commitAll(BLOCKS);
    }
    try (Ledger ledger = open()) {
      before = registry(world);
      stored = world.content();
      rewrap(ledger, "aes", Keys.OTHER_AES);
    }
    setBack(stored);
    open("aes", Keys.OTHER_AES).close();
    putBack(world, before);
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(this::open)
        .withMessageContaining("older");
  }

  /** The two files are replaced one after the other: whichever master key is given opens it. */
  @Test
  void afterADeathBetweenTheTwoFilesEitherMasterKeyOpensIt() throws IOException {
    for (String key : List.of(Keys.AES, Keys.OTHER_AES)) {
      world = new World(directory.resolve(key.substring(4, 8)));
      Map<String, byte[]> before;
      Map<Database, TreeMap<io.ledgerkeep.Bytes, io.ledgerkeep.Bytes>> stored;
      try (Ledger ledger = open()) {
        ledger.commitAll(BLOCKS);
        before = registry(world);
        stored = world.content();
        rewrap(ledger, "aes", Keys.OTHER_AES);
      }
      Path copy =
          registryFiles(world).stream()
              .filter(file -> file.endsWith("KEYS.copy"))
              .findFirst()
              .orElseThrow();
      Files.write(copy, before.get("KEYS.copy"));
      setBack(stored);
      try (Ledger ledger = open("aes", key)) {
        Replay.of(BLOCKS).assertToldBy(ledger);
      }
      try (Ledger ledger = open("aes", key)) {
        Replay.of(BLOCKS).assertToldBy(ledger);
      }
    }
  }

  /** The databases as they were before the generation was recorded. */
  private void setBack(Map<Database, TreeMap<io.ledgerkeep.Bytes, io.ledgerkeep.Bytes>> stored) {
    stored.forEach(
        (database, content) -> {
          try (var engine =
              new io.ledgerkeep.testkit.InMemoryStorage(world.disk, world.limits)
                  .open(world.store(database), Options.none())) {
            engine.deleteRange(KeyRange.all());
            content.forEach(
                (key, value) ->
                    engine.write(
                        new io.ledgerkeep.storage.WriteBatch().put(key, value),
                        io.ledgerkeep.storage.StorageEngine.Durability.DURABLE));
          }
        });
  }

  @Test
  void whatWasKeptOfOlderRegistriesGoes() throws IOException {
    try (Ledger ledger = open()) {
      ledger.commitAll(BLOCKS);
    }
    Path registry = registryFiles(world).get(0);
    Files.write(registry, new byte[10]);
    try (Ledger ledger = open()) {
      assertThat(registryFiles(world)).hasSize(3);
      rewrap(ledger, "aes", Keys.OTHER_AES);
      assertThat(registryFiles(world)).hasSize(2);
    }
  }

  @Test
  void aMasterKeyThatIsRefusedChangesNothing() throws IOException {
    try (Ledger ledger = open()) {
      ledger.commitAll(BLOCKS);
      Map<String, byte[]> before = registry(world);
      assertThatThrownBy(() -> rewrap(ledger, "aes", "too short"))
          .isInstanceOf(ConfigurationException.class);
      assertThatThrownBy(() -> rewrap(ledger, "rot13", Keys.AES))
          .isInstanceOf(ConfigurationException.class);
      assertThat(registry(world)).usingRecursiveComparison().isEqualTo(before);
    }
    open().close();
  }

  // ------------------------------------------------------------------------------------ exposed

  @Test
  void aNewMasterKeyAloneIsNoRemedyForExposedKeys() {
    try (Ledger ledger = open()) {
      ledger.commitAll(BLOCKS);
      LedgerKeys keys = keysOf(ledger);
      assertThat(keys.markExposed().number()).isEqualTo(2);
      assertThat(keys.dataKeys())
          .extracting(DataKey::state, DataKey::exposed)
          .containsExactly(
              org.assertj.core.api.Assertions.tuple(State.READ_ONLY, true),
              org.assertj.core.api.Assertions.tuple(State.ACTIVE, false));
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> rewrap(ledger, "aes", Keys.OTHER_AES))
          .withMessageContaining("reencrypt");
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(
              () -> keys.rewrap("aes", Options.of("key", Keys.AES), Optional.of("AES-256-GCM")))
          .withMessageContaining("give another");
      keys.rewrap("aes", Options.of("key", Keys.OTHER_AES), Optional.of("AES-256-GCM"));
      assertThat(keys.dataKeys()).hasSize(3);
      keys.reencrypt(JobControl.none());
      assertThat(values(ledger)).containsEntry(1, 0L).containsEntry(2, 0L);
      keys.disable(1, JobControl.none());
      assertThat(keys.destroy(1, JobControl.none())).isTrue();
      keys.reencrypt(JobControl.none());
      rewrap(ledger, "aes", Keys.AES);
      Replay.of(BLOCKS).assertToldBy(ledger);
    }
    try (Ledger ledger = open()) {
      Replay.of(BLOCKS).assertToldBy(ledger);
    }
  }

  // ------------------------------------------------------------------------------------ destroy

  /** The records that opening needs lie under it, too. */
  @Test
  void aKeyThatValuesLieUnderIsNotDisabled() {
    try (Ledger ledger = open()) {
      ledger.commitAll(BLOCKS);
      LedgerKeys keys = keysOf(ledger);
      keys.rotate("AES-256-GCM");
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> keys.disable(1, JobControl.none()))
          .withMessageContaining("reencrypt");
      keys.reencrypt(JobControl.none());
      assertThat(keys.disable(1, JobControl.none().cancelledBy(() -> true))).isFalse();
      assertThat(keys.dataKeys().get(0).state()).isEqualTo(State.READ_ONLY);
      assertThat(keys.disable(1, JobControl.none())).isTrue();
    }
    try (Ledger ledger = open()) {
      Replay.of(BLOCKS).assertToldBy(ledger);
      keysOf(ledger).enable(1);
    }
  }

  @Test
  void aKeyIsDestroyedOnlyOnceNothingLiesUnderIt() {
    try (Ledger ledger = open()) {
      ledger.commitAll(BLOCKS);
      LedgerKeys keys = keysOf(ledger);
      assertRefused(() -> keys.disable(1, JobControl.none()));
      keys.rotate("AES-256-GCM");
      assertRefused(() -> keys.destroy(1, JobControl.none()));
      keys.reencrypt(JobControl.none());
      keys.disable(1, JobControl.none());
      assertThat(keys.destroy(1, JobControl.none().cancelledBy(() -> true))).isFalse();
      assertThat(keys.dataKeys().get(0).state()).isEqualTo(State.DISABLED);
      assertThat(keys.destroy(1, JobControl.none())).isTrue();
      assertThat(keys.dataKeys().get(0).state()).isEqualTo(State.DESTROYED);
      assertRefused(() -> keys.enable(1));
      assertRefused(() -> keys.disable(1, JobControl.none()));
      assertRefused(() -> keys.disable(9, JobControl.none()));
    }
    try (Ledger ledger = open()) {
      Replay.of(BLOCKS).assertToldBy(ledger);
      assertThat(keysOf(ledger).dataKeys().get(0).state()).isEqualTo(State.DESTROYED);
    }
  }

  private static void assertRefused(Runnable call) {
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(call::run)
        .satisfies(e -> assertThat(e.reason()).isEqualTo(ConflictException.Reason.KEY));
  }

  @Test
  void onlyOneJobRunsAtATime() throws Exception {
    try (Ledger ledger = open()) {
      ledger.commitAll(BLOCKS);
      LedgerKeys keys = keysOf(ledger);
      keys.rotate("AES-256-GCM");
      AtomicBoolean asked = new AtomicBoolean();
      keys.reencrypt(
          JobControl.none()
              .onProgress(
                  progress -> {
                    if (!asked.getAndSet(true)) {
                      assertThatExceptionOfType(ConflictException.class)
                          .isThrownBy(() -> keys.reencrypt(JobControl.none()))
                          .withMessageContaining("reencrypt");
                      assertThatExceptionOfType(ConflictException.class)
                          .isThrownBy(() -> rewrap(ledger, "aes", Keys.OTHER_AES));
                    }
                  }));
      assertThat(asked).isTrue();
    }
  }

  @Test
  void theBudgetOfTheEpochIsTold() {
    try (Ledger ledger = open()) {
      assertThat(keysOf(ledger).budget()).isEmpty();
      ledger.commitAll(BLOCKS);
      LedgerKeys.Budget left = keysOf(ledger).budget().orElseThrow();
      assertThat(left.values()).isPositive().isLessThan((1L << 32) - (1L << 20));
      assertThat(left.bytes()).isPositive().isLessThan(1L << 46);
      assertThat(left.until()).isAfter(java.time.Instant.now());
    }
  }
}
