package io.ledgerkeep.core.sealing;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.Encryptor.Context;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A sealed value costs its own bytes and at most a KiB of garbage. Bytes are counted, not time. */
final class SealingAllocationTest {

  private static final int[] SIZES = {1024, 100, 50_000};
  private static final int ROUNDS = 10;
  private static final int EACH = 4_000;

  /** The heads of an array and of the object around it, and what rounds them up. */
  private static final int PROCESSES = 4;

  private static final int HEADS_BYTES = 16 + 24 + 8;

  private static final UUID STORE = new UUID(1, 2);

  /** As long as that of a row of a body. */
  private static final Bytes KEY = Bytes.wrap(new byte[14]);

  @TempDir Path directory;

  /**
   * In a process of its own, which compiles what it runs at once: what the compiler spares depends
   * on everything that ran before, and about half of the garbage is the JVM's. Its threads do not
   * always come to the same code, so the best of a few processes tells what ours makes.
   */
  @Test
  void aesLeavesAtMostAKibibyteBesideTheResult() throws Exception {
    List<Long> best = garbage(1);
    for (int process = 2; process <= PROCESSES && !areFew(best); process++) {
      List<Long> next = garbage(process);
      for (int i = 0; i < SIZES.length; i++) {
        best.set(i, Math.min(best.get(i), next.get(i)));
      }
    }
    assertThat(best).hasSize(SIZES.length).allMatch(bytes -> bytes <= 1024);
  }

  private static boolean areFew(List<Long> garbage) {
    return garbage.stream().allMatch(bytes -> bytes <= 1024);
  }

  private List<Long> garbage(int number) throws Exception {
    Path keys = Files.createDirectory(directory.resolve(String.valueOf(number)));
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:-BackgroundCompilation",
            "-cp",
            System.getProperty("java.class.path"),
            SealingAllocationTest.class.getName(),
            keys.toString());
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    return new ArrayList<>(said.lines().map(Long::valueOf).toList());
  }

  /** Prints for each size how much is allocated for a value, beside the result. */
  public static void main(String[] arguments) {
    List<Long> garbage = new ArrayList<>();
    try (EpochEncryptor encryptor =
        new EpochEncryptor(Keys.keyring(Path.of(arguments[0]), "aes", Keys.AES))) {
      for (int size : SIZES) {
        Bytes value = Bytes.wrap(new byte[size]);
        long result = size + EpochEncryptor.MIN_OVERHEAD_BYTES + HEADS_BYTES;
        garbage.add(
            allocated(() -> encryptor.seal(new Context(STORE, "block", KEY), value)) - result);
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
