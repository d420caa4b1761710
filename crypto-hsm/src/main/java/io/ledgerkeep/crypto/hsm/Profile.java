package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.error.ConfigurationException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;

/**
 * The numbers by which a token knows a cipher: of the standard for AES, of the vendor for SM4, for
 * which the standard has none. The same number means different things to different vendors, so a
 * profile is chosen outright and proven by {@link SelfTest} before anything is written.
 *
 * <p>A profile is a text of {@code name = value} lines, among ours or the user's:
 *
 * <table>
 * <caption>What a profile tells; mechanisms that the token has not are left out</caption>
 * <tr><th>name</th><th>meaning</th></tr>
 * <tr><td>{@code algorithm}</td><td>{@code aes} or {@code sm4}</td></tr>
 * <tr><td>{@code key_type}</td><td>CKA_KEY_TYPE of the keys; any where it is left out</td></tr>
 * <tr><td>{@code ecb}, {@code cbc}, {@code gcm}, {@code mac}</td><td>the mechanisms</td></tr>
 * <tr><td>{@code mac_key_type}</td><td>CKA_KEY_TYPE of keys for the MAC; as key_type</td></tr>
 * <tr><td>{@code mac_length}</td><td>{@code true}: the MAC takes its length, 16, as a parameter
 * </td></tr>
 * <tr><td>{@code gcm_parameters}</td><td>{@code 2.40}, {@code 2.30}, or {@code auto}: both are
 * tried</td></tr>
 * <tr><td>{@code gcm_iv}</td><td>{@code host}, or {@code token}: it makes the IV, and is given
 * zeros</td></tr>
 * <tr><td>{@code largest_text}</td><td>how many bytes go into one call at most</td></tr>
 * </table>
 *
 * @param name for people
 * @param algorithm what the numbers are for
 * @param keyType CKA_KEY_TYPE of its keys, where it is known
 * @param ecb the mechanism of ECB, if there is one
 * @param cbc the mechanism of CBC without padding, if there is one
 * @param gcm the mechanism of GCM, if there is one
 * @param mac the mechanism of the MAC, if there is one
 * @param macKeyType CKA_KEY_TYPE of the keys for the MAC, where it is known
 * @param macTakesLength whether the mechanism of the MAC takes its length as a parameter
 * @param layout of the parameters of GCM
 * @param tokenMakesIv whether the IV of GCM comes from the token
 * @param largestText how many bytes go into one call at most
 */
