package io.ledgerkeep.core.codec;

import io.ledgerkeep.Bytes;

/** Texts as they lie in keys. */
public final class StoredText {

  /** No text has this byte in UTF-8, so that nothing is ever stored under it. */
  private static final Bytes NO_TEXT = Bytes.wrap(new byte[] {(byte) 0xFF});

  private StoredText() {}

  /**
   * Returns the text in UTF-8. Half a surrogate pair is no text: it would become a question mark,
   * and who asks for it would be answered for another text.
   */
  public static Bytes of(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        return ofPairs(text);
      }
    }
    return Bytes.ofUtf8(text);
  }

  private static Bytes ofPairs(String text) {
    Bytes utf8 = Bytes.ofUtf8(text);
    return utf8.utf8().equals(text) ? utf8 : NO_TEXT;
  }
}
