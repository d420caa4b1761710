package io.ledgerkeep.core.sealing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.Encryptor;
import io.ledgerkeep.encryption.Encryptor.Context;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.encryption.LedgerKeys.DirectKey;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.testkit.MemoryToken;
import io.ledgerkeep.testkit.contract.EncryptorContract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** Keys that seal in a device: their calls are counted before they are made, and never too few. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // no interrupt ends a deadlock
final class DirectKeysTest {

  private static final String SOFTWARE = "AES-256-GCM";
  private static final String DIRECT = "AES-256-GCM-DIRECT";
  private static final Context CONTEXT =
      new Context(new UUID(1, 2), "state", Bytes.ofUtf8("a key"));
  private static final Bytes VALUE = Bytes.ofUtf8("a value");
  private static final CallLimits TENS = new CallLimits(1000, 10);

  @TempDir Path directory;

  private final MemoryToken token = new MemoryToken(Keys.suite(SOFTWARE));
  private final ExecutorService threads = Executors.newFixedThreadPool(6);

  @AfterEach
  void endThreads() {
    threads.shutdownNow();
  }

  /** Makes the registry where there is none, and says how many calls sealed before. */
  private Keyring keyring(Path place, CallLimits limits) {
    try (KeyWrapper wrapper = token.openKey(Options.of("key", "one", "mode", "direct"))) {
      if (Keyring.head(place).isEmpty()) {
        Files.createDirectories(place);
        Keyring.create(
            place, Keys.LEDGER, "chain1", wrapper, Keys.suites(), Clock.systemUTC(), List.of());
      }
      List<Keyring> opened = Keyring.open(place, wrapper, Keys.suites(), limits, Clock.systemUTC());
      opened.subList(1, opened.size()).forEach(Keyring::close);
      return opened.get(0);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private EpochEncryptor open(CallLimits limits) {
    return new EpochEncryptor(keyring(directory, limits));
  }

  /** Returns what the files say of the one key. */
  private DirectKey stored(CallLimits limits) {
    try (Keyring keyring = keyring(directory, limits)) {
      return keyring.directKeys().get(0);
    }
  }

  /** The values of a ledger in a device keep the rules. */
  @Nested
  final class AsEncryptor extends EncryptorContract {
    @Override
    protected Encryptor open(Path place) {
      return new EpochEncryptor(keyring(place, new CallLimits(1L << 40, 100)));
    }
  }

  // ------------------------------------------------------------------------------------ calls

  @Test
  void callsAreOnDiskBeforeTheyAreMade() {
    try (EpochEncryptor encryptor = open(TENS)) {
      long before = token.sealingCalls();
      for (int i = 0; i < 35; i++) {
        encryptor.seal(CONTEXT, VALUE);
        assertThat(stored(TENS).leasedCalls())
            .isGreaterThanOrEqualTo(token.sealingCalls() - before)
            .isEqualTo(i / 10 * 10 + 10);
      }
    }
    assertThat(stored(TENS).leasedCalls()).as("the rest was handed back").isEqualTo(35);
    assertThat(stored(TENS).leftCalls()).isEqualTo(965);
  }

  @Test
  void whatACrashLeftOfALeaseCountsAsUsed() {
    EpochEncryptor crashed = open(TENS);
    crashed.seal(CONTEXT, VALUE);
    try (EpochEncryptor encryptor = open(TENS)) {
      encryptor.seal(CONTEXT, VALUE);
      assertThat(stored(TENS).leasedCalls()).isEqualTo(20);
    }
    assertThat(stored(TENS).leasedCalls()).isEqualTo(11);
  }

  @Test
  void aValueInPartsTakesACallForEach() {
    Bytes large = Bytes.wrap(new byte[5000]);
    try (EpochEncryptor encryptor = open(TENS)) {
      long before = token.sealingCalls();
      assertThat(encryptor.open(CONTEXT, encryptor.seal(CONTEXT, large))).isEqualTo(large);
      assertThat(token.sealingCalls() - before).isEqualTo(5);
      encryptor.seal(CONTEXT, Bytes.wrap(new byte[20_000])); // of more parts than a block has
    }
    assertThat(stored(TENS).leasedCalls()).isEqualTo(25);
  }

  @Test
  void aKeyThatIsUsedUpIsRefusedWithTheWayOut() {
    CallLimits limits = new CallLimits(25, 10);
    try (EpochEncryptor encryptor = open(limits)) {
      Bytes first = encryptor.seal(CONTEXT, VALUE);
      for (int i = 1; i < 24; i++) {
        encryptor.seal(CONTEXT, VALUE);
      }
      assertUsedUp(encryptor, Bytes.wrap(new byte[2000])); // one call is left, it takes two
      encryptor.seal(CONTEXT, VALUE);
      long before = token.sealingCalls();
      assertUsedUp(encryptor, VALUE);
      assertThat(token.sealingCalls()).isEqualTo(before);
      assertThat(encryptor.directKeys().get(0).leftCalls()).isZero();

      assertThat(encryptor.open(CONTEXT, first)).isEqualTo(VALUE);
      encryptor.rotate(SOFTWARE);
      assertThat(encryptor.open(CONTEXT, encryptor.seal(CONTEXT, VALUE))).isEqualTo(VALUE);
    }
    try (EpochEncryptor encryptor = open(limits)) {
      encryptor.rotate(DIRECT); // the same key: used up it stays
      assertUsedUp(encryptor, VALUE);
    }
  }

  private static void assertUsedUp(EpochEncryptor encryptor, Bytes value) {
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(() -> encryptor.seal(CONTEXT, value))
        .withMessageContaining("tde rotate --suite " + SOFTWARE)
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.RETIRED));
  }

