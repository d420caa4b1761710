package io.ledgerkeep.crypto.soft;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.ledgerkeep.encryption.CipherSuite;
import java.util.Arrays;

/**
 * SM4-GCM by libgcrypt, over a piece of memory outside of the heap through which texts go in
 * pieces. The library wipes its own memory when the cipher is closed.
 */
final class GcryptSm4Gcm implements GcmCipher {

  private static final int SM4 = 318;
  private static final int GCM = 9;
  private static final int NO_FLAGS = 0;

  /** The part of a library's answer that tells the kind of an error; the rest tells its source. */
  private static final int KIND_OF_ERROR = 0xFFFF;

  private static final int WRONG_TAG = 10;

  /** Nonces, tags and the like go here. */
  private static final int SMALL = 0;

  /** Texts and additional data go here, in pieces that are whole blocks but for the last. */
  private static final int TEXT = 16;

  private static final int PIECE_BYTES = 32 << 10;

  private final Memory room = new Memory(TEXT + PIECE_BYTES);
  private final long small = Pointer.nativeValue(room) + SMALL;
  private final long text = Pointer.nativeValue(room) + TEXT;
  private final long handle;

  /** Creates the cipher under a key; {@link Gcrypt#load} has returned before. */
  GcryptSm4Gcm(byte[] key) {
    check(Gcrypt.gcry_cipher_open(small, SM4, GCM, NO_FLAGS), "open a cipher");
    handle = room.getLong(SMALL);
    room.write(SMALL, key, 0, key.length);
    check(Gcrypt.gcry_cipher_setkey(handle, small, key.length), "take a key");
    room.setMemory(SMALL, key.length, (byte) 0);
  }

  private static void check(int answer, String what) {
    if ((answer & KIND_OF_ERROR) != 0) {
      throw new IllegalStateException(
          "libgcrypt refused to " + what + ": error " + (answer & KIND_OF_ERROR));
    }
  }

  @Override
  public void seal(byte[] nonce, byte[] additional, byte[] buffer, int offset, int length) {
    begin(nonce, additional);
    for (int done = 0; done < length; done += PIECE_BYTES) {
      int size = Math.min(PIECE_BYTES, length - done);
      room.write(TEXT, buffer, offset + done, size);
      check(Gcrypt.gcry_cipher_encrypt(handle, text, size, 0, 0), "seal");
      room.read(TEXT, buffer, offset + done, size);
    }
    check(Gcrypt.gcry_cipher_gettag(handle, small, CipherSuite.TAG_BYTES), "give a tag");
    room.read(SMALL, buffer, offset + length, CipherSuite.TAG_BYTES);
  }

  @Override
  public boolean open(
      byte[] nonce,
      byte[] additional,
      byte[] sealed,
      int offset,
      int length,
      byte[] target,
      int targetOffset) {
    int size = length - CipherSuite.TAG_BYTES;
    byte[] tag = Arrays.copyOfRange(sealed, offset + size, offset + length);
    begin(nonce, additional);
    for (int done = 0; done < size; done += PIECE_BYTES) {
      int piece = Math.min(PIECE_BYTES, size - done);
      room.write(TEXT, sealed, offset + done, piece);
      check(Gcrypt.gcry_cipher_decrypt(handle, text, piece, 0, 0), "open");
      room.read(TEXT, target, targetOffset + done, piece);
    }
    room.setMemory(TEXT, Math.min(PIECE_BYTES, size), (byte) 0);
    room.write(SMALL, tag, 0, tag.length);
    int answer = Gcrypt.gcry_cipher_checktag(handle, small, tag.length);
    if ((answer & KIND_OF_ERROR) == WRONG_TAG) {
      // What was deciphered before the tag was looked at.
      Arrays.fill(target, targetOffset, targetOffset + size, (byte) 0);
      return false;
    }
    check(answer, "compare a tag");
    return true;
  }

  private void begin(byte[] nonce, byte[] additional) {
    room.write(SMALL, nonce, 0, nonce.length);
    check(Gcrypt.gcry_cipher_setiv(handle, small, nonce.length), "take a nonce");
    for (int done = 0; done < additional.length; done += PIECE_BYTES) {
      int size = Math.min(PIECE_BYTES, additional.length - done);
      room.write(TEXT, additional, done, size);
      check(Gcrypt.gcry_cipher_authenticate(handle, text, size), "take additional data");
    }
  }

  @Override
  public void close() {
    Gcrypt.gcry_cipher_close(handle);
    room.clear();
    room.close();
  }
}
