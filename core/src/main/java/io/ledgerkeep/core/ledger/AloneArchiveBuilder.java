package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.archive.ArchiveLocations;
import io.ledgerkeep.core.archive.ArchiveNames;
import io.ledgerkeep.core.archive.KeyObjects;
import io.ledgerkeep.core.archive.LedgerArchive;
import io.ledgerkeep.core.archive.Manifest;
import io.ledgerkeep.core.ledger.Settings.StoreChoice;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.error.ConfigurationException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Opens an archive on its own. */
final class AloneArchiveBuilder implements Ledgerkeep.ArchiveBuilder {

  private @Nullable StoreChoice choice;
  private Optional<String> ledger = Optional.empty();
  private Encryption encryption = Encryption.NONE;
  private ClassLoader classLoader = Settings.ownClassLoader();

  @Override
  public Ledgerkeep.ArchiveBuilder store(String store, Options options) {
    choice = new Settings.NamedStore(store, options);
    return this;
  }

  @Override
  public Ledgerkeep.ArchiveBuilder store(ArchiveStore store) {
    choice = new Settings.BuiltStore(store);
    return this;
  }

  @Override
  public Ledgerkeep.ArchiveBuilder ledger(String wanted) {
    ledger = Optional.of(wanted);
    return this;
  }

  @Override
  public Ledgerkeep.ArchiveBuilder encryption(String encryptor, Options options) {
    encryption = new Encryption.Named(encryptor, options);
    return this;
  }

  @Override
  public Ledgerkeep.ArchiveBuilder encryption(EncryptorProvider provider, Options options) {
    encryption = new Encryption.Provided(provider, options);
    return this;
  }

  @Override
  public Ledgerkeep.ArchiveBuilder classLoader(ClassLoader loader) {
    classLoader = loader;
    return this;
  }

  @Override
  public Archive open() {
    return open(Optional.empty(), true);
  }

  /**
   * Opens the archive for a job that reads it; no key file is emptied for it.
   *
   * @param not the ledger that is being made, whose own archive may be in the same place
   */
  LedgerArchive openForJob(Optional<Bytes> not) {
    return open(not, false);
  }

  private LedgerArchive open(Optional<Bytes> not, boolean confirms) {
    if (choice == null) {
      throw new ConfigurationException("no archive store was chosen");
    }
    ArchiveStore store = choice.open(classLoader);
    try {
      return open(store, ArchiveLocations.find(store, ledger, not), choice.isOurs(), confirms);
    } catch (RuntimeException e) {
      if (choice.isOurs()) {
        store.close();
      }
      throw e;
    }
  }

  private LedgerArchive open(
      ArchiveStore store, ArchiveNames names, boolean storeIsOurs, boolean confirms) {
    try (Encryption.Keys master = encryption.open(classLoader)) {
      ArchiveKeys keys = master.open(new KeyObjects(store, names));
      try {
        Manifest manifest = Manifest.open(store, names, keys).orElseThrow(AssertionError::new);
        if (confirms) {
          master.confirm();
        }
        return storeIsOurs
            ? LedgerArchive.owning(store, manifest)
            : LedgerArchive.alone(store, manifest);
      } catch (RuntimeException | Error e) {
        keys.close();
        throw e;
      }
    }
  }
}
