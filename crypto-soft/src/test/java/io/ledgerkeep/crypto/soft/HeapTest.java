package io.ledgerkeep.crypto.soft;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.HotSpotDiagnosticMXBean;
import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Looks for keys in dumps of the heap: what a thief of one would do. */
final class HeapTest {

  @TempDir private Path directory;

  /** A key of which the heap holds no copy but those of whoever is tested. */
  private static final class Hidden {

    private final byte[] masked;

    Hidden(int size) {
      masked = new byte[size];
      new SecureRandom().nextBytes(masked);
    }

    byte[] key() {
      byte[] key = masked.clone();
      for (int i = 0; i < key.length; i++) {
        key[i] ^= 0x5C;
      }
      return key;
    }

    boolean isAt(ByteBuffer dump, int at) {
      for (int i = 0; i < masked.length; i++) {
        if ((dump.get(at + i) ^ 0x5C) != masked[i]) {
          return false;
        }
      }
      return true;
    }
  }

  @Test
  void aClosedCipherIsReachableNowhereWithItsKey() throws IOException {
    for (CipherSuite suite :
        List.of(AesSuites.proven().get(0), AesSuites.proven().get(2), Sm4Suites.bouncyCastle())) {
      Hidden hidden = new Hidden(suite.keyBytes());
      Aead aead = used(suite, hidden);
      assertThat(copies(hidden)).as("%s, open", suite).isPositive();
      aead.close();
      assertThat(copies(hidden)).as("%s, closed", suite).isZero();
      Reference.reachabilityFence(aead);
    }
  }

  private static Aead used(CipherSuite suite, Hidden hidden) {
    byte[] key = hidden.key();
    Aead aead = suite.aead(key);
    Arrays.fill(key, (byte) 0);
    byte[] buffer = new byte[1040];
    aead.seal(new byte[12], new byte[0], buffer, 0, 1024);
    assertThat(aead.open(new byte[12], new byte[0], buffer, 0, 1040, new byte[1024], 0)).isTrue();
    return aead;
  }

  /** What is held here is the cipher itself, which a pool drops: its own memory is looked at. */
  @Test
  void aCipherThatIsGivenUpHasForgottenItsKey() throws IOException {
    for (Function<byte[], GcmCipher> maker :
        List.<Function<byte[], GcmCipher>>of(JdkGcm::new, BouncySm4Gcm::new)) {
      Hidden hidden = new Hidden(16);
      byte[] own = hidden.key();
      GcmCipher cipher = maker.apply(own);
      byte[] buffer = new byte[1040];
      cipher.seal(new byte[12], new byte[0], buffer, 0, 1024);
      cipher.open(new byte[12], new byte[0], buffer, 0, 1040, new byte[1024], 0);
      cipher.close();
      Arrays.fill(own, (byte) 0);
      assertThat(copies(hidden)).as(cipher.getClass().getSimpleName()).isZero();
      Reference.reachabilityFence(cipher);
    }
  }

  @Test
  void aClosedWrapperIsReachableNowhereWithItsMasterKey() throws IOException {
    Hidden hidden = new Hidden(16);
    Path file = directory.resolve("my.key");
    Files.createFile(file);
    if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }
    byte[] key = hidden.key();
    Files.write(file, key);
    Arrays.fill(key, (byte) 0);
    for (EncryptorProvider provider : List.of(new AesProvider(), new Sm4Provider())) {
      KeyWrapper wrapper =
          provider.openKey(Options.of("key", file.toString(), "empty_key_file", "false"));
      wrapper.unwrap(wrapper.wrap(new byte[32], new byte[0]), new byte[0]);
      wrapper.confirm();
      assertThat(copies(hidden)).as("%s, open", wrapper).isPositive();
      wrapper.close();
      assertThat(copies(hidden)).as("%s, closed", wrapper).isZero();
      Reference.reachabilityFence(wrapper);
    }
  }

  /** Returns how often the key is in what is reachable on the heap. */
  private int copies(Hidden hidden) throws IOException {
    Path file = directory.resolve("heap.hprof");
    Files.deleteIfExists(file);
    ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
        .dumpHeap(file.toString(), true);
    int found = 0;
    try (FileChannel channel = FileChannel.open(file)) {
      ByteBuffer dump = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
      for (int at = 0; at + hidden.masked.length <= dump.capacity(); at++) {
        if (hidden.isAt(dump, at)) {
          found++;
        }
      }
    }
    return found;
  }
}
