package io.ledgerkeep.core.codec;

import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;

/** The digest algorithms a chain can choose; the code is what format records and segments hold. */
public enum Digests {
  /** SHA-256 of FIPS 180-4; the default. */
  SHA256("sha256", "SHA-256", 1),
  /** SM3 of GB/T 32905; there where a security provider of the process offers it. */
  SM3("sm3", "SM3", 2);

  /** The size of every digest here, in bytes. */
  public static final int SIZE = 32;

  private static final Map<String, Digests> BY_NAME = Map.of(SHA256.id, SHA256, SM3.id, SM3);

  private final String id;
  private final String algorithm;
  private final int code;

  Digests(String id, String algorithm, int code) {
    this.id = id;
    this.algorithm = algorithm;
    this.code = code;
  }

  /** Returns the digest of the name used in configuration. */
  public static Digests named(String name) {
    Digests digests = BY_NAME.get(name);
    if (digests == null) {
      throw new ConfigurationException("unknown digest '" + name + "'; known: sha256, sm3");
    }
    digests.newDigest();
    return digests;
  }

  /**
   * Returns the digest that something stored names.
   *
   * @param what what names it, as the beginning of a sentence
   * @throws UnsupportedFormatException if this release does not know it
   */
  public static Digests recorded(String name, String what) {
    if (!BY_NAME.containsKey(name)) {
      throw new UnsupportedFormatException(
          what + " has the digest '" + name + "', which this release does not know");
    }
    return named(name);
  }

  /** Returns the name used in configuration. */
  public String id() {
    return id;
  }

  /** Returns the number that stands for the algorithm in stored bytes. */
  public int code() {
    return code;
  }

  /** Returns a new digest; for one thread, to be used again and again. */
  public MessageDigest newDigest() {
    try {
      return MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new ConfigurationException(
          "digest '" + id + "' needs a security provider that offers " + algorithm + "; none does",
          e);
    }
  }
}
