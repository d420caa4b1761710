package io.ledgerkeep.crypto.hsm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.ledgerkeep.crypto.hsm.Abilities.Mode;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys.Check;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys.Outcome;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The route through the JVM's provider, on our token and its faults. */
class SunTokenTest {

  private static final byte[] VALUE = bytes("the 32 bytes of a key of AES-256");
  private static final byte[] IV = bytes("twelve bytes");
  private static final byte[] ADDITIONAL = bytes("additional");
  private static final KeyName MASTER = KeyName.of("key", "master");

  private final TestToken device =
      TestToken.start().key("master", "aes", TestToken.value(VALUE), "id=0a0b");
  private final Pin pin = pin(TestToken.PIN);

  @AfterEach
  void letWaitingCallsGo() {
    device.heal();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static Pin pin(String text) {
    return new Pin(text::toCharArray, "a test");
  }

  private TokenRequest request(String label, Optional<String> serial, int sessions) {
    Profile standard = Profile.named(Profile.STANDARD);
    return new TokenRequest(device.library(), label, serial, Algorithm.AES, standard, sessions);
  }

  private TokenRequest request() {
    return request(TestToken.LABEL, Optional.empty(), 10);
  }

  private SunToken open() {
    return SunToken.open(request(), pin);
  }

  private TokenKey key() {
    return open().find(MASTER);
  }

  private static byte[] sealGcm(TokenKey key, byte[] text) {
    byte[] out = new byte[text.length + TokenKey.TAG_BYTES];
    key.encryptGcm(IV.clone(), ADDITIONAL, text, 0, text.length, out, 0);
    return out;
  }

  private static byte[] openGcm(TokenKey key, byte[] text) {
    byte[] out = new byte[text.length - TokenKey.TAG_BYTES];
    key.decryptGcm(IV.clone(), ADDITIONAL, text, 0, text.length, out, 0);
    return out;
  }

  private static byte[] software(String transformation, int mode, byte[] text) throws Exception {
    Cipher cipher = Cipher.getInstance(transformation, "SunJCE");
    SecretKeySpec key = new SecretKeySpec(VALUE, "AES");
    if (transformation.contains("GCM")) {
      cipher.init(mode, key, new GCMParameterSpec(128, IV));
      cipher.updateAAD(ADDITIONAL);
    } else if (transformation.contains("CBC")) {
      cipher.init(mode, key, new IvParameterSpec(new byte[16]));
    } else {
      cipher.init(mode, key);
    }
    return cipher.doFinal(text);
  }

  private static long codeOf(ThrowingCallable call) {
    TokenException failure = catchThrowableOfType(TokenException.class, call);
    assertThat(failure).isNotNull();
    return failure.code();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 15, 16, 17, 255, 4096, 16384})
  void gcmIsWhatSoftwareComputes(int length) throws Exception {
    byte[] text = new byte[length];
    new SecureRandom().nextBytes(text);
    TokenKey key = key();

    byte[] sealedText = sealGcm(key, text);

    assertThat(sealedText).isEqualTo(software("AES/GCM/NoPadding", Cipher.ENCRYPT_MODE, text));
    assertThat(openGcm(key, sealedText)).isEqualTo(text);
  }

  @Test
  void blocksAreWhatSoftwareComputes() throws Exception {
    TokenKey key = key();
    byte[] text = bytes("two blocks of 16 bytes make 32..");
    byte[] chained = new byte[32];
    key.encryptCbc(new byte[16], text, 0, 32, chained, 0);

    assertThat(chained).isEqualTo(software("AES/CBC/NoPadding", Cipher.ENCRYPT_MODE, text));
    assertThat(key.encryptEcb(text))
        .isEqualTo(software("AES/ECB/NoPadding", Cipher.ENCRYPT_MODE, text));
    key.decryptCbc(new byte[16], chained, 0, 32, chained, 0);
    assertThat(chained).isEqualTo(text);
    assertThat(key.decryptEcb(key.encryptEcb(text))).isEqualTo(text);
  }

