package io.ledgerkeep.crypto.hsm;

/** The types of keys that the standard has numbers for, as far as we meet them. */
final class Ckk {

  static final long GENERIC_SECRET = 0x10;
  static final long AES = 0x1F;
  static final long SHA256_HMAC = 0x2B;

  private Ckk() {}
}
