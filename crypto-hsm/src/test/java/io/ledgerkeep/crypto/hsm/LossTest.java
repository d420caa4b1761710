package io.ledgerkeep.crypto.hsm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.encryption.KeyWrapper.Direct;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is lost comes back by itself; what must not be tried again is not. */
final class LossTest {

  private static final byte[] SECRET = "a secret of thirty-two bytes....".getBytes();
  private static final byte[] CONTEXT = {1, 2, 3};
  private static final byte[] NONCE = new byte[CipherSuite.NONCE_BYTES];
  private static final String VALUE =
      "value=" + HexFormat.of().formatHex(Arrays.copyOf(SECRET, 32));

  private final AtomicLong nanos = new AtomicLong();
  private final List<AutoCloseable> opened = new ArrayList<>();
  private TestToken token;

  @BeforeEach
  void start() {
    token = TestToken.start().key("master", "aes", VALUE);
  }

  @AfterEach
  void close() throws Exception {
    token.heal();
    for (AutoCloseable each : opened) {
      each.close();
    }
  }

  private Options options() {
    return Settings.aes(token, "master");
  }

  private KeyWrapper open(Options options) {
    Pkcs11Keys keys = new Pkcs11Keys(Optional.empty(), name -> null, nanos::get);
    KeyWrapper wrapper = keys.open(options);
    opened.add(wrapper);
    return wrapper;
  }

  private KeyWrapper open() {
    return open(options());
  }

  private Direct openDirect(Options more) {
    Direct direct = open(more.with("mode", "direct")).openDirect(calls -> {}).orElseThrow();
    opened.add(direct);
    return direct;
  }

  private void pauseIsOver() {
    nanos.addAndGet(Connection.PAUSE.toNanos());
  }

  private static void assertWorks(KeyWrapper wrapper) {
    assertThat(wrapper.unwrap(wrapper.wrap(SECRET, CONTEXT), CONTEXT)).isEqualTo(SECRET);
  }

  private static byte[] seal(Direct direct, int size) {
    byte[] buffer = new byte[direct.suite().sealedBytes(size)];
    Arrays.fill(buffer, 0, size, (byte) 7);
    try (Aead aead = direct.suite().aead(new byte[32])) {
      aead.seal(NONCE, CONTEXT, buffer, 0, size);
    }
    return buffer;
  }

  private static byte[] opened(Direct direct, byte[] sealedValue) {
    byte[] target = new byte[direct.suite().openedBytes(sealedValue, 0, sealedValue.length)];
    try (Aead aead = direct.suite().aead(new byte[32])) {
      assertThat(aead.open(NONCE, CONTEXT, sealedValue, 0, sealedValue.length, target, 0)).isTrue();
    }
    return target;
  }

  private static void assertWorks(Direct direct) {
    byte[] expected = new byte[100];
    Arrays.fill(expected, (byte) 7);
    assertThat(opened(direct, seal(direct, 100))).isEqualTo(expected);
  }

  private static KeyUnavailableException refused(Reason reason, ThrowingCallable call) {
    KeyUnavailableException[] thrown = new KeyUnavailableException[1];
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(KeyUnavailableException.class, e -> thrown[0] = e)
        .hasMessageNotContaining(TestToken.PIN);
    assertThat(thrown[0].reason()).as(thrown[0].getMessage()).isEqualTo(reason);
    return thrown[0];
  }

  // ---- the token

  @Test
  void aTokenThatIsPutBackIsUsedAgain() {
    KeyWrapper wrapper = open();
    byte[] wrapped = wrapper.wrap(SECRET, CONTEXT);
    token.gone(true);

    KeyUnavailableException e = refused(Reason.UNREACHABLE, () -> wrapper.unwrap(wrapped, CONTEXT));
    assertThat(e).hasMessageContaining("CKR_TOKEN_NOT_PRESENT").hasMessageContaining("'master'");
    token.gone(false);
    pauseIsOver();

    assertThat(wrapper.unwrap(wrapped, CONTEXT)).isEqualTo(SECRET);
  }

  @Test
  void aTokenThatIsNotThereIsNotAskedAllTheTime() {
    KeyWrapper wrapper = open();
    token.gone(true);
    refused(Reason.UNREACHABLE, () -> wrapper.wrap(SECRET, CONTEXT));
    token.gone(false).forget();

    refused(Reason.UNREACHABLE, () -> wrapper.wrap(SECRET, CONTEXT));
    assertThat(token.calls("C_GetSlotList")).isZero();
    pauseIsOver();
    assertWorks(wrapper);
  }

