package io.ledgerkeep.crypto.soft;

import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.error.ConfigurationException;
import java.util.List;
import java.util.stream.Collectors;

/** The lengths that a key of an algorithm can have; each stands for one of its suites. */
record KeyLengths(String algorithm, List<CipherSuite> suites) {

  KeyLengths {
    suites = List.copyOf(suites);
  }

  /** Returns whether a key can be so long. */
  boolean allow(long bytes) {
    return suites.stream().anyMatch(suite -> suite.keyBytes() == bytes);
  }

  /** Returns the longest. */
  int most() {
    return suites.stream().mapToInt(CipherSuite::keyBytes).max().orElseThrow();
  }

  /**
   * Returns the suite whose keys are so long.
   *
   * @throws ConfigurationException if there is none
   */
  CipherSuite suite(int bytes, String place) {
    return suites.stream()
        .filter(suite -> suite.keyBytes() == bytes)
        .findFirst()
        .orElseThrow(() -> refusal(bytes, place, ""));
  }

  /** Returns the refusal of a key that is so long, with a hint. */
  ConfigurationException refusal(long bytes, String place, String hint) {
    String known =
        suites.stream()
            .map(suite -> Integer.toString(suite.keyBytes()))
            .collect(Collectors.joining(" or "));
    return new ConfigurationException(
        "a key of "
            + algorithm
            + " has "
            + known
            + " bytes, but that in "
            + place
            + " has "
            + bytes
            + hint);
  }
}
