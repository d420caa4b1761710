package io.ledgerkeep.crypto.soft;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ch.qos.logback.classic.Level;
import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The life of a key file: written by the operator, read, proven, emptied. */
final class KeyFileTest {

  private static final byte[] KEY = random(1, 16);

  @TempDir private Path directory;
  private Path file;

  private static byte[] random(int seed, int size) {
    byte[] bytes = new byte[size];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  @BeforeEach
  void theOperatorWritesTheKey() throws IOException {
    file = directory.resolve("my.key");
    write(KEY);
  }

  private void write(byte[] content) throws IOException {
    Files.write(file, content);
    permit(file, "rw-------");
  }

  private static void permit(Path path, String permissions) throws IOException {
    if (isPosix(path)) {
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
    }
  }

  private static boolean isPosix(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("posix");
  }

  private static void assumePosix(Path path) {
    assumeTrue(isPosix(path), "not this system: files have no POSIX permissions");
  }

  private Options options() {
    return Options.of("key", file.toString());
  }

  private KeyWrapper open() {
    return new AesProvider().openKey(options());
  }

  private void assertRefused(String why) {
    assertThatThrownBy(this::open)
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(why);
  }

  private static void assertMissing(ThrowingCallable call, String why) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            KeyUnavailableException.class,
            e -> assertThat(e.reason()).isEqualTo(KeyUnavailableException.Reason.MISSING))
        .hasMessageContaining(why);
  }

  // ---- read

  @Test
  void theFileHoldsExactlyTheKey() {
    String hex = "hex:" + HexFormat.of().formatHex(KEY);
    try (KeyWrapper wrapper = open();
        KeyWrapper same = new AesProvider().openKey(Options.of("key", hex))) {
      byte[] wrapped = wrapper.wrap(random(2, 32), new byte[0]);
      assertThat(same.unwrap(wrapped, new byte[0])).isEqualTo(random(2, 32));
      assertThat(wrapper.place()).isEqualTo("key file " + file);
    }
  }

  @Test
  void aPathMaySayThatItIsOne() {
    try (KeyWrapper wrapper = new Sm4Provider().openKey(Options.of("key", "file:" + file))) {
      assertThat(wrapper.suite()).isEqualTo("SM4-GCM");
    }
  }

  @Test
  void anyBytesCanBeAKey() throws IOException {
    byte[] key = random(3, 24);
    key[0] = '0';
    key[1] = 'x';
    key[22] = '\r';
    key[23] = '\n';
    write(key);
    try (KeyWrapper wrapper = open()) {
      assertThat(wrapper.suite()).isEqualTo("AES-192-GCM");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"\n", "\r\n"})
  void oneMoreLineBreakIsRefusedWithAHint(String end) throws IOException {
    byte[] content = Arrays.copyOf(KEY, KEY.length + end.length());
    System.arraycopy(end.getBytes(US_ASCII), 0, content, KEY.length, end.length());
    write(content);
    assertRefused("bytes, but that in key file");
    assertRefused(" has " + content.length + "; it ends with a line break");
    assertThat(file).hasBinaryContent(content);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 15, 17, 18, 31, 33, 34, 100_000})
  void anotherLengthIsRefusedWithoutOne(int size) throws IOException {
    write(new byte[size]);
    assertThatThrownBy(this::open)
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("16 or 24 or 32")
        .hasMessageEndingWith(" has " + size);
  }

  @Test
  void anEmptyFileSaysThatItWasEmptied() throws IOException {
    write(new byte[0]);
    assertMissing(this::open, "an earlier start emptied it");
  }

  @Test
  void aMissingFileIsAMissingKey() throws IOException {
    Files.delete(file);
    assertMissing(this::open, "there is no key file " + file);
    assertMissing(
        () -> new AesProvider().openKey(Options.of("key", file + "/deeper")), "there is no");
  }

  @Test
  void sampleKeysAreRefusedInFilesToo() throws IOException {
    write("1234567890123456".getBytes(US_ASCII));
    assertRefused("allow_sample_key");
    assertThat(file).hasContent("1234567890123456");
  }

  // ---- refused

  @ParameterizedTest
  @ValueSource(strings = {"rw-r-----", "rw----r--", "rw--w----", "rw-----w-", "rw------x"})
  void aFileThatIsOpenToOthersIsRefused(String permissions) throws IOException {
    assumePosix(file);
    permit(file, permissions);
    assertRefused("open to others");
    assertThat(file).hasBinaryContent(KEY);
  }

  @Test
  void aFileOfAnotherUserIsRefused() throws IOException {
    assumePosix(file);
    try {
      Files.setAttribute(file, "unix:uid", 65_534);
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      assumeTrue(false, "not this user: it takes root to give a file away");
    }
    assertRefused("belongs to ");
  }

  @Test
  void aDirectoryThatEverybodyWritesToIsRefused() throws IOException {
    assumePosix(file);
    permit(directory, "rwxrwxrwx");
    try {
      assertRefused("everybody can write");
    } finally {
      permit(directory, "rwx------");
    }
  }

  @Test
  void aLinkIsRefused() throws IOException {
    assumePosix(file);
    Path real = directory.resolve("real.key");
    Files.move(file, real);
    Files.createSymbolicLink(file, real);
    assertRefused("no regular file but a link");
    assertThat(real).hasBinaryContent(KEY);
  }

  @Test
  void aDirectoryIsRefused() throws IOException {
    Files.delete(file);
    Files.createDirectory(file);
    assertRefused("no regular file");
  }

  // ---- emptied

  @Test
  void theFileIsEmptiedWhenTheKeyIsConfirmedAndNotBefore() {
    try (Logs logs = new Logs();
        KeyWrapper wrapper = open()) {
      byte[] wrapped = wrapper.wrap(random(2, 32), new byte[0]);
      assertThat(file).hasBinaryContent(KEY);
      wrapper.confirm();
      assertThat(file).isEmptyFile();
      assertThat(wrapper.unwrap(wrapped, new byte[0])).isEqualTo(random(2, 32));
      wrapper.confirm();
      assertThat(logs.at(Level.INFO)).filteredOn(line -> line.contains("was emptied")).hasSize(1);
      assertThat(logs.at(Level.WARN)).isEmpty();
    }
    assertMissing(this::open, "an earlier start emptied it");
  }

  @Test
  void aFailureLeavesTheFileUntouched() {
    try (KeyWrapper wrapper = open()) {
      assertThatThrownBy(() -> wrapper.unwrap(new byte[81], new byte[0]))
          .isInstanceOf(KeyUnavailableException.class);
    }
    assertThat(file).hasBinaryContent(KEY);
  }

  @Test
  void theFileIsKeptWhereThatIsAskedFor() {
    Options keeping = options().with("empty_key_file", "false");
    try (Logs logs = new Logs();
        KeyWrapper wrapper = new AesProvider().openKey(keeping)) {
      wrapper.confirm();
      wrapper.confirm();
      assertThat(logs.at(Level.WARN)).singleElement().asString().contains("stays as it is");
    }
    assertThat(file).hasBinaryContent(KEY);
  }

  @Test
  void anotherKeyWrittenMeanwhileIsLeftAlone() throws IOException {
    for (byte[] other : new byte[][] {random(9, 16), random(9, 32), Arrays.copyOf(KEY, 17)}) {
      write(KEY);
      try (Logs logs = new Logs();
          KeyWrapper wrapper = open()) {
        write(other);
        wrapper.confirm();
        assertThat(logs.at(Level.WARN)).singleElement().asString().contains("another key");
      }
      assertThat(file).hasBinaryContent(other);
    }
  }

  @Test
  void twoThatReadTheFileMayBothConfirm() {
    try (Logs logs = new Logs();
        KeyWrapper first = open();
        KeyWrapper second = open()) {
      first.confirm();
      second.confirm();
      assertThat(logs.at(Level.WARN)).isEmpty();
    }
    assertThat(file).isEmptyFile();
  }

  @Test
  void aFileThatIsGoneNeedsNoEmptying() throws IOException {
    try (KeyWrapper wrapper = open()) {
      Files.delete(file);
      wrapper.confirm();
    }
    assertThat(file).doesNotExist();
  }

  @Test
  void aFileThatCannotBeEmptiedIsTold() throws IOException {
    assumePosix(file);
    try (KeyWrapper wrapper = open()) {
      Path real = directory.resolve("real.key");
      Files.move(file, real);
      Files.createSymbolicLink(file, real);
      assertThatThrownBy(wrapper::confirm)
          .isInstanceOf(KeyUnavailableException.class)
          .hasMessageContaining("still holds the key");
      assertThat(real).hasBinaryContent(KEY);

      Files.delete(file);
      Files.move(real, file);
      wrapper.confirm();
      assertThat(file).isEmptyFile();
    }
  }

  @Test
  void aKeyInTheConfigurationHasNothingToEmpty() {
    String key = "hex:" + HexFormat.of().formatHex(KEY);
    try (Logs logs = new Logs();
        KeyWrapper wrapper = new AesProvider().openKey(Options.of("key", key))) {
      wrapper.confirm();
      assertThat(logs.all()).isEmpty();
    }
  }
}
