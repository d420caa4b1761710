package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.crypto.hsm.Abilities.Mode;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import io.ledgerkeep.error.LedgerkeepException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a token open, and opens it anew where it was lost: removed and put back, its sessions
 * killed, its library restarted, its user logged out by somebody else in the process.
 *
 * <p>A call that finds the token lost opens it once and tries again. Where that fails too, calls
 * are refused at once until some time has passed; then the next one tries. Whenever the token was
 * opened, the key is looked up again and must be the same: a number that stood for the key may
 * stand for another one now, and a key of the same name may be another. Nothing is tried again
 * after a refused PIN.
 *
 * <p>Serves any number of threads. Shared by those who {@link #retain} it; the last one closes it.
 */
final class Connection {

  /** How long calls are refused at once after the token could not be opened. */
  static final Duration PAUSE = Duration.ofSeconds(5);

  /** How long the key is taken for the same one that was found, in calls that ask often. */
  static final Duration TRUST = Duration.ofSeconds(1);

  private static final Logger LOG = LoggerFactory.getLogger(Connection.class);

  private final Keys keys;
  private final String place;
  private final Supplier<Token> opener;
  private final LongSupplier nanoTime;

  private final Identity identities;
  private final Bytes identity;
  private final Bytes directIdentity;
  private final SelfTest.Result proof;
  private final List<Pkcs11Keys.Check> macChecks;
  private final CipherSuite suite;

  private final Object lock = new Object();

  /** Written under the lock, like what follows; null while the token is lost. */
  private volatile @Nullable Live live;

  private @Nullable RuntimeException lastFailure;
  private long pausedUntil;
  private int users = 1;
  private boolean closed;

  /**
   * What to look for in the token.
   *
   * @param algorithm what the key must be for
   * @param keyType CKA_KEY_TYPE that it must have, where that is known
   * @param key the master key
   * @param macKey the key that authenticates, where one was named
   * @param hash makes the identity
   * @param tokenPlace where the token is, for messages
   */
  record Keys(
      Algorithm algorithm,
      OptionalLong keyType,
      KeyName key,
      Optional<KeyName> macKey,
      CipherSuite hash,
      String tokenPlace) {}

  /** An open token, with the keys that were found in it. */
  static final class Live {

    private final Token token;
    private final TokenKey key;
    private final @Nullable TokenKey macKey;
    private volatile long checkedAt;

    private Live(Token token, TokenKey key, @Nullable TokenKey macKey, long now) {
      this.token = token;
      this.key = key;
      this.macKey = macKey;
      this.checkedAt = now;
    }

    Token token() {
      return token;
    }

    TokenKey key() {
      return key;
    }

    TokenKey macKey() {
      if (macKey == null) {
        throw new AssertionError("whoever asks for it has named one");
      }
      return macKey;
    }
  }

  private Connection(
      Keys keys, String place, Supplier<Token> opener, LongSupplier nanoTime, SecureRandom random) {
    this.keys = keys;
    this.place = place;
    this.opener = opener;
    this.nanoTime = nanoTime;
    this.identities = new Identity(keys.hash());
    Live first = openChecked();
    boolean proven = false;
    try {
      this.suite =
          SoftwareSuites.of(keys.algorithm(), keys.algorithm().keyBytes(first.key.facts()));
      this.proof = SelfTest.run(first.key, random);
      this.macChecks = first.macKey == null ? List.of() : SelfTest.runMac(first.macKey, random);
      requirePassed();
      this.identity = identities.of(first.key);
      this.directIdentity = directIdentity(first);
      this.live = first;
      proven = true;
    } finally {
      if (!proven) {
        first.token.close();
      }
    }
  }

  /**
   * Opens the token, looks up the keys, and finds out what they do.
   *
   * @param place where the master key lies, for messages
   * @param opener opens the token
   * @throws ConfigurationException if the key is no good for this
   * @throws KeyUnavailableException if the token cannot be reached, the PIN is wrong or the key is
   *     not there
   * @throws RouteException if the other way to the token may serve
   */
  static Connection open(
      Keys keys, String place, Supplier<Token> opener, LongSupplier nanoTime, SecureRandom random) {
    try {
      return new Connection(keys, place, opener, nanoTime, random);
    } catch (TokenException e) {
      throw failure(place, e);
    }
  }

  private Live openChecked() {
    Token token = opener.get();
    boolean found = false;
    try {
      TokenKey key = token.find(keys.key());
      checkFacts(keys.key(), key.facts());
      checkType(key.facts());
      TokenKey macKey = keys.macKey().map(name -> findMacKey(token, name, key)).orElse(null);
      Live opened = new Live(token, key, macKey, nanoTime.getAsLong());
      found = true;
      return opened;
    } finally {
      if (!found) {
        token.close();
      }
    }
  }

  private TokenKey findMacKey(Token token, KeyName name, TokenKey key) {
    TokenKey macKey = token.find(name);
    checkFacts(name, macKey.facts());
    if (macKey.equals(key)) {
      throw new ConfigurationException(
          "options 'key' and 'mac_key' name the same key in " + place + ": it takes two");
    }
    if (!macKey.abilities().has(Mode.MAC)) {
      throw new ConfigurationException(
          named(name)
              + " is for no authentication code: it takes CKA_SIGN and a mechanism for its type");
    }
    return macKey;
  }

  private String named(KeyName name) {
    return keys.tokenPlace() + ", key '" + name + "',";
  }

  private void checkFacts(KeyName name, KeyFacts facts) {
    if (facts.extractable() || !facts.sensitive()) {
      throw new ConfigurationException(
          named(name)
              + " can be taken out of the token (CKA_EXTRACTABLE "
              + facts.extractable()
              + ", CKA_SENSITIVE "
              + facts.sensitive()
              + "): make one that cannot");
    }
    if (!facts.neverExtractable() || !facts.alwaysSensitive()) {
      LOG.warn(
          "{} was once outside of a token, or could have been: better make one in the token",
          named(name));
    }
  }

  private void checkType(KeyFacts facts) {
    boolean otherType = keys.keyType().isPresent() && keys.keyType().getAsLong() != facts.type();
    if (otherType || !keys.algorithm().takes(keys.algorithm().keyBytes(facts))) {
      throw new ConfigurationException(
          named(keys.key())
              + " has CKA_KEY_TYPE "
              + Profile.hex(OptionalLong.of(facts.type()))
              + " and "
              + facts.bytes()
              + " bytes, but "
              + keys.algorithm()
              + " takes type "
              + Profile.hex(keys.keyType())
              + " and "
              + (keys.algorithm() == Algorithm.SM4 ? "16" : "16, 24 or 32")
              + " bytes");
    }
    if (!facts.encrypts() || !facts.decrypts()) {
      throw new ConfigurationException(
          named(keys.key())
              + " is not permitted to encrypt and decrypt (CKA_ENCRYPT "
              + facts.encrypts()
              + ", CKA_DECRYPT "
              + facts.decrypts()
              + ")");
    }
  }

  private void requirePassed() {
    List<String> failures =
        checks().stream()
            .filter(check -> check.outcome() == Pkcs11Keys.Outcome.FAILED)
            .map(check -> check.name() + ": " + check.detail())
            .toList();
    if (!failures.isEmpty()) {
      throw new RouteException(
          "the token does not do what it must (" + String.join("; ", failures) + ")");
    }
  }

  /** Returns the suite in software for keys like the token's. */
  CipherSuite suite() {
    return suite;
  }

  Bytes identity() {
    return identity;
  }

  /** Returns what tells the keys from others that seal values: both, if there are two. */
  Bytes directIdentity() {
    return directIdentity;
  }

  SelfTest.Result proof() {
    return proof;
  }

  List<Pkcs11Keys.Check> checks() {
    List<Pkcs11Keys.Check> checks = new ArrayList<>(proof.checks());
    checks.addAll(macChecks);
    return checks;
  }

  String place() {
    return place;
  }

  boolean hasMacKey() {
    return keys.macKey().isPresent();
  }

  /** Shares the connection with one more. */
  Connection retain() {
    synchronized (lock) {
      users++;
      return this;
    }
  }

  /** Closes the token if nobody else shares the connection; called once by each who does. */
  void release() {
    synchronized (lock) {
      users--;
      if (users == 0) {
        closed = true;
        discard();
      }
    }
  }

  /**
   * Runs the work on the token, if need be once more on the token opened anew, after making sure
   * that the key is still the one.
   *
   * @throws KeyUnavailableException if the token failed, or has another key there
   */
  <T> T check(Function<Live, T> work) {
    return run(Duration.ZERO, work);
  }

  /** As {@link #check}, but takes the key for the one where that was seen a moment ago. */
  <T> T call(Function<Live, T> work) {
    return run(TRUST, work);
  }

  private <T> T run(Duration trust, Function<Live, T> work) {
    Live first = current();
    try {
      return attempt(first, trust, work);
    } catch (TokenException e) {
      if (!Ckr.isLost(e.code())) {
        throw failure(place, e);
      }
      LOG.warn("{} was lost ({}), and is opened anew", place, e.getMessage());
      return again(reopened(first), trust, work);
    }
  }

  private <T> T again(Live second, Duration trust, Function<Live, T> work) {
    try {
      return attempt(second, trust, work);
    } catch (TokenException e) {
      KeyUnavailableException failure = failure(place, e);
      if (Ckr.isLost(e.code())) {
        lose(second, failure);
      }
      throw failure;
    }
  }

  private <T> T attempt(Live on, Duration trust, Function<Live, T> work) {
    long now = nanoTime.getAsLong();
    if (now - on.checkedAt >= trust.toNanos()) {
      checkIdentity(on);
      on.checkedAt = now;
    }
    try {
      return work.apply(on);
    } catch (RouteException e) {
      throw new KeyUnavailableException(
          Reason.UNREACHABLE,
          place + " can no longer do what it could when it was opened: " + e.getMessage(),
          e);
    }
  }

  private Bytes directIdentity(Live on) {
    return on.macKey == null ? identity : identities.with(identity, on.macKey);
  }

  /** Whether the keys are those that they were, also the one that authenticates. */
  private boolean hasSameKeys(Live on) {
    return identities.of(on.key).equals(identity) && directIdentity(on).equals(directIdentity);
  }

  private void checkIdentity(Live on) {
    if (!hasSameKeys(on)) {
      // Perhaps the number that stood for the key stands for another one now: it is looked up
      // again.
      throw new TokenException(Ckr.KEY_HANDLE_INVALID, "the comparison of the key's identity");
    }
  }

  private void checkSameKey(Live opened) {
    if (!hasSameKeys(opened)) {
      throw new KeyUnavailableException(
          Reason.WRONG,
          place
              + (hasMacKey() ? ", or the one of 'mac_key'," : "")
              + " is not the key that it was, though it has the same name: nothing was encrypted"
              + " with it; put the right key there");
    }
  }

  /**
   * Runs a decryption; returns whether the text was encrypted so. A code that could mean anything
   * means that it was not, if the token has that code for it and still computes rightly.
   */
  boolean opens(Live on, Runnable decryption) {
    try {
      decryption.run();
      return true;
    } catch (TokenException e) {
      OptionalLong expected = proof.tagError();
      boolean refused =
          Ckr.isRefusedText(e.code())
              || (expected.isPresent() && expected.getAsLong() == e.code() && answers(on));
      if (refused) {
        return false;
      }
      throw e;
    }
  }

  private boolean answers(Live on) {
    try {
      return identities.of(on.key).equals(identity);
    } catch (TokenException e) {
      return false;
    }
  }

  private Live current() {
    Live open = live;
    return open != null ? open : reopened(null);
  }

  /** Opens the token anew, unless another thread did since the given one was lost. */
  private Live reopened(@Nullable Live lost) {
    synchronized (lock) {
      if (closed) {
        throw new IllegalStateException("the token is closed");
      }
      Live open = live;
      if (open != null && open != lost) {
        return open;
      }
      discard();
      if (lastFailure != null && nanoTime.getAsLong() - pausedUntil < 0) {
        throw repeated(lastFailure);
      }
      return reopen();
    }
  }

  private Live reopen() {
    try {
      Live opened = openSame();
      live = opened; // for others too, so not before the key proved to be the one
      LOG.info("{} is open again", place);
      lastFailure = null;
      return opened;
    } catch (TokenException e) {
      KeyUnavailableException failure = failure(place, e);
      pause(failure);
      throw failure;
    } catch (LedgerkeepException | RouteException e) {
      KeyUnavailableException failure =
          e instanceof KeyUnavailableException unavailable
              ? unavailable
              : new KeyUnavailableException(
                  Reason.WRONG, place + " has changed: " + e.getMessage(), e);
      pause(failure);
      throw failure;
    }
  }

  private Live openSame() {
    Live opened = openChecked();
    boolean same = false;
    try {
      checkSameKey(opened);
      same = true;
      return opened;
    } finally {
      if (!same) {
        opened.token.close();
      }
    }
  }

  private void lose(Live lost, RuntimeException failure) {
    synchronized (lock) {
      if (live == lost) {
        pause(failure);
      }
    }
  }

  /** Called under the lock. */
  private void pause(RuntimeException failure) {
    discard();
    lastFailure = failure;
    pausedUntil = nanoTime.getAsLong() + PAUSE.toNanos();
  }

  /** Called under the lock. */
  private void discard() {
    Live open = live;
    live = null;
    if (open != null) {
      open.token.close();
    }
  }

  private static RuntimeException repeated(RuntimeException failure) {
    return failure instanceof KeyUnavailableException known
        ? new KeyUnavailableException(known.reason(), String.valueOf(known.getMessage()), known)
        : failure;
  }

  /** Returns what a failure of the token is to callers. */
  static KeyUnavailableException failure(String place, TokenException e) {
    if (Ckr.isRefusedPin(e.code())) {
      return new KeyUnavailableException(
          Reason.WRONG,
          place
              + ": the PIN was refused ("
              + e.getMessage()
              + "); it is not offered again, as that may lock the token: "
              + (e.code() == Ckr.PIN_LOCKED
                  ? "let its security officer unlock it, and open anew"
                  : "correct it, and open anew"),
          e);
    }
    if (Ckr.isLost(e.code()) || e.code() == Ckr.SESSION_COUNT) {
      return new KeyUnavailableException(
          Reason.UNREACHABLE,
          place
              + " cannot be used now: "
              + e.getMessage()
              + "; it is tried again by itself, see that it is there",
          e);
    }
    return new KeyUnavailableException(
        Reason.UNREACHABLE,
        place
            + " refused: "
            + e.getMessage()
            + "; see 'ledgerkeep hsm probe' for what token and key permit",
        e);
  }

  /** Returns the open token. */
  Live now() {
    return current();
  }

  @Override
  public String toString() {
    return "Connection[" + place + "]";
  }
}
