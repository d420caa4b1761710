package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Who opens an archive: a secret of its own, kept in the registry and, wrapped under its master
 * key, in the archive. Whatever else the holder is given is sealed under that secret, so that its
 * master key need not be at hand. Serves any number of threads.
 */
final class Holder implements AutoCloseable {

  /** The length of the identity. */
  static final int ID_BYTES = 16;

  /** The name of the ledger itself among the holders. */
  static final String OWN_NAME = "own";

  private static final Bytes WRAP_LABEL = Bytes.ofUtf8("ledgerkeep archive holder 1");
  private static final int MAX_NAME_CHARACTERS = 64;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Bytes id;
  private final String name;
  private final String suite;
  private final Bytes wrapped;

  /** Guarded by this; wiped at the end. */
  private final Secret secret;

  private boolean closed;

  /** Takes the secret over. */
  private Holder(Bytes id, String name, String suite, Secret secret, Bytes wrapped) {
    this.id = id;
    this.name = name;
    this.suite = suite;
    this.secret = secret;
    this.wrapped = wrapped;
  }

  /** Makes a holder, while its master key is at hand. */
  static Holder fresh(Bytes ledgerId, String name, KeyWrapper wrapper) {
    requireName(name);
    byte[] random = new byte[ID_BYTES];
    RANDOM.nextBytes(random);
    Bytes id = Bytes.wrap(random);
    Secret secret = Secret.random();
    try {
      byte[] wrapped = wrapper.wrap(secret.bytes(), wrapContext(ledgerId, id));
      return new Holder(id, name, wrapper.suite(), secret, Bytes.wrap(wrapped));
    } catch (RuntimeException | Error e) {
      secret.close();
      throw e;
    }
  }

  /**
   * Returns the holder that a master key is that of, by the objects that an archive has.
   *
   * @throws KeyUnavailableException if it is none's
   */
  static Holder ofMaster(Bytes ledgerId, List<KeyObject> objects, KeyWrapper wrapper) {
    for (KeyObject object : objects) {
      Optional<Secret> secret = unwrapped(ledgerId, object.holder(), object.wrapped(), wrapper);
      if (secret.isPresent()) {
        return new Holder(
            object.holder(), object.name(), wrapper.suite(), secret.get(), object.wrapped());
      }
    }
    throw new KeyUnavailableException(
        Reason.WRONG,
        "the key of %s unlocks no key object of the archive of ledger %s; give that of a holder"
            .formatted(wrapper.place(), ledgerId.hex()));
  }

  /** Returns the secret of a holder; empty where the master key is another's. */
  static Optional<Secret> unwrapped(Bytes ledgerId, Bytes id, Bytes wrapped, KeyWrapper wrapper) {
    byte[] secret;
    try {
      secret = wrapper.unwrap(wrapped.toArray(), wrapContext(ledgerId, id));
    } catch (KeyUnavailableException e) {
      if (e.reason() != Reason.WRONG) {
        throw e;
      }
      return Optional.empty();
    }
    if (secret.length != Secret.BYTES) {
      int size = secret.length;
      Arrays.fill(secret, (byte) 0);
      throw new IntegrityException(
          "the secret of holder %s of the archive of ledger %s has %s bytes, not %s"
              .formatted(id.hex(), ledgerId.hex(), size, Secret.BYTES));
    }
    return Optional.of(new Secret(secret));
  }

  /** What the secret of a holder is wrapped under besides its master key. */
  private static byte[] wrapContext(Bytes ledgerId, Bytes id) {
    return new ByteWriter(64).raw(WRAP_LABEL).raw(ledgerId).raw(id).take().toArray();
  }

  /** Everybody who looks at the archive reads the name. */
  private static void requireName(String name) {
    if (name.isBlank()
        || name.length() > MAX_NAME_CHARACTERS
        || name.chars().anyMatch(Character::isISOControl)
        || !Bytes.ofUtf8(name).utf8().equals(name)) {
      throw new ConfigurationException(
          "the name of a holder has 1 to %s printable characters".formatted(MAX_NAME_CHARACTERS));
    }
  }

  Bytes id() {
    return id;
  }

  String name() {
    return name;
  }

  /** Returns the name of the suite of its master key, for people. */
  String suite() {
    return suite;
  }

  /** Returns what the holder opens a key of the archive with; the same each time. */
  synchronized KeyObject object(ArchiveKey key, Bytes salt) {
    requireOpen();
    return KeyObject.of(key, id, name, wrapped, salt).holding(key, secret);
  }

  int encodedBytes() {
    return 64 + Secret.BYTES + 3 * (name.length() + suite.length()) + wrapped.size();
  }

  /**
   * Returns the root of the key that an object gives to this holder; the caller closes it.
   *
   * @param suite the one in software
   */
  synchronized Secret open(KeyObject object, Bytes ledgerId, CipherSuite suite) {
    requireOpen();
    return object.open(ledgerId, suite, secret);
  }

  synchronized void writeTo(ByteWriter out) {
    requireOpen();
    out.raw(id).text(name).text(suite).raw(secret.bytes()).sized(wrapped);
  }

  static Holder readFrom(ByteReader in) {
    Bytes id = Bytes.copyOf(in.raw(ID_BYTES).toArray());
    String name = in.text();
    String suite = in.text();
    Secret secret = new Secret(in.raw(Secret.BYTES).toArray());
    return new Holder(id, name, suite, secret, Bytes.copyOf(in.sized().toArray()));
  }

  /** What is sealed under a secret that was wiped is everybody's. */
  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the keys of the ledger are closed");
    }
  }

  /** Wipes the secret; closing twice does nothing. */
  @Override
  public synchronized void close() {
    closed = true;
    secret.close();
  }

  @Override
  public String toString() {
    return "holder %s (%s, %s)".formatted(id.hex(), name, suite);
  }
}