  @Test
  void theSecondHalfIsReachedOnce() {
    CallLimits limits = new CallLimits(100, 10);
    long reached = 0;
    for (long used = 0; used < 100; used += 10) {
      reached += limits.isHalfReached(used, 10) ? 1 : 0;
    }
    assertThat(reached).isEqualTo(1);
    assertThat(limits.isHalfReached(50, 1)).isTrue();
    assertThat(CallLimits.DEFAULT.total()).isEqualTo(1L << 32);
    assertThat(CallLimits.DEFAULT.block()).isEqualTo(1L << 20);
  }

  @Test
  void nothingIsSealedUnderALeaseThatCannotBeSaved() throws IOException {
    try (EpochEncryptor encryptor = open(TENS)) {
      for (int i = 0; i < 10; i++) {
        encryptor.seal(CONTEXT, VALUE);
      }
      long before = token.sealingCalls();
      Files.createDirectory(directory.resolve("KEYS.new"));
      assertThatThrownBy(() -> encryptor.seal(CONTEXT, VALUE)).isInstanceOf(StorageException.class);
      assertThat(token.sealingCalls()).isEqualTo(before);
      assertThat(encryptor.directKeys().get(0).leasedCalls()).isEqualTo(10);
      Files.delete(directory.resolve("KEYS.new"));
      encryptor.seal(CONTEXT, VALUE);
    }
    assertThat(stored(TENS).leasedCalls()).isEqualTo(11);
  }

  @Test
  void anotherKeyOfTheDeviceIsCountedByItself() {
    try (EpochEncryptor encryptor = open(TENS);
        KeyWrapper software = Keys.wrapper("aes", Keys.AES);
        KeyWrapper two = token.openKey(Options.of("key", "two", "mode", "direct"))) {
      encryptor.seal(CONTEXT, VALUE);
      encryptor.rotate(SOFTWARE);
      encryptor.disable(1);
      encryptor.rewrap(software, Optional.empty(), Set.of(), room -> {});
      encryptor.rewrap(two, Optional.empty(), Set.of(), room -> {});
      assertThat(encryptor.suite()).isEqualTo(DIRECT);
      encryptor.seal(CONTEXT, VALUE);
      encryptor.seal(CONTEXT, VALUE);
      assertThat(encryptor.directKeys())
          .extracting(DirectKey::leasedCalls)
          .containsExactly(10L, 10L);
    }
  }

  // ------------------------------------------------------------------------------------ threads

