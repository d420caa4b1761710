package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.crypto.hsm.Abilities.Mode;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.KeyWrapper.Calls;
import io.ledgerkeep.error.ConfigurationException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Seals every value in the token, under the key there; docs/format.md has the bytes.
 *
 * <p>A key that is derived for this suite encrypts nothing and is no secret. It binds: values
 * sealed under different ones are not taken for each other. And it makes the IVs, of which none
 * comes twice: they are not stored, but for those that the token makes.
 *
 * <p>A text that is longer than what the token takes is cut into parts. The last byte of what was
 * sealed tells how long parts are, since another token, or its newer firmware, may take other
 * lengths; it is bound like everything else.
 */
final class TokenSuite implements CipherSuite {

  /** How a value is sealed in the token. */
  enum Kind {
    /** GCM under an IV that we give. */
    GCM(0x00, "GCM", 0),
    /** GCM under an IV that the token makes, which is stored. */
    GCM_OWN_IV(0x10, "GCM-OWN-IV", TokenKey.GCM_IV_BYTES),
    /** CBC, and then an authentication code under another key of the token. */
    CBC_MAC(0x20, "CBC-MAC", 0);

    private final int number;
    private final String mode;
    private final int overhead;

    Kind(int number, String mode, int ivBytes) {
      this.number = number;
      this.mode = mode;
      this.overhead = ivBytes + TAG_BYTES;
    }

    /** Returns by how much a part is longer when it is sealed, padding not counted. */
    int overhead() {
      return overhead;
    }

    /**
     * Returns how the token can seal values: with GCM, or as a second key was named for it, with
     * CBC and an authentication code.
     *
     * @throws ConfigurationException if it cannot
     */
    static Kind of(Connection connection) {
      Abilities abilities = connection.now().key().abilities();
      if (connection.hasMacKey()) {
        if (!abilities.has(Mode.CBC)) {
          throw new ConfigurationException(
              connection.place() + " has no CBC, which 'mac_key' is for: leave it out");
        }
        return CBC_MAC;
      }
      if (!abilities.has(Mode.GCM)) {
        throw new ConfigurationException(
            connection.place()
                + " does no GCM, so it cannot seal values itself: set 'mode' to envelope, or name"
                + " in 'mac_key' a second key of the token, for CBC with an authentication code");
      }
      return connection.proof().makesIv() ? GCM_OWN_IV : GCM;
    }
  }

  private static final int FIRST_ID = 0x0300;
  private static final int SM4_ID = 4;
  private static final int LEAST_PART_SHIFT = 9;
  private static final int MOST_PART_SHIFT = 24;
  private static final int TRAILER_BYTES = 1;
  private static final int NO_PADDING = 0;

  private final Connection connection;
  private final Kind kind;
  private final CipherSuite software;
  private final Calls calls;
  private final BooleanSupplier closed;
  private final int partShift;

  /**
   * Creates the suite.
   *
   * @param calls counts what is sealed
   * @param closed whether nothing may be asked of the token any more
   */
  TokenSuite(Connection connection, Kind kind, Calls calls, BooleanSupplier closed) {
    this.connection = connection;
    this.kind = kind;
    this.software = connection.suite();
    this.calls = calls;
    this.closed = closed;
    this.partShift = partShift(connection.proof().largestText(), kind);
  }

  private static int partShift(int largestText, Kind kind) {
    int room = kind == Kind.CBC_MAC ? largestText - TokenAead.MAC_HEAD_BYTES : largestText;
    int shift = Integer.SIZE - 1 - Integer.numberOfLeadingZeros(Math.max(1, room));
    if (shift < LEAST_PART_SHIFT) {
      throw new ConfigurationException(
          "the token takes texts of "
              + largestText
              + " bytes at most, too little to seal values in it: set 'mode' to envelope");
    }
    return Math.min(shift, MOST_PART_SHIFT);
  }

