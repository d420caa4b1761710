package io.ledgerkeep;

/**
 * A transaction as the node serialised it.
 *
 * @param id unique in the chain; 1 to {@value #MAX_ID_BYTES} bytes of UTF-8
 * @param payload opaque to the ledger; at most {@value #MAX_PAYLOAD_BYTES} bytes
 */
public record Transaction(String id, Bytes payload) {

  /** The longest id, in bytes of UTF-8. */
  public static final int MAX_ID_BYTES = 1024;

  /** The largest payload, in bytes. */
  public static final int MAX_PAYLOAD_BYTES = 64 << 20;

  /** Checks the sizes. */
  public Transaction {
    requireId(id);
    if (payload.size() > MAX_PAYLOAD_BYTES) {
      throw new IllegalArgumentException(
          "the payload has " + payload.size() + " bytes; the limit is " + MAX_PAYLOAD_BYTES);
    }
  }

  static void requireId(String id) {
    int size = requireText(id, "transaction id");
    if (size == 0 || size > MAX_ID_BYTES) {
      throw new IllegalArgumentException(
          "a transaction id must have 1 to " + MAX_ID_BYTES + " bytes of UTF-8, not " + size);
    }
  }

  /** Returns the size in UTF-8; refuses half surrogates, which UTF-8 cannot carry unchanged. */
  static int requireText(String text, String what) {
    int size = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < 0x80) {
        size += 1;
      } else if (c < 0x800) {
        size += 2;
      } else if (!Character.isSurrogate(c)) {
        size += 3;
      } else if (i + 1 < text.length() && Character.isSurrogatePair(c, text.charAt(i + 1))) {
        size += 4;
        i++;
      } else {
        throw new IllegalArgumentException("the " + what + " has half a surrogate pair");
      }
    }
    return size;
  }
}
