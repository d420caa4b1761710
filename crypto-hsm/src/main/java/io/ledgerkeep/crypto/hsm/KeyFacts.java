package io.ledgerkeep.crypto.hsm;

/**
 * The attributes of a key in a token.
 *
 * @param type CKA_KEY_TYPE: {@link Ckk#AES}, or what a vendor has for SM4
 * @param bytes CKA_VALUE_LEN, or 0 where the token does not tell
 * @param sensitive CKA_SENSITIVE: never shown in plain
 * @param extractable CKA_EXTRACTABLE: may leave the token, if only wrapped
 * @param neverExtractable CKA_NEVER_EXTRACTABLE: it always was so
 * @param alwaysSensitive CKA_ALWAYS_SENSITIVE: it always was so
 * @param encrypts CKA_ENCRYPT
 * @param decrypts CKA_DECRYPT
 * @param signs CKA_SIGN
 */
record KeyFacts(
    long type,
    int bytes,
    boolean sensitive,
    boolean extractable,
    boolean neverExtractable,
    boolean alwaysSensitive,
    boolean encrypts,
    boolean decrypts,
    boolean signs) {}
