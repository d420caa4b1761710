package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Backup.Restoring;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.backup.BackupManifest;
import io.ledgerkeep.core.backup.BackupSet;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.sealing.EpochEncryptor;
import io.ledgerkeep.core.sealing.Keyring;
import io.ledgerkeep.encryption.Encryptor.Context;
import io.ledgerkeep.encryption.LedgerKeys.ArchiveKey;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * The keys of a ledger that is restored: proven before anything is written, put back, re-wrapped.
 */
final class RestoreKeys {

  private final Settings settings;
  private final Restoring restoring;
  private final BackupSet set;
  private final List<BackupManifest> chain;
  private final BackupManifest backup;

  RestoreKeys(Settings settings, Restoring restoring, BackupSet set, List<BackupManifest> chain) {
    this.settings = settings;
    this.restoring = restoring;
    this.set = set;
    this.chain = chain;
    this.backup = chain.get(chain.size() - 1);
  }

  private boolean isEncrypted() {
    return backup.head().ledger().encrypted();
  }

  /** Refuses a key for a ledger in plain. */
  void requireFit() {
    if (!isEncrypted()
        && (settings.encryption != Encryption.NONE || restoring.newMaster().isPresent())) {
      throw new ConfigurationException(
          "backup %s in %s is of a ledger in plain, and a key was given; restore it without, and encrypt it then (ledgerkeep tde encrypt)"
              .formatted(backup.head().number(), restoring.directory()));
    }
    if (isEncrypted()
        && restoring.newMaster().isPresent()
        && settings.encryption instanceof Encryption.Built) {
      throw new ConfigurationException(
          "a ledger whose encryptor is handed in has no master key that could be another");
    }
  }

  /**
   * Opens the keys.
   *
   * @throws KeyUnavailableException if the backup is encrypted, and the key is missing or wrong
   * @throws IntegrityException if a manifest does not fit its seal
   */
  Opened open() {
    Encryption.Keys old = settings.encryption.open(settings.classLoader);
    try {
      requireSeals(old);
      Encryption.Keys keys = restoring.newMaster().map(this::newMaster).orElse(old);
      return new Opened(old, keys);
    } catch (RuntimeException | Error e) {
      old.close();
      throw e;
    }
  }

  private Encryption.Keys newMaster(Restoring.MasterKey master) {
    Encryption chosen =
        settings.encryption instanceof Encryption.Provided provided
                && provided.provider().name().equals(master.encryptor())
            ? new Encryption.Provided(provided.provider(), master.options())
            : new Encryption.Named(master.encryptor(), master.options());
    return chosen.open(settings.classLoader);
  }

  private void requireSeals(Encryption.Keys keys) {
    List<Encryption.Sealed> opened = keys.open(set.home(backup.head().number()));
    try {
      opened.stream().findFirst().ifPresent(by -> chain.forEach(link -> requireSeal(link, by)));
    } finally {
      closeAll(opened);
    }
  }

  private void requireSeal(BackupManifest manifest, Encryption.Sealed by) {
    ByteBuffer id = by.ledgerId().asBuffer();
    Context context =
        new Context(new UUID(id.getLong(), id.getLong()), "block", manifest.sealedKey());
    int number = manifest.head().number();
    Bytes seal =
        manifest
            .seal()
            .orElseThrow(
                () ->
                    new IntegrityException(
                        "the manifest of backup %s has no seal, and the ledger is encrypted: it was put there by somebody without the key"
                            .formatted(number)));
    try {
      by.encryptor().open(context, seal);
    } catch (IntegrityException e) {
      throw new IntegrityException(
          "the manifest of backup %s does not fit its seal: it was changed, or made by somebody without the key"
              .formatted(number),
          e);
    }
  }

  /** Returns whether the registry in the directory is under these keys. */
  private static boolean opens(Encryption.Keys keys, Path home) {
    try {
      closeAll(keys.open(home));
      return true;
    } catch (KeyUnavailableException e) {
      if (e.reason() != KeyUnavailableException.Reason.WRONG) {
        throw e;
      }
      return false;
    }
  }

  private static void closeAll(List<Encryption.Sealed> opened) {
    opened.stream().filter(Encryption.Sealed::isOurs).forEach(ours -> ours.encryptor().close());
  }

  /** The keys of one restore. */
  final class Opened implements AutoCloseable {

    private final Encryption.Keys old;
    private final Encryption.Keys keys;

    private Opened(Encryption.Keys old, Encryption.Keys keys) {
      this.old = old;
      this.keys = keys;
    }

    /** Returns what opens what is restored, as long as it is not proven. */
    Encryption.Keys ofBackup() {
      return old;
    }

    /** Returns what opens the restored ledger. */
    Encryption.Keys ofLedger() {
      return keys;
    }

    /** Returns what opens the ledger now: a killed call may have put it under its new key. */
    Encryption.Keys ofNow(Path home) {
      return areOthers() && opens(keys, home) ? keys : old;
    }

    boolean areOthers() {
      return keys != old;
    }

    /**
     * Puts the registry into the directory of the block database. One that is there already is the
     * ledger's own, which may have sealed by now.
     */
    void putBack(Path home) {
      Optional<Bytes> registry = set.registry(backup);
      if (registry.isPresent() && Keyring.head(home).isEmpty()) {
        Keyring.putBack(registry.get(), home);
        FailPoint.pass("restored.registry");
      }
    }

    /** Puts the registry under the master key that it is to be under, unless it is by now. */
    void rewrap(Path home) {
      if (!areOthers()) {
        return;
      }
      if (!opens(keys, home)) {
        List<Encryption.Sealed> opened = old.open(home);
        try {
          rewrap(opened.get(0).epochs().orElseThrow());
        } finally {
          closeAll(opened);
        }
      }
    }

    /** Which segments are under which key is not known here, so all keys count. */
    private void rewrap(EpochEncryptor epochs) {
      Set<Integer> archiveKeys =
          epochs.archiveKeys().stream().map(ArchiveKey::number).collect(Collectors.toSet());
      Set<Integer> inDevices = epochs.directKeys().isEmpty() ? Set.of() : archiveKeys;
      epochs.rewrap(
          ((Encryption.Mastered) keys).wrapper(), Optional.empty(), inDevices, overhead -> {});
      FailPoint.pass("restored.rewrapped");
    }

    /** Says that the ledger can be opened under the key from now on. */
    void confirm() {
      keys.confirm();
    }

    @Override
    public void close() {
      if (areOthers()) {
        keys.close();
      }
      old.close();
    }
  }
}
