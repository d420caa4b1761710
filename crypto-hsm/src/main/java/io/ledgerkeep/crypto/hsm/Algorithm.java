package io.ledgerkeep.crypto.hsm;

/** The ciphers that a key in a token can be for. */
enum Algorithm {
  AES("aes", "AES"),
  SM4("sm4", "SM4");

  private final String encryptor;
  private final String displayName;

  Algorithm(String encryptor, String displayName) {
    this.encryptor = encryptor;
    this.displayName = displayName;
  }

  /** Returns the name in configuration, which is also that of the provider in software. */
  String encryptor() {
    return encryptor;
  }

  /** Returns the name of the software suite for keys of this length. */
  String suite(int keyBytes) {
    return this == SM4 ? "SM4-GCM" : "AES-" + keyBytes * Byte.SIZE + "-GCM";
  }

  boolean takes(int keyBytes) {
    return keyBytes == 16 || (this == AES && (keyBytes == 24 || keyBytes == 32));
  }

  /** Returns the length of a key. Those for SM4 have one length, which some tokens do not tell. */
  int keyBytes(KeyFacts facts) {
    return this == SM4 && facts.bytes() == 0 ? 16 : facts.bytes();
  }

  @Override
  public String toString() {
    return displayName;
  }
}