  /**
   * Checks that the token takes enough in one call.
   *
   * @throws ConfigurationException if it does not
   */
  static void check(Connection connection, Kind kind) {
    partShift(connection.proof().largestText(), kind);
  }

  @Override
  public int id() {
    int key = software.name().startsWith("SM4") ? SM4_ID : software.keyBytes() / 8 - 1;
    return FIRST_ID + kind.number + key;
  }

  @Override
  public String name() {
    return software.name().replace("GCM", kind.mode) + "-DIRECT";
  }

  @Override
  public int keyBytes() {
    return software.keyBytes();
  }

  /** How what is sealed is cut. */
  record Shape(int textBytes, int padding, int partBytes, int parts, byte trailer) {

    /** Returns how many bytes of the text, and of the padding, are in a part. */
    int paddedBytes(int part) {
      return Math.min(partBytes, textBytes + padding - part * partBytes);
    }

    /** Returns how many bytes of the text are in a part. */
    int textBytes(int part) {
      return Math.min(partBytes, textBytes - part * partBytes);
    }
  }

  /** Returns how a text of that many bytes is sealed now. */
  Shape shape(int textBytes) {
    int padding = kind == Kind.CBC_MAC ? -textBytes & (TokenKey.BLOCK_BYTES - 1) : NO_PADDING;
    byte trailer = (byte) (((partShift - LEAST_PART_SHIFT) << 4) | padding);
    int partBytes = partBytes();
    int parts = (int) Math.max(1, ((long) textBytes + partBytes - 1) / partBytes);
    return new Shape(textBytes, padding, partBytes, parts, trailer);
  }

  /** Returns how the text was cut that was sealed here; null where nothing sealed is like that. */
  @Nullable Shape shape(byte[] sealedText, int offset, int length) {
    if (length < kind.overhead + TRAILER_BYTES) {
      return null;
    }
    byte trailer = sealedText[offset + length - 1];
    int padding = trailer & 0xF;
    int partBytes = 1 << (LEAST_PART_SHIFT + ((trailer >> 4) & 0xF));
    int body = length - TRAILER_BYTES;
    int sealedPart = partBytes + kind.overhead;
    int parts = (int) Math.max(1, ((long) body + sealedPart - 1) / sealedPart);
    long padded = body - (long) parts * kind.overhead;
    boolean whole =
        kind == Kind.CBC_MAC ? padded % TokenKey.BLOCK_BYTES == 0 : padding == NO_PADDING;
    boolean lastHasText = padded - padding > (parts - 1L) * partBytes;
    if (!whole || padded < padding || (parts > 1 && !lastHasText)) {
      return null;
    }
    return new Shape((int) (padded - padding), padding, partBytes, parts, trailer);
  }

  @Override
  public int sealedBytes(int length) {
    Shape shape = shape(length);
    return Math.addExact(
        length + shape.padding() + TRAILER_BYTES, Math.multiplyExact(shape.parts(), kind.overhead));
  }

  @Override
  public int openedBytes(byte[] sealedText, int offset, int length) {
    Shape shape = shape(sealedText, offset, length);
    return shape == null ? -1 : shape.textBytes();
  }

  @Override
  public Aead aead(byte[] key) {
    if (key.length != keyBytes()) {
      throw new IllegalArgumentException(
          name() + " takes keys of " + keyBytes() + " bytes, not of " + key.length);
    }
    return new TokenAead(this, key.clone());
  }

  @Override
  public byte[] derive(byte[] secret, byte[] salt, byte[] info, int bytes) {
    return software.derive(secret, salt, info, bytes);
  }

  @Override
  public byte[] mac(byte[] key, byte[] data) {
    return software.mac(key, data);
  }

  Kind kind() {
    return kind;
  }

  /** Returns how long the parts are that texts are cut into now. */
  int partBytes() {
    return 1 << partShift;
  }

  Connection connection() {
    return connection;
  }

  Calls calls() {
    return calls;
  }

  boolean isClosed() {
    return closed.getAsBoolean();
  }

  @Override
  public String toString() {
    return name();
  }
}
