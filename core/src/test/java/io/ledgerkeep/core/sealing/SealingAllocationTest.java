package io.ledgerkeep.core.sealing;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import io.ledgerkeep.encryption.Encryptor.Context;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A sealed value costs its own bytes, what the cipher of the JVM leaves, and at most 256 bytes of
 * garbage. Bytes are counted, not time.
 */
final class SealingAllocationTest {

  private static final int[] SIZES = {1024, 100, 50_000};
  private static final int ROUNDS = 10;
  private static final int EACH = 4_000;

  /** The heads of an array and of the object around it, and what rounds them up. */
  private static final int HEADS_BYTES = 16 + 24 + 8;

  private static final UUID STORE = new UUID(1, 2);

  /** As long as that of a row of a body. */
  private static final Bytes KEY = Bytes.wrap(new byte[14]);

  @TempDir Path directory;

  /**
   * In a process of its own, which compiles what it runs at once: what the compiler spares depends
   * on everything that ran before.
   */
  @Test
  void aesLeavesAtMost256BytesBesideTheResultAndTheCipher() throws Exception {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:-BackgroundCompilation",
            "-cp",
            System.getProperty("java.class.path"),
            SealingAllocationTest.class.getName(),
            directory.toString());
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();

    List<Long> garbage = said.lines().map(Long::valueOf).toList();
    assertThat(garbage)
        .hasSize(SIZES.length)
        .allSatisfy(bytes -> assertThat(bytes).isLessThanOrEqualTo(256));
  }

  /** Prints for each size how much is allocated for a value, beside result and bare cipher. */
  public static void main(String[] arguments) {
    List<Long> garbage = new ArrayList<>();
    try (EpochEncryptor encryptor =
            new EpochEncryptor(Keys.keyring(Path.of(arguments[0]), "aes", Keys.AES));
        Aead bare = Keys.suite("AES-256-GCM").aead(new byte[32])) {
      byte[] nonce = new byte[CipherSuite.NONCE_BYTES];
      byte[] additional = new byte[32];
      for (int size : SIZES) {
        Bytes value = Bytes.wrap(new byte[size]);
        long result = size + EpochEncryptor.MIN_OVERHEAD_BYTES + HEADS_BYTES;
        byte[] buffer = new byte[size + CipherSuite.TAG_BYTES];
        long ofCipher =
            allocated(
                () -> {
                  ByteBuffer.wrap(nonce).putInt(0, ByteBuffer.wrap(nonce).getInt(0) + 1);
                  bare.seal(nonce, additional, buffer, 0, size);
                });
        garbage.add(
            allocated(() -> encryptor.seal(new Context(STORE, "block", KEY), value))
                - result
                - ofCipher);
      }
    }
    garbage.forEach(System.out::println);
  }

  /** Returns the bytes of the best round: the first ones pay for code that is not compiled yet. */
  private static long allocated(Runnable operation) {
    ThreadMXBean thread = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long best = Long.MAX_VALUE;
    for (int round = 0; round < ROUNDS; round++) {
      long before = thread.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < EACH; i++) {
        operation.run();
      }
      best = Math.min(best, (thread.getCurrentThreadAllocatedBytes() - before) / EACH);
    }
    return best;
  }
}
