package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.crypto.hsm.Abilities.Mode;
import io.ledgerkeep.crypto.hsm.Connection.Live;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wraps secrets under a master key that is in a token: version ‖ identity of the key ‖ what the
 * token made of a seed ‖ sealed secret ‖ tag, as docs/format.md has it.
 *
 * <p>The token encrypts a random seed, and nothing else, with whatever mode it has: GCM, CBC or
 * ECB. The secret is sealed in software under a key derived from the seed, with all that precedes
 * it as the salt and the context as additional data. So a token without GCM gives the same
 * protection: what was changed gives another seed or another key, and is refused.
 */
final class TokenKeyWrapper implements KeyWrapper {

  private static final Logger LOG = LoggerFactory.getLogger(TokenKeyWrapper.class);

  private static final byte VERSION = 2;
  private static final byte BY_GCM = 1;
  private static final byte BY_CBC = 2;
  private static final byte BY_ECB = 3;

  private static final int IDENTITY_BYTES = 32;
  private static final int SEED_BYTES = 32;
  private static final int BOUND_BYTES = 1 + IDENTITY_BYTES + 1;
  private static final int FIXED_BYTES = BOUND_BYTES + Short.BYTES;
  private static final byte[] NONCE = new byte[CipherSuite.NONCE_BYTES];
  private static final byte[] LABEL =
      "ledgerkeep key wrapped by a token 1".getBytes(StandardCharsets.US_ASCII);

  private final Connection connection;
  private final Optional<TokenSuite.Kind> direct;
  private final boolean directArchives;
  private final String place;
  private final CipherSuite suite;
  private final SecureRandom random;
  private final byte[] info;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * Creates the wrapper.
   *
   * @param connection given away
   * @param direct how values are sealed in the token, if they are
   * @param directArchives whether archives are as well
   */
  TokenKeyWrapper(
      Connection connection,
      Optional<TokenSuite.Kind> direct,
      boolean directArchives,
      SecureRandom random) {
    this.connection = connection;
    this.direct = direct;
    this.directArchives = directArchives;
    this.place =
        connection.place()
            + " (mode "
            + (direct.isPresent() ? "direct" : "envelope")
            + ", route "
            + connection.now().token().info().route()
            + ")";
    this.suite = connection.suite();
    this.random = random;
    this.info =
        ByteBuffer.allocate(LABEL.length + Short.BYTES)
            .put(LABEL)
            .putShort((short) suite.id())
            .array();
  }

  private void checkOpen() {
    if (closed.get()) {
      throw new IllegalStateException("the master key is closed");
    }
  }

  @Override
  public String suite() {
    checkOpen();
    return suite.name();
  }

  @Override
  public String place() {
    checkOpen();
    return place;
  }

  @Override
  public byte[] wrap(byte[] secret, byte[] context) {
    checkOpen();
    byte[] seed = new byte[SEED_BYTES];
    random.nextBytes(seed);
    try {
      byte[] head = connection.check(live -> wrappedSeed(live.key(), seed));
      return seal(head, seed, secret, context);
    } finally {
      Arrays.fill(seed, (byte) 0);
    }
  }

  private byte[] seal(byte[] head, byte[] seed, byte[] secret, byte[] context) {
    byte[] wrapped = new byte[head.length + secret.length + CipherSuite.TAG_BYTES];
    System.arraycopy(head, 0, wrapped, 0, head.length);
    boolean whole = false;
    try (Aead aead = under(seed, head)) {
      System.arraycopy(secret, 0, wrapped, head.length, secret.length);
      aead.seal(NONCE, context, wrapped, head.length, secret.length);
      whole = true;
      return wrapped;
    } finally {
      if (!whole) {
        Arrays.fill(wrapped, (byte) 0);
      }
    }
  }

  /** Returns all that precedes the sealed secret. */
  private byte[] wrappedSeed(TokenKey key, byte[] seed) {
    if (key.abilities().has(Mode.GCM)) {
      byte[] bound = bound(BY_GCM);
      byte[] iv = new byte[TokenKey.GCM_IV_BYTES];
      random.nextBytes(iv);
      byte[] sealed = new byte[SEED_BYTES + TokenKey.TAG_BYTES];
      key.encryptGcm(iv, bound, seed, 0, SEED_BYTES, sealed, 0);
      return head(bound, iv, sealed);
    }
    if (key.abilities().has(Mode.CBC)) {
      byte[] iv = new byte[TokenKey.BLOCK_BYTES];
      random.nextBytes(iv);
      byte[] sealed = new byte[SEED_BYTES];
      key.encryptCbc(iv, seed, 0, SEED_BYTES, sealed, 0);
      return head(bound(BY_CBC), iv, sealed);
    }
    return head(bound(BY_ECB), new byte[0], key.encryptEcb(seed));
  }

  private byte[] bound(byte method) {
    return ByteBuffer.allocate(BOUND_BYTES)
        .put(VERSION)
        .put(connection.identity().toArray())
        .put(method)
        .array();
  }

