package io.ledgerkeep.core.sealing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.Encryptor.Context;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The registry lies in two files, either of which suffices, and is changed by nobody else. */
final class KeyringTest {

  private static final Context CONTEXT =
      new Context(new UUID(1, 2), "state", Bytes.ofUtf8("a key"));
  private static final Bytes VALUE = Bytes.ofUtf8("a value");

  @TempDir Path directory;

  private Bytes sealedValue = Bytes.EMPTY;

  /** A registry with two epochs, and a value of the newest one. */
  @BeforeEach
  void makeRegistry() {
    sealAnother();
    sealAnother();
  }

  private void sealAnother() {
    try (EpochEncryptor encryptor = open()) {
      sealedValue = encryptor.seal(CONTEXT, VALUE);
    }
  }

  private EpochEncryptor open() {
    return new EpochEncryptor(Keys.keyring(directory, "aes", Keys.AES));
  }

  private void assertOpens() {
    try (EpochEncryptor encryptor = open()) {
      assertThat(encryptor.open(CONTEXT, sealedValue)).isEqualTo(VALUE);
    }
  }

  private Path file(String name) {
    return directory.resolve(name);
  }

  private static String twinOf(String name) {
    return name.equals("KEYS") ? "KEYS.copy" : "KEYS";
  }

  @ParameterizedTest
  @ValueSource(strings = {"KEYS", "KEYS.copy"})
  void anyByteOfOneFileMayBeChanged(String name) throws IOException {
    byte[] sound = Files.readAllBytes(file(name));
    for (int at = 0; at < sound.length; at++) {
      byte[] changed = sound.clone();
      changed[at] ^= (byte) (1 << (at % 8));
      Files.write(file(name), changed);
      assertOpens();
      assertThat(file(name)).as("byte %s, put right", at).hasBinaryContent(sound);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"KEYS", "KEYS.copy"})
  void oneFileMayBeCutAnywhereOrMissing(String name) throws IOException {
    byte[] sound = Files.readAllBytes(file(name));
    for (int length = 0; length < sound.length; length++) {
      Files.write(file(name), Bytes.wrap(sound, 0, length).toArray());
      assertOpens();
      assertThat(file(name)).as("cut at %s, put right", length).hasBinaryContent(sound);
    }
    Files.delete(file(name));
    assertOpens();
    assertThat(file(name)).hasBinaryContent(sound);
  }

  @Test
  void whereBothAreDamagedItIsRefused() throws IOException {
    byte[] sound = Files.readAllBytes(file("KEYS"));
    for (int at = 0; at < sound.length; at++) {
      byte[] changed = sound.clone();
      changed[at] ^= 0x10;
      Files.write(file("KEYS"), changed);
      Files.write(file("KEYS.copy"), changed);
      assertThatThrownBy(this::open).as("byte %s", at).isInstanceOf(IntegrityException.class);
      assertThat(file("KEYS")).hasBinaryContent(changed);
    }
    for (int length = 0; length < sound.length; length++) {
      byte[] cut = Bytes.wrap(sound, 0, length).toArray();
      Files.write(file("KEYS"), cut);
      Files.write(file("KEYS.copy"), cut);
      assertThatThrownBy(this::open).as("cut at %s", length).isInstanceOf(IntegrityException.class);
    }
  }

  /** An attacker can make the checksum fit; the seal does not. */
  @Test
  void aChangeWithAChecksumThatFitsIsRefused() throws IOException {
    RegistryFile sound = RegistryFile.read(file("KEYS"));
    List<RegistryFile> changed =
        List.of(
            withSuite(sound, 577),
            withSuite(sound, 0x0201),
            RegistryFile.foreign(sound.ledgerId(), sound.chainId()),
            with(
                sound,
                sound.chainId() + "x",
                sound.generation(),
                sound.wrappedRoot(),
                sound.body()),
            with(sound, sound.chainId(), sound.generation() + 1, sound.wrappedRoot(), sound.body()),
            with(
                sound,
                sound.chainId(),
                sound.generation(),
                flipped(sound.wrappedRoot()),
                sound.body()),
            with(
                sound,
                sound.chainId(),
                sound.generation(),
                sound.wrappedRoot(),
                flipped(sound.body())),
            with(sound, sound.chainId(), sound.generation(), sound.wrappedRoot(), Bytes.EMPTY));
    for (RegistryFile file : changed) {
      file.write(directory);
      assertThatThrownBy(this::open).isInstanceOf(LedgerkeepException.class);
      file.writeTo(file("KEYS"));
      sound.writeTo(file("KEYS.copy"));
      assertOpens();
    }
  }

  private static RegistryFile withSuite(RegistryFile file, int suite) {
    return new RegistryFile(
        file.kind(),
        file.ledgerId(),
        file.chainId(),
        suite,
        file.generation() + 1,
        file.wrappedRoot(),
        file.salt(),
        file.commitment(),
        file.body());
  }

  private static RegistryFile with(
      RegistryFile file, String chainId, long generation, Bytes wrappedRoot, Bytes body) {
    return new RegistryFile(
        file.kind(),
        file.ledgerId(),
        chainId,
        file.suite(),
        generation,
        wrappedRoot,
        file.salt(),
        file.commitment(),
        body);
  }

