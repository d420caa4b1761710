package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * A device with master keys that lies in memory, for tests of what happens when it is slow to come
 * back: pull it out, put it back, let it die after some calls. Its keys live as long as it does,
 * and wrap and seal truly, with AES-256-GCM. Serves any number of threads.
 *
 * <pre>{@code
 * MemoryToken token = new MemoryToken(suite);
 * Ledgerkeep.builder().encryption(token, Options.of("key", "1", "mode", "direct"))...
 * token.pullOut();
 * }</pre>
 *
 * <p>Options: {@code key} names the master key, which is made when it is first asked for; {@code
 * mode} is {@code envelope} or {@code direct}; {@code archive}, where the mode is direct, is {@code
 * token} or {@code memory}.
 */
public final class MemoryToken implements EncryptorProvider {

  /** The name of the provider. */
  public static final String NAME = "memory-token";

  private static final SecureRandom RANDOM = new SecureRandom();

  private final CipherSuite software;
  private final Map<String, SecretKeySpec> keys = new ConcurrentHashMap<>();
  private final AtomicLong sealingCalls = new AtomicLong();

  /** Counted down with each call; negative where the device does not die by itself. */
  private final AtomicLong callsLeft = new AtomicLong(-1);

  private volatile boolean isIn = true;

  /**
   * Creates a device without keys.
   *
   * @param software the suite of keys in memory that are wrapped by the device; what the device
   *     seals itself is made of its hash
   */
  public MemoryToken(CipherSuite software) {
    this.software = software;
  }

  /** Makes every call fail until the device is put back. */
  public void pullOut() {
    isIn = false;
  }

  /** Makes calls succeed again. */
  public void putBack() {
    callsLeft.set(-1);
    isIn = true;
  }

  /** Lets so many calls succeed, and pulls the device out then. */
  public void pullOutAfter(long calls) {
    callsLeft.set(calls);
  }

  /** Returns how many calls have sealed something in the device. */
  public long sealingCalls() {
    return sealingCalls.get();
  }

  @Override
  public String name() {
    return NAME;
  }

  /** Returns nothing: what seals in the device comes with its key. */
  @Override
  public List<CipherSuite> suites() {
    return List.of();
  }

  @Override
  public KeyWrapper openKey(Options options) {
    options.onlyAllow("key", "mode", "archive");
    String label = options.requiredText("key");
    boolean direct = oneOf(options, "mode", "envelope", "direct");
    boolean memory = oneOf(options, "archive", "token", "memory");
    SecretKeySpec key = keys.computeIfAbsent(label, unknown -> new SecretKeySpec(drawn(32), "AES"));
    return new Wrapper(label, key, direct, !memory);
  }

  /** Returns whether the option is the second of two. */
  private static boolean oneOf(Options options, String name, String first, String second) {
    String text = options.text(name).orElse(first);
    if (!text.equals(first) && !text.equals(second)) {
      throw new ConfigurationException("%s is %s or %s".formatted(name, first, second));
    }
    return text.equals(second);
  }

  private static byte[] drawn(int size) {
    byte[] bytes = new byte[size];
    RANDOM.nextBytes(bytes);
    return bytes;
  }

  // ------------------------------------------------------------------------------------ the device

  private byte[] seal(SecretKeySpec key, byte[] nonce, byte[] additional, byte[] text) {
    requireIn();
    sealingCalls.incrementAndGet();
    try {
      return cipher(Cipher.ENCRYPT_MODE, key, nonce, additional).doFinal(text);
    } catch (GeneralSecurityException e) {
      throw new AssertionError("AES-GCM refused to seal", e);
    }
  }

  private Optional<byte[]> open(SecretKeySpec key, byte[] nonce, byte[] additional, byte[] stored) {
    requireIn();
    try {
      return Optional.of(cipher(Cipher.DECRYPT_MODE, key, nonce, additional).doFinal(stored));
    } catch (AEADBadTagException e) {
      return Optional.empty();
    } catch (GeneralSecurityException e) {
      throw new AssertionError("AES-GCM refused to open", e);
    }
  }

