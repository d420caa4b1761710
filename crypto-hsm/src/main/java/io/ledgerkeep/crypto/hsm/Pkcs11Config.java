package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.error.ConfigurationException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the options of the provider {@code pkcs11} say.
 *
 * <table>
 * <caption>Options</caption>
 * <tr><th>option</th><th>default</th><th>meaning</th></tr>
 * <tr><td>{@code encryptor}</td><td></td><td>{@code aes} or {@code sm4}</td></tr>
 * <tr><td>{@code key}</td><td></td><td>the master key: {@link KeyName}</td></tr>
 * <tr><td>{@code library}</td><td></td><td>absolute path of the token's library</td></tr>
 * <tr><td>{@code label}</td><td></td><td>label of the token</td></tr>
 * <tr><td>{@code serial}</td><td></td><td>its serial number, where labels are alike</td></tr>
 * <tr><td>{@code password}, {@code password_file}, {@code password_env}</td><td></td><td>the PIN, or
 * where it is; exactly one</td></tr>
 * <tr><td>{@code session_cache_size}</td><td>10</td><td>how many calls at once, 1 to 1024</td></tr>
 * <tr><td>{@code hash}</td><td>SHA256</td><td>{@code SHA256} or {@code SM3}: makes the identity of
 * the key</td></tr>
 * <tr><td>{@code mode}</td><td>envelope</td><td>{@code envelope} or {@code direct}</td></tr>
 * <tr><td>{@code archive}</td><td>token</td><td>in direct mode, where archives are sealed: {@code
 * token} or {@code memory}</td></tr>
 * <tr><td>{@code mac_key}</td><td></td><td>in direct mode, the key that authenticates what CBC
 * encrypted</td></tr>
 * <tr><td>{@code route}</td><td>auto</td><td>{@code auto}, {@code sunpkcs11} or {@code native}</td>
 * </tr>
 * <tr><td>{@code profile}</td><td>standard, for AES</td><td>{@link Profile}</td></tr>
 * <tr><td>{@code type}</td><td>pkcs11</td><td>nothing else</td></tr>
 * </table>
 */
