package io.ledgerkeep.core.sealing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.archive.ArchiveNames;
import io.ledgerkeep.core.archive.KeyObjects;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who holds the keys of an archive is said by the registry; the archive follows it. */
final class HoldersTest {

  private static final ArchiveNames NAMES = new ArchiveNames(Bytes.ofUtf8("genesis"), Keys.LEDGER);

  @TempDir Path directory;

  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final KeyObjects objects = new KeyObjects(store, NAMES);
  private Keyring keyring;

  @BeforeEach
  void make() {
    reopen();
    objects.reconcile(keyring.archiveKeys());
  }

  private void reopen() {
    keyring = Keys.keyring(directory, "aes", Keys.AES);
  }

  @AfterEach
  void close() {
    keyring.close();
  }

  private LedgerKeys.Holder add(String name, String provider, String master) {
    try (KeyWrapper wrapper = Keys.wrapper(provider, master)) {
      return keyring.addHolder(name, wrapper, Set.of());
    }
  }

  private static Bytes id(LedgerKeys.Holder holder) {
    return Bytes.fromHex(holder.id());
  }

  /** Returns the numbers of the keys that the master key opens, which are the registry's. */
  private List<Integer> opened(String provider, String master) {
    try (KeyWrapper wrapper = Keys.wrapper(provider, master);
        ArchiveKeys keys = objects.open(wrapper, Keys.suites())) {
      for (ArchiveKey key : keys.all()) {
        assertThat(key.mac(Keys.LEDGER))
            .isEqualTo(keyring.archiveKeys().required(key.number(), "it").mac(Keys.LEDGER));
      }
      return keys.all().stream().map(ArchiveKey::number).toList();
    }
  }

  private void assertOpensNothing(String provider, String master) {
    assertThatThrownBy(() -> opened(provider, master)).isInstanceOf(KeyUnavailableException.class);
  }

  @Test
  void aHolderIsGivenEveryKeyThereIsAndEveryKeyToCome() {
    keyring.rotate("SM4-GCM");
    add("auditor", "sm4", Keys.SM4);
    assertOpensNothing("sm4", Keys.SM4);
    objects.reconcile(keyring.archiveKeys());
    assertThat(opened("sm4", Keys.SM4)).containsExactly(1, 2);
    keyring.rotate("AES-256-GCM");
    objects.reconcile(keyring.archiveKeys());
    assertThat(opened("sm4", Keys.SM4)).containsExactly(1, 2, 3);
    assertThat(opened("aes", Keys.AES)).containsExactly(1, 2, 3);
  }

  @Test
  void aNewKeyIsSeenAtOnceByWhoeverHasTheKeys() {
    ArchiveKeys keys = keyring.archiveKeys();
    assertThat(keys.newest().orElseThrow().number()).isEqualTo(1);
    keyring.rotate("SM4-GCM");
    assertThat(keyring.shownArchiveKeys())
        .hasSize(2)
        .contains(new LedgerKeys.ArchiveKey(2, "SM4-GCM", false));
    assertThat(keys.newest().orElseThrow().number()).isEqualTo(2);
  }

  @Test
  void theObjectsFollowFromTheRegistryByteForByte() {
    add("auditor", "sm4", Keys.SM4);
    keyring.rotate("SM4-GCM");
    List<KeyObject> before = keyring.objects();
    assertThat(before).hasSize(4);
    keyring.close();
    reopen();
    assertThat(keyring.objects()).isEqualTo(before);
  }

  @Test
  void everythingIsThereAgainWhenTheRegistryIsOpenedAgain() {
    LedgerKeys.Holder auditor = add("auditor", "sm4", Keys.SM4);
    LedgerKeys.Holder other = add("other", "aes", Keys.OTHER_AES);
    keyring.dropHolder(id(other));
    keyring.rotate("SM4-GCM");
    keyring.markExposed();
    List<LedgerKeys.Holder> holders = keyring.holders();
    keyring.close();
    reopen();
    assertThat(keyring.holders()).isEqualTo(holders).hasSize(2).contains(auditor);
    assertThat(holders.get(0).own()).isTrue();
    assertThat(holders.get(1))
        .isEqualTo(new LedgerKeys.Holder(auditor.id(), "auditor", "SM4-GCM", false));
    assertThat(keyring.retired()).containsExactly(id(other));
    assertThat(keyring.shownArchiveKeys())
        .extracting(LedgerKeys.ArchiveKey::exposed)
        .containsExactly(true, true, false);
  }

