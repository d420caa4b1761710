package io.ledgerkeep.crypto.soft;

import io.ledgerkeep.error.ConfigurationException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Locale;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The text of a configuration that is a master key, or says where one lies.
 *
 * <table>
 * <caption>What a text means, by how it begins; the first row that fits</caption>
 * <tr><th>begins with</th><th>is</th></tr>
 * <tr><td>{@code raw:}</td><td>the printable ASCII bytes that follow</td></tr>
 * <tr><td>{@code hex:}</td><td>the hexadecimal digits that follow</td></tr>
 * <tr><td>{@code file:}</td><td>the absolute path that follows</td></tr>
 * <tr><td>{@code env:}</td><td>the name of an environment variable with such a text, but no further
 * name</td></tr>
 * <tr><td>{@code 0x}</td><td>the hexadecimal digits that follow</td></tr>
 * <tr><td>{@code /}</td><td>a path</td></tr>
 * <tr><td>one of these in other case, {@code file://}</td><td>refused as ambiguous</td></tr>
 * <tr><td>anything else</td><td>its printable ASCII bytes</td></tr>
 * </table>
 *
 * @param form what the rest is
 * @param rest the text behind what says the form
 */
record KeyText(Form form, String rest) {

  /** What a text can be. */
  enum Form {
    /** Printable ASCII characters, each of which is a byte of the key. */
    RAW,
    /** Two hexadecimal digits for each byte of the key. */
    HEX,
    /** The path of a file with the key. */
    FILE
  }

  private static final String RAW = "raw:";
  private static final String HEX = "hex:";
  private static final String FILE = "file:";
  private static final String ENV = "env:";
  private static final String ZERO_X = "0x";

  /**
   * Returns what the text says.
   *
   * @throws ConfigurationException if it can be read in two ways; the text is not in the message
   */
  static KeyText of(String text) {
    return of(text, System::getenv);
  }

  /** Returns the same, with variables of another environment. */
  static KeyText of(String text, UnaryOperator<@Nullable String> environment) {
    return text.startsWith(ENV)
        ? ofVariable(text.substring(ENV.length()), environment)
        : ofPlain(text);
  }

  private static KeyText ofVariable(String name, UnaryOperator<@Nullable String> environment) {
    String text = name.isEmpty() ? null : environment.apply(name);
    if (text == null || text.isEmpty()) {
      throw refused("the environment variable '" + name + "' is not set, which should have it");
    }
    if (text.startsWith(ENV)) {
      throw refused("the environment variable '" + name + "' names another one");
    }
    return ofPlain(text);
  }

  private static KeyText ofPlain(String text) {
    if (text.startsWith(RAW)) {
      return new KeyText(Form.RAW, text.substring(RAW.length()));
    }
    if (text.startsWith(HEX)) {
      return new KeyText(Form.HEX, text.substring(HEX.length()));
    }
    if (text.startsWith(FILE)) {
      return new KeyText(Form.FILE, text.substring(FILE.length()));
    }
    if (text.startsWith(ZERO_X)) {
      return new KeyText(Form.HEX, text.substring(ZERO_X.length()));
    }
    if (text.startsWith("/")) {
      return new KeyText(Form.FILE, text);
    }
    refuseAlmost(text);
    return new KeyText(Form.RAW, text);
  }

  private static void refuseAlmost(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    for (String start : new String[] {RAW, HEX, FILE, ENV, ZERO_X}) {
      if (lower.startsWith(start)) {
        throw refused(
            "it begins almost with '"
                + start
                + "': write that in lower case, or '"
                + RAW
                + "' before it if these characters are the key");
      }
    }
  }

  private static ConfigurationException refused(String why) {
    return new ConfigurationException("what the configuration gives as key is none: " + why);
  }

  /**
   * Returns the key, which the caller wipes.
   *
   * @throws ConfigurationException if the text is malformed
   */
  byte[] bytes() {
    return switch (form) {
      case RAW -> printable();
      case HEX -> hexadecimal();
      case FILE -> throw new AssertionError("a path is not the key");
    };
  }

  private byte[] printable() {
    if (rest.isEmpty()) {
      throw refused("it is empty");
    }
    if (rest.chars().anyMatch(c -> c < ' ' || c > '~')) {
      throw refused(
          "it has a character that is no printable ASCII: write such bytes in hexadecimal digits"
              + " after '"
              + HEX
              + "', or into a file");
    }
    return rest.getBytes(StandardCharsets.US_ASCII);
  }

  private byte[] hexadecimal() {
    if (rest.isEmpty()) {
      throw refused("no hexadecimal digits follow");
    }
    if (!rest.chars().allMatch(HexFormat::isHexDigit)) {
      throw refused("what should be hexadecimal digits has another character");
    }
    if (rest.length() % 2 != 0) {
      throw refused("it has an odd number of hexadecimal digits, " + rest.length());
    }
    byte[] bytes = new byte[rest.length() / 2];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) HexFormat.fromHexDigits(rest, 2 * i, 2 * i + 2);
    }
    return bytes;
  }

  /**
   * Returns the path.
   *
   * @throws ConfigurationException if it is no absolute path
   */
  Path path() {
    if (rest.startsWith("//")) {
      throw refused("a path begins with one '/', as in '" + FILE + "/etc/ledgerkeep.key'");
    }
    try {
      Path path = Path.of(rest);
      if (path.isAbsolute()) {
        return path;
      }
    } catch (InvalidPathException e) {
      // told below, without the text that its message holds
    }
    throw refused("what follows '" + FILE + "' is not an absolute path");
  }

  /** Tells the form only: the rest may be the key. */
  @Override
  public String toString() {
    return "KeyText[" + form + "]";
  }
}
