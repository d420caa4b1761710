package io.ledgerkeep.testkit.contract;

import static io.ledgerkeep.testkit.contract.Samples.noise;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Checks that a suite keeps the rules of {@link CipherSuite}; each test is named after the rule
 * that it checks. That the cipher is the one of its name is for known answers to show.
 */
@SuppressWarnings("exports") // who uses the fakes alone needs no JUnit
public abstract class CipherSuiteContract {

  private static final int THREADS = 8;
  private static final int HASH_BLOCK = 64;

  private final List<Aead> opened = new ArrayList<>();

  /** Creates the contract; JUnit makes one for each test. */
  protected CipherSuiteContract() {}

  /** Returns the suite, made anew where it can be. */
  protected abstract CipherSuite suite();

  /** Returns the hash of the data by the hash of the suite, which has blocks of 64 bytes. */
  protected abstract byte[] hash(byte[] data);

  /**
   * Returns whether sealing gives the same bytes each time; not so only where a device draws nonces
   * of its own.
   */
  protected boolean sealsAlike() {
    return true;
  }

  /** Closes what the test left open. Called by JUnit. */
  @AfterEach
  public void closeAll() {
    opened.forEach(Aead::close);
  }

  private Aead aead(int seed) {
    return aead(key(seed));
  }

  private Aead aead(byte[] key) {
    Aead aead = suite().aead(key);
    opened.add(aead);
    return aead;
  }

  private byte[] key(int seed) {
    return noise(seed, suite().keyBytes()).toArray();
  }

  private static byte[] nonce(int number) {
    return noise(1000 + number, CipherSuite.NONCE_BYTES).toArray();
  }

  private byte[] seal(Aead aead, int nonce, byte[] additional, Bytes text) {
    byte[] buffer = Arrays.copyOf(text.toArray(), suite().sealedBytes(text.size()));
    aead.seal(nonce(nonce), additional, buffer, 0, text.size());
    return buffer;
  }

  private Optional<Bytes> open(Aead aead, int nonce, byte[] additional, byte[] sealed) {
    return open(aead, nonce(nonce), additional, sealed);
  }

  private Optional<Bytes> open(Aead aead, byte[] nonce, byte[] additional, byte[] sealed) {
    byte[] target = new byte[Math.max(0, suite().openedBytes(sealed, 0, sealed.length))];
    return aead.open(nonce, additional, sealed, 0, sealed.length, target, 0)
        ? Optional.of(Bytes.wrap(target))
        : Optional.empty();
  }

  // ---- rule 1: the same bytes everywhere

  @Test
  public void rule1_theSameInputsGiveTheSameBytes() {
    for (int size : new int[] {0, 1, 16, 100, 70_000}) {
      byte[] additional = noise(2, size % 60).toArray();
      byte[] sealed = seal(aead(1), size, additional, noise(3, size));
      assertAlike(seal(aead(1), size, additional, noise(3, size)), sealed);
    }
    assertThat(suite().mac(key(1), key(2))).isEqualTo(suite().mac(key(1), key(2)));
    assertThat(suite().derive(key(1), key(2), key(3), 80))
        .isEqualTo(suite().derive(key(1), key(2), key(3), 80));
  }

  private void assertAlike(byte[] actual, byte[] expected) {
    if (sealsAlike()) {
      assertThat(actual).isEqualTo(expected);
    } else {
      assertThat(actual).hasSameSizeAs(expected);
    }
  }

  @Test
  public void rule1_numberNameAndLengthNeverChange() {
    CipherSuite suite = suite();
    assertThat(suite.id()).isBetween(1, 65_535).isEqualTo(suite().id());
    assertThat(suite.name()).isNotBlank().isEqualTo(suite().name());
    assertThat(suite.keyBytes()).isPositive().isEqualTo(suite().keyBytes());
  }

  // ---- rule 2: back exactly, or refused

  @Test
  public void rule2_everySizeComesBack() {
    Aead aead = aead(1);
    for (int size = 0; size <= 257; size++) {
      assertComesBack(aead, size, size * 3 % 50);
    }
    assertComesBack(aead, 300, 70_000);
    for (int limit : new int[] {4096, 8192, 16_384, 32_768, 65_536, 1 << 20}) {
      for (int size : new int[] {limit - 1, limit, limit + 1, limit + 17}) {
        assertComesBack(aead, size, 80);
      }
    }
  }

