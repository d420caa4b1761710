package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import io.ledgerkeep.error.IntegrityException;
import java.util.Arrays;
import java.util.Optional;

/**
 * An archive key as one of its holders keeps it in the archive. It follows from the registry alone,
 * byte for byte, so that it can be written, compared and repaired without a master key.
 *
 * @param number the number of the archive key
 * @param suite the name of its suite in software, which seals this object too
 * @param device where segments are sealed, if it is not in software
 * @param holder tells the holder from others
 * @param name what people call the holder
 * @param wrapped the holder's secret under its master key
 * @param salt drawn with the archive key
 * @param root of the archive key, sealed under a key derived from the holder's secret
 */
public record KeyObject(
    int number,
    String suite,
    Optional<Device> device,
    Bytes holder,
    String name,
    Bytes wrapped,
    Bytes salt,
    Bytes root) {

  /**
   * A key in a device, under which segments are sealed.
   *
   * @param suite the number of its suite
   * @param key tells it from others
   */
  public record Device(int suite, Bytes key) {}

  private static final Bytes LABEL = Bytes.ofUtf8("ledgerkeep archive key 1");

  /**
   * Safe, as a key derived here seals one root: salt and root are drawn together, also by two
   * ledgers that go on from one copy of a directory and number their keys alike.
   */
  private static final byte[] ZERO_NONCE = new byte[CipherSuite.NONCE_BYTES];

  private static final byte[] NOTHING_ELSE = new byte[0];

  /** Returns an object without the root. */
  static KeyObject of(ArchiveKey key, Bytes holder, String name, Bytes wrapped, Bytes salt) {
    CipherSuite suite = key.suite();
    return new KeyObject(
        key.number(),
        DirectSuite.inSoftware(suite).name(),
        suite instanceof DirectSuite direct
            ? Optional.of(new Device(direct.id(), direct.identity()))
            : Optional.empty(),
        holder,
        name,
        wrapped,
        salt,
        Bytes.EMPTY);
  }

  /** Returns this with the root of the key; the holder's secret is that of the object. */
  KeyObject holding(ArchiveKey key, Secret secret) {
    byte[] sealed = new byte[Secret.BYTES + CipherSuite.TAG_BYTES];
    key.copyRoot(sealed);
    try (Aead aead = aead(key.ledgerId(), DirectSuite.inSoftware(key.suite()), secret)) {
      aead.seal(ZERO_NONCE, NOTHING_ELSE, sealed, 0, Secret.BYTES);
    } catch (RuntimeException | Error e) {
      Arrays.fill(sealed, (byte) 0);
      throw e;
    }
    return new KeyObject(number, suite, device, holder, name, wrapped, salt, Bytes.wrap(sealed));
  }

  /**
   * Returns the root; what the object says of key and holder is bound to it.
   *
   * @param of the suite in software
   */
  Secret open(Bytes ledgerId, CipherSuite of, Secret secret) {
    byte[] opened = new byte[Secret.BYTES];
    try (Aead aead = aead(ledgerId, of, secret)) {
      byte[] stored = root.toArray();
      if (stored.length != Secret.BYTES + CipherSuite.TAG_BYTES
          || !aead.open(ZERO_NONCE, NOTHING_ELSE, stored, 0, stored.length, opened, 0)) {
        Arrays.fill(opened, (byte) 0);
        throw new IntegrityException(
            "the object of archive key %s of ledger %s for holder %s was changed, or is of another key or holder"
                .formatted(number, ledgerId.hex(), holder.hex()));
      }
    }
    return new Secret(opened);
  }

  private Aead aead(Bytes ledgerId, CipherSuite of, Secret secret) {
    ByteWriter info =
        new ByteWriter(200)
            .raw(LABEL)
            .u32(of.id())
            .raw(ledgerId)
            .u32(number)
            .raw(holder)
            .text(name);
    device.ifPresent(in -> info.u32(in.suite()).raw(in.key()));
    byte[] key = of.derive(secret.bytes(), salt.toArray(), info.take().toArray(), of.keyBytes());
    try {
      return of.aead(key);
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  @Override
  public String toString() {
    return "archive key %s for holder %s".formatted(number, holder.hex());
  }
}
