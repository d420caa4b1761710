package io.ledgerkeep.crypto.hsm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a {@link Connection} makes of the losses of tokens behind the JVM's provider. */
class SunConnectionTest {

  private static final KeyName MASTER = KeyName.of("key", "master");
  private static final byte[] NOTHING = new byte[0];

  private final TestToken device = TestToken.start().aesKey("master", 32);
  private final AtomicLong clock = new AtomicLong();
  private String given = TestToken.PIN;
  private final Pin pin = new Pin(() -> given.toCharArray(), "a test");

  @AfterEach
  void heal() {
    device.heal();
  }

  private Connection open() {
    TokenRequest request =
        new TokenRequest(
            device.library(),
            TestToken.LABEL,
            Optional.empty(),
            Algorithm.AES,
            Profile.named(Profile.STANDARD),
            10);
    Connection.Keys keys =
        new Connection.Keys(
            Algorithm.AES,
            OptionalLong.of(Ckk.AES),
            MASTER,
            Optional.empty(),
            SoftwareSuites.of(Algorithm.AES, 32),
            request.place());
    return Connection.open(
        keys, "the key", () -> SunToken.open(request, pin), clock::get, new SecureRandom());
  }

  private static byte[] sealText(Connection.Live on) {
    byte[] out = new byte[4 + TokenKey.TAG_BYTES];
    on.key().encryptGcm(new byte[12], NOTHING, new byte[4], 0, 4, out, 0);
    return out;
  }

  private record Loss(String name, Consumer<TestToken> happens) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Loss> losses() {
    return List.of(
        new Loss("sessions die", TestToken::killSessions),
        new Loss("somebody logs out", TestToken::logOut),
        new Loss("somebody restarts the library", TestToken::restartLibrary),
        new Loss("somebody finalizes the library", device -> device.tell("finalize")),
        new Loss("the token is out and in", device -> device.gone(true).gone(false)),
        new Loss("a call fails", device -> device.fail("C_Encrypt", "CKR_DEVICE_ERROR")),
        new Loss("a call fails oddly", device -> device.fail("C_Encrypt", "CKR_GENERAL_ERROR")));
  }

  @ParameterizedTest
  @MethodSource("losses")
  void theNextCallServesAgain(Loss loss) {
    Connection connection = open();
    byte[] before = connection.call(SunConnectionTest::sealText);

    loss.happens.accept(device);

    assertThat(connection.call(SunConnectionTest::sealText)).isEqualTo(before);
    connection.release();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void whileTheTokenIsGoneCallsAreRefusedAndThenServedAgain(int removable) {
    device.set("removable=" + removable);
    Connection connection = open();
    byte[] before = connection.call(SunConnectionTest::sealText);
    device.gone(true);

    assertThatThrownBy(() -> connection.call(SunConnectionTest::sealText))
        .isInstanceOfSatisfying(
            KeyUnavailableException.class,
            e -> assertThat(e.reason()).isEqualTo(Reason.UNREACHABLE));
    device.gone(false);
    clock.addAndGet(Connection.PAUSE.toNanos());

    assertThat(connection.call(SunConnectionTest::sealText)).isEqualTo(before);
    connection.release();
  }

  @Test
  void anotherKeyOfTheSameNameIsRefused() {
    Connection connection = open();
    device.replaceAesKey("master", 32).forget();

    assertThatThrownBy(() -> connection.check(SunConnectionTest::sealText))
        .isInstanceOfSatisfying(
            KeyUnavailableException.class, e -> assertThat(e.reason()).isEqualTo(Reason.WRONG));
    connection.release();
  }

  @Test
  void aPinThatChangedMeanwhileIsOfferedOnce() {
    Connection connection = open();
    device.set("pin=another").killSessions().forget();

    for (int call = 0; call < 3; call++) {
      assertThatThrownBy(() -> connection.call(SunConnectionTest::sealText))
          .isInstanceOfSatisfying(
              KeyUnavailableException.class, e -> assertThat(e.reason()).isEqualTo(Reason.WRONG));
      clock.addAndGet(Connection.PAUSE.toNanos());
    }
    assertThat(device.calls("C_Login")).isOne();
    assertThat(device.wrongPins()).isOne();
    connection.release();
  }

  @Test
  void twoSessionsAreEnoughToComeBack() {
    device.set("max_sessions=2");
    Connection connection = open();
    byte[] before = connection.call(SunConnectionTest::sealText);
    device.logOut();

    assertThat(connection.call(SunConnectionTest::sealText)).isEqualTo(before);
    connection.release();
  }

  @ParameterizedTest
  @ValueSource(strings = {"extractable=1", "sensitive=0"})
  void aKeyThatCanLeaveTheTokenIsRefused(String property) {
    device.remove("master");
    device.key("master", "aes", "bytes=32", property);

    assertThatThrownBy(this::open)
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("can be taken out of the token");
  }

  @Test
  void aKeyOfAnotherTypeIsRefused() {
    device.remove("master");
    device.key("master", "generic", "bytes=32");

    assertThatThrownBy(this::open).isInstanceOf(ConfigurationException.class);
  }
}
