package io.ledgerkeep.crypto.hsm;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Map.Entry;

/**
 * The return values of PKCS#11: their names, and what each is to us. The one place that knows what
 * may be tried again.
 */
final class Ckr {

  static final long OK = 0x0;
  static final long HOST_MEMORY = 0x2;
  static final long GENERAL_ERROR = 0x5;
  static final long FUNCTION_FAILED = 0x6;
  static final long ARGUMENTS_BAD = 0x7;
  static final long ATTRIBUTE_SENSITIVE = 0x11;
  static final long ATTRIBUTE_TYPE_INVALID = 0x12;
  static final long DATA_INVALID = 0x20;
  static final long DATA_LEN_RANGE = 0x21;
  static final long DEVICE_ERROR = 0x30;
  static final long DEVICE_MEMORY = 0x31;
  static final long DEVICE_REMOVED = 0x32;
  static final long ENCRYPTED_DATA_INVALID = 0x40;
  static final long ENCRYPTED_DATA_LEN_RANGE = 0x41;
  static final long AEAD_DECRYPT_FAILED = 0x42;
  static final long FUNCTION_NOT_SUPPORTED = 0x54;
  static final long KEY_HANDLE_INVALID = 0x60;
  static final long KEY_TYPE_INCONSISTENT = 0x63;
  static final long KEY_FUNCTION_NOT_PERMITTED = 0x68;
  static final long MECHANISM_INVALID = 0x70;
  static final long MECHANISM_PARAM_INVALID = 0x71;
  static final long OBJECT_HANDLE_INVALID = 0x82;
  static final long OPERATION_ACTIVE = 0x90;
  static final long OPERATION_NOT_INITIALIZED = 0x91;
  static final long PIN_INCORRECT = 0xA0;
  static final long PIN_INVALID = 0xA1;
  static final long PIN_LEN_RANGE = 0xA2;
  static final long PIN_EXPIRED = 0xA3;
  static final long PIN_LOCKED = 0xA4;
  static final long SESSION_CLOSED = 0xB0;
  static final long SESSION_COUNT = 0xB1;
  static final long SESSION_HANDLE_INVALID = 0xB3;
  static final long SIGNATURE_INVALID = 0xC0;
  static final long TOKEN_NOT_PRESENT = 0xE0;
  static final long TOKEN_NOT_RECOGNIZED = 0xE1;
  static final long USER_ALREADY_LOGGED_IN = 0x100;
  static final long USER_NOT_LOGGED_IN = 0x101;
  static final long USER_PIN_NOT_INITIALIZED = 0x102;
  static final long USER_TYPE_INVALID = 0x103;
  static final long CRYPTOKI_NOT_INITIALIZED = 0x190;
  static final long CRYPTOKI_ALREADY_INITIALIZED = 0x191;

  private static final long VENDOR_DEFINED = 0x80000000L;

  private static final Map<Long, String> NAMES =
      Map.ofEntries(
          name(OK, "OK"),
          name(HOST_MEMORY, "HOST_MEMORY"),
          name(GENERAL_ERROR, "GENERAL_ERROR"),
          name(FUNCTION_FAILED, "FUNCTION_FAILED"),
          name(ARGUMENTS_BAD, "ARGUMENTS_BAD"),
          name(ATTRIBUTE_SENSITIVE, "ATTRIBUTE_SENSITIVE"),
          name(ATTRIBUTE_TYPE_INVALID, "ATTRIBUTE_TYPE_INVALID"),
          name(DATA_INVALID, "DATA_INVALID"),
          name(DATA_LEN_RANGE, "DATA_LEN_RANGE"),
          name(DEVICE_ERROR, "DEVICE_ERROR"),
          name(DEVICE_MEMORY, "DEVICE_MEMORY"),
          name(DEVICE_REMOVED, "DEVICE_REMOVED"),
          name(ENCRYPTED_DATA_INVALID, "ENCRYPTED_DATA_INVALID"),
          name(ENCRYPTED_DATA_LEN_RANGE, "ENCRYPTED_DATA_LEN_RANGE"),
          name(AEAD_DECRYPT_FAILED, "AEAD_DECRYPT_FAILED"),
          name(FUNCTION_NOT_SUPPORTED, "FUNCTION_NOT_SUPPORTED"),
          name(KEY_HANDLE_INVALID, "KEY_HANDLE_INVALID"),
          name(KEY_TYPE_INCONSISTENT, "KEY_TYPE_INCONSISTENT"),
          name(KEY_FUNCTION_NOT_PERMITTED, "KEY_FUNCTION_NOT_PERMITTED"),
          name(MECHANISM_INVALID, "MECHANISM_INVALID"),
          name(MECHANISM_PARAM_INVALID, "MECHANISM_PARAM_INVALID"),
          name(OBJECT_HANDLE_INVALID, "OBJECT_HANDLE_INVALID"),
          name(OPERATION_ACTIVE, "OPERATION_ACTIVE"),
          name(OPERATION_NOT_INITIALIZED, "OPERATION_NOT_INITIALIZED"),
          name(PIN_INCORRECT, "PIN_INCORRECT"),
          name(PIN_INVALID, "PIN_INVALID"),
          name(PIN_LEN_RANGE, "PIN_LEN_RANGE"),
          name(PIN_EXPIRED, "PIN_EXPIRED"),
          name(PIN_LOCKED, "PIN_LOCKED"),
          name(SESSION_CLOSED, "SESSION_CLOSED"),
          name(SESSION_COUNT, "SESSION_COUNT"),
          name(SESSION_HANDLE_INVALID, "SESSION_HANDLE_INVALID"),
          name(SIGNATURE_INVALID, "SIGNATURE_INVALID"),
          name(TOKEN_NOT_PRESENT, "TOKEN_NOT_PRESENT"),
          name(TOKEN_NOT_RECOGNIZED, "TOKEN_NOT_RECOGNIZED"),
          name(USER_ALREADY_LOGGED_IN, "USER_ALREADY_LOGGED_IN"),
          name(USER_NOT_LOGGED_IN, "USER_NOT_LOGGED_IN"),
          name(USER_PIN_NOT_INITIALIZED, "USER_PIN_NOT_INITIALIZED"),
          name(USER_TYPE_INVALID, "USER_TYPE_INVALID"),
          name(CRYPTOKI_NOT_INITIALIZED, "CRYPTOKI_NOT_INITIALIZED"),
          name(CRYPTOKI_ALREADY_INITIALIZED, "CRYPTOKI_ALREADY_INITIALIZED"));

