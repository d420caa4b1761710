package io.ledgerkeep.crypto.hsm;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import io.ledgerkeep.error.ConfigurationException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/**
 * The functions of a PKCS#11 library, reached through JNA: as the standard lays them out where a
 * long has 64 bits, as on Linux and macOS. Each throws {@link TokenException} where it does not
 * return CKR_OK.
 *
 * <p>A library is initialized when it is first needed and never finalized: that would take it from
 * whoever else in the process uses it.
 */
final class Cryptoki {

  static final long INFINITE = 0;
  static final long UNAVAILABLE = -1;

  /** The places of the functions in CK_FUNCTION_LIST. */
  private enum Entry {
    C_Initialize(0),
    C_GetSlotList(4),
    C_GetTokenInfo(6),
    C_GetMechanismList(7),
    C_GetMechanismInfo(8),
    C_OpenSession(12),
    C_CloseSession(13),
    C_Login(18),
    C_GetAttributeValue(24),
    C_FindObjectsInit(26),
    C_FindObjects(27),
    C_FindObjectsFinal(28),
    C_EncryptInit(29),
    C_Encrypt(30),
    C_DecryptInit(33),
    C_Decrypt(34),
    C_SignInit(42),
    C_Sign(43);

    private final int place;

    Entry(int place) {
      this.place = place;
    }
  }

  private static final int LIST_HEAD_BYTES = 8;
  private static final long BUFFER_TOO_SMALL = 0x150;
  private static final long OS_LOCKING_OK = 2;
  private static final int INITIALIZE_ARGUMENTS_BYTES = 48;
  private static final int INITIALIZE_FLAGS_AT = 32;
  private static final long SERIAL_SESSION = 4;
  private static final long USER = 1;
  private static final byte TRUE = 1;

  /** Guarded by itself: a library is loaded and initialized by one thread at a time. */
  private static final Map<Path, Cryptoki> LOADED = new HashMap<>();

  private final Path path;

  /** Held, or JNA unloads it one day, and the functions lead nowhere. */
  @SuppressWarnings({"unused", "FieldCanBeLocal"})
  private final NativeLibrary library;

  private final Map<Entry, Function> functions = new EnumMap<>(Entry.class);

  private Cryptoki(Path path, NativeLibrary library, Pointer list) {
    this.path = path;
    this.library = library;
    for (Entry entry : Entry.values()) {
      Pointer function =
          list.getPointer(LIST_HEAD_BYTES + (long) entry.place * Native.POINTER_SIZE);
      functions.put(entry, Function.getFunction(function));
    }
  }

  /**
   * Returns the library, loaded and initialized.
   *
   * @throws ConfigurationException if there is none of use there
   * @throws TokenException if it cannot be initialized
   */
  static Cryptoki of(Path path) {
    synchronized (LOADED) {
      Cryptoki library = LOADED.get(path);
      if (library == null) {
        library = load(path);
        LOADED.put(path, library);
      }
      library.initialize();
      return library;
    }
  }

  private static Cryptoki load(Path path) {
    if (Native.LONG_SIZE != Long.BYTES || Native.POINTER_SIZE != Long.BYTES) {
      throw new RouteException("it needs longs of 64 bits, as on 64-bit Linux and macOS");
    }
    try (Memory list = new Memory(Native.POINTER_SIZE)) {
      NativeLibrary library = NativeLibrary.getInstance(path.toString());
      Function entry = library.getFunction("C_GetFunctionList");
      check(entry.invokeLong(new Object[] {list}), "C_GetFunctionList");
      return new Cryptoki(path, library, list.getPointer(0));
    } catch (UnsatisfiedLinkError e) {
      throw new ConfigurationException(
          "option 'library': " + path + " is no PKCS#11 library that can be loaded", e);
    }
  }

  private void initialize() {
    try (Memory arguments = new Memory(INITIALIZE_ARGUMENTS_BYTES)) {
      arguments.clear();
      arguments.setLong(INITIALIZE_FLAGS_AT, OS_LOCKING_OK);
      long code = call(Entry.C_Initialize, arguments);
      if (code != Ckr.CRYPTOKI_ALREADY_INITIALIZED) {
        check(code, Entry.C_Initialize.name());
      }
    }
  }

