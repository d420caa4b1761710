package io.ledgerkeep.core.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.sealing.ArchiveKey;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.sealing.KeyObject;
import io.ledgerkeep.core.sealing.SampleArchiveKeys;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class KeyObjectsTest {

  private static final Bytes LEDGER = SampleArchive.ledgerId(7);
  private static final ArchiveNames NAMES = new ArchiveNames(Bytes.ofUtf8("genesis"), LEDGER);
  private static final String ONE = "hex:" + "01".repeat(31) + "ff";
  private static final String TWO = "hex:" + "02".repeat(31) + "ff";
  private static final String SM4 = "hex:" + "03".repeat(15) + "ff";

  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final KeyObjects objects = new KeyObjects(store, NAMES);
  private final ArchiveKey key = SampleArchiveKeys.key(LEDGER, 1, SampleArchiveKeys.AES_256, 1);

  private String give(ArchiveKey to, String provider, String master) {
    return give(SampleArchiveKeys.held(to, provider, master));
  }

  private String give(KeyObject held) {
    store.put(NAMES.key(held), KeyObjects.encode(held)::writeTo);
    return NAMES.key(held);
  }

  private ArchiveKeys open(String provider, String master) {
    try (KeyWrapper wrapper = SampleArchiveKeys.wrapper(provider, master)) {
      return objects.open(wrapper, SampleArchiveKeys.atHand());
    }
  }

  private void assertOpens(String provider, String master, ArchiveKey... expected) {
    try (ArchiveKeys opened = open(provider, master)) {
      assertThat(opened.all()).hasSize(expected.length);
      for (ArchiveKey one : expected) {
        assertThat(opened.required(one.number(), "it").mac(LEDGER)).isEqualTo(one.mac(LEDGER));
      }
    }
  }

  private void assertWrong(String provider, String master) {
    assertThatThrownBy(() -> open(provider, master))
        .isInstanceOfSatisfying(
            KeyUnavailableException.class, e -> assertThat(e.reason()).isEqualTo(Reason.WRONG))
        .hasMessageContaining(store.place());
  }

  @Test
  void anObjectIsWhatThePageSays() {
    KeyObject held = SampleArchiveKeys.held(key, "aes", ONE);
    String holder = held.holder().hex();
    assertThat(give(held)).isEqualTo(NAMES.prefix() + "keys/00000001-" + holder + ".json");
    assertThat(store.get(NAMES.key(held), 0, 4096).utf8())
        .isEqualTo(
            "{\"format\":1,\"key\":1,\"suite\":\"AES-256-GCM\",\"holder\":\"%s\",\"name\":\"somebody\",\"wrapped\":\"%s\",\"salt\":\"%s\",\"root\":\"%s\"}"
                .formatted(holder, held.wrapped().hex(), held.salt().hex(), held.root().hex()));
    assertOpens("aes", ONE, key);
  }

  /** It has neither checksum nor code; who has the key knows what must be there. */
  @Test
  void anObjectThatIsNotAsItWasWrittenIsFoundAndReplaced() {
    ArchiveKeys keys = SampleArchiveKeys.keys(List.of(key));
    objects.reconcile(keys);
    assertThat(objects.findings(Set.of(1), keys)).isEmpty();
    String name = NAMES.key(keys.objects().get(0));
    String sound = store.get(name, 0, 4096).utf8();
    String end = sound.endsWith("0\"}") ? "1\"}" : "0\"}";
    Bytes changed = Bytes.ofUtf8(sound.substring(0, sound.length() - 3) + end);
    for (Bytes wrong : List.of(changed, Bytes.ofUtf8("{}"), Bytes.wrap(new byte[5000]))) {
      store.delete(name);
      store.put(name, wrong::writeTo);
      assertThat(objects.findings(Set.of(1), keys)).isNotEmpty();
      objects.reconcile(keys);
      assertThat(objects.findings(Set.of(1), keys)).isEmpty();
      assertThat(store.get(name, 0, 4096).utf8()).isEqualTo(sound);
    }
  }

  @Test
  void everyHolderOpensTheKeyAndNobodyElseDoes() {
    give(key, "aes", ONE);
    assertWrong("aes", TWO);
    String second = give(key, "aes", TWO);
    give(key, "sm4", SM4);
    assertOpens("aes", ONE, key);
    assertOpens("aes", TWO, key);
    assertOpens("sm4", SM4, key);
    store.remove(second);
    assertWrong("aes", TWO);
    assertOpens("aes", ONE, key);
  }

  @Test
  void aHolderOpensEveryKeyItHas() {
    ArchiveKey next = SampleArchiveKeys.key(LEDGER, 2, "SM4-GCM", 2);
    give(key, "aes", ONE);
    give(next, "aes", ONE);
    give(next, "aes", TWO);
    assertOpens("aes", ONE, key, next);
    assertOpens("aes", TWO, next);
  }

  @Test
  void aDamagedObjectIsPassedOverAndFoundByAnybody() {
    String damaged = give(key, "aes", ONE);
    give(key, "aes", ONE);
    long bits = 8 * store.size(damaged).orElseThrow();
    assertThat(objects.findings(Set.of(1), ArchiveKeys.NONE)).isEmpty();
    for (long bit = 0; bit < bits; bit += 7) {
      store.flipBit(damaged, bit);
      assertOpens("aes", ONE, key);
      store.flipBit(damaged, bit);
    }
    store.truncate(damaged, 40);
    assertThat(objects.findings(Set.of(1), ArchiveKeys.NONE))
        .hasSize(1)
        .allMatch(text -> text.contains(damaged));
    assertThat(objects.findings(Set.of(1, 2), ArchiveKeys.NONE))
        .hasSize(2)
        .anyMatch(text -> text.contains("archive key 2"));
  }

  @Test
  void noByteOfAnObjectCanBeChanged() {
    String only = give(key, "aes", ONE);
    long bits = 8 * store.size(only).orElseThrow();
    for (long bit = 0; bit < bits; bit++) {
      store.flipBit(only, bit);
      assertThatThrownBy(() -> open("aes", ONE))
          .as("bit %s", bit)
          .isInstanceOf(LedgerkeepException.class);
      store.flipBit(only, bit);
    }
    Bytes bytes = store.get(only, 0, 4096);
    for (String other :
        List.of(
            bytes.utf8().replace("AES-256-GCM", "AES-128-GCM"),
            bytes.utf8().replace("\"key\":1", "\"key\":2"),
            bytes.utf8().replace(",", ", "),
            bytes.utf8().replace("}", ",\"more\":1}"))) {
      store.replace(only, Bytes.ofUtf8(other));
      assertThatThrownBy(() -> open("aes", ONE)).as(other).isInstanceOf(LedgerkeepException.class);
    }
  }

  @Test
  void aKeyIsNotMovedToAnotherNumberSuiteHolderOrLedger() {
    KeyObject held = SampleArchiveKeys.held(key, "aes", ONE);
    KeyObject others = SampleArchiveKeys.held(key, "aes", TWO);
    for (KeyObject moved :
        List.of(
            new KeyObject(
                2,
                held.suite(),
                held.device(),
                held.holder(),
                held.name(),
                held.wrapped(),
                held.salt(),
                held.root()),
            new KeyObject(
                1,
                "AES-128-GCM",
                held.device(),
                held.holder(),
                held.name(),
                held.wrapped(),
                held.salt(),
                held.root()),
            new KeyObject(
                1,
                held.suite(),
                held.device(),
                held.holder(),
                "another",
                held.wrapped(),
                held.salt(),
                held.root()),
            new KeyObject(
                1,
                held.suite(),
                held.device(),
                held.holder(),
                held.name(),
                held.wrapped(),
                others.salt(),
                held.root()),
            new KeyObject(
                1,
                held.suite(),
                held.device(),
                held.holder(),
                held.name(),
                held.wrapped(),
                held.salt(),
                others.root()))) {
      String name = give(moved);
      assertThatThrownBy(() -> open("aes", ONE)).isInstanceOf(IntegrityException.class);
      store.remove(name);
    }
    String name =
        give(
            new KeyObject(
                1,
                held.suite(),
                held.device(),
                others.holder(),
                held.name(),
                held.wrapped(),
                held.salt(),
                held.root()));
    assertWrong("aes", ONE);
    store.remove(name);
    ArchiveNames other = new ArchiveNames(NAMES.genesisHash(), SampleArchive.ledgerId(8));
    store.put(other.key(held), KeyObjects.encode(held)::writeTo);
    try (KeyWrapper wrapper = SampleArchiveKeys.wrapper("aes", ONE)) {
      assertThatThrownBy(
              () -> new KeyObjects(store, other).open(wrapper, SampleArchiveKeys.atHand()))
          .isInstanceOf(KeyUnavailableException.class);
    }
  }

  @Test
  void whatIsThereIsNotWrittenAgain() {
    ArchiveKeys keys = SampleArchiveKeys.keys(List.of(key));
    objects.reconcile(keys);
    Bytes first = store.get(NAMES.key(keys.objects().get(0)), 0, 4096);
    objects.reconcile(keys);
    assertThat(store.list("")).containsExactly(NAMES.key(keys.objects().get(0)));
    assertThat(store.get(NAMES.key(keys.objects().get(0)), 0, 4096)).isEqualTo(first);
  }
}
