package io.ledgerkeep.crypto.soft;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A sealed value costs at most a KiB of garbage: no array of its size is made on the way. Measured
 * in a process of its own, which compiles what it runs at once: what the compiler spares depends on
 * everything that ran before, and on what else the machine does.
 */
final class AllocationTest {

  private static final int ROUNDS = 15;
  private static final int EACH = 4_000;
  private static final byte[] ADDITIONAL = new byte[64];

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private int number;

  private static Map<String, Long> measured;

  @BeforeAll
  static void measure() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:-BackgroundCompilation",
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"),
                "-cp",
                System.getProperty("java.class.path"),
                AllocationTest.class.getName())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    measured =
        said.lines()
            .map(line -> line.split(" "))
            .collect(Collectors.toMap(words -> words[0], words -> Long.valueOf(words[1])));
  }

  /** Prints what is allocated for each, in bytes. */
  public static void main(String[] arguments) {
    AllocationTest test = new AllocationTest();
    for (CipherSuite suite : AesSuites.proven()) {
      System.out.println(suite.name() + " " + test.perSeal(suite, 1024));
      System.out.println(suite.name() + "-large " + test.perSeal(suite, 50_000));
    }
    System.out.println("open " + test.perOpen());
    try {
      System.out.println("libgcrypt " + test.perSeal(Sm4Suites.libgcrypt(), 1024));
    } catch (LibraryMissingException e) {
      System.err.println(e.getMessage()); // its test is skipped, and says so
    }
  }

  @Test
  void aesSealsInPlace() {
    for (CipherSuite suite : AesSuites.proven()) {
      assertThat(measured.get(suite.name())).as(suite.name()).isLessThanOrEqualTo(1024);
      assertThat(measured.get(suite.name() + "-large")).as(suite.name()).isLessThanOrEqualTo(1024);
    }
  }

  @Test
  void aesOpensWithoutAnotherArray() {
    assertThat(measured.get("open")).isLessThan(4096);
  }

  @Test
  void libgcryptSealsWithoutGarbage() {
    Libgcrypt.suite(); // skips where there is none
    assertThat(measured.get("libgcrypt")).isLessThanOrEqualTo(256);
  }

  private long perOpen() {
    try (Aead aead = AesSuites.proven().get(0).aead(new byte[16])) {
      byte[] nonce = new byte[12];
      byte[] sealed = new byte[50_016];
      aead.seal(nonce, ADDITIONAL, sealed, 0, 50_000);
      byte[] target = new byte[50_000];
      return allocated(() -> assertThat(opens(aead, nonce, sealed, target)).isTrue());
    }
  }

  private static boolean opens(Aead aead, byte[] nonce, byte[] sealed, byte[] target) {
    return aead.open(nonce, ADDITIONAL, sealed, 0, sealed.length, target, 0);
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