  @Test
  void textsMayLieWhereTheResultGoes() {
    TokenKey key = key();
    byte[] buffer = Arrays.copyOf(bytes("0123456789abcdefghij"), 64);
    key.encryptGcm(IV.clone(), ADDITIONAL, buffer, 0, 20, buffer, 5);
    key.decryptGcm(IV.clone(), ADDITIONAL, buffer, 5, 36, buffer, 0);

    assertThat(Arrays.copyOf(buffer, 20)).isEqualTo(bytes("0123456789abcdefghij"));
  }

  @Test
  void theLengthOfAKeyIsInBytes() {
    device.aesKey("short", 16);

    assertThat(key().facts().bytes()).isEqualTo(32);
    assertThat(open().find(KeyName.of("key", "short")).facts().bytes()).isEqualTo(16);
    assertThat(key().facts().type()).isEqualTo(Ckk.AES);
  }

  @Test
  void aKeyThatCanLeaveTheTokenIsTold() {
    device
        .key("open", "aes", "bytes=32", "sensitive=0", "extractable=1")
        .key("wrapped", "aes", "bytes=32", "extractable=1");

    assertThat(key().facts())
        .returns(true, KeyFacts::sensitive)
        .returns(false, KeyFacts::extractable);
    assertThat(open().find(KeyName.of("key", "open")).facts())
        .returns(false, KeyFacts::sensitive)
        .returns(true, KeyFacts::extractable);
    assertThat(open().find(KeyName.of("key", "wrapped")).facts())
        .returns(true, KeyFacts::sensitive)
        .returns(true, KeyFacts::extractable);
  }

  @Test
  void aKeyOfAnotherTypeIsNotTakenForAes() {
    device.profile("sansec").sm4Key("vendor").key("secret", "generic", "bytes=32");

    assertThat(open().find(KeyName.of("key", "vendor")).facts().type()).isNotEqualTo(Ckk.AES);
    assertThat(open().find(KeyName.of("key", "secret")).facts().type()).isNotEqualTo(Ckk.AES);
  }

  @Test
  void theTokenIsFoundAmongOthers() {
    device.token("other", "pin=9999", "serial=0815").token("empty", "pin=9999", "gone=1");

    assertThat(open().info())
        .returns(TestToken.LABEL, TokenInfo::label)
        .returns("TEST0001", TokenInfo::serial)
        .returns("sunpkcs11", TokenInfo::route)
        .returns("Ledgerkeep test", TokenInfo::maker);
    assertThatThrownBy(() -> SunToken.open(request("none", Optional.empty(), 1), pin))
        .hasMessageContaining("'other' (serial 0815)")
        .isInstanceOfSatisfying(
            TokenException.class, e -> assertThat(e.code()).isEqualTo(Ckr.TOKEN_NOT_PRESENT));
    assertThat(device.calls("C_Login")).isOne();
  }

  @Test
  void twoTokensOfOneLabelAreToldApartByTheirSerialOnly() {
    // Our switchboard finds tokens by their label, so the second one gets its own by its length.
    String label = "x".repeat(32);
    device.token(label + "1", "pin=9999", "serial=A1").token(label + "2", "pin=9999", "serial=A2");

    assertThatThrownBy(() -> SunToken.open(request(label, Optional.empty(), 1), pin("9999")))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("'serial'")
        .hasMessageContaining("A1, A2");
    assertThat(SunToken.open(request(label, Optional.of("A2"), 1), pin("9999")).info().serial())
        .isEqualTo("A2");
  }

  @Test
  void thePinAndTheLabelOfTheTokenNeedNotBeAscii() {
    device
        .token("Schlüssel-密钥", "pin=größe-密")
        .tell("key", "Schlüssel-密钥", "label=master", "type=aes", "bytes=16");

    SunToken token = SunToken.open(request("Schlüssel-密钥", Optional.empty(), 1), pin("größe-密"));

    assertThat(token.find(MASTER).facts().bytes()).isEqualTo(16);
    assertThat(token.info().label()).isEqualTo("Schlüssel-密钥");
  }

