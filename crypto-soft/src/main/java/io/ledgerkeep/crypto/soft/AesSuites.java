package io.ledgerkeep.crypto.soft;

import io.ledgerkeep.encryption.CipherSuite;
import java.util.List;

/** The suites of AES, proven by cases 4, 10 and 16 of the specification of GCM. */
final class AesSuites {

  private static final String KEY = "feffe9928665731c6d6a8f9467308308";
  private static final String NONCE = "cafebabefacedbaddecaf888";
  private static final String ADDITIONAL = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
  private static final String PLAIN =
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
          + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";

  private static final String SEALED_128 =
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
          + "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
          + "5bc94fbc3221a5db94fae95ae7121a47";
  private static final String SEALED_192 =
      "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
          + "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710"
          + "2519498e80f1478f37ba55bd6d27618c";
  private static final String SEALED_256 =
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
          + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
          + "76fc6ece0f4e1768cddf8853bb2d551b";

  private AesSuites() {}

  /**
   * Returns the suites, in ascending order of their keys' lengths.
   *
   * @throws IllegalStateException if the JVM's cipher does not compute the known answers
   */
  static List<CipherSuite> proven() {
    return List.of(
        suite(0x0101, 16, KEY, SEALED_128),
        suite(0x0102, 24, KEY + KEY.substring(0, 16), SEALED_192),
        suite(0x0103, 32, KEY + KEY, SEALED_256));
  }

  private static SoftSuite suite(int id, int keyBytes, String key, String sealed) {
    String name = "AES-" + keyBytes * Byte.SIZE + "-GCM";
    return new KnownAnswer(key, NONCE, ADDITIONAL, PLAIN, sealed)
        .prove(new SoftSuite(id, name, keyBytes, JdkGcm::new, Hash::sha256));
  }
}
