package io.ledgerkeep.crypto.hsm;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Which token is to be opened, and what for.
 *
 * @param library the token's PKCS#11 library
 * @param label the label of the token
 * @param serial its serial number, where several tokens may have the label
 * @param algorithm what the key is for
 * @param profile the numbers of the mechanisms
 * @param sessions how many calls it has to serve at once
 */
record TokenRequest(
    Path library,
    String label,
    Optional<String> serial,
    Algorithm algorithm,
    Profile profile,
    int sessions) {

  /** Returns what is meant, for messages. */
  String place() {
    return "token '" + label + "'" + serial.map(s -> " (serial " + s + ")").orElse("");
  }
}
