package io.ledgerkeep.crypto.soft;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;

/**
 * What SM4-GCM takes of libgcrypt, reached through JNA. Nothing else may touch this class before
 * {@link #load} has returned: JNA or the library may be absent.
 *
 * <p>Every argument is a number, and every pointer an address: JNA then calls without looking at,
 * copying or allocating anything.
 */
final class Gcrypt {

  /** The name under which version 1.6 and all later ones are installed. */
  private static final String LIBRARY = "libgcrypt.so.20";

  /** The first version with SM4. */
  private static final String OLDEST = "1.9.0";

  private static final int DISABLE_SECURE_MEMORY = 37;
  private static final int FINISH_INITIALIZATION = 38;
  private static final int IS_INITIALIZED = 40;

  private static boolean loaded;

  private Gcrypt() {}

  /**
   * Loads the library; does nothing when that was done before.
   *
   * @throws LinkageError if JNA or the library is missing
   * @throws LibraryMissingException if the library is of no use
   */
  static synchronized void load() {
    if (loaded) {
      return;
    }
    if (Native.POINTER_SIZE != Long.BYTES || Native.SIZE_T_SIZE != Long.BYTES) {
      throw new LibraryMissingException("addresses have less than 64 bits here");
    }
    NativeLibrary library = NativeLibrary.getInstance(LIBRARY);
    initialize(library);
    Native.register(Gcrypt.class, library);
    loaded = true;
  }

  private static void initialize(NativeLibrary library) {
    boolean done = control(library, IS_INITIALIZED) != 0;
    // Asking for the version is the first step of the initialization.
    Object[] oldest = {OLDEST};
    Pointer version = library.getFunction("gcry_check_version").invokePointer(oldest);
    if (version == null) {
      throw new LibraryMissingException(LIBRARY + " is older than " + OLDEST);
    }
    if (!done) {
      control(library, DISABLE_SECURE_MEMORY);
      control(library, FINISH_INITIALIZATION);
    }
  }

  private static int control(NativeLibrary library, int command) {
    return library.getFunction("gcry_control").invokeInt(new Object[] {command, 0});
  }

  static native int gcry_cipher_open(long handle, int algorithm, int mode, int flags);

  static native int gcry_cipher_setkey(long handle, long key, long length);

  static native int gcry_cipher_setiv(long handle, long nonce, long length);

  static native int gcry_cipher_authenticate(long handle, long additional, long length);

  static native int gcry_cipher_encrypt(long handle, long out, long size, long in, long length);

  static native int gcry_cipher_decrypt(long handle, long out, long size, long in, long length);

  static native int gcry_cipher_gettag(long handle, long tag, long length);

  static native int gcry_cipher_checktag(long handle, long tag, long length);

  static native void gcry_cipher_close(long handle);
}
