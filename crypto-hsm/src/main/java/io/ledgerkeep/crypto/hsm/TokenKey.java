package io.ledgerkeep.crypto.hsm;

/**
 * A secret key in a {@link Token}, and what the token computes under it. Every method is one
 * complete operation: texts go in and come out whole, as SunPKCS11 loses the end of what is given
 * to it in pieces.
 *
 * <p>Arrays in and out may be the same, also where the places overlap. Nothing is kept. Where the
 * token fails, {@link TokenException} tells its code. Serves any number of threads. Equal to
 * another one of the same token if it is the same key.
 */
interface TokenKey {

  /** The length of the tag that ends a text under GCM. */
  int TAG_BYTES = 16;

  /** The length of the IV of GCM. */
  int GCM_IV_BYTES = 12;

  /** The length of the blocks of AES and SM4. */
  int BLOCK_BYTES = 16;

  /** Returns the attributes of the key, as they were when it was found. */
  KeyFacts facts();

  /** Returns what can be asked for; the other operations throw {@link RouteException}. */
  Abilities abilities();

  /**
   * Encrypts with GCM; the tag of {@link #TAG_BYTES} comes right after the text.
   *
   * @param iv the IV to use, {@link #GCM_IV_BYTES} long; on return the one that was used, which is
   *     another where the token makes its own
   */
  void encryptGcm(
      byte[] iv, byte[] additional, byte[] text, int offset, int length, byte[] out, int outOffset);

  /**
   * Decrypts with GCM; the length is that of text and tag.
   *
   * @throws TokenException if the tag does not fit, with whatever code the token has for it: {@link
   *     Ckr#isRefusedText} knows those that can mean nothing else
   */
  void decryptGcm(
      byte[] iv, byte[] additional, byte[] text, int offset, int length, byte[] out, int outOffset);

  /** Encrypts whole blocks with CBC, without padding. */
  void encryptCbc(byte[] iv, byte[] text, int offset, int length, byte[] out, int outOffset);

  /** Decrypts whole blocks with CBC, without padding. */
  void decryptCbc(byte[] iv, byte[] text, int offset, int length, byte[] out, int outOffset);

  /** Encrypts whole blocks, each for itself. */
  byte[] encryptEcb(byte[] blocks);

  /** Decrypts whole blocks, each for itself. */
  byte[] decryptEcb(byte[] blocks);

  /**
   * Returns the authentication code of the data, whose length is a multiple of {@link
   * #BLOCK_BYTES}; at least 16 bytes.
   */
  byte[] mac(byte[] data);
}