  private void assertComesBack(Aead aead, int size, int additionalSize) {
    byte[] additional = noise(4, additionalSize).toArray();
    byte[] sealed = seal(aead, size, additional, noise(size, size));
    assertThat(open(aead, size, additional, sealed))
        .as("%s bytes", size)
        .contains(noise(size, size));
    if (size >= CipherSuite.TAG_BYTES) {
      assertThat(Bytes.wrap(sealed, 0, size)).as("%s bytes", size).isNotEqualTo(noise(size, size));
    }
  }

  @Test
  public void rule2_anyPlaceInAnArrayIsServed() {
    Aead aead = aead(1);
    byte[] additional = key(2);
    Bytes text = noise(3, 100);
    byte[] expected = seal(aead(1), 1, additional, text);
    for (int offset : new int[] {1, 7, 16, 100}) {
      byte[] buffer = new byte[offset + expected.length + 5];
      text.copyTo(buffer, offset);
      aead(1).seal(nonce(1), additional, buffer, offset, text.size());
      byte[] written = Arrays.copyOfRange(buffer, offset, offset + expected.length);
      assertAlike(written, expected);
      assertThat(open(aead, 1, additional, written)).contains(text);

      byte[] target = new byte[text.size() + 2 * offset];
      assertThat(
              aead.open(nonce(1), additional, buffer, offset, expected.length, target, 2 * offset))
          .isTrue();
      assertThat(Bytes.wrap(target, 2 * offset, text.size())).isEqualTo(text);
    }
  }

  @Test
  public void rule2_everyChangedBitIsRefused() {
    byte[] key = key(1);
    byte[] additional = noise(2, 20).toArray();
    Aead aead = aead(key);
    byte[] sealed = seal(aead, 1, additional, noise(3, 37));

    assertThat(open(aead, 1, additional, sealed)).isPresent();
    for (byte[] changed : changes(sealed)) {
      assertThat(open(aead, 1, additional, changed)).isEmpty();
    }
    for (byte[] changed : changes(additional)) {
      assertThat(open(aead, 1, changed, sealed)).isEmpty();
    }
    for (byte[] changed : changes(nonce(1))) {
      assertThat(open(aead, changed, additional, sealed)).isEmpty();
    }
    for (byte[] changed : changes(key)) {
      assertThat(open(aead(changed), 1, additional, sealed)).isEmpty();
    }
  }

