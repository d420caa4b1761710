package io.ledgerkeep.cli;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which master key a configuration names.
 *
 * @param encryptor the name of the provider that opens it
 * @param options what the provider opens it with
 */
record MasterKey(String encryptor, Options options) {

  /** The provider of keys in tokens; it gets the section as it is. */
  static final String PKCS11 = "pkcs11";

  /** Returns the master key of a configuration, if it names one. */
  static Optional<MasterKey> of(ConfigFile config) {
    Options storage = config.storage();
    Optional<String> encryptor = storage.text(ConfigFile.ENCRYPTOR);
    Optional<String> key = storage.text(ConfigFile.ENCRYPT_KEY);
    if (key.isPresent() != encryptor.isPresent()
        || (key.isEmpty() && config.pkcs11().isPresent())) {
      throw new ConfigurationException(
          "%s and %s belong together%s: set both of them%s"
              .formatted(
                  ConfigFile.ENCRYPTOR,
                  ConfigFile.ENCRYPT_KEY,
                  config.pkcs11().map(enabled -> ", and node.pkcs11 is enabled").orElse(""),
                  config.pkcs11().map(enabled -> "").orElse(" or neither")));
    }
    if (key.isEmpty()) {
      return Optional.empty();
    }
    if (config.leavesTokenOpen()) {
      throw new ConfigurationException(
          "node.pkcs11 names a token and does not say whether the key is in there: set 'enabled' in it"
              + " to true, or to false for a key in software");
    }
    return Optional.of(
        config
            .pkcs11()
            .map(section -> inToken(section, storage, key.get()))
            .orElseGet(() -> inSoftware(storage, encryptor.orElseThrow(), key.get())));
  }

  /** Returns the master key that a file names. */
  static MasterKey of(Path config) {
    return of(ConfigFile.read(config))
        .orElseThrow(
            () ->
                new ConfigurationException(
                    "%s names no key: %s and %s are missing"
                        .formatted(config, ConfigFile.ENCRYPTOR, ConfigFile.ENCRYPT_KEY)));
  }

  /** A command that ends soon leaves a key file as it is. */
  private static MasterKey inSoftware(Options storage, String encryptor, String key) {
    return new MasterKey(
        encryptor,
        Options.of(
            Map.of(
                "key",
                key,
                ConfigFile.ALLOW_SAMPLE_KEY,
                storage.text(ConfigFile.ALLOW_SAMPLE_KEY).orElse("false"),
                ConfigFile.EMPTY_KEY_FILE,
                storage.text(ConfigFile.EMPTY_KEY_FILE).orElse("false"))));
  }

  /** The key is not here, so what is said of it can only be a mistake. */
  private static MasterKey inToken(Options section, Options storage, String key) {
    for (String other : List.of(ConfigFile.ALLOW_SAMPLE_KEY, ConfigFile.EMPTY_KEY_FILE)) {
      if (storage.flag(other, false)) {
        throw new ConfigurationException(
            "%s is for keys in software, and node.pkcs11 is enabled: the key is in a token"
                .formatted(other));
      }
    }
    Map<String, String> options = new TreeMap<>(section.asMap());
    options.put("key", key);
    options.put("encryptor", storage.requiredText(ConfigFile.ENCRYPTOR));
    return new MasterKey(PKCS11, Options.of(options));
  }
}
