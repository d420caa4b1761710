package io.ledgerkeep.core.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.sealing.SampleArchiveKeys;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.SampleChain;
import java.util.List;
import org.junit.jupiter.api.Test;

/** An entry may list a segment in the place of one that has the same blocks. */
final class ManifestReplaceTest {

  private static final Bytes LEDGER = SampleArchive.ledgerId(7);
  private static final List<Block> BLOCKS = SampleChain.ofSeed(1).blocks(40).toList();

  private final ArchiveKeys keys = SampleArchiveKeys.keys(LEDGER, 1);
  private final ArchiveKeys grown =
      SampleArchiveKeys.grown(keys, SampleArchiveKeys.key(LEDGER, 2, "SM4-GCM", 5));
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final ArchiveNames names =
      SampleArchive.write(store, LEDGER, BLOCKS.subList(0, 30), 10, keys);

  private Manifest open(ArchiveKeys with) {
    return Manifest.open(store, names, with).orElseThrow();
  }

  private LedgerArchive archive(ArchiveKeys with) {
    return LedgerArchive.of(store, open(with), Runnable::run);
  }

  private Manifest replace(int first) {
    return SampleArchive.replace(
        store, names, 100 + first, BLOCKS.subList(first, first + 10), grown);
  }

  private static void assertClean(Archive archive) {
    for (Level level : List.of(Level.STRUCTURE, Level.BYTES, Level.CONTENT)) {
      assertThat(archive.verify(Verification.Request.of(level)).findings()).isEmpty();
    }
  }

  @Test
  void aReplacementHasThePlaceOfWhatItReplaces() {
    Archive.Segment old = open(keys).segments().get(1);
    replace(10);
    store.delete(old.name());
    assertThat(store.get(names.entry(4), 0, 4096).utf8())
        .contains("\"operation\":\"replace\"", "\"firstHeight\":10,\"lastHeight\":19", "\"key\":2");
    LedgerArchive archive = archive(grown);
    assertThat(archive.segments()).hasSize(3).doesNotContain(old);
    assertThat(archive.manifest().replaced()).containsExactly(old.name());
    assertClean(archive);
    for (Block block : BLOCKS.subList(0, 30)) {
      assertThat(archive.block(block.height())).contains(block);
    }
  }

  @Test
  void whatFollowsAReplacementNamesTheDigestThatWasThereFirst() {
    replace(20);
    replace(10);
    SampleArchive.goOn(store, names, BLOCKS.subList(30, 40), grown);
    assertClean(archive(grown));
    SampleArchive.replace(store, names, 200, BLOCKS.subList(20, 30), grown);
    LedgerArchive archive = archive(grown);
    assertThat(archive.manifest().replaced()).hasSize(3);
    assertClean(archive);
  }

  @Test
  void aReplacementThatNamesAnotherSegmentBeforeIsFound() {
    Bytes current = replace(0).segments().get(0).digest();
    SampleArchive.replace(store, names, 110, BLOCKS.subList(10, 20), current, grown);
    assertThat(archive(grown).verify(Verification.Request.of(Level.STRUCTURE)).findings())
        .hasSize(1)
        .allMatch(finding -> finding.contains("does not name the digest of the one before"));
  }

  @Test
  void aReplacementWithOtherBlocksIsRefused() {
    List<Block> others = SampleChain.ofSeed(2).blocks(30).toList();
    List<List<Block>> wrong =
        List.of(
            BLOCKS.subList(10, 19),
            BLOCKS.subList(10, 21),
            BLOCKS.subList(10, 11),
            others.subList(10, 20));
    for (List<Block> blocks : wrong) {
      assertThatThrownBy(
              () -> SampleArchive.replace(store, names, 300 + blocks.size(), blocks, grown))
          .isInstanceOf(IntegrityException.class)
          .hasMessageContaining("does not have the blocks of the one it replaces");
      store.delete(names.segment(10, SampleArchive.ledgerId(300 + blocks.size())));
    }
    assertThat(store.size(names.entry(4))).isEmpty();
    assertClean(archive(grown));
  }

