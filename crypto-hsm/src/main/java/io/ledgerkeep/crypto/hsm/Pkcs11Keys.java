package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens master keys in PKCS#11 tokens, for code that hands in the PIN itself, and tells what a
 * token can do. Serves any number of threads.
 *
 * <pre>{@code
 * EncryptorProvider provider = Pkcs11Keys.withPin(() -> vault.pinOfToken()).provider();
 * Ledgerkeep.builder().encryption(provider, Options.of(settings)) ...
 * }</pre>
 */
public final class Pkcs11Keys {

  private static final Logger LOG = LoggerFactory.getLogger(Pkcs11Keys.class);

  private final Optional<Supplier<char[]>> pin;
  private final Function<String, String> environment;
  private final LongSupplier nanoTime;

  Pkcs11Keys(
      Optional<Supplier<char[]>> pin, Function<String, String> environment, LongSupplier nanoTime) {
    this.pin = pin;
    this.environment = environment;
    this.nanoTime = nanoTime;
  }

  /** Returns keys of tokens whose PIN the options name. */
  public static Pkcs11Keys withPinInOptions() {
    return new Pkcs11Keys(Optional.empty(), System::getenv, System::nanoTime);
  }

  /**
   * Returns keys of tokens whose PIN a callback gives; the options name none then.
   *
   * @param pin is asked whenever the token is opened, also anew; gives a fresh array each time,
   *     which is wiped after use
   */
  public static Pkcs11Keys withPin(Supplier<char[]> pin) {
    return new Pkcs11Keys(Optional.of(pin), System::getenv, System::nanoTime);
  }

  /** Returns the provider that opens keys so, to be handed to a builder. */
  public EncryptorProvider provider() {
    return new Pkcs11Provider(this);
  }

  /**
   * Opens the master key that the options name; docs/security.md lists them.
   *
   * @throws ConfigurationException if an option is missing, unknown or contradictory, or the token
   *     or the key are no good for it
   * @throws KeyUnavailableException if the token cannot be reached, refuses the PIN, or has no such
   *     key
   */
  public KeyWrapper open(Options options) {
    Pkcs11Config config = Pkcs11Config.of(options);
    Connection connection = connect(config, PinSource.of(options, pin, environment));
    boolean taken = false;
    try {
      Optional<TokenSuite.Kind> kind =
          config.direct() ? Optional.of(TokenSuite.Kind.of(connection)) : Optional.empty();
      kind.ifPresent(each -> TokenSuite.check(connection, each));
      KeyWrapper wrapper =
          new TokenKeyWrapper(connection, kind, config.directArchives(), new SecureRandom());
      taken = true;
      return wrapper;
    } finally {
      if (!taken) {
        connection.release();
      }
    }
  }

  private Connection connect(Pkcs11Config config, Pin of) {
    RouteException last = null;
    for (Route route : config.routes()) {
      try {
        Connection connection =
            Connection.open(
                config.keys(),
                config.place(),
                () -> route.open(config.request(), of),
                nanoTime,
                new SecureRandom());
        LOG.info("{} is open by route {}", config.place(), route.optionValue());
        return connection;
      } catch (RouteException e) {
        LOG.info(
            "route {} does not lead to {}: {}",
            route.optionValue(),
            config.place(),
            e.getMessage());
        last = e;
      }
    }
    throw unfit(config, last);
  }

  /** Returns what is thrown where no route leads to the key. */
  static ConfigurationException unfit(Pkcs11Config config, @Nullable RouteException last) {
    if (last == null) {
      throw new AssertionError("there is a route for every configuration");
    }
    return new ConfigurationException(
        config.place() + " cannot be used: " + last.getMessage() + "; see 'ledgerkeep hsm probe'",
        last);
  }

  /**
   * Tries what token and key can do, and changes nothing there. What does not work is told in the
   * checks, as far as the token can be opened and the key found.
   *
   * @throws ConfigurationException if an option is missing, unknown or contradictory, or the key is
   *     ambiguous
   * @throws KeyUnavailableException if the token cannot be reached, refuses the PIN, or has no such
   *     key
   */
  public Probe probe(Options options) {
    Pkcs11Config config = Pkcs11Config.of(options);
    return Prober.probe(config, PinSource.of(options, pin, environment));
  }

  /** How a check came out. */
  public enum Outcome {
    /** It holds. */
    PASSED,
    /** It does not hold; the token or key is not to be used so. */
    FAILED,
    /** This token, or what the key is permitted, leaves no way to check it. */
    NOT_POSSIBLE
  }

  /**
   * One check of a token.
   *
   * @param name what was checked
   * @param outcome how it came out
   * @param detail more, for people
   */
  public record Check(String name, Outcome outcome, String detail) {}

  /**
   * What was found out about a token and a key. For people; no secrets.
   *
   * @param route which way led to it: {@code native} or {@code sunpkcs11}
   * @param library the token's library
   * @param token the label of the token
   * @param serial its serial number
   * @param maker manufacturer and model
   * @param sessions how many calls it serves at once
   * @param key the name of the key
   * @param keyBytes its length, or 0 where the token does not tell
   * @param identity what tells the key from others, in hexadecimal digits; empty where it could not
   *     be computed
   * @param mechanisms those that token and key have, with their numbers
   * @param envelope whether the mode {@code envelope} can be used
   * @param direct the suite that the mode {@code direct} would seal with, or why it cannot be used
   * @param ownIv whether the token makes the IVs of GCM itself, instead of taking ours
   * @param largestText how many bytes it took in one call
   * @param tagError what it answers where a tag does not fit; empty where it was not seen
   * @param checks all checks, in their order
   */
  public record Probe(
      String route,
      String library,
      String token,
      String serial,
      String maker,
      int sessions,
      String key,
      int keyBytes,
      String identity,
      List<String> mechanisms,
      boolean envelope,
      String direct,
      boolean ownIv,
      int largestText,
      String tagError,
      List<Check> checks) {

    /** Creates the result. */
    public Probe {
      mechanisms = List.copyOf(mechanisms);
      checks = List.copyOf(checks);
    }

    /** Returns whether no check failed. */
    public boolean passed() {
      return checks.stream().noneMatch(check -> check.outcome() == Outcome.FAILED);
    }
  }

  @Override
  public String toString() {
    return "Pkcs11Keys[PIN from " + (pin.isPresent() ? "a callback" : "the options") + "]";
  }
}
