package io.ledgerkeep.core.sealing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.Encryptor;
import io.ledgerkeep.encryption.Encryptor.Context;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import io.ledgerkeep.testkit.contract.EncryptorContract;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The encryptor of a ledger keeps the rules of encryptors, and no nonce comes twice. */
final class EpochEncryptorTest {

  private static final Context CONTEXT =
      new Context(new UUID(1, 2), "state", Bytes.ofUtf8("a key"));
  private static final Bytes VALUE = Bytes.ofUtf8("a value");

  @TempDir Path directory;

  /** With AES-256. */
  @Nested
  final class Aes extends EncryptorContract {
    @Override
    protected Encryptor open(Path place) {
      return new EpochEncryptor(Keys.keyring(place, "aes", Keys.AES));
    }
  }

  /** With SM4. */
  @Nested
  final class Sm4 extends EncryptorContract {
    @Override
    protected Encryptor open(Path place) {
      return new EpochEncryptor(Keys.keyring(place, "sm4", Keys.SM4));
    }
  }

  /** With epochs of three values. */
  @Nested
  final class ShortEpochs extends EncryptorContract {
    @Override
    protected Encryptor open(Path place) {
      return new EpochEncryptor(
          Keys.keyring(place, "aes", Keys.AES), new EpochLimits(3, 1L << 40, Duration.ofDays(1)));
    }
  }

  private EpochEncryptor open(Path place, EpochLimits limits, Clock clock) {
    return new EpochEncryptor(Keys.keyring(place, "aes", Keys.AES, clock), limits);
  }

  private EpochEncryptor open() {
    return open(directory, EpochLimits.DEFAULT, Clock.systemUTC());
  }

  private static int epoch(Bytes sealedValue) {
    return sealedValue.asBuffer().getInt(1);
  }

  @Test
  void aSealedValueIs28BytesLonger() {
    try (EpochEncryptor encryptor = open()) {
      assertThat(encryptor.overheadBytes()).isEqualTo(28);
      assertThat(encryptor.seal(CONTEXT, VALUE).size()).isEqualTo(VALUE.size() + 28);
    }
  }