  @Test
  void whoIsDroppedOpensNothingAndItsObjectsGo() {
    LedgerKeys.Holder auditor = add("auditor", "sm4", Keys.SM4);
    keyring.rotate("SM4-GCM");
    objects.reconcile(keyring.archiveKeys());
    keyring.dropHolder(id(auditor));
    Set<Bytes> gone = objects.reconcile(keyring.archiveKeys());
    assertThat(gone).containsExactly(id(auditor));
    assertOpensNothing("sm4", Keys.SM4);
    assertThat(opened("aes", Keys.AES)).containsExactly(1, 2);
    assertThat(store.list("")).hasSize(2);
    keyring.forgetRetired(gone);
    assertThat(keyring.retired()).isEmpty();
  }

  @Test
  void theObjectOfAHolderThatNobodyKnowsIsLeftAlone() {
    KeyObject strange = SampleArchiveKeys.held(keyring.archiveKeys().all().get(0), "aes", Keys.AES);
    String name = NAMES.prefix() + "keys/00000001-" + strange.holder().hex() + ".json";
    store.put(name, out -> out.write(1));
    objects.reconcile(keyring.archiveKeys());
    assertThat(store.size(name)).isPresent();
  }

  @Test
  void theLedgerItselfIsNotDropped() {
    Bytes own = id(keyring.holders().get(0));
    assertThatThrownBy(() -> keyring.dropHolder(own)).isInstanceOf(ConflictException.class);
    assertThatThrownBy(() -> keyring.dropHolder(Bytes.wrap(new byte[16])))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(own.hex());
    assertThat(keyring.holders()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "  ", "own", "two\nlines", "\uD800"})
  void aNameIsPrintableAndNoOthers(String name) {
    assertThatThrownBy(() -> add(name, "sm4", Keys.SM4)).isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> add("n".repeat(65), "sm4", Keys.SM4))
        .isInstanceOf(ConfigurationException.class);
    assertThat(keyring.holders()).hasSize(1);
  }

  @Test
  void theLedgersNextMasterKeyTakesThePlaceOfTheOneBefore() {
    Bytes before = id(keyring.holders().get(0));
    try (KeyWrapper wrapper = Keys.wrapper("aes", Keys.OTHER_AES)) {
      keyring.rewrap(wrapper, Optional.of("AES-256-GCM"), Set.of(), room -> {});
    }
    assertThat(keyring.holders()).hasSize(1);
    assertThat(keyring.retired()).containsExactly(before);
    objects.reconcile(keyring.archiveKeys());
    assertThat(opened("aes", Keys.OTHER_AES)).containsExactly(1, 2);
    assertOpensNothing("aes", Keys.AES);
  }

  /** A file that is kept and cannot be removed; the ledger stays under the key it is under. */
  @Test
  void whereOlderKeysCannotBeRemovedTheMasterKeyStays() throws IOException {
    Files.createDirectories(directory.resolve("KEYS.replaced").resolve("full"));
    keyring.rotate("SM4-GCM");
    keyring.disable(1);
    try (KeyWrapper wrapper = Keys.wrapper("aes", Keys.OTHER_AES)) {
      assertThatThrownBy(() -> keyring.rewrap(wrapper, Optional.empty(), Set.of(), room -> {}))
          .isInstanceOf(StorageException.class);
    }
    assertThatThrownBy(() -> keyring.destroy(1)).isInstanceOf(StorageException.class);
    keyring.close();
    reopen();
    keyring.enable(1);
  }

  @Test
  void whereOneOfTheTwoFilesCannotBeWrittenTheOtherIsAsBefore() throws IOException {
    Path inTheWay = directory.resolve("KEYS.copy.new");
    Files.createDirectories(inTheWay);
    try (KeyWrapper wrapper = Keys.wrapper("aes", Keys.OTHER_AES)) {
      assertThatThrownBy(() -> keyring.rewrap(wrapper, Optional.empty(), Set.of(), room -> {}))
          .isInstanceOf(StorageException.class);
    }
    keyring.close();
    Files.delete(inTheWay);
    assertThatThrownBy(() -> Keys.keyring(directory, "aes", Keys.OTHER_AES))
        .isInstanceOf(KeyUnavailableException.class);
    reopen();
    assertThat(directory.resolve("KEYS"))
        .hasBinaryContent(Files.readAllBytes(directory.resolve("KEYS.copy")));
  }

  @Test
  void whatCannotBeSavedHasNotHappened() throws IOException {
    LedgerKeys.Holder auditor = add("auditor", "sm4", Keys.SM4);
    List<LedgerKeys.Holder> holders = keyring.holders();
    List<KeyObject> expected = keyring.objects();
    Path elsewhere = directory.resolveSibling(directory.getFileName() + "-away");
    Files.move(directory, elsewhere);
    try {
      List<Runnable> changes =
          List.of(
              () -> add("third", "aes", Keys.OTHER_AES),
              () -> keyring.dropHolder(id(auditor)),
              () -> keyring.rotate("SM4-GCM"));
      for (Runnable change : changes) {
        assertThatThrownBy(change::run).isInstanceOf(StorageException.class);
        assertThat(keyring.holders()).isEqualTo(holders);
        assertThat(keyring.objects()).isEqualTo(expected);
        assertThat(keyring.retired()).isEmpty();
        assertThat(keyring.archiveKeys().all()).hasSize(1);
      }
    } finally {
      Files.move(elsewhere, directory);
    }
    objects.reconcile(keyring.archiveKeys());
    assertThat(opened("sm4", Keys.SM4)).containsExactly(1);
  }

  @Test
  void nothingIsMadeOfSecretsThatWereWiped() {
    keyring.close();
    assertThatThrownBy(keyring::objects).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> objects.reconcile(keyring.archiveKeys()))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> keyring.rotate("SM4-GCM")).isInstanceOf(IllegalStateException.class);
  }

  /** Two ledgers that go on from one copy of a directory number their keys alike. */
  @Test
  void keysMadeFromOneCopyOfARegistryAreNotSealedAlike() throws IOException {
    byte[] copy = Files.readAllBytes(directory.resolve("KEYS"));
    keyring.rotate("AES-256-GCM");
    KeyObject one = keyring.objects().get(1);
    keyring.close();
    for (String name : List.of("KEYS", "KEYS.copy")) {
      Files.write(directory.resolve(name), copy);
    }
    reopen();
    keyring.rotate("AES-256-GCM");
    KeyObject other = keyring.objects().get(1);
    assertThat(other.number()).isEqualTo(one.number());
    assertThat(other.holder()).isEqualTo(one.holder());
    assertThat(other.salt()).isNotEqualTo(one.salt());
  }

  /** The sealed root, by the words of docs/format.md. */
  @Test
  void anObjectIsSealedAsThePageSays() {
    KeyObject object = keyring.objects().get(0);
    try (KeyWrapper wrapper = Keys.wrapper("aes", Keys.AES)) {
      Bytes context = concat("ledgerkeep archive holder 1", Keys.LEDGER, object.holder());
      byte[] secret = wrapper.unwrap(object.wrapped().toArray(), context.toArray());
      var suite = Keys.suites().named(object.suite());
      Bytes info =
          concat(
              "ledgerkeep archive key 1",
              Bytes.fromHex("00000103"),
              Keys.LEDGER,
              Bytes.fromHex("00000001"),
              object.holder(),
              Bytes.fromHex("03"),
              Bytes.ofUtf8("own"));
      byte[] key = suite.derive(secret, object.salt().toArray(), info.toArray(), 32);
      byte[] root = new byte[32];
      try (var aead = suite.aead(key)) {
        assertThat(aead.open(new byte[12], new byte[0], object.root().toArray(), 0, 48, root, 0))
            .isTrue();
      }
      ArchiveKey opened = new ArchiveKey(Keys.LEDGER, 1, suite, new Secret(root));
      assertThat(opened.mac(Keys.LEDGER))
          .isEqualTo(keyring.archiveKeys().all().get(0).mac(Keys.LEDGER));
    }
  }

  private static Bytes concat(String label, Bytes... parts) {
    var out = new io.ledgerkeep.core.codec.ByteWriter(160).raw(Bytes.ofUtf8(label));
    for (Bytes part : parts) {
      out.raw(part);
    }
    return out.take();
  }

  @Test
  void noSecretIsShown() {
    add("auditor", "sm4", Keys.SM4);
    String shown = keyring.holders().toString() + keyring.archiveKeys() + keyring.objects().get(0);
    assertThat(shown).doesNotContain(keyring.objects().get(0).root().hex());
    assertThat(shown).contains("auditor");
    assertThatThrownBy(() -> keyring.dropHolder(Bytes.EMPTY))
        .isInstanceOf(LedgerkeepException.class);
  }
}