  private static byte[] head(byte[] bound, byte[] iv, byte[] sealed) {
    return ByteBuffer.allocate(FIXED_BYTES + iv.length + sealed.length)
        .put(bound)
        .putShort((short) (iv.length + sealed.length))
        .put(iv)
        .put(sealed)
        .array();
  }

  @Override
  public byte[] unwrap(byte[] wrapped, byte[] context) {
    checkOpen();
    if (wrapped.length < FIXED_BYTES || wrapped[0] != VERSION) {
      throw damaged(wrapped.length);
    }
    int headBytes = FIXED_BYTES + ByteBuffer.wrap(wrapped).getShort(BOUND_BYTES);
    if (headBytes < FIXED_BYTES || wrapped.length - headBytes < CipherSuite.TAG_BYTES) {
      throw damaged(wrapped.length);
    }
    if (!Arrays.equals(
        wrapped, 1, 1 + IDENTITY_BYTES, connection.identity().toArray(), 0, IDENTITY_BYTES)) {
      throw wrong();
    }
    byte[] head = Arrays.copyOf(wrapped, headBytes);
    byte[] seed = connection.check(live -> seed(live, head)).orElseThrow(this::wrong);
    try {
      return open(head, seed, wrapped, context);
    } finally {
      Arrays.fill(seed, (byte) 0);
    }
  }

  private byte[] open(byte[] head, byte[] seed, byte[] wrapped, byte[] context) {
    int length = wrapped.length - head.length;
    byte[] secret = new byte[length - CipherSuite.TAG_BYTES];
    try (Aead aead = under(seed, head)) {
      if (aead.open(NONCE, context, wrapped, head.length, length, secret, 0)) {
        return secret;
      }
    }
    throw wrong();
  }

  /** Returns the seed, or empty where this is not what the token made of one. */
  private Optional<byte[]> seed(Live live, byte[] head) {
    byte method = head[BOUND_BYTES - 1];
    int length = head.length - FIXED_BYTES;
    if (method == BY_GCM && length == TokenKey.GCM_IV_BYTES + SEED_BYTES + TokenKey.TAG_BYTES) {
      require(live, Mode.GCM);
      return seedByGcm(live, head);
    }
    byte[] seed = new byte[SEED_BYTES];
    if (method == BY_CBC && length == TokenKey.BLOCK_BYTES + SEED_BYTES) {
      require(live, Mode.CBC);
      int at = FIXED_BYTES + TokenKey.BLOCK_BYTES;
      live.key()
          .decryptCbc(Arrays.copyOfRange(head, FIXED_BYTES, at), head, at, SEED_BYTES, seed, 0);
      return Optional.of(seed);
    }
    if (method == BY_ECB && length == SEED_BYTES) {
      require(live, Mode.ECB);
      return Optional.of(live.key().decryptEcb(Arrays.copyOfRange(head, FIXED_BYTES, head.length)));
    }
    return Optional.empty();
  }

  private void require(Live live, Mode mode) {
    if (!live.key().abilities().has(mode)) {
      throw new KeyUnavailableException(
          Reason.UNREACHABLE,
          place
              + " does no "
              + mode
              + " any more, which it wrapped this key with: see what changed in the token, or in"
              + " what the key is permitted");
    }
  }

  private Optional<byte[]> seedByGcm(Live live, byte[] head) {
    int at = FIXED_BYTES + TokenKey.GCM_IV_BYTES;
    byte[] iv = Arrays.copyOfRange(head, FIXED_BYTES, at);
    byte[] bound = Arrays.copyOf(head, BOUND_BYTES);
    byte[] seed = new byte[SEED_BYTES];
    boolean fits =
        connection.opens(
            live, () -> live.key().decryptGcm(iv, bound, head, at, head.length - at, seed, 0));
    return fits ? Optional.of(seed) : Optional.empty();
  }

  private Aead under(byte[] seed, byte[] head) {
    byte[] key = suite.derive(seed, head, info, suite.keyBytes());
    try {
      return suite.aead(key);
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  private KeyUnavailableException damaged(int length) {
    return new KeyUnavailableException(
        Reason.WRONG,
        "these "
            + length
            + " bytes are no key that was wrapped under "
            + connection.place()
            + ": they were damaged, wrapped by something else, or a newer version wrote them");
  }

  private KeyUnavailableException wrong() {
    return new KeyUnavailableException(
        Reason.WRONG,
        connection.place()
            + " is not the key that a data key was wrapped under, or the wrapped key was damaged:"
            + " give the right one");
  }

  @Override
  public Optional<Direct> openDirect(Calls calls) {
    checkOpen();
    return direct.map(kind -> new TokenDirect(connection.retain(), kind, directArchives, calls));
  }

  @Override
  public void confirm() {
    checkOpen();
    LOG.debug("nothing is emptied: the master key is in {}", connection.place());
  }

  @Override
  public void close() {
    if (!closed.getAndSet(true)) {
      connection.release();
    }
  }

  @Override
  public String toString() {
    return "KeyWrapper[" + suite.name() + ", " + place + "]";
  }
}
