package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.crypto.hsm.Connection.Live;
import io.ledgerkeep.crypto.hsm.TokenSuite.Kind;
import io.ledgerkeep.crypto.hsm.TokenSuite.Shape;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import io.ledgerkeep.error.IntegrityException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Objects;

/** The cipher of a {@link TokenSuite} under one derived key. */
final class TokenAead implements Aead {

  /** What precedes a part's ciphertext in the data of its code, in whole blocks. */
  static final int MAC_HEAD_BYTES =
      4 * Integer.BYTES + CipherSuite.MAC_BYTES + TokenKey.BLOCK_BYTES;

  private static final byte[] VALUE_LABEL =
      "ledgerkeep token value 1".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] IV_LABEL =
      "ledgerkeep token iv 1".getBytes(StandardCharsets.US_ASCII);

  private final TokenSuite suite;
  private final byte[] key;
  private volatile boolean closed;

  TokenAead(TokenSuite suite, byte[] key) {
    this.suite = suite;
    this.key = key;
  }

  /** What a value is bound to, which takes every byte of it but the text. */
  private byte[] binding(byte[] nonce, byte[] additional, Shape shape) {
    ByteBuffer data =
        ByteBuffer.allocate(VALUE_LABEL.length + nonce.length + 5 + additional.length)
            .put(VALUE_LABEL)
            .put(nonce)
            .put(shape.trailer())
            .putInt(shape.textBytes())
            .put(additional);
    return suite.mac(key, data.array());
  }

  /** A part of a value, and what it is bound to. */
  private static final class Part {

    private final byte[] binding;
    private final int index;
    private final int count;
    private final byte[] iv;

    Part(byte[] binding, int index, int count, byte[] iv) {
      this.binding = binding;
      this.index = index;
      this.count = count;
      this.iv = iv;
    }

    byte[] additional() {
      return ByteBuffer.allocate(binding.length + 2 * Integer.BYTES)
          .put(binding)
          .putInt(index)
          .putInt(count)
          .array();
    }

    /**
     * Returns the data of the part's code. They begin with their length, so that none are the
     * beginning of others: under a MAC made by CBC, those would be forged.
     */
    byte[] macData(byte[] text, int offset, int length) {
      return ByteBuffer.allocate(MAC_HEAD_BYTES + length)
          .putInt(length)
          .putInt(index)
          .putInt(count)
          .putInt(0)
          .put(binding)
          .put(iv)
          .put(text, offset, length)
          .array();
    }
  }

  private Part part(byte[] binding, int index, Shape shape) {
    byte[] data =
        ByteBuffer.allocate(IV_LABEL.length + binding.length + Integer.BYTES)
            .put(IV_LABEL)
            .put(binding)
            .putInt(index)
            .array();
    int ivBytes = suite.kind() == Kind.CBC_MAC ? TokenKey.BLOCK_BYTES : TokenKey.GCM_IV_BYTES;
    return new Part(binding, index, shape.parts(), Arrays.copyOf(suite.mac(key, data), ivBytes));
  }

  @Override
  public void seal(byte[] nonce, byte[] additional, byte[] buffer, int offset, int length) {
    check(nonce);
    int sealedBytes = suite.sealedBytes(length);
    Objects.checkFromIndexSize(offset, sealedBytes, buffer.length);
    Shape shape = suite.shape(length);
    byte[] binding = binding(nonce, additional, shape);
    byte[] text = Arrays.copyOfRange(buffer, offset, offset + length + shape.padding());
    Arrays.fill(text, length, text.length, (byte) 0);
    byte[] out = new byte[sealedBytes];
    try {
      suite.calls().take(shape.parts());
      for (int index = 0, at = 0; index < shape.parts(); index++) {
        at += sealPart(part(binding, index, shape), shape, text, out, at);
      }
      out[sealedBytes - 1] = shape.trailer();
      System.arraycopy(out, 0, buffer, offset, sealedBytes);
    } finally {
      Arrays.fill(text, (byte) 0);
    }
  }

  /** Returns how many bytes it has written. */
  private int sealPart(Part part, Shape shape, byte[] text, byte[] out, int outOffset) {
    int from = part.index * shape.partBytes();
    int length = shape.paddedBytes(part.index);
    int[] attempts = {0};
    suite
        .connection()
        .call(
            live -> {
              if (attempts[0]++ > 0) {
                suite.calls().take(1);
              }
              if (suite.kind() == Kind.CBC_MAC) {
                sealCbc(live, part, text, from, length, out, outOffset);
              } else {
                sealGcm(live, part, text, from, length, out, outOffset);
              }
              return part;
            });
    return length + suite.kind().overhead();
  }

  private void sealGcm(
      Live live, Part part, byte[] text, int from, int length, byte[] out, int outOffset) {
    byte[] iv = part.iv.clone();
    boolean own = suite.kind() == Kind.GCM_OWN_IV;
    int at = own ? outOffset + TokenKey.GCM_IV_BYTES : outOffset;
    live.key().encryptGcm(iv, part.additional(), text, from, length, out, at);
    if (own) {
      System.arraycopy(iv, 0, out, outOffset, iv.length);
    } else if (!Arrays.equals(iv, part.iv)) {
      throw new TokenException(
          Ckr.GENERAL_ERROR, "a token that made an IV of its own, which it had not done before");
    }
  }

  private static void sealCbc(
      Live live, Part part, byte[] text, int from, int length, byte[] out, int outOffset) {
    if (length > 0) {
      live.key().encryptCbc(part.iv, text, from, length, out, outOffset);
    }
    byte[] code = live.macKey().mac(part.macData(out, outOffset, length));
    System.arraycopy(code, 0, out, outOffset + length, TokenKey.TAG_BYTES);
  }

  @Override
  public boolean open(
      byte[] nonce,
      byte[] additional,
      byte[] sealedText,
      int offset,
      int length,
      byte[] target,
      int targetOffset) {
    check(nonce);
    Objects.checkFromIndexSize(offset, length, sealedText.length);
    Shape shape = suite.shape(sealedText, offset, length);
    if (shape == null) {
      return false;
    }
    Objects.checkFromIndexSize(targetOffset, shape.textBytes(), target.length);
    byte[] binding = binding(nonce, additional, shape);
    for (int index = 0, at = offset; index < shape.parts(); index++) {
      Part part = part(binding, index, shape);
      if (!openPart(part, shape, sealedText, at, target, targetOffset)) {
        Arrays.fill(target, targetOffset, targetOffset + shape.textBytes(), (byte) 0);
        return false;
      }
      at += shape.paddedBytes(index) + suite.kind().overhead();
    }
    return true;
  }

  private boolean openPart(
      Part part, Shape shape, byte[] sealedText, int at, byte[] target, int targetOffset) {
    int to = targetOffset + part.index * shape.partBytes();
    return suite
        .connection()
        .call(
            live -> {
              try {
                return suite.kind() == Kind.CBC_MAC
                    ? openCbc(live, part, shape, sealedText, at, target, to)
                    : openGcm(live, part, shape, sealedText, at, target, to);
              } catch (TokenException e) {
                throw Ckr.isRefusedLength(e.code()) && shape.partBytes() > suite.partBytes()
                    ? tooLong(shape)
                    : e;
              }
            });
  }

  /** Nothing this token sealed is like that, but one with room for longer texts may have. */
  private IntegrityException tooLong(Shape shape) {
    return new IntegrityException(
        "a value says that it was sealed in parts of "
            + shape.partBytes()
            + " bytes, but the token takes "
            + suite.partBytes()
            + ": it was changed, or sealed in a token that takes longer texts");
  }

  private boolean openGcm(
      Live live, Part part, Shape shape, byte[] sealedText, int at, byte[] target, int to) {
    boolean own = suite.kind() == Kind.GCM_OWN_IV;
    int from = own ? at + TokenKey.GCM_IV_BYTES : at;
    byte[] iv = own ? Arrays.copyOfRange(sealedText, at, from) : part.iv;
    int length = shape.textBytes(part.index) + TokenKey.TAG_BYTES;
    return suite
        .connection()
        .opens(
            live,
            () ->
                live.key().decryptGcm(iv, part.additional(), sealedText, from, length, target, to));
  }

  private static boolean openCbc(
      Live live, Part part, Shape shape, byte[] sealedText, int at, byte[] target, int to) {
    int length = shape.paddedBytes(part.index);
    byte[] code = live.macKey().mac(part.macData(sealedText, at, length));
    int codeAt = at + length;
    byte[] stored = Arrays.copyOfRange(sealedText, codeAt, codeAt + TokenKey.TAG_BYTES);
    if (!MessageDigest.isEqual(code, stored)) {
      return false;
    }
    if (length == 0) {
      return true;
    }
    byte[] text = new byte[length];
    live.key().decryptCbc(part.iv, sealedText, at, length, text, 0);
    System.arraycopy(text, 0, target, to, shape.textBytes(part.index));
    Arrays.fill(text, (byte) 0);
    return true;
  }

  private void check(byte[] nonce) {
    if (closed || suite.isClosed()) {
      throw new IllegalStateException("the cipher is closed");
    }
    if (nonce.length != CipherSuite.NONCE_BYTES) {
      throw new IllegalArgumentException(
          "a nonce has " + CipherSuite.NONCE_BYTES + " bytes, not " + nonce.length);
    }
  }

  /** The key is no secret, so nothing is wiped that another thread may be at. */
  @Override
  public void close() {
    closed = true;
  }

  @Override
  public String toString() {
    return "Aead[" + suite.name() + "]";
  }
}
