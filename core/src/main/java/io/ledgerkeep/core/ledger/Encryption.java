package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Options;
import io.ledgerkeep.core.archive.KeyObjects;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.sealing.EpochEncryptor;
import io.ledgerkeep.core.sealing.KeyObject;
import io.ledgerkeep.core.sealing.Keyring;
import io.ledgerkeep.core.sealing.Suites;
import io.ledgerkeep.encryption.Encryptor;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** How the encryption of a ledger was chosen. */
interface Encryption {

  /** The ledger is in plain. */
  Encryption NONE = loader -> new Plain();

  /** Opens the master key, if there is one. Called when the ledger is this process's own. */
  Keys open(ClassLoader loader);

  /** Opens another master key, with the provider that is configured where that has the name. */
  default KeyWrapper masterKey(String name, Options options, ClassLoader loader) {
    return provider(name, loader).openKey(options);
  }

  /** Returns the provider of encryption of the name. */
  private static EncryptorProvider provider(String name, ClassLoader loader) {
    return Providers.named(
        name, "encryptor", EncryptorProvider.class, EncryptorProvider::name, loader);
  }

  /** The keys of one opening. */
  interface Keys extends AutoCloseable {

    /**
     * Makes what a new ledger needs in its directory.
     *
     * @param archive holds the keys of the archive that it goes on with; empty where there is none
     */
    void create(Path directory, Bytes ledgerId, String chainId, List<KeyObject> archive);

    /**
     * Returns what seals the values of a ledger, or nothing where it is in plain. Of several, which
     * differ where a crash or a hand left two registries, the first that opens the databases
     * counts.
     *
     * @throws KeyUnavailableException if the ledger is encrypted, under another key or at all
     * @throws ConfigurationException if the ledger is not encrypted and should be
     */
    List<Sealed> open(Path directory);

    /**
     * Returns the keys of an archive that is read on its own; the caller closes them.
     *
     * @throws KeyUnavailableException if the archive has keys, and the master key unlocks none
     */
    ArchiveKeys open(KeyObjects archive);

    /** Says that everything was opened. */
    void confirm();

    /** Forgets the master key. */
    @Override
    void close();
  }

  /**
   * What seals the values of a ledger.
   *
   * @param ledgerId to which they are bound
   * @param epochs the encryptor, where it is our own
   * @param archiveKeys what seals the ledger's archive
   * @param isOurs whether it is closed with the ledger
   */
  record Sealed(
      Encryptor encryptor,
      Bytes ledgerId,
      Optional<EpochEncryptor> epochs,
      ArchiveKeys archiveKeys,
      boolean isOurs) {

    /** Returns the name of the suite that new values are sealed with. */
    String suite() {
      return epochs.map(EpochEncryptor::suite).orElse("own");
    }
  }

  /** An encryptor found by its name. */
  record Named(String name, Options options) implements Encryption {
    @Override
    public Keys open(ClassLoader loader) {
      return new Provided(Encryption.provider(name, loader), options).open(loader);
    }
  }

  /** A master key that a provider opens. */
  record Provided(EncryptorProvider provider, Options options) implements Encryption {
    @Override
    public Keys open(ClassLoader loader) {
      List<EncryptorProvider> providers =
          new ArrayList<>(
              Providers.found("encryptor", EncryptorProvider.class, EncryptorProvider::name, loader)
                  .values());
      if (providers.stream().noneMatch(found -> found.name().equals(provider.name()))) {
        providers.add(provider);
      }
      return new Mastered(provider.openKey(options), new Suites(providers));
    }

    @Override
    public KeyWrapper masterKey(String name, Options newOptions, ClassLoader loader) {
      return provider.name().equals(name)
          ? provider.openKey(newOptions)
          : Encryption.super.masterKey(name, newOptions, loader);
    }
  }

  /** An encryptor that was handed in. */
  record Built(Encryptor encryptor) implements Encryption {
    @Override
    public Keys open(ClassLoader loader) {
      return new Foreign(encryptor);
    }
  }

  /** No keys at all. */
  final class Plain implements Keys {
    @Override
    public void create(Path directory, Bytes ledgerId, String chainId, List<KeyObject> archive) {}

    @Override
    public List<Sealed> open(Path directory) {
      Optional<Keyring.Head> head = Keyring.head(directory);
      if (head.isPresent()) {
        throw new KeyUnavailableException(
            KeyUnavailableException.Reason.MISSING,
            "ledger %s (chain '%s') in %s is encrypted; %s"
                .formatted(
                    head.get().ledgerId().hex(),
                    head.get().chainId(),
                    directory,
                    head.get().foreign()
                        ? "hand in the encryptor it was made with"
                        : "give its key (encryptor and encrypt_key in the configuration)"));
      }
      return List.of();
    }

    @Override
    public ArchiveKeys open(KeyObjects archive) {
      return ArchiveKeys.NONE;
    }

    @Override
    public void confirm() {}

    @Override
    public void close() {}
  }

  /** Keys in a registry, under a master key. */
  record Mastered(KeyWrapper wrapper, Suites suites) implements Keys {
    @Override
    public void create(Path directory, Bytes ledgerId, String chainId, List<KeyObject> archive) {
      Keyring.create(directory, ledgerId, chainId, wrapper, suites, Clock.systemUTC(), archive);
    }

    @Override
    public List<Sealed> open(Path directory) {
      requiredHead(directory);
      return Keyring.open(directory, wrapper, suites, Clock.systemUTC()).stream()
          .map(Mastered::sealedBy)
          .toList();
    }

    private static Sealed sealedBy(Keyring keyring) {
      EpochEncryptor encryptor = new EpochEncryptor(keyring);
      return new Sealed(
          encryptor, keyring.ledgerId(), Optional.of(encryptor), keyring.archiveKeys(), true);
    }

    @Override
    public ArchiveKeys open(KeyObjects archive) {
      return archive.open(wrapper, suites);
    }

    @Override
    public void confirm() {
      wrapper.confirm();
    }

    @Override
    public void close() {
      wrapper.close();
    }
  }

  /** Keys that are no business of ours. */
  record Foreign(Encryptor encryptor) implements Keys {
    @Override
    public void create(Path directory, Bytes ledgerId, String chainId, List<KeyObject> archive) {
      Keyring.createForeign(directory, ledgerId, chainId);
    }

    @Override
    public List<Sealed> open(Path directory) {
      Keyring.Head head = requiredHead(directory);
      if (!head.foreign()) {
        throw new ConfigurationException(
            "the ledger in %s is encrypted under keys of its own; give its key, not an encryptor"
                .formatted(directory));
      }
      return List.of(
          new Sealed(
              encryptor, head.ledgerId(), Optional.empty(), ArchiveKeys.of(List.of()), false));
    }

    @Override
    public ArchiveKeys open(KeyObjects archive) {
      return ArchiveKeys.of(List.of());
    }

    @Override
    public void confirm() {}

    @Override
    public void close() {}
  }

  private static Keyring.Head requiredHead(Path directory) {
    return Keyring.head(directory)
        .orElseThrow(
            () ->
                new ConfigurationException(
                    "the ledger in %s has no registry of keys, and a key was given. If it is in plain, open it without a key, or encrypt it first (ledgerkeep tde encrypt). If it was encrypted, KEYS and KEYS.copy are missing: put one of them back from a backup"
                        .formatted(directory)));
  }
}
