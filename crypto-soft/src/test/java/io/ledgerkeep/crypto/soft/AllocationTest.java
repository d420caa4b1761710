package io.ledgerkeep.crypto.soft;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** A sealed value costs about a KiB of garbage: no array of its size is made on the way. */
final class AllocationTest {

  private static final int ROUNDS = 15;
  private static final int EACH = 4_000;

  /** A KiB, and what a compiler that had other things to do does not spare. */
  private static final int ABOUT_A_KIBIBYTE = 1536;

  private static final byte[] ADDITIONAL = new byte[64];

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private int number;

  @Test
  void aesSealsInPlace() {
    for (CipherSuite suite : AesSuites.proven()) {
      assertThat(perSeal(suite, 4096)).as(suite.name()).isLessThanOrEqualTo(ABOUT_A_KIBIBYTE);
      assertThat(perSeal(suite, 50_000)).as(suite.name()).isLessThanOrEqualTo(ABOUT_A_KIBIBYTE);
    }
  }

  @Test
  void aesOpensWithoutAnotherArray() {
    try (Aead aead = AesSuites.proven().get(0).aead(new byte[16])) {
      byte[] nonce = new byte[12];
      byte[] sealed = new byte[50_016];
      aead.seal(nonce, ADDITIONAL, sealed, 0, 50_000);
      byte[] target = new byte[50_000];
      long perOpen = allocated(() -> assertThat(opens(aead, nonce, sealed, target)).isTrue());
      assertThat(perOpen).isLessThan(4096);
    }
  }

  private static boolean opens(Aead aead, byte[] nonce, byte[] sealed, byte[] target) {
    return aead.open(nonce, ADDITIONAL, sealed, 0, sealed.length, target, 0);
  }

  @Test
  void libgcryptSealsWithoutGarbage() {
    assertThat(perSeal(Libgcrypt.suite(), 1024)).isLessThanOrEqualTo(256);
  }

  private long perSeal(CipherSuite suite, int size) {
    byte[] buffer = new byte[size + CipherSuite.TAG_BYTES];
    byte[] nonce = new byte[CipherSuite.NONCE_BYTES];
    try (Aead aead = suite.aead(new byte[suite.keyBytes()])) {
      return allocated(
          () -> {
            countOn(nonce);
            aead.seal(nonce, ADDITIONAL, buffer, 0, size);
          });
    }
  }

  private void countOn(byte[] nonce) {
    number++;
    for (int i = 0; i < Integer.BYTES; i++) {
      nonce[i] = (byte) (number >>> (Byte.SIZE * i));
    }
  }

  /** Returns the bytes of the best round: the first ones pay for code that is not compiled yet. */
  private long allocated(Runnable operation) {
    long best = Long.MAX_VALUE;
    for (int round = 0; round < ROUNDS; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < EACH; i++) {
        operation.run();
      }
      best = Math.min(best, (threads.getCurrentThreadAllocatedBytes() - before) / EACH);
    }
    return best;
  }
}
