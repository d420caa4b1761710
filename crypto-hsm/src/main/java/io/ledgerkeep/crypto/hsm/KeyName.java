package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.ConfigurationException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;

/**
 * By what a key is found in its token.
 *
 * @param text as it is in the configuration, for messages
 * @param label its CKA_LABEL, which is looked for first; empty where only the id is meant
 * @param id its CKA_ID
 */
record KeyName(String text, Optional<Bytes> label, Bytes id) {

  private static final String HEX = "hex:";

  /**
   * Reads a name: {@code hex:} and digits are an id; anything else is a label, or, where no key has
   * that label, the bytes of an id.
   *
   * @throws ConfigurationException if it is empty, or the digits are none
   */
  static KeyName of(String option, String text) {
    if (text.isBlank()) {
      throw new ConfigurationException(
          "option '" + option + "' must name a key in the token by its CKA_LABEL or CKA_ID");
    }
    if (!text.startsWith(HEX)) {
      Bytes bytes = Bytes.wrap(text.getBytes(StandardCharsets.UTF_8));
      return new KeyName(text, Optional.of(bytes), bytes);
    }
    try {
      byte[] id = HexFormat.of().parseHex(text.substring(HEX.length()));
      if (id.length > 0) {
        return new KeyName(text, Optional.empty(), Bytes.wrap(id));
      }
    } catch (IllegalArgumentException e) {
      // told below in the same words as no digits at all
    }
    throw new ConfigurationException(
        "option '" + option + "' must have pairs of hexadecimal digits after '" + HEX + "'");
  }

  @Override
  public String toString() {
    return text;
  }
}
