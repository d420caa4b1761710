package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.tuple;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Ledgerkeep.Conversion;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.encryption.LedgerKeys.DataKey;
import io.ledgerkeep.encryption.LedgerKeys.DirectKey;
import io.ledgerkeep.encryption.LedgerKeys.State;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.MemoryToken;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A ledger whose values are sealed inside of a device, which may be gone at any time. */
@Timeout(300)
final class DirectLedgerTest {

  private static final String MARKER = "find-me-if-you-can";
  private static final String SOFTWARE = "AES-256-GCM";
  private static final String DIRECT = "AES-256-GCM-DIRECT";
  private static final Options ONE = Options.of("key", "one", "mode", "direct");
  private static final Options TWO = Options.of("key", "two", "mode", "direct");
  private static final Options ENVELOPE = Options.of("key", "one", "mode", "envelope");
  private static final Options IN_MEMORY = Options.of("key", Keys.AES);

  @TempDir Path directory;

  private final MemoryToken token = new MemoryToken(Keys.suite(SOFTWARE));
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final List<Block> blocks = chain(40);

  private static List<Block> chain(int count) {
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
              next.transaction("T" + h, Bytes.ofUtf8((MARKER + " payload " + h).repeat(100)));
              next.put("S" + h, "token", Bytes.ofUtf8("k" + h % 7), Bytes.ofUtf8(MARKER + h));
              if (!chain.isEmpty()) {
                next.previousHash = chain.get(chain.size() - 1).hash();
              }
              chain.add(next.build());
            });
    return chain;
  }

  /** Opens the device's keys, and keys in software too, so that a ledger can move between them. */
  private final class Both implements EncryptorProvider {
    @Override
    public String name() {
      return "both";
    }

    @Override
    public List<CipherSuite> suites() {
      return List.of();
    }

    @Override
    public KeyWrapper openKey(Options options) {
      return options.requiredText("key").startsWith("hex:")
          ? Keys.wrapper("aes", options.requiredText("key"))
          : token.openKey(options);
    }
  }

  /** Where a test wants it, that of a node whose threads are busy: it comes to no task. */
  private Executor executor = Runnable::run;

  private World world() {
    return new World(directory.resolve("ledger"));
  }

  private Settings settings(World world, Options master) {
    Settings settings = world.settings();
    settings.encryption = new Encryption.Provided(new Both(), master);
    settings.unarchivedBlocks = 5L;
    settings.executor = executor;
    settings.store = new Settings.BuiltStore(store);
    settings.readThrough = true;
    return settings;
  }

  private Ledger open(World world, Options master) {
    return world.open(settings(world, master));
  }

  private static LedgerKeys keysOf(Ledger ledger) {
    return ledger.keys().orElseThrow();
  }

  private static void assertSound(Ledger ledger) {
    assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
  }

  // ------------------------------------------------------------------------------------ the job

  @Test
  void itIsALedgerLikeAnyOther() {
    World world = world();
    try (Ledger ledger = open(world, ONE)) {
      ledger.commitAll(blocks);
      assertThat(ledger.status().encryption()).isEqualTo(DIRECT);
      assertThat(token.sealingCalls()).isGreaterThan(blocks.size() * 5L);
    }
    try (Ledger ledger = open(world, ONE)) {
      Replay.of(blocks).assertToldBy(ledger);
      assertThat(keysOf(ledger).dataKeys())
          .extracting(DataKey::suite, DataKey::state)
          .containsExactly(tuple(DIRECT, State.ACTIVE));
      assertSound(ledger);
    }
  }

  @Test
  void enginesOfSmallLimitsTakeWhatIsLongerForItsParts() {
    World world = world();
    int overhead = 12 + 1 + 15 + 16 * 66;
    world.limits =
        new io.ledgerkeep.storage.StorageEngine.Limits(
            40 << 10, (64 << 10) + overhead, 300 << 10, 34);
    List<Block> large = new Story.Script(directory.resolve("story"), 20).blocks;
    try (Ledger ledger = open(world, ONE)) {
      ledger.commitAll(large);
      keysOf(ledger).markExposed();
      keysOf(ledger).reencrypt(JobControl.none());
    }
    try (Ledger ledger = open(world, ONE)) {
      Replay.of(large).assertToldBy(ledger);
    }
  }

  @Test
  void itIsArchivedRestoredVerifiedAndSealedAnew() {
    World world = world();
    try (Ledger ledger = open(world, ONE)) {
      ledger.commitAll(blocks);
      ledger.archiver().archive(ArchiveRequest.upTo(20));
      Replay.of(blocks).assertToldBy(ledger);
      assertSound(ledger);
      ledger.archiver().archive(ArchiveRequest.upTo(28));
      keysOf(ledger).rotate(DIRECT);
      LedgerKeys.Reencryption done = keysOf(ledger).reencrypt(JobControl.none());
      assertThat(done.complete()).isTrue();
      assertThat(done.segments()).isEqualTo(2);
      assertSound(ledger);
      ledger.restorer().restore(RestoreRequest.downTo(10));
      Replay.of(blocks).assertToldBy(ledger);
      assertSound(ledger);
    }
    try (Ledger ledger = open(world, ONE)) {
      Replay.of(blocks).assertToldBy(ledger);
    }
    try (Archive archive = alone(ONE)) {
      assertThat(archive.block(7).orElseThrow().height()).isEqualTo(7);
      assertThat(archive.verify(Verification.Request.of(Level.BYTES)).findings()).isEmpty();
    }
  }

  @Test
  void anArchiveInTheDeviceIsNotCalledDamagedWhereTheDeviceIsNotAtHand() {
    try (Ledger ledger = open(world(), ONE)) {
      ledger.commitAll(blocks);
      ledger.archiver().archive(ArchiveRequest.upTo(20));
    }
    try (Archive archive = alone(ENVELOPE)) {
      assertUnavailable(
          Reason.MISSING, () -> archive.verify(Verification.Request.of(Level.CONTENT)));
    }
  }

  private Archive alone(Options master) {
    return Ledgerkeep.archive().store(store.reopen()).encryption(new Both(), master).open();
  }

  @Test
  void everyValueAndFrameIsSealed() {
    World world = world();
    try (Ledger ledger = open(world, ONE)) {
      ledger.commitAll(blocks);
      ledger.archiver().archive(ArchiveRequest.upTo(28));
      world
          .content()
          .values()
          .forEach(
              content ->
                  content.forEach(
                      (key, value) -> {
                        assertThat(value.get(0)).isEqualTo((byte) 0xE1);
                        assertThat(value.size() % 16).isEqualTo(12 + 1); // whole blocks and tags
                        assertNoMarker(value);
                      }));
    }
    for (String name : store.list("")) {
      assertNoMarker(store.get(name, 0, (int) store.size(name).orElseThrow()));
    }
  }

  private static void assertNoMarker(Bytes bytes) {
    assertThat(new String(bytes.toArray(), StandardCharsets.ISO_8859_1)).doesNotContain(MARKER);
  }

  @Test
  void theKeyOfAnArchiveMayLieInMemory() {
    World world = world();
    Options master = ONE.with("archive", "memory");
    try (Ledger ledger = open(world, master)) {
      ledger.commitAll(blocks);
      ledger.archiver().archive(ArchiveRequest.upTo(28));
      assertThat(keysOf(ledger).archiveKeys().get(0).suite()).isEqualTo(SOFTWARE);
      keysOf(ledger).addHolder("auditor", "both", IN_MEMORY);
      assertSound(ledger);
    }
    for (Options holder : List.of(IN_MEMORY, ENVELOPE, ONE)) {
      try (Archive archive = alone(holder)) {
        assertThat(archive.verify(Verification.Request.of(Level.BYTES)).findings()).isEmpty();
      }
    }
  }

  @Test
  void anArchiveInTheDeviceHasNoOtherHolders() {
    World world = world();
    try (Ledger ledger = open(world, ONE)) {
      ledger.commitAll(blocks);
      ledger.archiver().archive(ArchiveRequest.upTo(28));
      assertRefused(() -> keysOf(ledger).addHolder("auditor", "both", IN_MEMORY));
      keysOf(ledger).rotate(SOFTWARE);
      assertRefused(() -> keysOf(ledger).addHolder("auditor", "both", IN_MEMORY));
      keysOf(ledger).reencrypt(JobControl.none());
      keysOf(ledger).addHolder("auditor", "both", IN_MEMORY);
      assertRefused(() -> keysOf(ledger).rotate(DIRECT));
    }
    try (Archive archive = alone(IN_MEMORY)) {
      assertThat(archive.verify(Verification.Request.of(Level.BYTES)).findings()).isEmpty();
    }
  }

  private static void assertRefused(Runnable call) {
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(call::run)
        .satisfies(e -> assertThat(e.reason()).isEqualTo(ConflictException.Reason.KEY));
  }

  @Test
  void aPlainLedgerIsConverted() {
    World world = world();
    Settings plain = settings(world, ONE);
    plain.encryption = Encryption.NONE;
    plain.store = null;
    plain.engine =
        new Settings.ProvidedEngine(
            new io.ledgerkeep.testkit.InMemoryStorage(world.disk), Options.none());
    try (Ledger ledger = world.open(plain)) {
      ledger.commitAll(blocks);
    }
    Settings direct = settings(world, ONE);
    direct.store = null;
    direct.engine = plain.engine;
    new ConversionJob(direct, Conversion.encrypt(), java.time.Clock.systemUTC()).run();
    try (Ledger ledger = world.open(direct)) {
      assertThat(ledger.status().encryption()).isEqualTo(DIRECT);
      Replay.of(blocks).assertToldBy(ledger);
    }
  }

  // ------------------------------------------------------------------------------------ the device

  @Test
  void withoutTheDeviceItIsRefusedAtTheDoor() {
    World world = world();
    try (Ledger ledger = open(world, ONE)) {
      ledger.commitAll(blocks);
    }
    token.pullOut();
    assertUnavailable(Reason.UNREACHABLE, () -> open(world, ONE));
    token.putBack();
    assertUnavailable(Reason.MISSING, () -> open(world, ENVELOPE));
    assertUnavailable(Reason.WRONG, () -> open(world, TWO));
    try (Ledger ledger = open(world, ONE)) {
      Replay.of(blocks).assertToldBy(ledger);
    }
  }

  private static void assertUnavailable(Reason reason, Runnable call) {
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(call::run)
        .satisfies(e -> assertThat(e.reason()).isEqualTo(reason));
  }

  /** The rows of the chain are sealed and synced then before those of state and history. */
  @Test
  void norDoesOneThatTheDeviceDiesInOnceTheBlockIsDurable() {
    executor = task -> {};
    aCommitThatTheDeviceDiesInLeavesNothingHalfDone();
  }

  @Test
  void aCommitThatTheDeviceDiesInLeavesNothingHalfDone() {
    World world = world();
    int committed = 0;
    for (int calls = 0; committed < blocks.size(); calls = (calls + 1) % 40) {
      try (Ledger ledger = open(world, ONE)) {
        token.pullOutAfter(calls);
        Block next = blocks.get(committed);
        if (dies(() -> ledger.commit(next))) {
          token.putBack();
          ledger.commit(next); // without opening the ledger again
          Replay.of(blocks.subList(0, committed + 1)).assertToldBy(ledger);
        }
      }
      token.putBack();
      try (Ledger ledger = open(world, ONE)) {
        assertThat(ledger.height()).isEqualTo(committed);
        committed++;
        Replay.of(blocks.subList(0, committed)).assertToldBy(ledger);
      }
    }
  }

  private static boolean dies(Runnable call) {
    try {
      call.run();
      return false;
    } catch (KeyUnavailableException e) {
      assertThat(e.reason()).isEqualTo(Reason.UNREACHABLE);
      return true;
    } catch (StorageException e) {
      // The block was durable already, and its state is not.
      assertThat(e).hasCauseInstanceOf(KeyUnavailableException.class);
      assertThat(e.isRetryable()).isTrue();
      assertThat(e.committedHeight()).isPresent();
      return true;
    }
  }

  @Test
  void aDeviceThatIsGoneIsNoFindingOfACheck() {
    World world = world();
    try (Ledger ledger = open(world, ONE)) {
      ledger.commitAll(blocks.subList(0, 30));
      ledger.archiver().archive(ArchiveRequest.upTo(16));
      for (int calls = 0; !isSoundAfter(calls, ledger); calls += 13) {
        token.putBack();
      }
      token.putBack();
      assertSound(ledger);
    }
  }

  /** Returns whether the check came to its end before the device was gone. */
  private boolean isSoundAfter(int calls, Ledger ledger) {
    token.pullOutAfter(calls);
    try {
      assertSound(ledger);
      return true;
    } catch (KeyUnavailableException e) {
      assertThat(e.reason()).isEqualTo(Reason.UNREACHABLE);
      return false;
    }
  }

  @Test
  void anOpenLedgerGoesOnWhenTheDeviceIsBack() {
    World world = world();
    try (Ledger ledger = open(world, ONE)) {
      ledger.commitAll(blocks.subList(0, 20));
      token.pullOut();
      assertUnavailable(Reason.UNREACHABLE, () -> ledger.block(3));
      assertUnavailable(Reason.UNREACHABLE, () -> ledger.commit(blocks.get(20)));
      token.putBack();
      assertThat(ledger.block(3)).contains(blocks.get(3));
      ledger.commitAll(blocks.subList(20, 40));
      Replay.of(blocks).assertToldBy(ledger);
    }
  }

  @Test
  void jobsThatTheDeviceDiesInAreResumed() {
    World world = world();
    try (Ledger ledger = open(world, ONE)) {
      ledger.commitAll(blocks);
    }
    long died = 0;
    for (int calls = 3; calls < 4000; calls = calls * 3 / 2) {
      died += diesAfter(world, calls, ledger -> ledger.archiver().archive(ArchiveRequest.upTo(28)));
    }
    for (int calls = 3; calls < 4000; calls = calls * 3 / 2) {
      died +=
          diesAfter(
              world,
              calls,
              ledger -> {
                if (keysOf(ledger).dataKeys().size() == 1) {
                  keysOf(ledger).rotate(DIRECT);
                }
                keysOf(ledger).reencrypt(JobControl.none());
              });
    }
    for (int calls = 3; calls < 4000; calls = calls * 3 / 2) {
      died +=
          diesAfter(world, calls, ledger -> ledger.restorer().restore(RestoreRequest.downTo(5)));
    }
    assertThat(died).isGreaterThan(6);
    try (Ledger ledger = open(world, ONE)) {
      Replay.of(blocks).assertToldBy(ledger);
      assertThat(keysOf(ledger).usage(JobControl.none()).get(0).values()).isZero();
      assertSound(ledger);
    }
  }

  /** Runs a job with a device that dies, again when it is back, and returns whether it died. */
  private long diesAfter(World world, int calls, java.util.function.Consumer<Ledger> job) {
    long died = 0;
    try (Ledger ledger = open(world, ONE)) {
      token.pullOutAfter(calls);
      job.accept(ledger);
    } catch (KeyUnavailableException e) {
      assertThat(e.reason()).isEqualTo(Reason.UNREACHABLE);
      died = 1;
    }
    token.putBack();
    try (Ledger ledger = open(world, ONE)) {
      Replay.of(blocks).assertToldBy(ledger);
    }
    return died;
  }

  // ------------------------------------------------------------------------------------ moving

  @Test
  void aLedgerMovesIntoTheDeviceAndOutAgain() {
    World world = world();
    try (Ledger ledger = open(world, IN_MEMORY)) {
      ledger.commitAll(blocks.subList(0, 20));
      ledger.archiver().archive(ArchiveRequest.upTo(8));
      keysOf(ledger).rewrap("both", ONE, Optional.empty());
      assertThat(ledger.status().encryption()).isEqualTo(DIRECT);
      ledger.commitAll(blocks.subList(20, 30));
      ledger.archiver().archive(ArchiveRequest.upTo(16));
      Replay.of(blocks.subList(0, 30)).assertToldBy(ledger);
    }
    try (Ledger ledger = open(world, ONE)) {
      LedgerKeys keys = keysOf(ledger);
      assertThat(keys.reencrypt(JobControl.none()).segments()).isEqualTo(1);
      ledger.commitAll(blocks.subList(30, 35));
      assertRefused(() -> keys.rewrap("both", TWO, Optional.empty()));
      assertRefused(() -> keys.rewrap("both", IN_MEMORY, Optional.of(SOFTWARE)));
      assertRefused(() -> keys.rewrap("both", IN_MEMORY, Optional.of(DIRECT)));
      keys.rotate(SOFTWARE);
      assertRefused(() -> keys.rewrap("both", IN_MEMORY, Optional.empty()));
      keys.reencrypt(JobControl.none());
      assertRefused(() -> keys.rewrap("both", IN_MEMORY, Optional.empty()));
      keys.disable(2, JobControl.none());
      keys.rewrap("both", TWO, Optional.empty());
      assertThat(keys.directKeys())
          .extracting(DirectKey::suite, DirectKey::inUse)
          .containsExactly(tuple(DIRECT, false), tuple(DIRECT, true));
      assertUnavailable(Reason.MISSING, () -> keys.enable(2));
      ledger.commitAll(blocks.subList(35, 40));
      Replay.of(blocks).assertToldBy(ledger);
    }
    try (Ledger ledger = open(world, TWO)) {
      Replay.of(blocks).assertToldBy(ledger);
      assertSound(ledger);
      assertThat(keysOf(ledger).directKeys())
          .extracting(DirectKey::suite, DirectKey::inUse)
          .containsExactly(tuple("F103-DIRECT", false), tuple(DIRECT, true));
      LedgerKeys keys = keysOf(ledger);
      keys.rotate(SOFTWARE);
      keys.reencrypt(JobControl.none());
      keys.disable(4, JobControl.none());
      keys.rewrap("both", IN_MEMORY, Optional.empty());
    }
    try (Ledger ledger = open(world, IN_MEMORY)) {
      assertThat(ledger.status().encryption()).isEqualTo(SOFTWARE);
      Replay.of(blocks).assertToldBy(ledger);
      assertSound(ledger);
      keysOf(ledger).destroy(4, JobControl.none());
    }
  }

  @Test
  void aMoveThatFailsLeavesTheLedgerWhereItWas() {
    World world = world();
    try (Ledger ledger = open(world, IN_MEMORY)) {
      ledger.commitAll(blocks.subList(0, 20));
      token.pullOut();
      assertUnavailable(
          Reason.UNREACHABLE, () -> keysOf(ledger).rewrap("both", ONE, Optional.empty()));
      token.putBack();
      assertThat(ledger.status().encryption()).isEqualTo(SOFTWARE);
      assertThat(keysOf(ledger).directKeys()).noneMatch(DirectKey::inUse);
      ledger.commitAll(blocks.subList(20, 30));
    }
    try (Ledger ledger = open(world, IN_MEMORY)) {
      Replay.of(blocks.subList(0, 30)).assertToldBy(ledger);
    }
  }

  @Test
  void anEngineWithoutRoomForTheDeviceIsNotedBeforeTheMove() {
    World world = world();
    world.limits = Keys.SMALLEST_LIMITS;
    List<Block> large = new Story.Script(directory.resolve("story"), 20).blocks;
    try (Ledger ledger = open(world, IN_MEMORY)) {
      ledger.commitAll(large);
      assertThatExceptionOfType(ConfigurationException.class)
          .isThrownBy(() -> keysOf(ledger).rewrap("both", ONE, Optional.empty()));
    }
    try (Ledger ledger = open(world, IN_MEMORY)) {
      assertThat(ledger.status().encryption()).isEqualTo(SOFTWARE);
      Replay.of(large).assertToldBy(ledger);
    }
  }

  @Test
  void theSameKeyOfTheDeviceIsTakenForAnEnvelopeFirst() {
    World world = world();
    try (Ledger ledger = open(world, ENVELOPE)) {
      ledger.commitAll(blocks.subList(0, 10));
      assertThat(ledger.status().encryption()).isEqualTo(SOFTWARE);
      assertThat(keysOf(ledger).directKeys()).isEmpty();
    }
    try (Ledger ledger = open(world, ONE)) {
      assertThat(ledger.status().encryption()).isEqualTo(SOFTWARE);
      keysOf(ledger).rotate(DIRECT);
      ledger.commitAll(blocks.subList(10, 20));
      assertThat(ledger.status().encryption()).isEqualTo(DIRECT);
      Replay.of(blocks.subList(0, 20)).assertToldBy(ledger);
    }
    assertUnavailable(Reason.MISSING, () -> open(world, ENVELOPE));
  }
}