  /** Each call leases, while keys change: who seals must never wait for who changes keys for it. */
  @Test
  void leasesAndChangesOfKeysDoNotWaitForEachOther() throws Exception {
    Keyring keyring = keyring(directory, new CallLimits(1L << 40, 1));
    EpochEncryptor encryptor = new EpochEncryptor(keyring);
    AtomicBoolean over = new AtomicBoolean();
    AtomicLong values = new AtomicLong();
    List<Future<?>> sealing = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      sealing.add(
          threads.submit(
              () -> {
                while (!over.get()) {
                  Bytes stored = encryptor.seal(CONTEXT, VALUE);
                  assertThat(encryptor.open(CONTEXT, stored)).isEqualTo(VALUE);
                  values.incrementAndGet();
                }
              }));
    }
    for (int i = 0; i < 2; i++) {
      sealing.add(threads.submit(() -> sealFrames(keyring.archiveKeys(), over)));
    }
    for (int i = 0; i < 10 || values.get() < 100; i++) {
      encryptor.rotate(DIRECT);
      assertThat(keyring.objects()).isNotEmpty();
      encryptor.markExposed();
    }
    over.set(true);
    for (Future<?> task : sealing) {
      task.get();
    }
    encryptor.close();
    assertThat(stored(TENS).leasedCalls()).isGreaterThan(values.get());
  }

  private static void sealFrames(ArchiveKeys keys, AtomicBoolean over) {
    for (int frame = 0; !over.get(); frame++) {
      ArchiveKey newest = keys.newest().orElseThrow();
      try (SegmentKey key = newest.newSegment(Bytes.ofUtf8("segment " + frame))) {
        byte[] buffer = new byte[key.sealedBytes(100)];
        key.seal(frame, Bytes.EMPTY, buffer, 0, 100);
        assertThat(key.open(frame, Bytes.EMPTY, buffer, 0, buffer.length)).contains(new byte[100]);
      }
    }
  }

  /** Closing waits for frames that are being sealed, and those may be waiting for a lease. */
  @Test
  void closingEndsThoseWhoSeal() throws Exception {
    for (int round = 0; round < 20; round++) {
      Keyring keyring = keyring(directory, new CallLimits(1L << 40, 1));
      EpochEncryptor encryptor = new EpochEncryptor(keyring);
      AtomicLong begun = new AtomicLong();
      List<Future<?>> sealing = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        sealing.add(threads.submit(() -> untilClosed(() -> encryptor.seal(CONTEXT, VALUE), begun)));
        SegmentKey key = keyring.archiveKeys().newest().orElseThrow().newSegment(Bytes.EMPTY);
        byte[] buffer = new byte[key.sealedBytes(100)];
        sealing.add(
            threads.submit(
                () -> untilClosed(() -> key.seal(1, Bytes.EMPTY, buffer, 0, 100), begun)));
      }
      while (begun.get() < 20) {
        Thread.onSpinWait();
      }
      encryptor.close();
      for (Future<?> task : sealing) {
        task.get();
      }
    }
  }

  private static void untilClosed(Runnable call, AtomicLong begun) {
    try {
      while (true) {
        call.run();
        begun.incrementAndGet();
      }
    } catch (IllegalStateException e) {
      // the keys were closed
    }
  }

  // ------------------------------------------------------------------------------------ sizes

  @Test
  void theOverheadHoldsForEverySize() {
    try (EpochEncryptor encryptor = open(new CallLimits(1L << 40, 100_000))) {
      int overhead = encryptor.overheadBytes();
      assertThat(overhead).isGreaterThan(28);
      for (int size : new int[] {0, 1, 15, 16, 17, 1008, 1009, 65_535, 65_536, 65_537, 200_000}) {
        Bytes value = Bytes.wrap(new byte[size]);
        Bytes stored = encryptor.seal(CONTEXT, value);
        int spans = Math.max(1, (size + Encryptor.OVERHEAD_SPAN - 1) / Encryptor.OVERHEAD_SPAN);
        assertThat(stored.size() - size).isBetween(28, overhead * spans);
        assertThat(encryptor.open(CONTEXT, stored)).isEqualTo(value);
      }
    }
  }

  @Test
  void partsAreBoundToTheirPlaces() {
    try (EpochEncryptor encryptor = open(TENS)) {
      byte[] stored = encryptor.seal(CONTEXT, Bytes.wrap(new byte[4032])).toArray(); // four parts
      byte[] swapped = stored.clone();
      System.arraycopy(stored, 13, swapped, 13 + 1024, 1024);
      System.arraycopy(stored, 13 + 1024, swapped, 13, 1024);
      byte[] shorter = java.util.Arrays.copyOf(stored, stored.length - 1024);
      for (byte[] changed : List.of(swapped, shorter)) {
        assertThatThrownBy(() -> encryptor.open(CONTEXT, Bytes.wrap(changed)))
            .isInstanceOf(IntegrityException.class);
      }
    }
  }

  // ------------------------------------------------------------------------------------ objects

  /** Who holds the archive needs no device to read, compare or write the objects of its keys. */
  @Test
  void objectsOfArchiveKeysNeedNoDevice() {
    try (Keyring keyring = keyring(directory, TENS)) {
      long before = token.sealingCalls();
      token.pullOut();
      List<KeyObject> objects = keyring.objects();
      assertThat(keyring.objects()).isEqualTo(objects);
      assertThat(objects.get(0).suite()).isEqualTo(SOFTWARE);
      assertThat(objects.get(0).device().orElseThrow().key())
          .isEqualTo(Bytes.fromHex(keyring.directKeys().get(0).identity()));
      assertThat(token.sealingCalls()).isEqualTo(before);
      token.putBack();

      try (KeyWrapper wrapper = token.openKey(Options.of("key", "one", "mode", "direct"));
          KeyOpener opener = new KeyOpener(Keys.LEDGER, wrapper, Keys.suites())) {
        ArchiveKey key = opener.open(objects.get(0)).orElseThrow();
        CipherSuite suite = key.suite();
        assertThat(suite.name()).isEqualTo(DIRECT);
        assertThat(key.mac(VALUE))
            .isEqualTo(keyring.archiveKeys().newest().orElseThrow().mac(VALUE));
        opener.keys(List.of(key)).close();
      }
    }
  }
}