  @Test
  void aLabelOfAKeyThatIsNotAsciiIsLeftToTheOtherRoute() {
    device.aesKey("Schlüssel", 16);

    assertThatThrownBy(() -> open().find(KeyName.of("key", "Schlüssel")))
        .isInstanceOf(RouteException.class)
        .hasMessageContaining("ASCII");
  }

  @Test
  void whatTheProviderCannotDoIsLeftToTheOtherRoute() {
    Profile vendor = Profile.named("koal");
    TokenRequest sm4 =
        new TokenRequest(
            device.library(), TestToken.LABEL, Optional.empty(), Algorithm.SM4, vendor, 1);

    assertThatThrownBy(() -> SunToken.open(sm4, pin)).isInstanceOf(RouteException.class);
    assertThatThrownBy(() -> open().find(KeyName.of("key", "hex:0a0b")))
        .isInstanceOf(RouteException.class);
    assertThatThrownBy(() -> open().find(KeyName.of("key", "unknown")))
        .isInstanceOf(RouteException.class)
        .hasMessageContaining("unknown");
    assertThatThrownBy(() -> key().mac(new byte[16])).isInstanceOf(RouteException.class);
  }

  @Test
  void anyTwoKeysOfOneLabelMakeItUseless() {
    device.aesKey("foreign", 16).aesKey("foreign", 16);

    assertThatThrownBy(this::open)
        .isInstanceOf(RouteException.class)
        .hasMessageContaining("foreign");
  }

  @Test
  void aTokenWithoutGcmIsToldSo() {
    device.mechanism("aes_gcm", "none");
    TokenKey key = key();

    assertThat(key.abilities().modes()).containsExactlyInAnyOrder(Mode.CBC, Mode.ECB);
    assertThatThrownBy(() -> sealGcm(key, IV)).isInstanceOf(RouteException.class);
  }

  /** Until Java 22 both layouts are tried; since then the one that the library's version has. */
  @Test
  void theOldLayoutOfTheParametersDoesOrIsFoundOutNotTo() {
    device.set("gcm_layout=230");
    boolean works = Runtime.version().feature() < 23;

    assertThat(SelfTest.run(key(), new SecureRandom()).checks().stream().filter(this::isGcm))
        .allMatch(c -> c.outcome() == (works ? Outcome.PASSED : Outcome.FAILED));
  }

  private boolean isGcm(Check check) {
    return check.name().contains("GCM");
  }

  @Test
  void theLayoutOfThePublishedHeadersDoes() {
    device.set("gcm_layout=240");
    TokenKey key = key();

    assertThat(openGcm(key, sealGcm(key, IV))).isEqualTo(IV);
  }

  @ParameterizedTest
  @ValueSource(strings = {"INIT", "APPEND"})
  void aTokenThatMakesTheIvDoesNotPassTheSelfTest(String place) {
    device.ownIv(TestToken.OwnIv.valueOf(place));

    assertThat(SelfTest.run(key(), new SecureRandom()).checks())
        .anyMatch(check -> check.outcome() == Outcome.FAILED);
  }