  private static void check(long code, String function) {
    if (code != Ckr.OK) {
      throw new TokenException(code, function);
    }
  }

  private long call(Entry entry, Object... arguments) {
    return Objects.requireNonNull(functions.get(entry)).invokeLong(arguments);
  }

  private void checked(Entry entry, Object... arguments) {
    check(call(entry, arguments), entry.name());
  }

  /** Returns the slots that have a token in them. */
  long[] slots() {
    return numbers(Entry.C_GetSlotList, TRUE);
  }

  /** Returns the mechanisms that the token has. */
  long[] mechanisms(long slot) {
    return numbers(Entry.C_GetMechanismList, slot);
  }

  private long[] numbers(Entry entry, Object first) {
    try (Memory count = new Memory(Long.BYTES)) {
      while (true) {
        count.setLong(0, 0);
        checked(entry, first, Pointer.NULL, count);
        int room = (int) count.getLong(0);
        if (room == 0) {
          return new long[0];
        }
        try (Memory numbers = new Memory((long) room * Long.BYTES)) {
          long code = call(entry, first, numbers, count);
          if (code == BUFFER_TOO_SMALL) {
            continue; // one came in between
          }
          check(code, entry.name());
          return numbers.getLongArray(0, (int) count.getLong(0));
        }
      }
    }
  }

  /** Writes CK_TOKEN_INFO to the place. */
  void tokenInfo(long slot, Memory info) {
    checked(Entry.C_GetTokenInfo, slot, info);
  }

  /** Returns the flags of the mechanism. */
  long mechanismFlags(long slot, long mechanism) {
    try (Memory info = new Memory(3L * Long.BYTES)) {
      checked(Entry.C_GetMechanismInfo, slot, mechanism, info);
      return info.getLong(2L * Long.BYTES);
    }
  }

  long openSession(long slot) {
    try (Memory handle = new Memory(Long.BYTES)) {
      checked(Entry.C_OpenSession, slot, SERIAL_SESSION, Pointer.NULL, Pointer.NULL, handle);
      return handle.getLong(0);
    }
  }

  /** Closes the session if it is still there. */
  void closeSession(long session) {
    call(Entry.C_CloseSession, session);
  }

  /** Logs in; does nothing where somebody in the process did. */
  void login(long session, byte[] pin) {
    try (Memory memory = new Memory(Math.max(1, pin.length))) {
      memory.write(0, pin, 0, pin.length);
      long code = call(Entry.C_Login, session, USER, memory, (long) pin.length);
      memory.clear();
      if (code != Ckr.USER_ALREADY_LOGGED_IN) {
        check(code, Entry.C_Login.name());
      }
    }
  }

  /** Begins a search, reads at most so many handles and ends it. */
  long[] find(long session, Pointer template, int attributes, int most) {
    checked(Entry.C_FindObjectsInit, session, template, (long) attributes);
    try (Memory found = new Memory((long) most * Long.BYTES);
        Memory count = new Memory(Long.BYTES)) {
      checked(Entry.C_FindObjects, session, found, (long) most, count);
      return found.getLongArray(0, (int) count.getLong(0));
    } finally {
      call(Entry.C_FindObjectsFinal, session);
    }
  }

  /** Reads one attribute to where the CK_ATTRIBUTE points; returns the code. */
  long attribute(long session, long object, Pointer attribute) {
    return call(Entry.C_GetAttributeValue, session, object, attribute, 1L);
  }

  /**
   * Encrypts. Like {@link #decrypt} and {@link #sign} it takes addresses as numbers: JNA passes on
   * those in less time than pointers, and these calls are made for every value.
   */
  void encrypt(long session, long key, long mechanism, long in, long length, long out, long n) {
    checked(Entry.C_EncryptInit, session, mechanism, key);
    checked(Entry.C_Encrypt, session, in, length, out, n);
  }

  void decrypt(long session, long key, long mechanism, long in, long length, long out, long n) {
    checked(Entry.C_DecryptInit, session, mechanism, key);
    checked(Entry.C_Decrypt, session, in, length, out, n);
  }

  void sign(long session, long key, long mechanism, long in, long length, long out, long n) {
    checked(Entry.C_SignInit, session, mechanism, key);
    checked(Entry.C_Sign, session, in, length, out, n);
  }

  @Override
  public String toString() {
    return path.toString();
  }
}