  @Test
  void aTokenThatIsNotThereAtTheStartIsNamed() {
    token.gone(true);
    assertThat(refused(Reason.UNREACHABLE, this::open)).hasMessageContaining(TestToken.LABEL);
  }

  @Test
  void sessionsThatDiedAreOpenedAnew() {
    KeyWrapper wrapper = open();
    Direct direct = openDirect(options());
    token.killSessions();

    assertWorks(wrapper);
    assertWorks(direct);
  }

  @Test
  void aLibraryThatSomebodyRestartedIsUsedAgain() {
    KeyWrapper wrapper = open();
    Direct direct = openDirect(options());
    token.restartLibrary();

    assertWorks(wrapper);
    assertWorks(direct);
  }

  @Test
  void aLibraryThatSomebodyFinalizedIsInitializedAgain() {
    KeyWrapper wrapper = open();
    token.tell("finalize");

    assertWorks(wrapper);
  }

  @Test
  void theLibraryIsNeverFinalized() {
    open().close();
    assertThat(token.calls("C_Finalize")).isZero();
    assertThat(token.calls("C_Logout")).isZero();
  }

  @Test
  void whoeverElseLogsOutDoesNotBreakUs() {
    KeyWrapper wrapper = open();
    Direct direct = openDirect(options());
    token.logOut();

    assertWorks(wrapper);
    assertWorks(direct);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CKR_DEVICE_ERROR",
        "CKR_DEVICE_REMOVED",
        "CKR_TOKEN_NOT_PRESENT",
        "CKR_TOKEN_NOT_RECOGNIZED",
        "CKR_SESSION_HANDLE_INVALID",
        "CKR_SESSION_CLOSED",
        "CKR_CRYPTOKI_NOT_INITIALIZED",
        "CKR_FUNCTION_FAILED",
        "CKR_GENERAL_ERROR",
        "CKR_OBJECT_HANDLE_INVALID",
        "CKR_KEY_HANDLE_INVALID",
        "CKR_USER_NOT_LOGGED_IN"
      })
  void whatMayPassIsTriedOnceMore(String code) {
    Direct direct = openDirect(options());
    byte[] sealed = seal(direct, 100);

    for (String function : List.of("C_EncryptInit", "C_Encrypt")) {
      token.forget().fail(function, code);
      assertThat(seal(direct, 100)).isEqualTo(sealed);
    }
    for (String function : List.of("C_DecryptInit", "C_Decrypt")) {
      token.fail(function, code);
      assertThat(opened(direct, sealed)).hasSize(100);
    }
    assertWorks(direct);
  }

  @Test
  void aCallThatIsMadeAgainIsCountedAgain() {
    AtomicLong counted = new AtomicLong();
    KeyWrapper wrapper = open(options().with("mode", "direct"));
    Direct direct = wrapper.openDirect(counted::addAndGet).orElseThrow();
    opened.add(direct);

    seal(direct, 40_000);
    assertThat(counted).hasValue(3);
    token.fail("C_Encrypt", "CKR_DEVICE_ERROR", 2, 1);
    seal(direct, 40_000);
    assertThat(counted).hasValue(7);
  }

  @Test
  void whatDoesNotPassIsTriedOnceAndThenNotForAWhile() {
    Direct direct = openDirect(options());
    token.failAlways("C_Encrypt", "CKR_DEVICE_ERROR").forget();

    refused(Reason.UNREACHABLE, () -> seal(direct, 10));
    long tried = token.calls("C_Encrypt");
    assertThat(tried).isLessThanOrEqualTo(2);
    refused(Reason.UNREACHABLE, () -> seal(direct, 10));
    assertThat(token.calls("C_Encrypt")).isEqualTo(tried);
    token.heal();
    pauseIsOver();
    assertWorks(direct);
  }

  @ParameterizedTest
  @ValueSource(strings = {"CKR_MECHANISM_INVALID", "CKR_KEY_FUNCTION_NOT_PERMITTED"})
  void whatTheTokenDoesNotPermitIsNotTriedAgain(String code) {
    Direct direct = openDirect(options());
    token.forget().fail("C_EncryptInit", code);

    assertThat(refused(Reason.UNREACHABLE, () -> seal(direct, 10))).hasMessageContaining(code);
    assertThat(token.calls("C_EncryptInit")).isOne();
    assertThat(token.calls("C_OpenSession")).isZero();
    assertWorks(direct);
  }

  @Test
  void aValueInLongerPartsThanTheTokenTakesIsNotTheTokensFault() {
    Direct direct = openDirect(options());
    byte[] sealed = seal(direct, 10_000);
    token.set("text_limit=5000");
    Direct less = openDirect(options());
    token.failAlways("C_Decrypt", "CKR_DATA_LEN_RANGE");

    assertThatThrownBy(() -> opened(less, sealed))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("but the token takes 4096");
  }

  @Test
  void aTokenThatFailsIsNeverTakenForAChangedValue() {
    token.set("tag_error=CKR_GENERAL_ERROR");
    Direct direct = openDirect(options());
    byte[] sealed = seal(direct, 10);
    token.failAlways("*", "CKR_GENERAL_ERROR");

    refused(Reason.UNREACHABLE, () -> opened(direct, sealed));
    token.heal();
    pauseIsOver();
    assertThat(opened(direct, sealed)).hasSize(10);
  }

  // ---- the PIN

  @Test
  void aWrongPinIsOfferedOnce() {
    Options wrong = options().with("password", "0000-wrong");

    KeyUnavailableException e = refused(Reason.WRONG, () -> open(wrong));

    assertThat(e).hasMessageContaining("CKR_PIN_INCORRECT").hasMessageNotContaining("0000-wrong");
    assertThat(token.wrongPins()).isOne();
    assertThat(token.calls("C_Login")).isOne();
  }

  @Test
  void aPinThatBecameWrongIsNeverOfferedTwice() {
    AtomicInteger asked = new AtomicInteger();
    KeyWrapper wrapper =
        new Pkcs11Keys(
                Optional.of(
                    () -> (asked.getAndIncrement() == 0 ? TestToken.PIN : "wrong").toCharArray()),
                name -> null,
                nanos::get)
            .open(Options.of(without(options(), "password")));
    opened.add(wrapper);
    token.killSessions();

    refused(Reason.WRONG, () -> wrapper.wrap(SECRET, CONTEXT));
    for (int i = 0; i < 5; i++) {
      pauseIsOver();
      refused(Reason.WRONG, () -> wrapper.wrap(SECRET, CONTEXT));
    }

    assertThat(token.wrongPins()).isOne();
    assertThat(asked).hasValue(2);
  }

  @Test
  void aPinThatALoginFailedWithInAVendorsOwnWordsIsNotOfferedAgain() {
    KeyWrapper wrapper = open();
    token.killSessions();
    token.failAlways("C_Login", "0x80000123").forget();

    assertThat(refused(Reason.UNREACHABLE, () -> wrapper.wrap(SECRET, CONTEXT)))
        .hasMessageContaining("0x80000123");
    for (int i = 0; i < 5; i++) {
      pauseIsOver();
      refused(Reason.WRONG, () -> wrapper.wrap(SECRET, CONTEXT));
    }

    assertThat(token.calls("C_Login")).isOne();
  }

  @Test
  void aPinThatLoginsFailedWithForNoClearReasonIsOfferedTwiceAtMost() {
    KeyWrapper wrapper = open();
    token.killSessions();
    token.failAlways("C_Login", "CKR_GENERAL_ERROR").forget();

    for (int i = 0; i < 5; i++) {
      pauseIsOver();
      refused(i < 2 ? Reason.UNREACHABLE : Reason.WRONG, () -> wrapper.wrap(SECRET, CONTEXT));
    }

    assertThat(token.calls("C_Login")).isEqualTo(2);
  }

  private static Map<String, String> without(Options options, String name) {
    Map<String, String> left = new HashMap<>(options.asMap());
    left.remove(name);
    return left;
  }

  @Test
  void aLockedTokenIsOfferedNoPin() {
    token.set("pin_locked=1");

    assertThat(refused(Reason.WRONG, this::open)).hasMessageContaining("CKR_PIN_LOCKED");
    assertThat(token.calls("C_Login")).isZero();
  }

  @Test
  void theArrayOfThePinIsWiped() {
    List<char[]> given = new ArrayList<>();
    Pkcs11Keys keys =
        Pkcs11Keys.withPin(
            () -> {
              given.add(TestToken.PIN.toCharArray());
              return given.get(given.size() - 1);
            });
    Options options = Options.of(without(options(), "password"));
    opened.add(keys.open(options));
    token.set("pin=another");
    token.killSessions();
    refused(Reason.WRONG, () -> keys.open(options));

    assertThat(given).hasSize(2).allSatisfy(pin -> assertThat(pin).containsOnly('\0'));
  }

  // ---- the key

  @Test
  void anotherKeyOfTheSameNameIsRefusedAndNothingIsWrittenWithIt() {
    KeyWrapper wrapper = open();
    Direct direct = openDirect(options());
    byte[] wrapped = wrapper.wrap(SECRET, CONTEXT);
    token.replaceAesKey("master", 32);
    nanos.addAndGet(Connection.TRUST.toNanos());

    assertThat(refused(Reason.WRONG, () -> wrapper.wrap(SECRET, CONTEXT)))
        .hasMessageContaining("'master'");
    pauseIsOver();
    refused(Reason.WRONG, () -> wrapper.unwrap(wrapped, CONTEXT));
    refused(Reason.WRONG, () -> seal(direct, 10));

    token.remove("master");
    token.key("master", "aes", VALUE);
    pauseIsOver();
    assertThat(wrapper.unwrap(wrapped, CONTEXT)).isEqualTo(SECRET);
    assertWorks(direct);
  }

  @Test
  void anotherKeyOfTheSameNameIsUsedByNobodyWhileItIsCompared() throws Exception {
    Direct direct = openDirect(options());
    token.gone(true);
    refused(Reason.UNREACHABLE, () -> seal(direct, 10));
    token.gone(false).replaceAesKey("master", 32);
    pauseIsOver();
    token.hold("C_EncryptInit");

    FutureTask<byte[]> first = new FutureTask<>(() -> seal(direct, 10));
    new Thread(first).start();
    while (token.inside("C_EncryptInit") < 1) {
      Thread.onSpinWait();
    }
    FutureTask<byte[]> second = new FutureTask<>(() -> seal(direct, 10));
    Thread meanwhile = new Thread(second);
    meanwhile.start();
    while (token.inside("C_EncryptInit") < 2 && meanwhile.getState() != Thread.State.BLOCKED) {
      Thread.onSpinWait();
    }
    token.release();

    for (FutureTask<byte[]> each : List.of(first, second)) {
      assertThatThrownBy(each::get).hasCauseInstanceOf(KeyUnavailableException.class);
    }
  }

  @Test
  void anotherKeyThatAuthenticatesIsRefusedWhenTheTokenIsBack() {
    token.aesKey("second", 32);
    Direct direct = openDirect(options().with("mac_key", "second"));
    byte[] before = seal(direct, 100);
    token.killSessions().replaceAesKey("second", 32);

    refused(Reason.WRONG, () -> seal(direct, 100));
    refused(Reason.WRONG, () -> opened(direct, before));
  }

  @Test
  void aNumberThatStandsForAnotherKeyNowIsNoticed() {
    token.aesKey("other", 32);
    KeyWrapper wrapper = open();
    byte[] wrapped = wrapper.wrap(SECRET, CONTEXT);
    token.remove("master");
    token.key("master", "aes", VALUE);

    assertThat(wrapper.unwrap(wrapped, CONTEXT)).isEqualTo(SECRET);
  }

  @Test
  void aKeyThatCanBeTakenOutIsRefused() {
    token.key("open", "aes", "bytes=32 extractable=1").key("plain", "aes", "bytes=32 sensitive=0");
    for (String key : List.of("open", "plain")) {
      assertThatThrownBy(() -> open(options().with("key", key)))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("can be taken out")
          .hasMessageContaining("'" + key + "'");
    }
    assertThat(token.sessions()).isZero();
  }

  @Test
  void aKeyOfAnotherTypeIsRefused() {
    token.key("generic", "generic", "bytes=32").profile("koal").sm4Key("sm4");
    for (String key : List.of("generic", "sm4")) {
      assertThatThrownBy(() -> open(options().with("key", key)))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("AES takes type 0x1F");
    }
    assertThatThrownBy(() -> open(Settings.sm4(token.profile("sansec"), "master", "sansec")))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("SM4 takes type 0x80000106");
  }

  @Test
  void aKeyThatIsNotThereIsNamed() {
    assertThat(refused(Reason.MISSING, () -> open(options().with("key", "nobody"))))
        .hasMessageContaining("'nobody'");
  }

  @Test
  void aKeyIsFoundByItsLabelAndThenByItsId() {
    token.key("x", "aes", "bytes=32", "id=6D6173746572").key("y", "aes", "bytes=32", "id=0A0B");
    byte[] byLabel = open().wrap(SECRET, CONTEXT);
    KeyWrapper byId = open(options().with("key", "hex:6d6173746572"));

    refused(Reason.WRONG, () -> byId.unwrap(byLabel, CONTEXT));
    assertWorks(open(options().with("key", "hex:0a0b")));
    token.remove("master");
    assertThat(byId.unwrap(open().wrap(SECRET, CONTEXT), CONTEXT)).isEqualTo(SECRET);
  }

  @Test
  void aNameThatTwoKeysHaveIsRefused() {
    token.aesKey("master", 32);
    assertThatThrownBy(this::open)
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("2 secret keys that 'master' fits");
  }

  // ---- sessions

  @Test
  void noMoreSessionsAreOpenThanWereAskedFor() throws Exception {
    Direct direct = openDirect(options().with("session_cache_size", "3"));
    token.forget().hold("C_Encrypt");
    assertCrowdWorks(direct, 3);
    assertThat(token.peak("C_Encrypt")).isEqualTo(3);
    assertThat(token.sessions()).isEqualTo(3);
  }

  @Test
  void aTokenWithFewSessionsServesManyThreads() throws Exception {
    token.set("max_sessions=2");
    Direct direct = openDirect(options());
    token.forget().hold("C_Encrypt");
    assertCrowdWorks(direct, 2);
    assertThat(token.sessions()).isEqualTo(2);
    // Who gets none waits for one, instead of asking again and again.
    assertThat(token.calls("C_OpenSession")).isLessThanOrEqualTo(8);
  }

  private void assertCrowdWorks(Direct direct, int atOnce) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      List<Future<byte[]>> results = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        results.add(threads.submit(() -> seal(direct, 10)));
      }
      while (token.inside("C_Encrypt") < atOnce) {
        Thread.onSpinWait();
      }
      token.release();
      for (Future<byte[]> result : results) {
        assertThat(opened(direct, result.get())).hasSize(10);
      }
    } finally {
      token.release();
      threads.shutdownNow();
    }
  }

  // ---- shapes of calls

  @ParameterizedTest
  @ValueSource(strings = {"0", "230", "240"})
  void bothShapesOfTheParametersOfGcmAreSpoken(String layout) {
    token.set("gcm_layout=" + layout);
    assertWorks(openDirect(options()));
    assertWorks(open());
  }

  @Test
  void aMechanismThatIsAnotherOneIsFoundOut() {
    // CTR under the number of GCM: encrypts, comes back, and authenticates nothing.
    token.mechanism("aes_gcm", "none").mechanism("aes_ctr", "0x1087");
    assertThatThrownBy(this::open)
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("GCM");
  }

  @Test
  void whatATokenNoLongerDoesWhenItIsBackIsToldAsSuch() {
    KeyWrapper.Direct direct = openDirect(options().with("mode", "direct"));
    assertWorks(direct);
    token.killSessions().mechanism("aes_gcm", "none");

    assertThat(refused(Reason.UNREACHABLE, () -> assertWorks(direct)))
        .hasMessageContaining("can no longer do");
  }

  @Test
  void aKeyThatLostTheCipherItWrappedWithIsNotCalledAWrongOne() {
    byte[] wrapped = open().wrap(SECRET, CONTEXT);
    token.mechanism("aes_gcm", "none");
    KeyWrapper wrapper = open();

    assertThat(refused(Reason.UNREACHABLE, () -> wrapper.unwrap(wrapped, CONTEXT)))
        .hasMessageContaining("does no GCM any more");
  }

  @Test
  void aTokenWithoutGcmSealsNoValuesUnlessASecondKeyIsNamed() {
    token.mechanism("aes_gcm", "none").aesKey("codes", 16);
    Options direct = options().with("mode", "direct");
    assertThatThrownBy(() -> open(direct))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("mac_key");
    assertThatThrownBy(() -> open(direct.with("mac_key", "master")))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("same key");
    assertWorks(openDirect(direct.with("mac_key", "codes")));
  }
}
