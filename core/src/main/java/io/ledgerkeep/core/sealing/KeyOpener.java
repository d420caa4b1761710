package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Opens key objects of an archive with one master key, which is asked once for each holder. For one
 * thread; close it to wipe what was unwrapped.
 */
public final class KeyOpener implements AutoCloseable {

  private final Bytes ledgerId;
  private final KeyWrapper wrapper;
  private final Suites suites;
  private final DeviceKeys devices;
  private final Map<Wrapped, Optional<Secret>> secrets = new HashMap<>();

  /** A damaged object of a holder leaves the others as they are. */
  private record Wrapped(Bytes holder, Bytes bytes) {}

  /** Opens objects of the archive of a ledger; the wrapper stays open. */
  public KeyOpener(Bytes ledgerId, KeyWrapper wrapper, Suites suites) {
    this.ledgerId = ledgerId;
    this.wrapper = wrapper;
    this.suites = suites;
    this.devices = new DeviceKeys(suites);
    devices.open(wrapper);
  }

  /**
   * Returns the keys that were opened, together with the device that some of them may need; closing
   * them lets go of it.
   */
  public ArchiveKeys keys(List<ArchiveKey> opened) {
    return ArchiveKeys.of(opened, devices);
  }

  /** Lets go of the device, where nothing was opened. */
  public void giveUp() {
    devices.close();
  }

  /**
   * Returns the key, which the caller closes, or empty where it is another holder's.
   *
   * @throws KeyUnavailableException if the master key cannot be reached
   * @throws ConfigurationException if the suite of the key is not at hand
   * @throws IntegrityException if the object is not as it was written
   */
  public Optional<ArchiveKey> open(KeyObject object) {
    CipherSuite software = suites.named(object.suite());
    CipherSuite suite = devices.suite(object, software);
    return secrets
        .computeIfAbsent(new Wrapped(object.holder(), object.wrapped()), this::unwrap)
        .map(
            secret ->
                new ArchiveKey(
                    ledgerId, object.number(), suite, object.open(ledgerId, software, secret)));
  }

  private Optional<Secret> unwrap(Wrapped wrapped) {
    return Holder.unwrapped(ledgerId, wrapped.holder(), wrapped.bytes(), wrapper);
  }

  /** Wipes the secrets of the holders; the keys stay. Closing twice does nothing. */
  @Override
  public void close() {
    secrets.values().forEach(secret -> secret.ifPresent(Secret::close));
    secrets.clear();
  }
}
