package io.ledgerkeep.core.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.sealing.SampleArchiveKeys;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.SampleChain;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class SealedManifestTest {

  private static final Bytes LEDGER = SampleArchive.ledgerId(7);
  private static final List<Block> BLOCKS = SampleChain.ofSeed(1).blocks(30).toList();
  private static final String MAC = ",\"mac\":\"[0-9a-f]{64}\"";
  private static final String SEAL = ",\"key\":1" + MAC;

  private final ArchiveKeys keys = SampleArchiveKeys.keys(LEDGER, 1);
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final ArchiveNames names = SampleArchive.write(store, LEDGER, BLOCKS, 10, keys);

  private Manifest open(InMemoryArchiveStore from, ArchiveKeys with) {
    return Manifest.open(from, names, with).orElseThrow();
  }

  private String entry(long sequence) {
    return store.get(names.entry(sequence), 0, 4096).utf8();
  }

  @Test
  void everyEntryEndsWithTheNumberOfItsKeyAndACode() {
    Manifest manifest = open(store, keys);
    assertThat(manifest.isSealed()).isTrue();
    assertThat(manifest.lastHeight()).isEqualTo(29);
    assertThat(manifest.head().sequence()).isEqualTo(3);
    for (int sequence = 0; sequence <= 3; sequence++) {
      assertThat(entry(sequence)).matches("\\{.*[^}]" + SEAL + "}");
    }
    LedgerArchive archive = LedgerArchive.of(store, manifest, Runnable::run);
    for (Level level : List.of(Level.STRUCTURE, Level.BYTES, Level.CONTENT)) {
      assertThat(archive.verify(Verification.Request.of(level)).findings()).isEmpty();
    }
    for (Block block : BLOCKS) {
      assertThat(archive.block(block.height())).contains(block);
    }
  }

  @Test
  void aCodeIsOverEverythingBeforeIt() {
    String entry = entry(2);
    String before = entry.substring(0, entry.indexOf(",\"mac\""));
    String code = keys.newest().orElseThrow().mac(Bytes.ofUtf8(before)).hex();
    assertThat(entry).isEqualTo(before + ",\"mac\":\"" + code + "\"}");
  }

  @Test
  void everyByteOfEveryEntryIsProvenEvenIfThoseAfterItAreMadeToFit() {
    for (int sequence = 0; sequence <= 3; sequence++) {
      byte[] bytes = Bytes.ofUtf8(entry(sequence)).toArray();
      for (int at = 0; at < bytes.length; at++) {
        for (int bit : new int[] {0, 5}) {
          byte[] changed = bytes.clone();
          changed[at] ^= (byte) (1 << bit);
          List<Bytes> entries = entries();
          entries.set(sequence, Bytes.wrap(changed));
          assertRefused(chained(entries, sequence + 1));
        }
      }
    }
    assertThat(open(chained(entries(), 0), keys).lastHeight()).isEqualTo(29);
  }

  @Test
  void anEntryIsNotLeftOutNorPutElsewhere() {
    for (int missing = 0; missing < 3; missing++) {
      List<Bytes> entries = entries();
      entries.remove(missing);
      assertRefused(stored(entries));
      assertRefused(chained(entries, missing));
    }
    List<Bytes> doubled = entries();
    doubled.add(2, doubled.get(2));
    assertRefused(stored(doubled));
    assertRefused(chained(doubled, 3));
  }

  @Test
  void entriesOfAnArchiveUnderAnotherKeyAreRefused() {
    InMemoryArchiveStore other = new InMemoryArchiveStore();
    SampleArchive.write(other, LEDGER, BLOCKS, 10, SampleArchiveKeys.keys(LEDGER, 2));
    List<Bytes> entries = entries();
    entries.set(3, other.get(names.entry(3), 0, 4096));
    assertRefused(stored(entries));
    assertRefused(chained(entries, 3));
    assertRefused(other);
  }

  @Test
  void entriesInPlainAreRefusedByWhoHasAKey() {
    for (int sequence = 0; sequence <= 3; sequence++) {
      List<Bytes> entries = entries();
      entries.set(sequence, Bytes.ofUtf8(entries.get(sequence).utf8().replaceAll(SEAL, "")));
      InMemoryArchiveStore mixed = chained(entries, sequence + 1);
      assertRefused(mixed);
      assertThatThrownBy(() -> open(mixed, ArchiveKeys.NONE))
          .as("noticed without a key, too")
          .isInstanceOf(IntegrityException.class);
    }
    InMemoryArchiveStore plain = new InMemoryArchiveStore();
    SampleArchive.write(plain, LEDGER, BLOCKS, 10);
    assertThatThrownBy(() -> open(plain, keys))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("in plain");
  }

  @Test
  void onlyEntriesInTheOneFormAreAccepted() {
    String whole = entry(3);
    String code = whole.substring(whole.length() - 66, whole.length() - 2);
    for (String other :
        List.of(
            whole.replaceAll(MAC, ""),
            whole.replace("\"key\":1,", ""),
            whole.replace("\"key\":1", "\"key\":01"),
            whole.replace("\"key\":1", "\"key\":\"1\""),
            whole.replace("\"key\":1", "\"key\":0"),
            whole.replace("\"key\":1", "\"key\":-1"),
            whole.replace("\"key\":1", "\"key\":4294967297"),
            whole.replace(code, code.toUpperCase(Locale.ROOT)),
            whole.replace(code, code.substring(2)),
            whole.replace(code, code + "00"),
            whole.replace(code, ""))) {
      List<Bytes> entries = entries();
      entries.set(3, Bytes.ofUtf8(other));
      assertThatThrownBy(() -> open(stored(entries), keys))
          .as(other)
          .isInstanceOf(IntegrityException.class);
    }
  }

  @Test
  void aKeyThatIsNotThereIsNamed() {
    ArchiveKeys others =
        ArchiveKeys.of(List.of(SampleArchiveKeys.key(LEDGER, 2, SampleArchiveKeys.AES_256, 1)));
    assertThatThrownBy(() -> open(store, others))
        .isInstanceOfSatisfying(
            KeyUnavailableException.class, e -> assertThat(e.reason()).isEqualTo(Reason.MISSING))
        .hasMessageContaining("archive key 1");
  }

  @Test
  void anArchiveOfSeveralKeysIsReadWithAllOfThem() {
    ArchiveKeys both =
        SampleArchiveKeys.grown(keys, SampleArchiveKeys.key(LEDGER, 2, "SM4-GCM", 5));
    InMemoryArchiveStore grown = new InMemoryArchiveStore();
    SampleArchive.write(grown, LEDGER, BLOCKS.subList(0, 20), 10, keys);
    SampleArchive.goOn(grown, names, BLOCKS.subList(20, 30), both);
    LedgerArchive archive = LedgerArchive.of(grown, open(grown, both), Runnable::run);
    assertThat(archive.manifest().sealedUnder()).containsExactlyInAnyOrder(1, 2);
    assertThat(archive.verify(Verification.Request.of(Level.CONTENT)).findings()).isEmpty();
    assertThat(archive.block(25)).contains(BLOCKS.get(25));
    assertThat(archive.block(5)).contains(BLOCKS.get(5));
  }

  @Test
  void withoutAKeyItIsListedAndItsBytesAreChecked() {
    LedgerArchive archive = LedgerArchive.of(store, open(store, ArchiveKeys.NONE), Runnable::run);
    assertThat(archive.segments()).isEqualTo(open(store, keys).segments());
    for (Level level : List.of(Level.STRUCTURE, Level.BYTES)) {
      assertThat(archive.verify(Verification.Request.of(level)).findings()).isEmpty();
    }
    for (Level level : List.of(Level.CONTENT, Level.LEDGER)) {
      assertThatThrownBy(
              () -> archive.verify(Verification.Request.of(level), height -> Optional.empty()))
          .isInstanceOfSatisfying(
              KeyUnavailableException.class, e -> assertThat(e.reason()).isEqualTo(Reason.MISSING))
          .hasMessageContaining(store.place());
    }
    assertThatThrownBy(() -> archive.block(3))
        .isInstanceOfSatisfying(
            KeyUnavailableException.class, e -> assertThat(e.reason()).isEqualTo(Reason.MISSING))
        .hasMessageContaining(store.place());
  }

  @Test
  void aSegmentInPlainInASealedArchiveIsRefused() {
    InMemoryArchiveStore plain = new InMemoryArchiveStore();
    SampleArchive.write(plain, LEDGER, BLOCKS, 10);
    Archive.Segment segment = open(store, keys).segments().get(1);
    InMemoryArchiveStore mixed = store.copy();
    mixed.replace(
        segment.name(),
        plain.get(segment.name(), 0, (int) plain.size(segment.name()).orElseThrow()));
    for (ArchiveKeys with : List.of(keys, ArchiveKeys.NONE)) {
      LedgerArchive archive = LedgerArchive.of(mixed, open(mixed, with), Runnable::run);
      assertThatThrownBy(() -> archive.block(segment.firstHeight()))
          .isInstanceOf(IntegrityException.class);
      assertThat(archive.verify(Verification.Request.of(Level.STRUCTURE)).findings()).isNotEmpty();
    }
  }

  @Test
  void segmentsInPlainBelowEntriesThatClaimToBeSealedAreNotReadWithoutAKey() {
    InMemoryArchiveStore plain = new InMemoryArchiveStore();
    SampleArchive.write(plain, LEDGER, BLOCKS, 10);
    List<Bytes> entries = new ArrayList<>();
    for (int sequence = 0; sequence <= 3; sequence++) {
      String entry = plain.get(names.entry(sequence), 0, 4096).utf8();
      String claim = ",\"key\":1,\"mac\":\"" + "00".repeat(32) + "\"}";
      entries.add(Bytes.ofUtf8(entry.substring(0, entry.length() - 1) + claim));
    }
    InMemoryArchiveStore claiming = chained(entries, 0);
    for (Archive.Segment segment : open(plain, ArchiveKeys.NONE).segments()) {
      int size = (int) plain.size(segment.name()).orElseThrow();
      claiming.replace(segment.name(), plain.get(segment.name(), 0, size));
    }
    LedgerArchive archive =
        LedgerArchive.of(claiming, open(claiming, ArchiveKeys.NONE), Runnable::run);
    assertThat(archive.manifest().isSealed()).isTrue();
    assertThatThrownBy(() -> archive.block(3)).isInstanceOf(IntegrityException.class);
  }

  private List<Bytes> entries() {
    List<Bytes> entries = new ArrayList<>();
    for (int sequence = 0; sequence <= 3; sequence++) {
      entries.add(Bytes.ofUtf8(entry(sequence)));
    }
    return entries;
  }

  /** Returns the archive with these entries instead of its own. */
  private InMemoryArchiveStore stored(List<Bytes> entries) {
    InMemoryArchiveStore other = store.copy();
    for (int sequence = 0; sequence <= 3; sequence++) {
      other.remove(names.entry(sequence));
    }
    for (int sequence = 0; sequence < entries.size(); sequence++) {
      other.put(names.entry(sequence), entries.get(sequence)::writeTo);
    }
    return other;
  }

  /** The same, after somebody without the key made numbers and digests fit from an entry on. */
  private InMemoryArchiveStore chained(List<Bytes> entries, int from) {
    List<Bytes> fitting = new ArrayList<>(entries);
    for (int i = from; i < fitting.size(); i++) {
      String previous =
          i == 0
              ? ""
              : Bytes.wrap(Digests.SHA256.newDigest().digest(fitting.get(i - 1).toArray())).hex();
      fitting.set(
          i,
          Bytes.ofUtf8(
              fitting
                  .get(i)
                  .utf8()
                  .replaceAll("\"sequence\":\\d+", "\"sequence\":" + i)
                  .replaceAll("\"previous\":\"[0-9a-f]*\"", "\"previous\":\"" + previous + "\"")));
    }
    return stored(fitting);
  }

  private void assertRefused(InMemoryArchiveStore forged) {
    try {
      Manifest manifest = open(forged, keys);
      assertThat(manifest.head()).as("a forged manifest was taken").isNull();
    } catch (LedgerkeepException expected) {
      assertThat(expected).hasMessageContaining("manifest");
    }
  }
}