  private static Cipher cipher(int mode, SecretKeySpec key, byte[] nonce, byte[] additional)
      throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, key, new GCMParameterSpec(128, nonce));
    cipher.updateAAD(additional);
    return cipher;
  }

  private void requireIn() {
    if (callsLeft.get() >= 0 && callsLeft.getAndDecrement() <= 0) {
      isIn = false;
    }
    if (!isIn) {
      throw new KeyUnavailableException(
          Reason.UNREACHABLE, "the memory token was pulled out; put it back");
    }
  }

  // ------------------------------------------------------------------------------------ its keys

  private final class Wrapper implements KeyWrapper {

    private static final int NONCE_BYTES = CipherSuite.NONCE_BYTES;

    private final String label;
    private final SecretKeySpec key;
    private final boolean direct;
    private final boolean archives;
    private volatile boolean closed;

    Wrapper(String label, SecretKeySpec key, boolean direct, boolean archives) {
      this.label = label;
      this.key = key;
      this.direct = direct;
      this.archives = archives;
    }

    @Override
    public String suite() {
      requireOpen(closed);
      return software.name();
    }

    @Override
    public String place() {
      requireOpen(closed);
      return "key " + label + " of the memory token";
    }

    @Override
    public byte[] wrap(byte[] secret, byte[] context) {
      requireOpen(closed);
      byte[] nonce = drawn(NONCE_BYTES);
      return joined(nonce, seal(key, nonce, context, secret));
    }

    @Override
    public byte[] unwrap(byte[] wrapped, byte[] context) {
      requireOpen(closed);
      if (wrapped.length < NONCE_BYTES + CipherSuite.TAG_BYTES) {
        throw new KeyUnavailableException(Reason.WRONG, "not wrapped by this key");
      }
      byte[] nonce = Arrays.copyOf(wrapped, NONCE_BYTES);
      byte[] stored = Arrays.copyOfRange(wrapped, NONCE_BYTES, wrapped.length);
      return open(key, nonce, context, stored)
          .orElseThrow(() -> new KeyUnavailableException(Reason.WRONG, "not wrapped by this key"));
    }

    @Override
    public Optional<Direct> openDirect(Calls calls) {
      requireOpen(closed);
      return direct ? Optional.of(new Sealing(key, archives, calls)) : Optional.empty();
    }

    @Override
    public void confirm() {
      requireOpen(closed);
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  private static void requireOpen(boolean closed) {
    if (closed) {
      throw new IllegalStateException("the key of the memory token is closed");
    }
  }

  /**
   * Seals in the device, with the same bytes each time. A sealed text is one byte that says how
   * many zeros were added, then parts of the text with a tag each.
   */
  private final class Sealing implements KeyWrapper.Direct, CipherSuite {

    /** What the device takes at once. */
    private static final int PART_BYTES = 1008;

    private static final int BLOCK_BYTES = 16;

    private final SecretKeySpec key;
    private final boolean archives;
    private final KeyWrapper.Calls calls;
    private volatile boolean closed;

    Sealing(SecretKeySpec key, boolean archives, KeyWrapper.Calls calls) {
      this.key = key;
      this.archives = archives;
      this.calls = calls;
    }

    @Override
    public CipherSuite suite() {
      return this;
    }

    @Override
    public boolean archives() {
      return archives;
    }

    @Override
    public Bytes identity() {
      return Bytes.wrap(software.mac(key.getEncoded(), bytes("identity")));
    }

    @Override
    public void close() {
      closed = true;
    }

    @Override
    public int id() {
      return 0xF000 | software.id();
    }

    @Override
    public String name() {
      return software.name() + "-DIRECT";
    }

    @Override
    public int keyBytes() {
      return software.keyBytes();
    }

    @Override
    public byte[] derive(byte[] secret, byte[] salt, byte[] info, int bytes) {
      return software.derive(secret, salt, info, bytes);
    }

    @Override
    public byte[] mac(byte[] macKey, byte[] data) {
      return software.mac(macKey, data);
    }

    @Override
    public int sealedBytes(int length) {
      int padded = padded(length);
      return 1 + padded + TAG_BYTES * parts(padded);
    }

    private static int padded(int length) {
      return (length + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    }

    private static int parts(int padded) {
      return Math.max(1, (padded + PART_BYTES - 1) / PART_BYTES);
    }

    @Override
    public int openedBytes(byte[] sealedText, int offset, int length) {
      int parts = Math.max(1, (length - 1 + PART_BYTES + TAG_BYTES - 1) / (PART_BYTES + TAG_BYTES));
      int padded = length - 1 - TAG_BYTES * parts;
      if (padded < 0 || padded % BLOCK_BYTES != 0 || parts(padded) != parts) {
        return -1;
      }
      int added = sealedText[offset] & 0xFF;
      return added < BLOCK_BYTES && added <= padded ? padded - added : -1;
    }

    @Override
    public Aead aead(byte[] derived) {
      return new TokenAead(derived.clone());
    }

    private final class TokenAead implements Aead {

      private final byte[] derived;
      private volatile boolean over;

      TokenAead(byte[] derived) {
        this.derived = derived;
      }

      @Override
      public void seal(byte[] nonce, byte[] additional, byte[] buffer, int offset, int length) {
        requireOpen(over || closed);
        int padded = padded(length);
        byte[] text = Arrays.copyOf(Arrays.copyOfRange(buffer, offset, offset + length), padded);
        int added = padded - length;
        int parts = parts(padded);
        calls.take(parts);
        buffer[offset] = (byte) added;
        int at = offset + 1;
        for (int part = 0; part < parts; part++) {
          byte[] stored =
              MemoryToken.this.seal(
                  key,
                  nonce(nonce, part),
                  bound(additional, added, part, parts),
                  Arrays.copyOfRange(
                      text, part * PART_BYTES, Math.min(padded, (part + 1) * PART_BYTES)));
          System.arraycopy(stored, 0, buffer, at, stored.length);
          at += stored.length;
        }
      }

      @Override
      public boolean open(
          byte[] nonce,
          byte[] additional,
          byte[] sealed,
          int offset,
          int length,
          byte[] target,
          int targetOffset) {
        requireOpen(over || closed);
        int size = openedBytes(sealed, offset, length);
        if (size < 0) {
          return false;
        }
        int padded = padded(size);
        int parts = parts(padded);
        byte[] text = new byte[padded];
        for (int part = 0; part < parts; part++) {
          int from = offset + 1 + part * (PART_BYTES + TAG_BYTES);
          int until = Math.min(offset + length, from + PART_BYTES + TAG_BYTES);
          Optional<byte[]> opened =
              MemoryToken.this.open(
                  key,
                  nonce(nonce, part),
                  bound(additional, padded - size, part, parts),
                  Arrays.copyOfRange(sealed, from, until));
          if (opened.isEmpty()) {
            return false;
          }
          System.arraycopy(opened.get(), 0, text, part * PART_BYTES, opened.get().length);
        }
        System.arraycopy(text, 0, target, targetOffset, size);
        return true;
      }

      private byte[] nonce(byte[] nonce, int part) {
        byte[] number = {(byte) (part >> 24), (byte) (part >> 16), (byte) (part >> 8), (byte) part};
        return Arrays.copyOf(mac(derived, joined(nonce, number)), NONCE_BYTES);
      }

      private byte[] bound(byte[] additional, int added, int part, int parts) {
        String place = "/%s/%s/%s".formatted(added, part, parts);
        return joined(derived, additional, bytes(place));
      }

      @Override
      public void close() {
        over = true;
      }
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] joined(byte[]... parts) {
    byte[] joined = new byte[Arrays.stream(parts).mapToInt(part -> part.length).sum()];
    int at = 0;
    for (byte[] part : parts) {
      System.arraycopy(part, 0, joined, at, part.length);
      at += part.length;
    }
    return joined;
  }

  @Override
  public String toString() {
    return "memory token";
  }
}
