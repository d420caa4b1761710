package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.KeyWrapper;
import java.util.Map;
import java.util.Optional;

/** A wrapper that is sound, and opens a suite that seals in a device, for others to break. */
class DirectWrapper extends SampleWrapper {

  private final KeyWrapper device;

  /**
   * Opens one of the keys of a device.
   *
   * @param shared has the device, for all wrappers of a test
   */
  DirectWrapper(int masterKey, Map<Object, Object> shared) {
    super(masterKey);
    MemoryToken token =
        (MemoryToken)
            shared.computeIfAbsent(MemoryToken.class, absent -> new MemoryToken(new SampleSuite()));
    device = token.openKey(Options.of("key", "key" + masterKey, "mode", "direct"));
  }

  @Override
  public Optional<Direct> openDirect(Calls calls) {
    return device.openDirect(calls);
  }

  /** A sound one, for others to break. */
  static class Forwarding implements KeyWrapper.Direct {

    private final KeyWrapper.Direct sound;

    Forwarding(KeyWrapper.Direct sound) {
      this.sound = sound;
    }

    @Override
    public CipherSuite suite() {
      return sound.suite();
    }

    @Override
    public boolean archives() {
      return sound.archives();
    }

    @Override
    public Bytes identity() {
      return sound.identity();
    }

    @Override
    public void close() {
      sound.close();
    }
  }
}
