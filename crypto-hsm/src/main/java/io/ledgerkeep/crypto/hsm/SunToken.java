package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.AuthProvider;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.util.Arrays;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.crypto.SecretKey;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A token behind the JVM's own provider of PKCS#11, without a library of ours and without flags:
 * for AES, by the standard's numbers, and keys that are found by their label.
 *
 * <p>An instance of that provider is never used again after sessions of it died: it keeps them, and
 * every later call fails. The provider opens sessions as it likes; what is bounded here is how many
 * calls are inside of it.
 */
final class SunToken implements Token {

  static final String ROUTE = "sunpkcs11";

  private static final Logger LOG = LoggerFactory.getLogger(SunToken.class);

  private final TokenRequest request;
  private final SunSlot slot;
  private final TokenInfo info;
  private final KeyStore keys;
  private final Semaphore calls;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** Whether a call failed in a way that leaves doubts about the sessions. */
  private volatile boolean doubtful;

  private SunToken(TokenRequest request, SunSlot slot, KeyStore keys) {
    this.request = request;
    this.slot = slot;
    this.info = slot.info(request);
    this.keys = keys;
    this.calls = new Semaphore(info.sessions());
  }

  /**
   * Opens the token.
   *
   * @throws ConfigurationException if library or label are no good
   * @throws KeyUnavailableException if the PIN was refused before
   * @throws RouteException if the provider cannot do what is asked, or is not in this JVM
   * @throws TokenException if there is no such token now, or it failed
   */
  static SunToken open(TokenRequest request, Pin pin) {
    if (request.algorithm() != Algorithm.AES) {
      throw new RouteException("SunPKCS11 knows no " + request.algorithm());
    }
    if (!request.profile().name().equals(Profile.STANDARD)) {
      throw new RouteException("SunPKCS11 knows the numbers of the standard only");
    }
    SunSlot spare = SunSpares.take(request).orElse(null);
    if (spare != null) {
      try {
        return open(request, spare, pin);
      } catch (TokenException e) {
        if (!Ckr.isLost(e.code())) {
          throw e;
        }
        LOG.debug("the sessions that were left of {} are dead", request.place(), e);
      }
    }
    return open(request, SunSlot.find(request), pin);
  }

  private static SunToken open(TokenRequest request, SunSlot slot, Pin pin) {
    login(request, slot, pin);
    return new SunToken(request, slot, load(slot.provider()));
  }

  /**
   * Logs in, unless somebody in this process is logged in: the token keeps that per process, and
   * does not look at another PIN then, be it right or wrong.
   */
  private static void login(TokenRequest request, SunSlot slot, Pin pin) {
    SunLogin login = new SunLogin(slot.provider());
    if (login.isNeeded()) {
      pin.offer(request.place(), characters -> login.run(characters, slot.isPinLocked()));
    } else {
      LOG.debug("somebody is logged in to {}: the PIN is not checked", request.place());
    }
  }

  private static KeyStore load(AuthProvider provider) {
    try {
      KeyStore keys = KeyStore.getInstance("PKCS11", provider);
      keys.load(null, null);
      return keys;
    } catch (GeneralSecurityException | IOException | RuntimeException e) {
      if (SunErrors.hasCode(e)) {
        throw SunErrors.of(e, "the list of keys");
      }
      // Two keys of one label, whosever they are, keep the provider from listing any.
      throw new RouteException("SunPKCS11 cannot list the keys: " + SunErrors.innermost(e), e);
    }
  }

  @Override
  public TokenInfo info() {
    return info;
  }

  @Override
  public TokenKey find(KeyName name) {
    String alias = alias(name);
    acquire();
    try {
      if (keys.getKey(alias, null) instanceof SecretKey key) {
        return new SunKey(this, alias, key, facts(name, key));
      }
    } catch (RouteException e) {
      throw e;
    } catch (GeneralSecurityException | RuntimeException e) {
      throw failed(e, "the search for the key");
    } finally {
      release();
    }
    throw new RouteException(
        "no secret key has the CKA_LABEL '" + name + "', and SunPKCS11 looks up nothing else");
  }

  /** The provider lists other labels as it reads them, and then does not find them so. */
  private static String alias(KeyName name) {
    byte[] label =
        name.label()
            .orElseThrow(() -> new RouteException("SunPKCS11 does not look up keys by CKA_ID"))
            .toArray();
    String text = new String(label, StandardCharsets.US_ASCII);
    if (!Arrays.equals(text.getBytes(StandardCharsets.US_ASCII), label)) {
      throw new RouteException("SunPKCS11 looks up labels in ASCII only, not '" + name + "'");
    }
    return text;
  }

  private KeyFacts facts(KeyName name, Key key) {
    return SunKey.facts(key)
        .orElseThrow(
            () ->
                new RouteException(
                    "this JVM's SunPKCS11 does not tell the attributes of the key '" + name + "'"));
  }

  /** Waits until a call may go in. */
  void acquire() {
    if (closed.get()) {
      throw new TokenException(Ckr.SESSION_CLOSED, "a token that is closed");
    }
    calls.acquireUninterruptibly();
  }

  void release() {
    calls.release();
  }

  /**
   * Returns what a failed call of the provider means, and remembers what it says of the sessions.
   */
  TokenException failed(Throwable failure, String function) {
    TokenException told = SunErrors.of(failure, function);
    if (Ckr.isLost(told.code()) && !isOfLogin(told.code())) {
      doubtful = true;
    }
    return told;
  }

  /** A logout by somebody takes away the keys, and leaves the sessions. */
  private static boolean isOfLogin(long code) {
    return code == Ckr.USER_NOT_LOGGED_IN
        || code == Ckr.KEY_HANDLE_INVALID
        || code == Ckr.OBJECT_HANDLE_INVALID;
  }

  AuthProvider provider() {
    return slot.provider();
  }

  Profile profile() {
    return request.profile();
  }

  /**
   * Lets nobody in any more. The provider has nothing to close sessions with but a logout, which
   * would log out everybody in the process. So the next one for this token takes the instance over
   * if it is sound; otherwise its sessions are closed when it is collected.
   */
  @Override
  public void close() {
    if (!closed.getAndSet(true) && !doubtful) {
      SunSpares.put(request, slot);
    }
  }

  @Override
  public String toString() {
    return "SunToken[" + request.place() + "]";
  }
}
