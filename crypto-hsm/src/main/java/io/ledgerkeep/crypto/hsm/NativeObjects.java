package io.ledgerkeep.crypto.hsm;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.ledgerkeep.Bytes;

/** Looks up secret keys and their attributes, in one session. */
final class NativeObjects {

  /** How many keys are counted where one is looked for. */
  static final int MOST = 8;

  private static final long CLASS = 0x0;
  private static final long LABEL = 0x3;
  private static final long KEY_TYPE = 0x100;
  private static final long ID = 0x102;
  private static final long SENSITIVE = 0x103;
  private static final long ENCRYPT = 0x104;
  private static final long DECRYPT = 0x105;
  private static final long SIGN = 0x108;
  private static final long VALUE_LENGTH = 0x161;
  private static final long EXTRACTABLE = 0x162;
  private static final long NEVER_EXTRACTABLE = 0x164;
  private static final long ALWAYS_SENSITIVE = 0x165;

  private static final long SECRET_KEY = 4;
  private static final int ATTRIBUTE_BYTES = 3 * Long.BYTES;

  private final Cryptoki library;
  private final long session;

  NativeObjects(Cryptoki library, long session) {
    this.library = library;
    this.session = session;
  }

  long[] labelled(Bytes label) {
    return find(LABEL, label);
  }

  long[] identified(Bytes id) {
    return find(ID, id);
  }

  private long[] find(long attribute, Bytes value) {
    try (Memory memory = new Memory(2 * ATTRIBUTE_BYTES + Long.BYTES + (long) value.size())) {
      long classAt = 2 * ATTRIBUTE_BYTES;
      long valueAt = classAt + Long.BYTES;
      memory.setLong(classAt, SECRET_KEY);
      memory.write(valueAt, value.toArray(), 0, value.size());
      write(memory, 0, CLASS, memory.share(classAt), Long.BYTES);
      write(memory, ATTRIBUTE_BYTES, attribute, memory.share(valueAt), value.size());
      return library.find(session, memory, 2, MOST);
    }
  }

  private static void write(Memory memory, long at, long attribute, Pointer value, long length) {
    memory.setLong(at, attribute);
    memory.setPointer(at + Long.BYTES, value);
    memory.setLong(at + 2 * Long.BYTES, length);
  }

  KeyFacts facts(long key) {
    return new KeyFacts(
        number(key, KEY_TYPE, -1),
        (int) number(key, VALUE_LENGTH, 0),
        flag(key, SENSITIVE, false),
        // A token that does not tell is taken at its worst.
        flag(key, EXTRACTABLE, true),
        flag(key, NEVER_EXTRACTABLE, false),
        flag(key, ALWAYS_SENSITIVE, false),
        flag(key, ENCRYPT, false),
        flag(key, DECRYPT, false),
        flag(key, SIGN, false));
  }

  private boolean flag(long key, long attribute, boolean unknown) {
    try (Memory memory = new Memory(ATTRIBUTE_BYTES + Long.BYTES)) {
      return read(memory, key, attribute, 1) ? memory.getByte(ATTRIBUTE_BYTES) != 0 : unknown;
    }
  }

  private long number(long key, long attribute, long unknown) {
    try (Memory memory = new Memory(ATTRIBUTE_BYTES + Long.BYTES)) {
      return read(memory, key, attribute, Long.BYTES) ? memory.getLong(ATTRIBUTE_BYTES) : unknown;
    }
  }

  /** Reads the attribute behind its CK_ATTRIBUTE; returns whether the token tells it. */
  private boolean read(Memory memory, long key, long attribute, int length) {
    memory.clear();
    write(memory, 0, attribute, memory.share(ATTRIBUTE_BYTES), length);
    long code = library.attribute(session, key, memory);
    if (code == Ckr.ATTRIBUTE_TYPE_INVALID || code == Ckr.ATTRIBUTE_SENSITIVE) {
      return false;
    }
    if (code != Ckr.OK) {
      throw new TokenException(code, "C_GetAttributeValue");
    }
    return memory.getLong(2 * Long.BYTES) == length;
  }
}