  @Test
  void theSelfTestPasses() {
    SelfTest.Result result = SelfTest.run(key(), new SecureRandom());

    assertThat(result.checks()).noneMatch(c -> c.outcome() == Outcome.FAILED);
    assertThat(result.makesIv()).isFalse();
    assertThat(result.tagError()).hasValue(Ckr.ENCRYPTED_DATA_INVALID);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CKR_ENCRYPTED_DATA_INVALID",
        "CKR_AEAD_DECRYPT_FAILED",
        "CKR_GENERAL_ERROR",
        "CKR_FUNCTION_FAILED",
        "0x80000123"
      })
  void whateverCodeATokenHasForAWrongTagComesOut(String code) {
    device.set("tag_error=" + code);
    TokenKey key = key();
    byte[] sealedText = sealGcm(key, bytes("text"));
    sealedText[3] ^= 1;

    long expected = code.startsWith("0x") ? Long.decode(code) : Ckr.code(code);
    assertThat(codeOf(() -> openGcm(key, sealedText))).isEqualTo(expected);
  }

  @Test
  void whatIsTooShortForATagIsRefusedWithoutTheToken() {
    TokenKey key = key();
    device.forget();

    for (int length : new int[] {0, 1, 15}) {
      assertThat(
              codeOf(
                  () -> key.decryptGcm(IV, ADDITIONAL, new byte[15], 0, length, new byte[15], 0)))
          .isEqualTo(Ckr.ENCRYPTED_DATA_LEN_RANGE);
    }
    assertThat(device.calls("C_DecryptInit")).isZero();
  }

  @Test
  void aTextThatIsTooLongForTheTokenIsRefused() {
    device.set("text_limit=1024");

    assertThat(codeOf(() -> sealGcm(key(), new byte[1025]))).isEqualTo(Ckr.DATA_LEN_RANGE);
    assertThat(openGcm(key(), sealGcm(key(), new byte[1024]))).hasSize(1024);
  }

  @Test
  void aWrongPinIsOfferedOnce() {
    Pin wrong = pin("not-the-pin");

    assertThat(codeOf(() -> SunToken.open(request(), wrong))).isEqualTo(Ckr.PIN_INCORRECT);
    assertThatThrownBy(() -> SunToken.open(request(), wrong))
        .isInstanceOf(KeyUnavailableException.class)
        .hasMessageNotContaining("not-the-pin");
    assertThat(device.calls("C_Login")).isOne();
    assertThat(device.wrongPins()).isOne();
  }

  @Test
  void aLockedPinIsNotOfferedAtAll() {
    device.set("pin_locked=1");

    assertThat(codeOf(this::open)).isEqualTo(Ckr.PIN_LOCKED);
    assertThatThrownBy(this::open).isInstanceOf(KeyUnavailableException.class);
    assertThat(device.calls("C_Login")).isZero();
  }

  @Test
  void anExpiredPinIsOfferedOnce() {
    device.failAlways("C_Login", "CKR_PIN_EXPIRED");

    assertThat(codeOf(this::open)).isEqualTo(Ckr.PIN_EXPIRED);
    assertThatThrownBy(this::open).isInstanceOf(KeyUnavailableException.class);
    assertThat(device.calls("C_Login")).isOne();
  }

  @Test
  void whereSomebodyIsLoggedInThePinIsNotOffered() {
    SunToken first = open();
    Pin unasked =
        new Pin(
            () -> {
              throw new AssertionError("nobody needs it");
            },
            "a test");

    assertThat(
            openGcm(
                SunToken.open(request(), unasked).find(MASTER), sealGcm(first.find(MASTER), IV)))
        .isEqualTo(IV);
    assertThat(device.calls("C_Login")).isOne();
  }

  @Test
  void thePinIsWipedAfterTheLogin() {
    List<char[]> given = new ArrayList<>();
    Pin watched =
        new Pin(
            () -> {
              char[] fresh = TestToken.PIN.toCharArray();
              given.add(fresh);
              return fresh;
            },
            "a test");
    SunToken.open(request(), watched);

    assertThat(given).singleElement().satisfies(pin -> assertThat(pin).containsOnly('\0'));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CKR_DEVICE_ERROR",
        "CKR_DEVICE_REMOVED",
        "CKR_TOKEN_NOT_PRESENT",
        "CKR_SESSION_HANDLE_INVALID",
        "CKR_SESSION_CLOSED",
        "CKR_FUNCTION_FAILED",
        "CKR_GENERAL_ERROR",
        "CKR_KEY_HANDLE_INVALID",
        "CKR_USER_NOT_LOGGED_IN",
        "CKR_CRYPTOKI_NOT_INITIALIZED",
        "CKR_MECHANISM_INVALID",
        "CKR_KEY_FUNCTION_NOT_PERMITTED"
      })
  void theCodeOfAFailedCallComesOut(String code) {
    TokenKey key = key();
    byte[] sealedText = sealGcm(key, IV);

    device.failAlways("C_EncryptInit", code);
    assertThat(codeOf(() -> sealGcm(key, IV))).isEqualTo(Ckr.code(code));
    assertThat(codeOf(() -> key.encryptEcb(new byte[16]))).isEqualTo(Ckr.code(code));
    device.heal().failAlways("C_Encrypt", code);
    assertThat(codeOf(() -> sealGcm(key, IV))).isEqualTo(Ckr.code(code));
    device.heal().failAlways("C_Decrypt", code);
    assertThat(codeOf(() -> openGcm(key, sealedText))).isEqualTo(Ckr.code(code));
    device.heal();
    assertThat(openGcm(open().find(MASTER), sealedText)).isEqualTo(IV);
  }

  @Test
  void afterTheDeathOfItsSessionsANewOneServes() {
    TokenKey key = key();
    byte[] sealedText = sealGcm(key, IV);
    device.killSessions();

    assertThat(codeOf(() -> openGcm(key, sealedText))).matches(Ckr::isLost);
    assertThat(openGcm(open().find(MASTER), sealedText)).isEqualTo(IV);
    assertThat(device.calls("C_Login")).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void aTokenThatIsBackServesAgain(int removable) {
    device.set("removable=" + removable);
    TokenKey key = key();
    byte[] sealedText = sealGcm(key, IV);
    device.gone(true);

    assertThat(codeOf(() -> openGcm(key, sealedText))).matches(Ckr::isLost);
    assertThat(codeOf(this::open)).isEqualTo(Ckr.TOKEN_NOT_PRESENT);
    device.gone(false);
    assertThat(openGcm(open().find(MASTER), sealedText)).isEqualTo(IV);
  }

  @Test
  void afterAForeignLogoutANewOneLogsInAgain() {
    TokenKey key = key();
    byte[] sealedText = sealGcm(key, IV);
    device.logOut();

    assertThat(codeOf(() -> openGcm(key, sealedText))).matches(Ckr::isLost);
    assertThat(openGcm(open().find(MASTER), sealedText)).isEqualTo(IV);
  }

  @Test
  void aLibraryThatSomebodyRestartedServesAgain() {
    byte[] sealedText = sealGcm(key(), IV);
    TokenKey key = key();
    device.restartLibrary();

    assertThat(codeOf(() -> openGcm(key, sealedText))).matches(Ckr::isLost);
    assertThat(openGcm(open().find(MASTER), sealedText)).isEqualTo(IV);
  }

  @Test
  void aLibraryThatSomebodyFinalizedIsInitializedAgainEachTime() {
    byte[] sealedText = sealGcm(key(), IV);

    for (int time = 0; time < 3; time++) {
      TokenKey key = key();
      device.tell("finalize");
      assertThat(codeOf(() -> openGcm(key, sealedText))).matches(Ckr::isLost);
      assertThat(openGcm(open().find(MASTER), sealedText)).isEqualTo(IV);
    }
  }

  @Test
  void aBrokenNeighbourDoesNotKeepTheTokenAway() {
    device.token("neighbour", "pin=9999").fail("C_GetTokenInfo", "CKR_DEVICE_ERROR", 2, 1);

    assertThat(open().info().label()).isEqualTo(TestToken.LABEL);
  }

  @Test
  void whatIsNoLibraryIsRefused(@TempDir Path folder) throws Exception {
    Path text = Files.writeString(folder.resolve("libtext.so"), "no library");
    Profile standard = Profile.named(Profile.STANDARD);

    for (Path library : List.of(text, folder.resolve("none.so"))) {
      assertThatThrownBy(
              () ->
                  SunToken.open(
                      new TokenRequest(
                          library, "any", Optional.empty(), Algorithm.AES, standard, 1),
                      pin))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining(library.toString());
    }
  }

  @Test
  void aClosedOneLetsNobodyIn() {
    SunToken token = open();
    TokenKey key = token.find(MASTER);
    token.close();
    token.close();

    assertThat(codeOf(() -> sealGcm(key, IV))).isEqualTo(Ckr.SESSION_CLOSED);
    assertThat(device.calls("C_Logout")).isZero();
  }

  @Test
  void noMoreCallsAreInsideThanWereAskedFor() throws Exception {
    TokenKey key = SunToken.open(request(TestToken.LABEL, Optional.empty(), 3), pin).find(MASTER);
    device.forget().hold("C_Encrypt");
    List<Thread> threads = new ArrayList<>();
    List<FutureTask<byte[]>> results = inParallel(6, () -> sealGcm(key, IV), threads);

    while (device.inside("C_Encrypt") < 3 || notYetWaiting(threads) > device.inside("C_Encrypt")) {
      Thread.onSpinWait();
    }
    device.release();

    for (FutureTask<byte[]> result : results) {
      assertThat(openGcm(key, result.get())).isEqualTo(IV);
    }
    assertThat(device.peak("C_Encrypt")).isEqualTo(3);
  }

  @Test
  void twoSessionsAreEnoughForAll() throws Exception {
    device.set("max_sessions=2");
    SunToken token = open();
    TokenKey key = token.find(MASTER);

    List<Thread> threads = new ArrayList<>();
    for (FutureTask<byte[]> result : inParallel(8, () -> sealGcm(key, IV), threads)) {
      assertThat(openGcm(key, result.get())).isEqualTo(IV);
    }
    assertThat(token.info().sessions()).isEqualTo(2);
    assertThat(device.sessions()).isLessThanOrEqualTo(2);
  }

  @Test
  void openingAgainAndAgainDoesNotUseUpTheSessions() throws Exception {
    device.set("max_sessions=2");
    for (int time = 0; time < 5; time++) {
      SunToken token = open();
      TokenKey key = token.find(MASTER);
      useTwoSessions(key);
      if (time % 2 == 0) {
        device.logOut();
        assertThat(codeOf(() -> sealGcm(key, IV))).matches(Ckr::isLost);
      }
      token.close();
    }
    assertThat(device.sessions()).isEqualTo(2);
  }

  private void useTwoSessions(TokenKey key) throws Exception {
    device.hold("C_Encrypt");
    List<FutureTask<byte[]>> results = inParallel(2, () -> sealGcm(key, IV), new ArrayList<>());
    while (device.inside("C_Encrypt") < 2) {
      Thread.onSpinWait();
    }
    device.release();
    for (FutureTask<byte[]> result : results) {
      result.get();
    }
  }

  @Test
  void aProviderWithDeadSessionsIsNotUsedAgain() {
    SunToken token = open();
    sealGcm(token.find(MASTER), IV);
    token.close();
    device.killSessions().forget();

    assertThat(sealGcm(key(), IV)).isNotEmpty();
    assertThat(device.calls("C_Login")).isOne();
  }

  private static long notYetWaiting(List<Thread> threads) {
    return threads.stream().filter(t -> t.getState() != Thread.State.WAITING).count();
  }

  private static <T> List<FutureTask<T>> inParallel(
      int times, Callable<T> work, List<Thread> threads) {
    List<FutureTask<T>> results = new ArrayList<>();
    for (int i = 0; i < times; i++) {
      FutureTask<T> result = new FutureTask<>(work);
      Thread thread = new Thread(result, "call " + i);
      results.add(result);
      threads.add(thread);
      thread.start();
    }
    return results;
  }
}