  private static List<byte[]> changes(byte[] bytes) {
    List<byte[]> changes = new ArrayList<>();
    for (int bit = 0; bit < bytes.length * Byte.SIZE; bit++) {
      byte[] changed = bytes.clone();
      changed[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
      changes.add(changed);
    }
    return changes;
  }

  @Test
  public void rule2_whatWasCutOffOrAddedIsRefused() {
    Aead aead = aead(1);
    byte[] additional = noise(2, 20).toArray();
    byte[] sealed = seal(aead, 1, additional, noise(3, 37));
    for (int left = 0; left < sealed.length; left++) {
      byte[] end = Arrays.copyOfRange(sealed, sealed.length - left, sealed.length);
      assertThat(open(aead, 1, additional, Arrays.copyOf(sealed, left))).isEmpty();
      assertThat(open(aead, 1, additional, end)).isEmpty();
    }
    assertThat(open(aead, 1, additional, Arrays.copyOf(sealed, sealed.length + 1))).isEmpty();
    assertThat(open(aead, 1, Arrays.copyOf(additional, 21), sealed)).isEmpty();
    assertThat(open(aead, 1, Arrays.copyOf(additional, 19), sealed)).isEmpty();
    assertThat(open(aead, 1, new byte[0], sealed)).isEmpty();
  }

  @Test
  public void rule2_whatIsOpenedDoesNotHinderSealing() {
    // Who hands in forged values knows the next nonce; opening one must not use it up.
    Aead aead = aead(1);
    byte[] additional = key(2);
    byte[] expected = seal(aead(1), 2, additional, noise(3, 40));
    open(aead, 2, additional, noise(4, 56).toArray());
    assertAlike(seal(aead, 2, additional, noise(3, 40)), expected);
    byte[] next = seal(aead(1), 3, additional, noise(3, 40));
    assertThat(open(aead, 3, additional, next)).isPresent();
    assertAlike(seal(aead, 3, additional, noise(3, 40)), next);
  }

  // ---- rule 3: HKDF and HMAC

  @Test
  public void rule3_macIsHmac() {
    for (int keySize : new int[] {1, 16, 32, 63, 64, 65, 200}) {
      for (int size : new int[] {0, 1, 55, 64, 1000}) {
        byte[] key = noise(keySize, keySize).toArray();
        byte[] data = noise(size, size).toArray();
        assertThat(suite().mac(key, data)).isEqualTo(hmac(key, data)).hasSize(32);
      }
    }
  }

  @Test
  public void rule3_deriveIsHkdf() {
    byte[] secret = key(1);
    for (int saltSize : new int[] {0, 1, 32, 100}) {
      for (int infoSize : new int[] {0, 1, 80}) {
        for (int bytes : new int[] {1, 12, 16, 31, 32, 33, 64, 255, 255 * 32}) {
          byte[] salt = noise(saltSize, saltSize).toArray();
          byte[] info = noise(infoSize, infoSize).toArray();
          assertThat(suite().derive(secret, salt, info, bytes))
              .isEqualTo(hkdf(secret, salt, info, bytes));
        }
      }
    }
  }

  private byte[] hkdf(byte[] secret, byte[] salt, byte[] info, int bytes) {
    byte[] extracted = hmac(salt, secret);
    ByteArrayOutputStream derived = new ByteArrayOutputStream();
    byte[] block = new byte[0];
    for (int number = 1; derived.size() < bytes; number++) {
      block = hmac(extracted, joined(block, info, new byte[] {(byte) number}));
      derived.writeBytes(block);
    }
    return Arrays.copyOf(derived.toByteArray(), bytes);
  }

  private byte[] hmac(byte[] key, byte[] data) {
    byte[] block = Arrays.copyOf(key.length > HASH_BLOCK ? hash(key) : key, HASH_BLOCK);
    byte[] inner = new byte[HASH_BLOCK];
    byte[] outer = new byte[HASH_BLOCK];
    for (int i = 0; i < HASH_BLOCK; i++) {
      inner[i] = (byte) (block[i] ^ 0x36);
      outer[i] = (byte) (block[i] ^ 0x5C);
    }
    return hash(joined(outer, hash(joined(inner, data))));
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      joined.writeBytes(part);
    }
    return joined.toByteArray();
  }

  // ---- rule 4: arrays

  @Test
  public void rule4_arraysHandedInAreNotChanged() {
    byte[] key = key(1);
    byte[] nonce = nonce(1);
    byte[] additional = key(2);
    int size = suite().sealedBytes(84);
    byte[] buffer = noise(3, 100 + size).toArray();
    Aead aead = aead(key);
    aead.seal(nonce, additional, buffer, 50, 84);
    byte[] sealed = buffer.clone();
    byte[] target = noise(4, 100 + size).toArray();
    suite().openedBytes(buffer, 50, size);
    aead.open(nonce, additional, buffer, 50, size, target, 30);
    suite().derive(key, nonce, additional, 100);
    suite().mac(key, additional);

    assertThat(key).isEqualTo(key(1));
    assertThat(nonce).isEqualTo(nonce(1));
    assertThat(additional).isEqualTo(key(2));
    assertThat(buffer).isEqualTo(sealed);
    assertSameAround(buffer, noise(3, 100 + size), 50, 50 + size);
    assertSameAround(target, noise(4, 100 + size), 30, 114);
  }

  private static void assertSameAround(byte[] array, Bytes before, int from, int until) {
    Bytes after = Bytes.wrap(array);
    assertThat(after.slice(0, from)).isEqualTo(before.slice(0, from));
    assertThat(after.slice(until, after.size())).isEqualTo(before.slice(until, before.size()));
  }