  private static Bytes flipped(Bytes bytes) {
    byte[] changed = bytes.toArray();
    changed[changed.length / 2] ^= 1;
    return Bytes.wrap(changed);
  }

  @Test
  void aFileThatCannotBeReplacedIsNoFailure() throws IOException {
    Files.delete(file("KEYS"));
    Files.createDirectories(file("KEYS").resolve("in-the-way"));
    assertOpens();
  }

  @Test
  void whatWasDamagedIsKeptBesideWhatReplacesIt() throws IOException {
    byte[] damaged = Files.readAllBytes(file("KEYS"));
    damaged[3] ^= 1;
    Files.write(file("KEYS"), damaged);
    assertOpens();
    assertThat(file("KEYS.replaced")).hasBinaryContent(damaged);
  }

  @Test
  void aFileOfANewerReleaseIsLeftAlone() throws IOException {
    byte[] newer = Files.readAllBytes(file("KEYS"));
    newer[8] = 2;
    int checksum =
        com.google.common.hash.Hashing.crc32c().hashBytes(newer, 0, newer.length - 4).asInt();
    java.nio.ByteBuffer.wrap(newer).putInt(newer.length - 4, checksum);
    Files.write(file("KEYS"), newer);
    assertThatThrownBy(this::open).isInstanceOf(UnsupportedFormatException.class);
    assertThat(file("KEYS")).hasBinaryContent(newer);
  }

  /** As a crash between the two leaves it. */
  @Test
  void theNewerFileCounts() throws IOException {
    byte[] older = Files.readAllBytes(file("KEYS"));
    sealAnother();
    byte[] newer = Files.readAllBytes(file("KEYS"));
    for (String name : new String[] {"KEYS", "KEYS.copy"}) {
      Files.write(file(name), older);
      Files.write(file(twinOf(name)), newer);
      assertOpens();
      assertThat(file(name)).hasBinaryContent(newer);
    }
  }

  @Test
  void anotherKeyIsRefusedAndChangesNothing() throws IOException {
    byte[] before = Files.readAllBytes(file("KEYS"));
    for (String key : List.of(Keys.OTHER_AES, "hex:00000000000000000000000000000000")) {
      assertThatExceptionOfType(KeyUnavailableException.class)
          .isThrownBy(() -> Keys.keyring(directory, "aes", key))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.WRONG))
          .withMessageContaining(Keys.LEDGER.hex());
    }
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(() -> Keys.keyring(directory, "sm4", Keys.SM4));
    assertThat(file("KEYS")).hasBinaryContent(before);
    assertThat(file("KEYS.copy")).hasBinaryContent(before);
    assertOpens();
  }

  @Test
  void theRegistryOfAnotherLedgerDoesNotServe() throws IOException {
    Path other = directory.resolve("other");
    Files.createDirectories(other);
    try (KeyWrapper wrapper = Keys.wrapper("aes", Keys.AES)) {
      Keyring.create(
          other,
          Bytes.fromHex("ffffffffffffffffffffffffffffffff"),
          "chain1",
          wrapper,
          Keys.suites(),
          java.time.Clock.systemUTC(),
          List.of());
    }
    Files.copy(
        other.resolve("KEYS"), file("KEYS"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    Files.copy(
        other.resolve("KEYS"),
        file("KEYS.copy"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    try (EpochEncryptor encryptor = open()) {
      assertThatThrownBy(() -> encryptor.open(CONTEXT, sealedValue))
          .isInstanceOf(IntegrityException.class);
    }
  }

  @Test
  void theHeadIsReadWithoutAKeyAndTellsNoSecret() throws IOException {
    Keyring.Head head = Keyring.head(directory).orElseThrow();
    assertThat(head.ledgerId()).isEqualTo(Keys.LEDGER);
    assertThat(head.chainId()).isEqualTo("chain1");
    assertThat(head.foreign()).isFalse();
    assertThat(Keyring.head(directory.resolve("nowhere"))).isEmpty();
  }

  @Test
  void noKeyIsPrinted() {
    try (Keyring keyring = Keys.keyring(directory, "aes", Keys.AES)) {
      assertThat(keyring.toString()).doesNotContain(Keys.AES.substring(4));
    }
    assertThat(
            new DataKey(
                1,
                Keys.suites().named("SM4-GCM"),
                LedgerKeys.State.ACTIVE,
                false,
                0,
                Secret.random()))
        .hasToString("data key 1 (SM4-GCM, ACTIVE)");
    assertThat(Secret.random()).hasToString("secret");
  }

  @Test
  void aSecretIsWipedWhenItIsClosed() {
    Secret secret = Secret.random();
    assertThat(secret.bytes()).isNotEqualTo(new byte[Secret.BYTES]);
    secret.close();
    assertThat(secret.bytes()).isEqualTo(new byte[Secret.BYTES]);
  }

  @Test
  void afterClosingNothingIsServed() {
    EpochEncryptor encryptor = open();
    encryptor.close();
    encryptor.close();
    assertThatThrownBy(() -> encryptor.open(CONTEXT, sealedValue))
        .isInstanceOf(IllegalStateException.class);
  }
}
