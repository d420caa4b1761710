package io.ledgerkeep.crypto.soft;

import io.ledgerkeep.encryption.CipherSuite;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The suite of SM4, proven by the example in appendix A.1 of RFC 8998. */
final class Sm4Suites {

  /**
   * The system property that says who computes SM4: {@code auto}, the default, or {@code
   * bouncycastle}, or {@code libgcrypt}, which fails where the library is missing.
   */
  static final String PROPERTY = "ledgerkeep.sm4";

  private static final Logger LOG = LoggerFactory.getLogger(Sm4Suites.class);

  private static final KnownAnswer ANSWER =
      new KnownAnswer(
          "0123456789abcdeffedcba9876543210",
          "00001234567800000000abcd",
          "feedfacedeadbeeffeedfacedeadbeefabaddad2",
          "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
              + "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
          "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
              + "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
              + "83de3541e4c2b58177e065a9bf7b62ec");

  /** Chosen when it is first asked for, so that the choice is told once. */
  private static @Nullable SoftSuite automatic;

  private Sm4Suites() {}

  /**
   * Returns the suite.
   *
   * @throws IllegalStateException if it does not compute its known answer, or the system property
   *     asks for what is not there
   */
  static List<CipherSuite> proven() {
    String choice = System.getProperty(PROPERTY, "auto");
    return switch (choice) {
      case "auto" -> List.of(automatic());
      case "bouncycastle" -> List.of(bouncyCastle());
      case "libgcrypt" -> List.of(libgcryptOnly());
      default ->
          throw new IllegalStateException(
              "system property '" + PROPERTY + "' must be auto, bouncycastle or libgcrypt");
    };
  }

  private static synchronized SoftSuite automatic() {
    if (automatic == null) {
      automatic = fastest(Sm4Suites::libgcrypt);
    }
    return automatic;
  }

  /** Returns the accelerated suite if there is one that computes rightly, else Bouncy Castle's. */
  static SoftSuite fastest(Supplier<SoftSuite> accelerated) {
    try {
      return accelerated.get();
    } catch (LibraryMissingException e) {
      LOG.info("SM4 is computed by Bouncy Castle; libgcrypt would be faster: {}", e.getMessage());
    } catch (IllegalStateException e) {
      LOG.warn("SM4 is computed by Bouncy Castle, as libgcrypt is not used: {}", e.getMessage());
    }
    return bouncyCastle();
  }

  static SoftSuite bouncyCastle() {
    return proven(BouncySm4Gcm::new);
  }

  /**
   * Returns the suite by libgcrypt.
   *
   * @throws LibraryMissingException if there is none here
   * @throws IllegalStateException if it computes wrongly
   */
  static SoftSuite libgcrypt() {
    try {
      Gcrypt.load();
    } catch (LinkageError e) {
      throw new LibraryMissingException(e.toString(), e);
    }
    return proven(GcryptSm4Gcm::new);
  }

  private static SoftSuite libgcryptOnly() {
    try {
      return libgcrypt();
    } catch (LibraryMissingException e) {
      throw new IllegalStateException(
          "system property '" + PROPERTY + "' asks for libgcrypt: " + e.getMessage(), e);
    }
  }

  /** Returns the suite with this cipher, proven. */
  static SoftSuite proven(Function<byte[], GcmCipher> cipher) {
    return ANSWER.prove(new SoftSuite(0x0201, "SM4-GCM", 16, cipher, Hash::sm3));
  }
}
