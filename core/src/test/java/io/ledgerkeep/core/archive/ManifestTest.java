package io.ledgerkeep.core.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.segment.SegmentCache;
import io.ledgerkeep.core.segment.SegmentReader;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.UnsupportedFormatException;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.SampleChain;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ManifestTest {

  private static final Bytes LEDGER = SampleArchive.ledgerId(7);
  private static final List<Block> BLOCKS = SampleChain.ofSeed(1).blocks(30).toList();

  private final InMemoryArchiveStore store = new InMemoryArchiveStore();

  private Manifest open(ArchiveNames names) {
    return Manifest.open(store, names).orElseThrow();
  }

  @Test
  void whereThereIsNoneItSaysSo() {
    assertThat(Manifest.open(store, new ArchiveNames(Bytes.ofUtf8("g"), LEDGER))).isEmpty();
  }

  @Test
  void whatWasAddedIsThereWhenItIsOpenedAgain() {
    ArchiveNames names = SampleArchive.write(store, LEDGER, BLOCKS, 10);
    Manifest manifest = open(names);

    assertThat(manifest.chainId()).isEqualTo("chain1");
    assertThat(manifest.digests()).isEqualTo(Digests.SHA256);
    assertThat(manifest.lastHeight()).isEqualTo(29);
    assertThat(manifest.head().sequence()).isEqualTo(3);
    assertThat(manifest.holds(3, manifest.head().digest())).isTrue();
    assertThat(manifest.holds(2, manifest.head().digest())).isFalse();
    assertThat(manifest.holds(4, manifest.head().digest())).isFalse();
    List<Archive.Segment> segments = manifest.segments();
    assertThat(segments).extracting(Archive.Segment::firstHeight).containsExactly(0L, 10L, 20L);
    for (int height = 0; height < 30; height++) {
      assertThat(manifest.segmentAt(height)).contains(segments.get(height / 10));
    }
    assertThat(manifest.segmentAt(30)).isEmpty();
    assertThat(manifest.segmentAt(-1)).isEmpty();
    assertThatThrownBy(() -> manifest.requiredSegmentAt(30))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("29");
  }

  @Test
  void everyByteOfEveryEntryMatters() {
    ArchiveNames names = SampleArchive.write(store, LEDGER, BLOCKS, 15);
    LedgerArchive whole = LedgerArchive.of(store, open(names), Runnable::run);
    for (long entry = 0; entry <= 2; entry++) {
      String name = names.entry(entry);
      long bytes = store.size(name).orElseThrow();
      for (long at = 0; at < bytes; at++) {
        // The bit that makes a letter large or small, and another one.
        for (long bit : List.of(5L, at % 5)) {
          store.flipBit(name, at * 8 + bit);
          assertThat(isAccepted(store, names, whole)).as("%s, byte %d", name, at).isFalse();
          store.flipBit(name, at * 8 + bit);
        }
      }
    }
  }

  /** Opens the manifest and every segment; what is found must be what the whole archive has. */
  private static boolean isAccepted(
      InMemoryArchiveStore store, ArchiveNames names, LedgerArchive whole) {
    try {
      Manifest manifest = Manifest.open(store, names).orElseThrow();
      LedgerArchive archive = LedgerArchive.of(store, manifest, Runnable::run);
      archive.segments().forEach(archive::reader);
      return manifest.holds(whole.manifest().head().sequence(), whole.manifest().head().digest());
    } catch (LedgerkeepException expected) {
      return false;
    }
  }

  @Test
  void aMissingEntryIsNoticed() {
    ArchiveNames names = SampleArchive.write(store, LEDGER, BLOCKS, 10);
    for (int missing = 0; missing < 3; missing++) {
      InMemoryArchiveStore other = store.copy();
      other.remove(names.entry(missing));
      assertThatThrownBy(() -> Manifest.open(other, names)).isInstanceOf(IntegrityException.class);
    }
    InMemoryArchiveStore older = store.copy();
    older.remove(names.entry(3));
    Manifest.Head head = open(names).head();
    assertThat(Manifest.open(older, names).orElseThrow().holds(head.sequence(), head.digest()))
        .as("an older archive is whole, but lacks the newest entry")
        .isFalse();
  }

  @Test
  void anEntryThatWasReplacedIsNoticedByThoseAlreadyReading() {
    ArchiveNames names = SampleArchive.write(store, LEDGER, BLOCKS, 10);
    Manifest reading = open(names);
    reading.requireUnchanged();
    store.remove(names.entry(3));
    assertThatThrownBy(reading::requireUnchanged)
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining(names.entry(3));
  }

  @Test
  void entriesOfAnotherLedgerAreRefused() {
    ArchiveNames names = SampleArchive.write(store, LEDGER, BLOCKS, 30);
    ArchiveNames others = SampleArchive.write(store, SampleArchive.ledgerId(8), BLOCKS, 30);
    Bytes foreign = store.get(others.entry(0), 0, 4096);
    store.replace(names.entry(0), foreign);
    assertThatThrownBy(() -> Manifest.open(store, names))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("another");
  }

  @Test
  void aNewerFormatIsRefusedByName() {
    ArchiveNames names = SampleArchive.write(store, LEDGER, BLOCKS, 30);
    String entry = store.get(names.entry(0), 0, 4096).utf8();
    store.replace(names.entry(0), Bytes.ofUtf8(entry.replace("\"format\":1", "\"format\":2")));
    assertThatThrownBy(() -> Manifest.open(store, names))
        .isInstanceOf(UnsupportedFormatException.class)
        .hasMessageContaining("format 2");
  }

  @Test
  void onlyEntriesInTheOneFormAreAccepted() {
    ArchiveNames names = SampleArchive.write(store, LEDGER, BLOCKS, 30);
    String entry = store.get(names.entry(1), 0, 4096).utf8();
    for (String other :
        List.of(
            "",
            "{}",
            "[]",
            entry + " ",
            entry + "{}",
            entry.replace(",", ", "),
            entry.replace("}", ",\"more\":1}"),
            entry.replace("\"operation\":\"add\"", "\"operation\":\"create\""),
            entry.replace("\"firstHeight\":0", "\"firstHeight\":\"0\""),
            entry.replace("\"firstHeight\":0", "\"firstHeight\":[0]"),
            entry.replace("\"firstHeight\":0,", ""),
            entry.replace("\"firstHeight\":0", "\"firstHeight\":-1"),
            " ".repeat(5000))) {
      InMemoryArchiveStore damaged = store.copy();
      damaged.replace(names.entry(1), Bytes.ofUtf8(other));
      assertThatThrownBy(() -> Manifest.open(damaged, names))
          .as(other)
          .isInstanceOf(IntegrityException.class);
    }
  }

  @Test
  void aSegmentThatDoesNotFollowIsNotListed() {
    ArchiveNames names = SampleArchive.write(store, LEDGER, BLOCKS.subList(0, 10), 10);
    List<Block> others = SampleChain.ofSeed(1).branch(5, 9).blocks(30).toList();
    InMemoryArchiveStore elsewhere = new InMemoryArchiveStore();
    ArchiveNames otherNames = SampleArchive.write(elsewhere, LEDGER, others, 10);
    Archive.Segment second = Manifest.open(elsewhere, otherNames).orElseThrow().segments().get(1);
    SegmentReader branch = SegmentReader.open(elsewhere, second.name(), new SegmentCache(1 << 20));

    Manifest manifest = open(names);
    assertThatThrownBy(() -> manifest.add(branch.summary(), second.name()))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("link");
    assertThat(open(names).lastHeight()).isEqualTo(9);
  }

  @Test
  void ofTwoWritersOneWinsTheNumber() {
    ArchiveNames names = SampleArchive.write(store, LEDGER, BLOCKS.subList(0, 10), 10);
    InMemoryArchiveStore elsewhere = new InMemoryArchiveStore();
    SampleArchive.write(elsewhere, LEDGER, BLOCKS.subList(0, 20), 10);
    Archive.Segment second = Manifest.open(elsewhere, names).orElseThrow().segments().get(1);
    var summary = SegmentReader.open(elsewhere, second.name(), new SegmentCache(1 << 20)).summary();
    Manifest one = open(names);
    Manifest other = open(names);

    one.add(summary, second.name());
    assertThatThrownBy(() -> other.add(summary, second.name()))
        .isInstanceOf(ConflictException.class);
    assertThat(open(names).lastHeight()).isEqualTo(19);
  }
}