  /** Its object may be gone, or be on its way. */
  @Test
  void aSegmentThatWasReplacedIsNotListedAgain() {
    Archive.Segment old = open(keys).segments().get(1);
    replace(10);
    Manifest manifest = open(grown);
    LedgerArchive archive = LedgerArchive.of(store, manifest, Runnable::run);
    var summary = archive.openUnlisted(old.name()).summary();
    assertThatThrownBy(() -> manifest.replace(summary, old.name()))
        .isInstanceOf(IntegrityException.class);
    var current = archive.reader(manifest.segments().get(1)).summary();
    assertThatThrownBy(() -> manifest.replace(current, manifest.segments().get(1).name()))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("listed before");
  }

  @Test
  void anEntryUnderAnOlderKeyThanOneBeforeItIsRefused() {
    replace(10);
    List<Block> next = BLOCKS.subList(30, 40);
    assertThatThrownBy(() -> SampleArchive.goOn(store, names, next, keys))
        .isInstanceOf(KeyUnavailableException.class);
    Manifest manifest = open(grown);
    LedgerArchive archive = LedgerArchive.of(store, manifest, Runnable::run);
    var underOldKey = archive.reader(manifest.segments().get(0)).summary();
    assertThatThrownBy(() -> manifest.replace(underOldKey, manifest.segments().get(0).name()))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContainingAll("archive key 1", "archive key 2");
  }

  @Test
  void whoHasTheNewestKeyOnlyReadsWhatIsUnderItAndIsToldWhichOneIsMissing() {
    replace(10);
    ArchiveKeys newest = ArchiveKeys.of(List.of(grown.newest().orElseThrow()));
    LedgerArchive archive = archive(newest);
    assertThat(archive.segments()).isEqualTo(open(grown).segments());
    assertThat(archive.block(15)).contains(BLOCKS.get(15));
    assertThatThrownBy(() -> archive.block(5))
        .isInstanceOf(KeyUnavailableException.class)
        .hasMessageContaining("archive key 1");
    assertThatThrownBy(() -> open(keys))
        .as("the old key proves nothing of what is newest")
        .isInstanceOf(KeyUnavailableException.class)
        .hasMessageContaining("archive key 2");
  }

  @Test
  void readersFollowAReplacementThatAnotherProcessMade() {
    LedgerArchive before = archive(grown);
    LedgerArchive listed = archive(ArchiveKeys.NONE);
    LedgerArchive old = archive(keys);
    assertThat(before.block(15)).contains(BLOCKS.get(15));
    String name = before.segments().get(1).name();
    replace(10);
    store.delete(name);
    assertThat(before.block(15)).contains(BLOCKS.get(15));
    assertThat(before.blockByHash(BLOCKS.get(15).hash())).contains(BLOCKS.get(15));
    assertClean(before);
    assertThat(listed.verify(Verification.Request.of(Level.BYTES)).findings()).isEmpty();
    assertThat(listed.manifest().head()).isEqualTo(before.manifest().head());
    assertThatThrownBy(() -> old.block(15))
        .isInstanceOf(KeyUnavailableException.class)
        .hasMessageContainingAll("archive key 2", "older than the archive");
    assertThat(old.block(5)).contains(BLOCKS.get(5));
    store.delete(before.segments().get(1).name());
    assertThatThrownBy(() -> archive(grown).block(15)).isInstanceOf(IntegrityException.class);
  }

  @Test
  void objectsOfHoldersWhomTheLedgerDoesNotKnowAreFound() {
    LedgerArchive archive = archive(keys);
    assertThat(archive.keyFindings()).isEmpty();
    var strange = SampleArchiveKeys.held(keys.all().get(0), "aes", "hex:" + "07".repeat(31) + "08");
    store.put(names.key(strange), KeyObjects.encode(strange)::writeTo);
    assertThat(archive.keyFindings())
        .hasSize(1)
        .allMatch(finding -> finding.contains(names.key(strange)))
        .allMatch(finding -> finding.contains("does not know"));
    assertThat(archive(ArchiveKeys.of(keys.all())).keyFindings())
        .as("who has a key only knows no holders")
        .isEmpty();
  }
}
