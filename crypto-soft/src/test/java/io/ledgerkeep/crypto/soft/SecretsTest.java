package io.ledgerkeep.crypto.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nothing that people read holds a byte of a key: messages, log lines, and what objects say. */
final class SecretsTest {

  /** Marks the master key; 16 bytes, printable, so that it can be given in each form. */
  private static final String MARKER = "MARKER-#7q wZ~x9";

  private static final byte[] BYTES = MARKER.getBytes(StandardCharsets.US_ASCII);
  private static final String DIGITS = HexFormat.of().formatHex(BYTES);

  private final StringBuilder said = new StringBuilder();

  @TempDir private Path directory;

  private void failing(ThrowingCallable call) {
    try {
      call.call();
    } catch (Throwable e) {
      StringWriter trace = new StringWriter();
      e.printStackTrace(new PrintWriter(trace));
      said.append(trace).append('\n');
      return;
    }
    throw new AssertionError("this should have failed");
  }

  private void assertNothingTold() {
    assertThat(said).isNotEmpty();
    String text = said.toString();
    String list = Arrays.toString(BYTES);
    // Parts too: a message that shows a key's beginning shows enough.
    for (int from = 0; from + 6 <= BYTES.length; from++) {
      assertThat(text).doesNotContain(MARKER.substring(from, from + 6));
      assertThat(text.toLowerCase(Locale.ROOT))
          .doesNotContain(DIGITS.substring(2 * from, 2 * from + 12));
    }
    assertThat(text).doesNotContain(Base64.getEncoder().withoutPadding().encodeToString(BYTES));
    assertThat(text).doesNotContain(list.substring(1, list.length() - 1));
  }

  @Test
  void keysInTheConfigurationAreNotTold() {
    try (Logs logs = new Logs()) {
      for (EncryptorProvider provider : List.of(new AesProvider(), new Sm4Provider())) {
        for (String key :
            List.of(
                MARKER + "~",
                "raw:" + MARKER + "!",
                "RAW:" + MARKER,
                MARKER + "\u00e9",
                "hex:" + DIGITS + "00",
                "hex:" + DIGITS + "0",
                "hex:" + DIGITS + "zz",
                "0X" + DIGITS,
                "file:" + MARKER,
                "file://" + MARKER)) {
          Options options = Options.of("key", key);
          failing(() -> provider.openKey(options));
          said.append(options).append(KeyText.Form.RAW);
        }
        for (String key : List.of(MARKER, "raw:" + MARKER, "0x" + DIGITS)) {
          use(provider.openKey(Options.of("key", key)));
          said.append(KeyText.of(key)).append('\n');
        }
        said.append(provider).append(provider.suites()).append('\n');
      }
      logs.all().forEach(line -> said.append(line).append('\n'));
    }
    assertNothingTold();
  }

  @Test
  void keysInFilesAreNotTold() throws IOException {
    Path file = directory.resolve("my.key");
    try (Logs logs = new Logs()) {
      for (String content : List.of(MARKER + "\n", MARKER + "~", MARKER.substring(1))) {
        write(file, content);
        failing(() -> new AesProvider().openKey(Options.of("key", file.toString())));
      }
      for (String keep : List.of("false", "true")) {
        write(file, MARKER);
        use(new Sm4Provider().openKey(Options.of("key", file.toString(), "empty_key_file", keep)));
      }
      logs.all().forEach(line -> said.append(line).append('\n'));
    }
    assertNothingTold();
  }

  private static void write(Path file, String content) throws IOException {
    Files.writeString(file, content, StandardCharsets.US_ASCII);
    if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }
  }

  private void use(KeyWrapper wrapper) {
    byte[] wrapped = wrapper.wrap(BYTES, BYTES);
    failing(() -> wrapper.unwrap(wrapped, new byte[0]));
    failing(() -> wrapper.unwrap(BYTES, BYTES));
    said.append(wrapper).append(wrapper.place()).append(wrapper.suite()).append('\n');
    wrapper.confirm();
    wrapper.close();
    failing(() -> wrapper.wrap(BYTES, BYTES));
    said.append(wrapper).append('\n');
  }

  @Test
  void keysOfSuitesAreNotTold() {
    for (CipherSuite suite : List.of(AesSuites.proven().get(0), Sm4Suites.bouncyCastle())) {
      Aead aead = suite.aead(BYTES);
      failing(() -> suite.aead(Arrays.copyOf(BYTES, 17)));
      failing(() -> aead.seal(BYTES, BYTES, new byte[40], 0, 16));
      failing(() -> aead.seal(new byte[12], BYTES, new byte[16], 0, 16));
      aead.seal(new byte[12], BYTES, new byte[32], 0, 16);
      failing(() -> aead.seal(new byte[12], BYTES, new byte[32], 0, 16));
      said.append(suite).append(aead).append('\n');
      aead.close();
      failing(() -> aead.seal(new byte[12], BYTES, new byte[32], 0, 16));
    }
    assertNothingTold();
  }

  @Test
  void aKeyIsNeitherPrintedNorSerialized() throws IOException {
    AesKey key = new AesKey(BYTES);
    said.append(key);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      failing(() -> out.writeObject(key));
    }
    assertThat(said).contains(NotSerializableException.class.getName());
    said.append(bytes.toString(StandardCharsets.ISO_8859_1));
    assertNothingTold();
  }
}
