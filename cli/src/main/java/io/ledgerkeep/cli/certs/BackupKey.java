package io.ledgerkeep.cli.certs;

import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.ServiceLoader;
import java.util.function.Predicate;

/**
 * The master key under which backups of certificates and keys lie. Each backup is sealed under a
 * fresh key that the master key wraps, as docs/format.md has it.
 */
public final class BackupKey implements AutoCloseable {

  /** The format begins so; the high bit and the line ends show transfers that change bytes. */
  private static final byte[] MAGIC = {(byte) 0x89, 'L', 'K', 'C', '\r', '\n', 0x1a, '\n'};

  private static final byte VERSION = 1;
  private static final byte[] LABEL =
      "ledgerkeep certificates 1".getBytes(StandardCharsets.US_ASCII);

  /** Magic, version, kind, suite, length of the wrapped key. */
  private static final int HEAD_BYTES = MAGIC.length + 1 + 1 + Short.BYTES + Short.BYTES;

  private static final byte[] NONCE = new byte[CipherSuite.NONCE_BYTES];

  private final KeyWrapper wrapper;
  private final SecureRandom random;

  private BackupKey(KeyWrapper wrapper, SecureRandom random) {
    this.wrapper = wrapper;
    this.random = random;
  }

  /**
   * Opens a master key.
   *
   * @param encryptor the name of its provider
   * @param options what the provider opens it with
   */
  public static BackupKey open(String encryptor, Options options, SecureRandom random) {
    KeyWrapper wrapper =
        providers().stream()
            .filter(provider -> provider.name().equals(encryptor))
            .findFirst()
            .orElseThrow(
                () -> new ConfigurationException("there is no encryptor '" + encryptor + "'"))
            .openKey(options);
    return new BackupKey(wrapper, random);
  }

  private static List<EncryptorProvider> providers() {
    return ServiceLoader.load(EncryptorProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .toList();
  }

  private static CipherSuite suite(Predicate<CipherSuite> wanted, String what) {
    return providers().stream()
        .flatMap(provider -> provider.suites().stream())
        .filter(wanted)
        .findFirst()
        .orElseThrow(() -> new UnsupportedFormatException("there is no suite " + what));
  }

  /** Returns what kind of backup a file is, as its head says; 0 where it is none. */
  static byte kind(byte[] file) {
    return file.length > HEAD_BYTES && Arrays.equals(file, 0, MAGIC.length, MAGIC, 0, MAGIC.length)
        ? file[MAGIC.length + 1]
        : 0;
  }

  /** Returns the backup of a content. */
  byte[] seal(byte kind, byte[] content) {
    CipherSuite suite = suite(each -> each.name().equals(wrapper.suite()), wrapper.suite());
    byte[] key = new byte[suite.keyBytes()];
    random.nextBytes(key);
    try (CipherSuite.Aead aead = suite.aead(key)) {
      byte[] wrapped = wrapper.wrap(key, context(kind, suite.id()));
      int head = HEAD_BYTES + wrapped.length;
      byte[] file = new byte[head + suite.sealedBytes(content.length)];
      ByteBuffer.wrap(file)
          .put(MAGIC)
          .put(VERSION)
          .put(kind)
          .putShort((short) suite.id())
          .putShort((short) wrapped.length)
          .put(wrapped)
          .put(content);
      // The key seals this once, so that its nonce cannot come twice.
      aead.seal(NONCE, Arrays.copyOf(file, head), file, head, content.length);
      return file;
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  /**
   * Returns the content of a backup, which the caller wipes.
   *
   * @throws IntegrityException if it was damaged
   * @throws io.ledgerkeep.error.KeyUnavailableException if it is under another master key
   */
  byte[] open(byte[] file, String place) {
    if (kind(file) == 0) {
      throw new IntegrityException(place + " is no backup of certificates, or was cut");
    }
    if (file[MAGIC.length] != VERSION) {
      throw new UnsupportedFormatException(
          place + " has version " + file[MAGIC.length] + " of backups; this release knows 1");
    }
    ByteBuffer in = ByteBuffer.wrap(file).position(MAGIC.length + 2);
    int id = Short.toUnsignedInt(in.getShort());
    int head = HEAD_BYTES + Short.toUnsignedInt(in.getShort());
    if (file.length < head + CipherSuite.TAG_BYTES) {
      throw new IntegrityException(place + " was cut");
    }
    byte[] key =
        wrapper.unwrap(Arrays.copyOfRange(file, HEAD_BYTES, head), context(kind(file), id));
    CipherSuite suite = suite(each -> each.id() == id, Integer.toHexString(id));
    try (CipherSuite.Aead aead = suite.aead(key)) {
      int length = file.length - head;
      byte[] content = new byte[suite.openedBytes(file, head, length)];
      if (!aead.open(NONCE, Arrays.copyOf(file, head), file, head, length, content, 0)) {
        throw new IntegrityException(place + " was damaged: turn to another copy of it");
      }
      return content;
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  private static byte[] context(byte kind, int suite) {
    return ByteBuffer.allocate(LABEL.length + 1 + Short.BYTES)
        .put(LABEL)
        .put(kind)
        .putShort((short) suite)
        .array();
  }

  @Override
  public void close() {
    wrapper.close();
  }
}