record Profile(
    String name,
    Algorithm algorithm,
    OptionalLong keyType,
    OptionalLong ecb,
    OptionalLong cbc,
    OptionalLong gcm,
    OptionalLong mac,
    OptionalLong macKeyType,
    boolean macTakesLength,
    Layout layout,
    boolean tokenMakesIv,
    int largestText) {

  /** The two shapes that the parameters of GCM have had. */
  enum Layout {
    /** With the length of the IV in bits, as the header of version 2.40 has it. */
    WITH_IV_BITS,
    /** Without it, as the text of version 2.30 has it. */
    WITHOUT_IV_BITS,
    /** Whichever the token takes; both are tried when it is opened. */
    EITHER
  }

  /** The profile of AES, with the numbers of the standard. */
  static final String STANDARD = "standard";

  /** What every token that we know of takes in one call. */
  static final int LARGEST_TEXT = 16 << 10;

  private static final int LARGEST_OF_ALL = 16 << 20;

  private static final List<String> BUILT_IN =
      List.of(
          STANDARD, "ibm", "koal", "luna", "sansec", "sansec-itrus", "tass", "westone", "xihsm");

  private static final Set<String> NAMES =
      Set.of(
          "algorithm",
          "key_type",
          "ecb",
          "cbc",
          "gcm",
          "mac",
          "mac_key_type",
          "mac_length",
          "gcm_parameters",
          "gcm_iv",
          "largest_text");

  Profile {
    if (ecb.isEmpty() && cbc.isEmpty() && gcm.isEmpty()) {
      throw new ConfigurationException("profile '" + name + "' names none of: ecb, cbc, gcm");
    }
    if (largestText < 512 || largestText > LARGEST_OF_ALL) {
      throw new ConfigurationException(
          "'largest_text' of profile '" + name + "' must be 512 to " + LARGEST_OF_ALL);
    }
  }

  /**
   * Returns the profile of that name, or the one in the file where a path is given, told by the
   * separator in it.
   *
   * @throws ConfigurationException if there is none, or it is malformed
   */
  static Profile named(String name) {
    if (BUILT_IN.contains(name)) {
      return builtIn(name);
    }
    if (!name.contains("/") && !name.contains("\\")) {
      throw new ConfigurationException(
          "unknown profile '"
              + name
              + "'; known profiles: "
              + String.join(", ", BUILT_IN)
              + "; a file of your own is given by its path, with a separator in it");
    }
    Path file = Path.of(name);
    try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      return read(name, reader);
    } catch (IOException e) {
      throw new ConfigurationException("the profile " + file + " cannot be read", e);
    }
  }

  private static Profile builtIn(String name) {
    String resource = "profiles/" + name + ".profile";
    try (InputStream in = Profile.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new AssertionError("the module carries " + resource);
      }
      return read(name, new InputStreamReader(in, StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new AssertionError("a resource of the module is readable", e);
    }
  }

  /** Reads the text of a profile. */
  static Profile read(String name, Reader text) throws IOException {
    Properties values = new Properties();
    try {
      values.load(text);
    } catch (IllegalArgumentException e) {
      throw new ConfigurationException("profile '" + name + "' is malformed", e);
    }
    Set<String> unknown = new TreeSet<>(values.stringPropertyNames());
    unknown.removeAll(NAMES);
    if (!unknown.isEmpty()) {
      throw new ConfigurationException(
          "profile '"
              + name
              + "' has unknown names: "
              + String.join(", ", unknown)
              + "; known names: "
              + String.join(", ", new TreeSet<>(NAMES)));
    }
    return new Lines(name, values).profile();
  }

  /** The lines of a profile that is being read. */
  private record Lines(String name, Properties values) {

    Profile profile() {
      return new Profile(
          name,
          choice("algorithm", "aes", "sm4").equals("aes") ? Algorithm.AES : Algorithm.SM4,
          number("key_type"),
          number("ecb"),
          number("cbc"),
          number("gcm"),
          number("mac"),
          number("mac_key_type"),
          choice("mac_length", "false", "true").equals("true"),
          layout(),
          choice("gcm_iv", "host", "token").equals("token"),
          (int) Math.min(number("largest_text").orElse(LARGEST_TEXT), Integer.MAX_VALUE));
    }

    private Layout layout() {
      return switch (choice("gcm_parameters", "auto", "2.40", "2.30")) {
        case "2.40" -> Layout.WITH_IV_BITS;
        case "2.30" -> Layout.WITHOUT_IV_BITS;
        default -> Layout.EITHER;
      };
    }

    private OptionalLong number(String line) {
      String text = values.getProperty(line);
      if (text == null) {
        return OptionalLong.empty();
      }
      try {
        long number = Long.decode(text.strip());
        if (number >= 0) {
          return OptionalLong.of(number);
        }
      } catch (NumberFormatException e) {
        // told below in the same words as a negative one
      }
      throw new ConfigurationException(
          "'" + line + "' of profile '" + name + "' must be a number such as 0x80000109");
    }

    /** Returns the value of a line that has one of few; the first where it is left out. */
    private String choice(String line, String... allowed) {
      String text = values.getProperty(line, allowed[0]).strip().toLowerCase(Locale.ROOT);
      if (!List.of(allowed).contains(text)) {
        throw new ConfigurationException(
            "'"
                + line
                + "' of profile '"
                + name
                + "' must be one of: "
                + String.join(", ", allowed));
      }
      return text;
    }
  }

  /** Returns the number for people. */
  static String hex(OptionalLong number) {
    return Optional.of(number)
        .filter(OptionalLong::isPresent)
        .map(n -> "0x" + Long.toHexString(n.getAsLong()).toUpperCase(Locale.ROOT))
        .orElse("none");
  }
}
