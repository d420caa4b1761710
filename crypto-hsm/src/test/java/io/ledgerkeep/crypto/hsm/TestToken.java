package io.ledgerkeep.crypto.hsm;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Locale;

/**
 * Our PKCS#11 module of {@code src/test/c} in this process, and its switchboard: tokens and keys as
 * a test wants them, and faults. {@code control.c} says what each command does.
 *
 * <p>The module is the same for all who load it in a process, so each test begins with {@link
 * #start}, which takes away what an earlier one left.
 */
public final class TestToken {

  public static final String LABEL = "ledger-test";
  public static final String PIN = "2468-hsm";

  private final Path library;
  private final Function control;

  private TestToken(Path library) {
    this.library = library;
    this.control = NativeLibrary.getInstance(library.toString()).getFunction("testtoken_control");
  }

  /** Starts over, with one empty token of {@link #LABEL} and {@link #PIN}. */
  public static TestToken start() {
    TestToken started = new TestToken(Workshop.testModule());
    started.tell("reset");
    return started.token(LABEL, "pin=" + PIN);
  }

  /** Returns the library, for configurations. */
  public Path library() {
    return library;
  }

  /** Sends a command, which must be understood, and returns the answer. */
  public String tell(String... words) {
    String command = String.join(" ", words);
    String answer = control.invokeString(new Object[] {command}, false);
    assertThat(answer).as(command).doesNotStartWith("error");
    return answer;
  }

  private long ask(String... words) {
    return Long.parseLong(tell(words));
  }

  /** Adds another token. */
  public TestToken token(String label, String... settings) {
    tell("token", label, String.join(" ", settings));
    return this;
  }

  /** Changes settings of the token of {@link #LABEL}, each {@code name=value}. */
  public TestToken set(String... settings) {
    tell("set", LABEL, String.join(" ", settings));
    return this;
  }

  /** Gives the token the SM4 of a vendor. */
  public TestToken profile(String vendor) {
    return set("profile=" + vendor);
  }

  /** Renumbers a mechanism, or takes it away where the number is {@code none}. */
  public TestToken mechanism(String name, String number) {
    tell("mechanism", LABEL, name + "=" + number);
    return this;
  }

  /** Adds a key with more properties, each {@code name=value}. */
  public TestToken key(String label, String type, String... properties) {
    tell("key", LABEL, "label=" + label, "type=" + type, String.join(" ", properties));
    return this;
  }

  /** Adds a random key of AES. */
  public TestToken aesKey(String label, int bytes) {
    return key(label, "aes", "bytes=" + bytes);
  }

  /** Adds a random key of SM4; the token has a {@link #profile}. */
  public TestToken sm4Key(String label) {
    return key(label, "sm4", "bytes=16");
  }

  /** Returns the property of a key that has this value. */
  static String value(byte[] key) {
    return "value=" + HexFormat.of().formatHex(key);
  }

  /** Takes away the keys of that label, and returns how many there were. */
  long remove(String label) {
    return ask("remove", LABEL, "label=" + label);
  }

  /** Puts another random key of AES in the place of those with this label. */
  public TestToken replaceAesKey(String label, int bytes) {
    remove(label);
    return aesKey(label, bytes);
  }

  /** Lets the next call of a function fail with a code such as {@code CKR_DEVICE_ERROR}. */
  public TestToken fail(String function, String code) {
    return fail(function, code, 1, 1);
  }

  /** Lets so many calls of a function fail from the n-th on; n counts from 1. */
  public TestToken fail(String function, String code, int n, int times) {
    tell("fail", function, code, "from=" + n, "times=" + times);
    return this;
  }

  /** Lets every call of a function fail until {@link #heal}; {@code *} is all with a session. */
  public TestToken failAlways(String function, String code) {
    tell("fail", function, code, "times=0");
    return this;
  }

  /** Makes every call of a function take so much longer. */
  public TestToken delay(String function, int milliseconds) {
    tell("delay", function, Integer.toString(milliseconds));
    return this;
  }

  /** Lets calls of a function wait at its door until {@link #release}. */
  public TestToken hold(String function) {
    tell("hold", function);
    return this;
  }

  /** Lets all calls go on that {@link #hold} stopped. */
  public TestToken release() {
    tell("release");
    return this;
  }

  /** Ends all faults, delays and holds; sessions stay dead, and settings as they are. */
  public TestToken heal() {
    tell("heal");
    return this;
  }

  /** Kills all sessions, as a restart of the device does. */
  public TestToken killSessions() {
    tell("die");
    return this;
  }

  /** Takes the token out of its slot, or puts it back. */
  public TestToken gone(boolean gone) {
    return set("gone=" + (gone ? 1 : 0));
  }

  /** Logs the user out, as another user of the library in this process can. */
  public TestToken logOut() {
    tell("logout", LABEL);
    return this;
  }

  /** Finalizes the library and initializes it again, as another user in this process can. */
  public TestToken restartLibrary() {
    tell("finalize");
    tell("initialize");
    return this;
  }

  /** Who makes the IV of GCM, and where it can be read. */
  enum OwnIv {
    /** The host makes it. */
    NONE,
    /** Written back by C_EncryptInit. */
    INIT,
    /** Written back by C_Encrypt; never with SunPKCS11, which frees the parameters before. */
    END,
    /** Put behind the tag. */
    APPEND
  }

  /** Lets the token make the IV of GCM itself. */
  public TestToken ownIv(OwnIv place) {
    return set("own_iv=" + place.name().toLowerCase(Locale.ROOT));
  }

  /** Returns how often a function was called since the start. */
  long calls(String function) {
    return ask("calls", function);
  }

  /** Returns how many threads are in a function now, held ones too. */
  long inside(String function) {
    return ask("inside", function);
  }

  /** Returns how many threads were in a function at once at most. */
  long peak(String function) {
    return ask("peak", function);
  }

  /** Begins to count anew. */
  public TestToken forget() {
    tell("forget");
    return this;
  }

  /** Returns how many sessions are open. */
  long sessions() {
    return ask("sessions", LABEL);
  }

  /** Returns how many wrong PINs came in a row. */
  long wrongPins() {
    return ask("wrong_pins", LABEL);
  }
}