record Pkcs11Config(
    TokenRequest request,
    KeyName key,
    Optional<KeyName> macKey,
    CipherSuite hash,
    boolean direct,
    boolean directArchives,
    Optional<Route> route,
    boolean ownProfile) {

  static final String ENCRYPTOR = "encryptor";
  static final String KEY = "key";
  static final String LIBRARY = "library";
  static final String LABEL = "label";
  static final String SERIAL = "serial";
  static final String SESSIONS = "session_cache_size";
  static final String HASH = "hash";
  static final String MODE = "mode";
  static final String ROUTE = "route";
  static final String PROFILE = "profile";
  static final String MAC_KEY = "mac_key";
  static final String ARCHIVE = "archive";
  static final String TYPE = "type";

  private static final Logger LOG = LoggerFactory.getLogger(Pkcs11Config.class);

  private static final long DEFAULT_SESSIONS = 10;
  private static final long MOST_SESSIONS = 1024;

  /**
   * Reads the options.
   *
   * @throws ConfigurationException if anything is missing, unknown or contradictory
   */
  static Pkcs11Config of(Options options) {
    options.onlyAllow(
        ENCRYPTOR,
        KEY,
        LIBRARY,
        LABEL,
        SERIAL,
        PinSource.PASSWORD,
        PinSource.PASSWORD_FILE,
        PinSource.PASSWORD_ENV,
        SESSIONS,
        HASH,
        MODE,
        ROUTE,
        PROFILE,
        MAC_KEY,
        ARCHIVE,
        TYPE);
    checkType(options);
    Algorithm algorithm = algorithm(options);
    boolean direct = isDirect(options);
    return new Pkcs11Config(
        new TokenRequest(
            library(options),
            notBlank(options, LABEL),
            options.text(SERIAL).map(serial -> notBlank(options, SERIAL)),
            algorithm,
            profile(options, algorithm),
            (int) options.number(SESSIONS, DEFAULT_SESSIONS, 1, MOST_SESSIONS)),
        KeyName.of(KEY, options.requiredText(KEY)),
        macKey(options, direct),
        hash(options),
        direct,
        directArchives(options, direct),
        route(options),
        options.text(PROFILE).isPresent());
  }

  private static void checkType(Options options) {
    String type = options.text(TYPE).orElse("pkcs11");
    if (type.equals("sdf")) {
      throw new ConfigurationException(
          "option 'type': devices behind the interface SDF (GM/T 0018) are not supported, and"
              + " nothing is encrypted in software instead; use the PKCS#11 library of the device");
    }
    oneOf(TYPE, type, "pkcs11");
  }

  private static String oneOf(String option, String value, String... allowed) {
    if (!List.of(allowed).contains(value)) {
      throw new ConfigurationException(
          "option '" + option + "' must be one of: " + String.join(", ", allowed));
    }
    return value;
  }

  private static String notBlank(Options options, String option) {
    String text = options.requiredText(option).strip();
    if (text.isEmpty()) {
      throw new ConfigurationException("option '" + option + "' is empty");
    }
    return text;
  }

  private static Algorithm algorithm(Options options) {
    String name = oneOf(ENCRYPTOR, notBlank(options, ENCRYPTOR), "aes", "sm4");
    return name.equals("aes") ? Algorithm.AES : Algorithm.SM4;
  }

  private static Path library(Options options) {
    String text = notBlank(options, LIBRARY);
    try {
      Path path = Path.of(text);
      if (path.isAbsolute() && Files.isRegularFile(path)) {
        return path;
      }
    } catch (InvalidPathException e) {
      // told below in the same words as a path to nothing
    }
    throw new ConfigurationException(
        "option '" + LIBRARY + "' must be the absolute path of a file: " + text);
  }

  private static Profile profile(Options options, Algorithm algorithm) {
    Optional<String> name = options.text(PROFILE);
    if (name.isEmpty() && algorithm == Algorithm.SM4) {
      throw new ConfigurationException(
          "option '"
              + PROFILE
              + "' is missing: there is no standard for SM4 in tokens, so the vendor must be"
              + " named");
    }
    Profile profile = Profile.named(name.orElse(Profile.STANDARD));
    if (profile.algorithm() != algorithm) {
      throw new ConfigurationException(
          "profile '" + profile.name() + "' is for " + profile.algorithm() + ", not " + algorithm);
    }
    return profile;
  }

  private static boolean isDirect(Options options) {
    if (options.text(MODE).isEmpty()) {
      LOG.warn(
          "option 'mode' is not set, so it is 'envelope': the token wraps the keys of data, which"
              + " are in memory while the ledger is open; 'direct' seals every value in the token");
    }
    String mode = options.text(MODE).orElse("envelope");
    return oneOf(MODE, mode, "envelope", "direct").equals("direct");
  }

  private static Optional<KeyName> macKey(Options options, boolean direct) {
    Optional<KeyName> name = options.text(MAC_KEY).map(text -> KeyName.of(MAC_KEY, text));
    if (name.isPresent() && !direct) {
      throw onlyDirect(MAC_KEY);
    }
    return name;
  }

  private static boolean directArchives(Options options, boolean direct) {
    Optional<String> text = options.text(ARCHIVE);
    if (text.isPresent() && !direct) {
      throw onlyDirect(ARCHIVE);
    }
    boolean token = oneOf(ARCHIVE, text.orElse("token"), "token", "memory").equals("token");
    if (!token) {
      LOG.warn("the keys of archives are in memory while they are used, as 'archive' is 'memory'");
    }
    return direct && token;
  }

  private static ConfigurationException onlyDirect(String option) {
    return new ConfigurationException("option '" + option + "' is for mode 'direct' only");
  }

  private static CipherSuite hash(Options options) {
    String hash = oneOf(HASH, options.text(HASH).orElse("SHA256"), "SHA256", "SM3");
    return hash.equals("SHA256")
        ? SoftwareSuites.of(Algorithm.AES, 32)
        : SoftwareSuites.of(Algorithm.SM4, 16);
  }

  private static Optional<Route> route(Options options) {
    String name = options.text(ROUTE).orElse("auto");
    if (name.equals("auto")) {
      return Optional.empty();
    }
    for (Route route : Route.values()) {
      if (route.optionValue().equals(name)) {
        return Optional.of(route);
      }
    }
    throw new ConfigurationException(
        "option '" + ROUTE + "' must be one of: auto, " + String.join(", ", Route.names()));
  }

  /** Returns the routes to be tried, in this order. */
  List<Route> routes() {
    return route.map(List::of).orElseGet(() -> Route.fitting(this));
  }

  Connection.Keys keys() {
    return new Connection.Keys(
        request.algorithm(), request.profile().keyType(), key, macKey, hash, request.place());
  }

  /** Returns where the master key lies, for messages. */
  String place() {
    return request.place() + ", key '" + key + "'";
  }
}