  @Test
  void aDisabledKeyOpensNothingAndADestroyedOneNeverAgain() {
    try (EpochEncryptor encryptor = open()) {
      Bytes sealedValue = encryptor.seal(CONTEXT, VALUE);
      encryptor.rotate("AES-256-GCM");
      encryptor.disable(1);
      assertThatExceptionOfType(KeyUnavailableException.class)
          .isThrownBy(() -> encryptor.open(CONTEXT, sealedValue))
          .withMessageContaining("tde enable")
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.RETIRED));
      encryptor.enable(1);
      assertThat(encryptor.open(CONTEXT, sealedValue)).isEqualTo(VALUE);
      encryptor.disable(1);
      encryptor.destroy(1);
      assertThatExceptionOfType(KeyUnavailableException.class)
          .isThrownBy(() -> encryptor.open(CONTEXT, sealedValue))
          .withMessageContaining("destroyed");
    }
  }

  @Test
  void whoOnlyReadsBeginsNoEpoch() {
    Bytes sealedValue;
    try (EpochEncryptor encryptor = open()) {
      sealedValue = encryptor.seal(CONTEXT, VALUE);
    }
    for (int i = 0; i < 3; i++) {
      try (EpochEncryptor encryptor = open()) {
        assertThat(encryptor.open(CONTEXT, sealedValue)).isEqualTo(VALUE);
        assertThat(encryptor.generation()).isEqualTo(2);
      }
    }
  }

  @Test
  void everyWriterHasAnEpochOfItsOwn() {
    Set<Integer> epochs = new HashSet<>();
    for (int i = 0; i < 5; i++) {
      try (EpochEncryptor encryptor = open()) {
        epochs.add(epoch(encryptor.seal(CONTEXT, VALUE)));
        epochs.add(epoch(encryptor.seal(CONTEXT, VALUE)));
      }
    }
    assertThat(epochs).containsExactlyInAnyOrder(1, 2, 3, 4, 5);
  }

  /** Both go on from the same registry, and so number their epochs alike. */
  @Test
  void aCopyOfADirectorySealsUnderOtherKeys() throws IOException {
    open().close();
    Path copy = directory.resolve("copy");
    Files.createDirectories(copy);
    for (String name : new String[] {"KEYS", "KEYS.copy"}) {
      Files.copy(directory.resolve(name), copy.resolve(name));
    }
    try (EpochEncryptor one = open();
        EpochEncryptor other = open(copy, EpochLimits.DEFAULT, Clock.systemUTC())) {
      Bytes ofOne = one.seal(CONTEXT, VALUE);
      Bytes ofOther = other.seal(CONTEXT, VALUE);
      assertThat(ofOne.slice(0, 12)).isEqualTo(ofOther.slice(0, 12));
      assertThat(ofOne.slice(12, ofOne.size())).isNotEqualTo(ofOther.slice(12, ofOther.size()));
      assertThatThrownBy(() -> one.open(CONTEXT, ofOther)).isInstanceOf(IntegrityException.class);
    }
  }

  @Test
  void anEpochEndsAfterSoManyValues() {
    assertEpochsAreOf(3, new EpochLimits(3, Long.MAX_VALUE / 2, Duration.ofDays(1)));
  }

  @Test
  void anEpochEndsAfterSoManyBytes() {
    assertEpochsAreOf(
        4, new EpochLimits(Long.MAX_VALUE, 4L * VALUE.size() + 1, Duration.ofDays(1)));
  }

  private void assertEpochsAreOf(int values, EpochLimits limits) {
    Map<Integer, Integer> perEpoch = new HashMap<>();
    try (EpochEncryptor encryptor = open(directory, limits, Clock.systemUTC())) {
      for (int i = 0; i < 5 * values; i++) {
        Bytes sealedValue = encryptor.seal(CONTEXT, VALUE);
        perEpoch.merge(epoch(sealedValue), 1, Integer::sum);
        assertThat(encryptor.open(CONTEXT, sealedValue)).isEqualTo(VALUE);
      }
    }
    assertThat(perEpoch)
        .hasSize(5)
        .allSatisfy((epoch, count) -> assertThat(count).isEqualTo(values));
  }

  @Test
  void anEpochEndsWithItsDay() {
    TestClock clock = new TestClock();
    try (EpochEncryptor encryptor = open(directory, EpochLimits.DEFAULT, clock)) {
      assertThat(epoch(encryptor.seal(CONTEXT, VALUE))).isEqualTo(1);
      clock.now = clock.now.plus(Duration.ofHours(23));
      assertThat(epoch(encryptor.seal(CONTEXT, VALUE))).isEqualTo(1);
      clock.now = clock.now.plus(Duration.ofHours(2));
      assertThat(epoch(encryptor.seal(CONTEXT, VALUE))).isEqualTo(2);
    }
  }

  /** A clock set back would keep an epoch open for ever; that is no reason to stop sealing. */
  @Test
  void aClockThatIsSetBackDoesNoHarm() {
    TestClock clock = new TestClock();
    try (EpochEncryptor encryptor = open(directory, EpochLimits.DEFAULT, clock)) {
      encryptor.seal(CONTEXT, VALUE);
      clock.now = clock.now.minus(Duration.ofDays(1000));
      assertThat(encryptor.open(CONTEXT, encryptor.seal(CONTEXT, VALUE))).isEqualTo(VALUE);
    }
  }

  @Test
  void noNumberComesTwiceInAnEpochInAnyNumberOfThreads() throws InterruptedException {
    Set<Bytes> headers = java.util.concurrent.ConcurrentHashMap.newKeySet();
    try (EpochEncryptor encryptor =
        open(directory, new EpochLimits(100, 1L << 40, Duration.ofDays(1)), Clock.systemUTC())) {
      Thread[] threads = new Thread[4];
      for (int i = 0; i < threads.length; i++) {
        threads[i] =
            new Thread(
                () -> {
                  for (int n = 0; n < 500; n++) {
                    headers.add(encryptor.seal(CONTEXT, VALUE).slice(0, 12));
                  }
                });
        threads[i].start();
      }
      for (Thread thread : threads) {
        thread.join();
      }
    }
    assertThat(headers).hasSize(2000);
  }

  @Test
  void anEpochThatTheRegistryDoesNotKnowIsNamed() {
    try (EpochEncryptor encryptor = open()) {
      byte[] foreign = encryptor.seal(CONTEXT, VALUE).toArray();
      ByteBuffer.wrap(foreign).putInt(1, 77);
      assertThatThrownBy(() -> encryptor.open(CONTEXT, Bytes.wrap(foreign)))
          .isInstanceOf(IntegrityException.class)
          .hasMessageContaining("epoch 77")
          .hasMessageContaining("state database")
          .hasMessageNotContaining("a key");
    }
  }

  @Test
  void aPlainValueIsRefusedAsSuch() {
    try (EpochEncryptor encryptor = open()) {
      assertThatThrownBy(
              () -> encryptor.open(CONTEXT, Bytes.ofUtf8("in plain, of some length ...")))
          .isInstanceOf(IntegrityException.class)
          .hasMessageContaining("not sealed");
    }
  }

  /** A clock that stands still. */
  private static final class TestClock extends Clock {
    private Instant now = Instant.parse("2020-01-01T00:00:00Z");

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      return now;
    }
  }
}
