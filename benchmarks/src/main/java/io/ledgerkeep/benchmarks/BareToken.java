package io.ledgerkeep.benchmarks;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.LongByReference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A token whose library is called with nothing in between but the fastest way that JNA has, which
 * is bound to one library: the baseline of what the library does over it. Longs have 64 bits here,
 * as on Linux and macOS.
 */
final class BareToken {

  static final int VALUE_BYTES = 1 << 10;

  private static final int TAG_BYTES = 16;
  private static final int LABEL_BYTES = 32;
  private static final int TOKEN_INFO_BYTES = 208;
  private static final long SERIAL = 4;
  private static final long SERIAL_AND_WRITABLE = 6;
  private static final long USER = 1;
  private static final long OS_LOCKING_OK = 2;
  private static final long AES_KEY_GEN = 0x1080;
  private static final int KEY_BYTES = 32;
  private static final int MOST_SLOTS = 16;
  private static final byte TRUE = 1;
  private static final byte FALSE = 0;

  /** The functions of the library that was bound. */
  private static final class Calls {

    private Calls() {}

    static native long C_Initialize(Pointer arguments);

    static native long C_GetSlotList(byte withToken, Pointer slots, Pointer count);

    static native long C_GetTokenInfo(long slot, Pointer info);

    static native long C_OpenSession(
        long slot, long flags, Pointer application, Pointer notify, LongByReference session);

    static native long C_CloseSession(long session);

    static native long C_Login(long session, long user, byte[] pin, long length);

    static native long C_GenerateKey(
        long session, Pointer mechanism, Pointer template, long count, LongByReference key);

    static native long C_EncryptInit(long session, Pointer mechanism, long key);

    static native long C_Encrypt(
        long session, Pointer text, long length, Pointer out, Pointer outLength);

    static native long C_DecryptInit(long session, Pointer mechanism, long key);

    static native long C_Decrypt(
        long session, Pointer text, long length, Pointer out, Pointer outLength);
  }

  private final long slot;
  private final long key;

  private BareToken(long slot, long key) {
    this.slot = slot;
    this.key = key;
  }

  /**
   * Initializes the library of this process, logs in to its token for as long as the process lives,
   * and makes a key of AES-256 there that never leaves it.
   */
  static BareToken open(Path library, String label, String pin, String keyLabel) {
    Native.register(Calls.class, NativeLibrary.getInstance(library.toString()));
    try (Memory arguments = new Memory(6L * Long.BYTES)) {
      arguments.clear();
      arguments.setLong(4L * Long.BYTES, OS_LOCKING_OK);
      check(Calls.C_Initialize(arguments), "C_Initialize");
    }
    long slot = slot(label);
    long session = openSession(slot, SERIAL_AND_WRITABLE);
    byte[] bytes = pin.getBytes(StandardCharsets.UTF_8);
    check(Calls.C_Login(session, USER, bytes, bytes.length), "C_Login");
    return new BareToken(slot, generateKey(session, keyLabel));
  }

  private static void check(long code, String function) {
    if (code != 0) {
      throw new IllegalStateException(function + " returned 0x" + Long.toHexString(code));
    }
  }

  private static long slot(String label) {
    try (Memory count = new Memory(Long.BYTES);
        Memory slots = new Memory((long) MOST_SLOTS * Long.BYTES);
        Memory info = new Memory(TOKEN_INFO_BYTES)) {
      count.setLong(0, MOST_SLOTS);
      check(Calls.C_GetSlotList(TRUE, slots, count), "C_GetSlotList");
      for (long slot : slots.getLongArray(0, (int) count.getLong(0))) {
        check(Calls.C_GetTokenInfo(slot, info), "C_GetTokenInfo");
        byte[] found = info.getByteArray(0, LABEL_BYTES);
        if (new String(found, StandardCharsets.UTF_8).strip().equals(label)) {
          return slot;
        }
      }
    }
    throw new IllegalStateException("there is no token " + label);
  }

  private static long openSession(long slot, long flags) {
    LongByReference session = new LongByReference();
    check(Calls.C_OpenSession(slot, flags, Pointer.NULL, Pointer.NULL, session), "C_OpenSession");
    return session.getValue();
  }

  private static long generateKey(long session, String label) {
    try (Template template = new Template();
        Memory mechanism = new Memory(3L * Long.BYTES)) {
      template
          .add(0x1, TRUE) // CKA_TOKEN
          .add(0x2, TRUE) // CKA_PRIVATE
          .add(0x3, label.getBytes(StandardCharsets.UTF_8)) // CKA_LABEL
          .add(0x103, TRUE) // CKA_SENSITIVE
          .add(0x162, FALSE) // CKA_EXTRACTABLE
          .add(0x104, TRUE) // CKA_ENCRYPT
          .add(0x105, TRUE) // CKA_DECRYPT
          .add(0x161, number(KEY_BYTES)); // CKA_VALUE_LEN
      mechanism.clear();
      mechanism.setLong(0, AES_KEY_GEN);
      LongByReference key = new LongByReference();
      check(
          Calls.C_GenerateKey(session, mechanism, template.memory, template.values.size(), key),
          "C_GenerateKey");
      return key.getValue();
    }
  }