  private static final Map<String, Long> CODES = codes();

  private Ckr() {}

  private static Entry<Long, String> name(long code, String name) {
    return Map.entry(code, "CKR_" + name);
  }

  private static Map<String, Long> codes() {
    Map<String, Long> codes = new HashMap<>();
    NAMES.forEach((code, name) -> codes.put(name, code));
    return codes;
  }

  /** Returns the name of a code, or the code where it has none here. */
  static String name(long code) {
    String name = NAMES.get(code);
    return name != null ? name : "CKR 0x" + Long.toHexString(code).toUpperCase(Locale.ROOT);
  }

  /** Returns the code of a name such as {@code CKR_DEVICE_ERROR}, or GENERAL_ERROR. */
  static long code(String name) {
    return CODES.getOrDefault(name, GENERAL_ERROR);
  }

  /**
   * Whether the code tells that a PIN was refused. Offering one again might lock the token, so it
   * never is.
   */
  static boolean isRefusedPin(long code) {
    return code == PIN_INCORRECT
        || code == PIN_INVALID
        || code == PIN_LEN_RANGE
        || code == PIN_EXPIRED
        || code == PIN_LOCKED
        || code == USER_PIN_NOT_INITIALIZED;
  }

  /**
   * Whether the code, when it comes from a login, may tell that the PIN was refused: the standard
   * says so, or it is one of the vendor's own, of which we know nothing.
   */
  static boolean mayRefusePin(long code) {
    return isRefusedPin(code) || (code & VENDOR_DEFINED) != 0;
  }

  /** Whether a login that ends so may have been for a wrong PIN, or for no reason of the PIN's. */
  static boolean isUnclearLogin(long code) {
    return code == GENERAL_ERROR || code == FUNCTION_FAILED;
  }

  /** Whether the code may mean that a text is longer than what the token takes. */
  static boolean isRefusedLength(long code) {
    return code == DATA_LEN_RANGE
        || code == HOST_MEMORY
        || code == DEVICE_MEMORY
        || code == ARGUMENTS_BAD;
  }

  /** Whether the code can only mean that what was to be decrypted is not what was encrypted. */
  static boolean isRefusedText(long code) {
    return code == ENCRYPTED_DATA_INVALID
        || code == ENCRYPTED_DATA_LEN_RANGE
        || code == AEAD_DECRYPT_FAILED
        || code == SIGNATURE_INVALID;
  }

  /**
   * Whether opening the token anew may help: it or its library went away, or what we had there did.
   */
  static boolean isLost(long code) {
    return code == GENERAL_ERROR
        || code == FUNCTION_FAILED
        || code == DEVICE_ERROR
        || code == DEVICE_REMOVED
        || code == TOKEN_NOT_PRESENT
        || code == TOKEN_NOT_RECOGNIZED
        || code == SESSION_HANDLE_INVALID
        || code == SESSION_CLOSED
        || code == OPERATION_ACTIVE
        || code == OPERATION_NOT_INITIALIZED
        || code == CRYPTOKI_NOT_INITIALIZED
        || code == OBJECT_HANDLE_INVALID
        || code == KEY_HANDLE_INVALID
        || code == KEY_TYPE_INCONSISTENT // a number that stands for another key now
        || code == USER_NOT_LOGGED_IN;
  }
}
