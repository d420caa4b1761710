package io.ledgerkeep.core.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.sealing.SampleArchiveKeys;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.SampleChain;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An entry may end the archive at a height: what lies above counts no longer, and is kept. */
final class ManifestEndTest {

  private static final Bytes LEDGER = SampleArchive.ledgerId(7);
  private static final List<Block> BLOCKS = SampleChain.ofSeed(1).blocks(40).toList();

  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final ArchiveNames names = SampleArchive.write(store, LEDGER, BLOCKS.subList(0, 30), 10);

  private Manifest open() {
    return Manifest.open(store, names).orElseThrow();
  }

  private LedgerArchive archive() {
    return LedgerArchive.of(store, open(), Runnable::run);
  }

  private static Bytes hash(long height) {
    return BLOCKS.get((int) height).hash();
  }

  private void end(long height) {
    open().end(height, hash(height), Optional.empty());
  }

  private static void assertClean(Archive archive) {
    for (Level level : List.of(Level.STRUCTURE, Level.BYTES, Level.CONTENT)) {
      assertThat(archive.verify(Verification.Request.of(level)).findings()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 5, 9, 10, 19, 20, 28})
  void whatLiesAboveIsRetiredAndAnswersNothing(long height) {
    List<Archive.Segment> before = open().segments();
    end(height);
    LedgerArchive archive = archive();
    assertThat(archive.lastHeight()).isEqualTo(height);
    assertThat(archive.segments()).hasSize((int) height / 10 + 1);
    assertThat(archive.retiredSegments())
        .isEqualTo(before.subList((int) height / 10 + 1, before.size()));
    for (Block block : BLOCKS.subList(0, 30)) {
      boolean counts = block.height() <= height;
      assertThat(archive.block(block.height()).isPresent()).isEqualTo(counts);
      assertThat(archive.blockByHash(block.hash()).isPresent()).isEqualTo(counts);
      for (Transaction transaction : block.transactions()) {
        assertThat(archive.transaction(transaction.id()).isPresent()).isEqualTo(counts);
        assertThat(archive.rwSet(transaction.id()).isPresent()).isEqualTo(counts);
      }
    }
    assertThat(archive.verify(Verification.Request.of(Level.CONTENT)).blocks())
        .isEqualTo(height + 1);
    assertClean(archive);
  }

  @Test
  void theNextSegmentFollowsWhereItEnds() {
    end(13);
    SampleArchive.goOn(store, names, BLOCKS.subList(14, 25), ArchiveKeys.NONE);
    LedgerArchive archive = archive();
    assertThat(archive.segments())
        .extracting(Archive.Segment::lastHeight)
        .containsExactly(9L, 13L, 24L);
    assertClean(archive);
    end(20);
    end(11);
    assertThat(archive().retiredSegments())
        .extracting(Archive.Segment::firstHeight)
        .containsExactly(20L, 14L);
    assertThat(archive().lastHeight()).isEqualTo(11);
    assertClean(archive());
  }

  @Test
  void aSegmentThatDoesNotFollowThereIsRefused() {
    end(13);
    List<Block> others = SampleChain.ofSeed(2).blocks(30).toList();
    for (List<Block> wrong : List.of(BLOCKS.subList(20, 30), others.subList(14, 20))) {
      assertThatThrownBy(() -> SampleArchive.goOn(store, names, wrong, ArchiveKeys.NONE))
          .isInstanceOf(Exception.class);
      assertThat(open().lastHeight()).isEqualTo(13);
    }
  }

  @Test
  void anEndIsBelowTheLastHeightAndAtABlockThatIsThere() {
    for (long height : new long[] {29, 30, -1}) {
      assertThatThrownBy(() -> open().end(height, hash(Math.max(0, height)), Optional.empty()))
          .isInstanceOf(IntegrityException.class)
          .hasMessageContaining("does not reach beyond");
    }
    assertThatThrownBy(() -> open().end(19, hash(18), Optional.empty()))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("a block that it does not have");
    assertThat(open().lastHeight()).isEqualTo(29);
  }

  /** Within a segment only its blocks tell. */
  @Test
  void anEndAtAnotherBlockIsFoundByVerifying() {
    open().end(15, hash(14), Optional.empty());
    assertThat(archive().verify(Verification.Request.of(Level.CONTENT)).findings())
        .singleElement()
        .asString()
        .contains("does not have the block that the archive was ended at, 15");
  }

  @Test
  void whatIsRetiredIsNotListedAgain() {
    LedgerArchive archive = archive();
    Archive.Segment last = archive.segments().get(2);
    var summary = archive.reader(last).summary();
    end(19);
    assertThatThrownBy(() -> open().add(summary, last.name()))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("listed before");
  }

  @Test
  void aSegmentThatReachesBeyondIsReplacedAndEndsWhereItDid() {
    end(13);
    SampleArchive.goOn(store, names, BLOCKS.subList(14, 25), ArchiveKeys.NONE);
    SampleArchive.replace(store, names, 110, BLOCKS.subList(10, 20), ArchiveKeys.NONE);
    assertThat(archive().segments().get(1).lastHeight()).isEqualTo(13);
    assertThat(archive().blockByHash(hash(15)).orElseThrow().height()).isEqualTo(15);
    assertClean(archive());
  }

  @Test
  void anEntryIsWrittenInThisForm() {
    end(13);
    assertThat(store.get(names.entry(4), 0, (int) store.size(names.entry(4)).orElseThrow()).utf8())
        .matches(
            "\\{\"format\":1,\"sequence\":4,\"previous\":\"[0-9a-f]{64}\",\"operation\":\"end\","
                + "\"chainId\":\"chain1\",\"genesis\":\"[0-9a-f]+\",\"ledger\":\"[0-9a-f]{32}\","
                + "\"digest\":\"sha256\",\"lastHeight\":13,\"lastHash\":\"%s\"}"
                    .formatted(hash(13).hex()));
  }

  @Test
  void anEndIsAuthenticatedLikeEveryEntry() {
    ArchiveKeys keys = SampleArchiveKeys.keys(LEDGER, 1);
    InMemoryArchiveStore secret = new InMemoryArchiveStore();
    ArchiveNames of = SampleArchive.write(secret, LEDGER, BLOCKS.subList(0, 30), 10, keys);
    Manifest.open(secret, of, keys).orElseThrow().end(13, hash(13), keys.newest());
    assertThat(Manifest.open(secret, of, keys).orElseThrow().lastHeight()).isEqualTo(13);
    assertThatThrownBy(
            () -> Manifest.open(secret, of, keys).orElseThrow().end(3, hash(3), Optional.empty()))
        .isInstanceOf(IntegrityException.class);
    String name = of.entry(4);
    byte[] bytes = secret.get(name, 0, (int) secret.size(name).orElseThrow()).toArray();
    int at = new String(bytes, java.nio.charset.StandardCharsets.UTF_8).indexOf(":13,");
    bytes[at + 2] = '4';
    secret.replace(name, Bytes.wrap(bytes));
    assertThatThrownBy(() -> Manifest.open(secret, of, keys))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("does not fit its mac");
  }

  // ------------------------------------------------------------------------------------ begin

  @Test
  void anArchiveMayBeginAboveTheGenesisBlock() {
    InMemoryArchiveStore backup = new InMemoryArchiveStore();
    ArchiveNames of = new ArchiveNames(hash(0), LEDGER);
    Manifest.createFrom(20, hash(19), backup, of, "chain1", Digests.SHA256, ArchiveKeys.NONE);
    assertThat(backup.get(of.entry(0), 0, (int) backup.size(of.entry(0)).orElseThrow()).utf8())
        .endsWith(
            ",\"digest\":\"sha256\",\"firstHeight\":20,\"previousHash\":\"%s\"}"
                .formatted(hash(19).hex()));
    for (List<Block> wrong : List.of(BLOCKS.subList(0, 10), BLOCKS.subList(21, 30))) {
      assertThatThrownBy(() -> SampleArchive.goOn(backup, of, wrong, ArchiveKeys.NONE))
          .isInstanceOf(IntegrityException.class);
    }
    List<Block> others = SampleChain.ofSeed(2).blocks(30).toList();
    InMemoryArchiveStore another = backup.copy();
    assertThatThrownBy(
            () -> SampleArchive.goOn(another, of, others.subList(20, 30), ArchiveKeys.NONE))
        .isInstanceOf(IntegrityException.class);
    SampleArchive.goOn(backup, of, BLOCKS.subList(20, 30), ArchiveKeys.NONE);
    SampleArchive.goOn(backup, of, BLOCKS.subList(30, 40), ArchiveKeys.NONE);
    LedgerArchive archive =
        LedgerArchive.of(backup, Manifest.open(backup, of).orElseThrow(), Runnable::run);
    assertThat(archive.firstHeight()).isEqualTo(20);
    assertThat(archive.lastHeight()).isEqualTo(39);
    assertThat(archive.block(19)).isEmpty();
    assertThat(archive.block(20)).contains(BLOCKS.get(20));
    assertClean(archive);
  }
}