  @Test
  public void rule4_arraysHandedInAreNotKept() {
    byte[] key = key(1);
    byte[] additional = key(2);
    Aead aead = aead(key);
    Arrays.fill(key, (byte) 0);
    byte[] nonce = nonce(1);
    byte[] buffer = Arrays.copyOf(noise(3, 44).toArray(), suite().sealedBytes(44));
    aead.seal(nonce, additional, buffer, 0, 44);
    byte[] sealed = buffer.clone();
    Arrays.fill(nonce, (byte) 0);
    Arrays.fill(buffer, (byte) 0);

    assertThat(open(aead, 1, additional, sealed)).contains(noise(3, 44));
    assertAlike(sealed, seal(aead(1), 1, additional, noise(3, 44)));
  }

  // ---- rule 5: threads and closing

  @Test
  public void rule5_manyThreadsSealAndOpenAtOnce() {
    Aead aead = aead(1);
    List<Crowd.Task> tasks = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      int first = i * 1000;
      tasks.add(
          () -> {
            for (int n = first; n < first + 200; n++) {
              Bytes text = noise(n, n % 1000);
              byte[] additional = noise(n, n % 90).toArray();
              byte[] sealed = seal(aead, n, additional, text);
              assertThat(open(aead, n, additional, sealed)).contains(text);
              assertThat(open(aead, n + 1, additional, sealed)).isEmpty();
            }
          });
    }
    Crowd.run(tasks);
  }

  @Test
  public void rule5_afterCloseTheMethodsRefuse() {
    Aead aead = aead(1);
    byte[] sealed = seal(aead, 1, new byte[0], noise(1, 10));
    aead.close();
    Aead neverUsed = aead(2);
    neverUsed.close();

    assertClosed(() -> seal(aead, 2, new byte[0], noise(1, 10)));
    assertClosed(() -> open(aead, 1, new byte[0], sealed));
    assertClosed(() -> open(aead, 1, new byte[0], new byte[3]));
    assertClosed(() -> seal(neverUsed, 2, new byte[0], noise(1, 10)));
  }

  private static void assertClosed(ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(IllegalStateException.class);
  }

  @Test
  public void rule5_closingTwiceDoesNothing() {
    Aead aead = aead(1);
    byte[] sealed = seal(aead, 1, new byte[0], noise(1, 10));
    aead.close();
    aead.close();

    assertThat(open(aead(1), 1, new byte[0], sealed)).contains(noise(1, 10));
  }

  // ---- rule 6: sizes

  @Test
  public void rule6_sealedTextsAreAsLongAsIsSaid() {
    CipherSuite suite = suite();
    int shorter = 0;
    for (int size = 0; size <= 5000; size++) {
      int sealed = suite.sealedBytes(size);
      assertThat(sealed)
          .as("%s bytes", size)
          .isBetween(size + CipherSuite.TAG_BYTES, 2 * size + 1024)
          .isGreaterThanOrEqualTo(shorter);
      shorter = sealed;
    }
    for (int whole : new int[] {1, 100, 4096, 70_000, 1 << 20}) {
      for (int part : new int[] {0, 1, whole / 2, whole - 1}) {
        assertThat(suite.sealedBytes(whole))
            .as("%s bytes, of them %s", whole, part)
            .isLessThanOrEqualTo(suite.sealedBytes(part) + suite.sealedBytes(whole - part));
      }
    }
  }

  @Test
  public void rule6_theLengthOfTheTextComesBack() {
    Aead aead = aead(1);
    for (int size : new int[] {0, 1, 15, 16, 17, 37, 1000, 4096, 10_000, 70_000}) {
      int sealedBytes = suite().sealedBytes(size);
      byte[] buffer = Arrays.copyOf(noise(9, 7).toArray(), 7 + sealedBytes + 5);
      aead.seal(nonce(size), key(2), buffer, 7, size);
      assertThat(suite().openedBytes(buffer, 7, sealedBytes)).isEqualTo(size);
    }
  }

  @Test
  public void rule6_noBytesSayThatTheyAreMoreThanTheyAre() {
    for (int length = 0; length < 300; length++) {
      for (int seed = 0; seed < 20; seed++) {
        byte[] bytes = noise(seed, length + 3).toArray();
        assertThat(suite().openedBytes(bytes, 3, length))
            .isLessThanOrEqualTo(Math.max(-1, length - CipherSuite.TAG_BYTES));
      }
    }
  }
}
