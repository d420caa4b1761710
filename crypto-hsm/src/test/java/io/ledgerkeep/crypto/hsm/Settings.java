package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.Options;

/** Options as a user writes them, for the tokens of tests. */
final class Settings {

  private Settings() {}

  /** Returns options for a key of AES in the test token, over the native route. */
  static Options aes(TestToken token, String key) {
    return common("aes", token.library().toString(), TestToken.LABEL, key)
        .with("password", TestToken.PIN);
  }

  /** Returns options for a key of SM4 in the test token, with the profile of a vendor. */
  static Options sm4(TestToken token, String key, String profile) {
    return common("sm4", token.library().toString(), TestToken.LABEL, key)
        .with("password", TestToken.PIN)
        .with("profile", profile)
        .with("hash", "SM3");
  }

  /** Returns options for a key of AES in SoftHSM, over the native route. */
  static Options aes(SoftHsm token, String key) {
    return common("aes", token.library().toString(), SoftHsm.LABEL, key)
        .with("password", SoftHsm.PIN);
  }

  private static Options common(String encryptor, String library, String label, String key) {
    return Options.of("encryptor", encryptor, "library", library)
        .with("label", label)
        .with("key", key)
        .with("mode", "envelope")
        .with("route", "native");
  }
}