  private static byte[] number(long value) {
    return ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder()).putLong(value).array();
  }

  /** Attributes in the layout of C, as long as this is open. */
  private static final class Template implements AutoCloseable {

    private static final int MOST = 8;
    private static final int ATTRIBUTE_BYTES = 3 * Long.BYTES;

    private final Memory memory = new Memory((long) MOST * ATTRIBUTE_BYTES);
    private final List<Memory> values = new ArrayList<>();

    Template add(long type, byte... value) {
      Memory copy = new Memory(value.length);
      copy.write(0, value, 0, value.length);
      long at = (long) values.size() * ATTRIBUTE_BYTES;
      memory.setLong(at, type);
      memory.setPointer(at + Long.BYTES, copy);
      memory.setLong(at + 2L * Long.BYTES, value.length);
      values.add(copy);
      return this;
    }

    @Override
    public void close() {
      values.forEach(Memory::close);
      memory.close();
    }
  }

  /** Opens so many sessions. */
  Sessions sessions(int count) {
    return new Sessions(this, count);
  }

  /** Sessions that are open together. */
  static final class Sessions implements AutoCloseable {

    private final List<Session> all = new ArrayList<>();

    private Sessions(BareToken token, int count) {
      for (int number = 1; number <= count; number++) {
        all.add(new Session(openSession(token.slot, SERIAL), token.key, number));
      }
    }

    List<Session> all() {
      return List.copyOf(all);
    }

    @Override
    public void close() {
      all.forEach(session -> check(Calls.C_CloseSession(session.handle), "C_CloseSession"));
      all.forEach(session -> session.memory.close());
    }
  }

  /**
   * One session, and memory in which a value lies. Only its IV changes between calls, which is all
   * that is written to. Serves one thread.
   *
   * <pre>
   *   0 CK_MECHANISM  24 CK_GCM_PARAMS  72 IV  88 length out  96 text  1136 sealed text
   * </pre>
   */
  static final class Session {

    private static final long AES_GCM = 0x1087;
    private static final int IV_BYTES = 12;
    private static final int PARAMETERS_AT = 24;
    private static final int PARAMETERS_BYTES = 48;
    private static final int IV_AT = 72;
    private static final int LENGTH_AT = 88;
    private static final int TEXT_AT = 96;
    private static final int SEALED_BYTES = VALUE_BYTES + TAG_BYTES;
    private static final int SEALED_AT = TEXT_AT + SEALED_BYTES;

    private final long handle;
    private final long key;
    private final Memory memory = new Memory(SEALED_AT + SEALED_BYTES);
    private final Pointer outLength = memory.share(LENGTH_AT);
    private final Pointer text = memory.share(TEXT_AT);
    private final Pointer sealedText = memory.share(SEALED_AT);
    private long values;

    private Session(long handle, long key, int number) {
      this.handle = handle;
      this.key = key;
      memory.clear();
      memory.setLong(0, AES_GCM);
      memory.setPointer(8, memory.share(PARAMETERS_AT));
      memory.setLong(16, PARAMETERS_BYTES);
      memory.setPointer(PARAMETERS_AT, memory.share(IV_AT));
      memory.setLong(PARAMETERS_AT + 8, IV_BYTES);
      memory.setLong(PARAMETERS_AT + 16, (long) IV_BYTES * Byte.SIZE);
      memory.setLong(PARAMETERS_AT + 40, (long) TAG_BYTES * Byte.SIZE);
      memory.setInt(IV_AT, number);
      seal();
    }

    /** Seals the value under the next IV. */
    void seal() {
      memory.setLong(IV_AT + Integer.BYTES, values++);
      memory.setLong(LENGTH_AT, SEALED_BYTES);
      check(Calls.C_EncryptInit(handle, memory, key), "C_EncryptInit");
      check(Calls.C_Encrypt(handle, text, VALUE_BYTES, sealedText, outLength), "C_Encrypt");
    }

    /** Opens the value that was sealed last. */
    void open() {
      memory.setLong(LENGTH_AT, SEALED_BYTES); // room for the text alone is refused
      check(Calls.C_DecryptInit(handle, memory, key), "C_DecryptInit");
      check(Calls.C_Decrypt(handle, sealedText, SEALED_BYTES, text, outLength), "C_Decrypt");
    }
  }
}
