package io.ledgerkeep.crypto.soft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * GCM enciphers in counter mode: the first block of a text with the nonce and the counter 2. So
 * what we sealed is what anybody's tool makes of it.
 */
final class OpensslTest {

  @TempDir private Path directory;

  @Test
  void aes128IsCounterModeFromTwo() {
    check(AesSuites.proven().get(0), "-aes-128-ctr");
  }

  @Test
  void aes192IsCounterModeFromTwo() {
    check(AesSuites.proven().get(1), "-aes-192-ctr");
  }

  @Test
  void aes256IsCounterModeFromTwo() {
    check(AesSuites.proven().get(2), "-aes-256-ctr");
  }

  @Test
  void sm4ByBouncyCastleIsCounterModeFromTwo() {
    check(Sm4Suites.bouncyCastle(), "-sm4-ctr");
  }

  @Test
  void sm4ByLibgcryptIsCounterModeFromTwo() {
    check(Libgcrypt.suite(), "-sm4-ctr");
  }

  private void check(CipherSuite suite, String cipher) {
    Random random = new Random(suite.id());
    byte[] key = bytes(random, suite.keyBytes());
    for (int size : new int[] {1, 16, 100, 70_001}) {
      byte[] nonce = bytes(random, CipherSuite.NONCE_BYTES);
      byte[] text = bytes(random, size);
      byte[] buffer = Arrays.copyOf(text, size + CipherSuite.TAG_BYTES);
      try (Aead aead = suite.aead(key)) {
        aead.seal(nonce, bytes(random, 30), buffer, 0, size);
      }
      assertThat(Arrays.copyOf(buffer, size)).isEqualTo(openssl(cipher, key, nonce, text));
    }
  }

  private static byte[] bytes(Random random, int size) {
    byte[] bytes = new byte[size];
    random.nextBytes(bytes);
    return bytes;
  }

  private byte[] openssl(String cipher, byte[] key, byte[] nonce, byte[] text) {
    HexFormat hex = HexFormat.of();
    Path in = directory.resolve("in");
    Path out = directory.resolve("out");
    Path errors = directory.resolve("errors");
    try {
      Files.write(in, text);
      Process process =
          new ProcessBuilder(
                  "openssl",
                  "enc",
                  cipher,
                  "-e",
                  "-nopad",
                  "-K",
                  hex.formatHex(key),
                  "-iv",
                  hex.formatHex(nonce) + "00000002",
                  "-in",
                  in.toString(),
                  "-out",
                  out.toString())
              .redirectErrorStream(true)
              .redirectOutput(errors.toFile())
              .start();
      if (process.waitFor() != 0) {
        return abort("not this openssl: " + Files.readString(errors).lines().findFirst());
      }
      return Files.readAllBytes(out);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    } catch (IOException e) {
      if (e.getMessage() != null && e.getMessage().contains("Cannot run program")) {
        return abort("not this system: it has no openssl");
      }
      throw new UncheckedIOException(e);
    }
  }
}
