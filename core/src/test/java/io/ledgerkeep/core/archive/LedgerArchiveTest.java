package io.ledgerkeep.core.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.Progress;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.SampleChain;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class LedgerArchiveTest {

  private static final SampleChain CHAIN = SampleChain.builder().transactionsPerBlock(5).build();
  private static final List<Block> BLOCKS = CHAIN.blocks(50).toList();
  private static final LongFunction<Optional<BlockMeta>> RECORDED =
      height -> height < BLOCKS.size() ? Optional.of(meta((int) height)) : Optional.empty();

  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final ArchiveNames names =
      SampleArchive.write(store, SampleArchive.ledgerId(1), BLOCKS, 20);

  private static BlockMeta meta(int height) {
    StoredBlock stored = StoredBlock.of(BLOCKS.get(height));
    return BlockDigests.of(stored, Digests.SHA256.newDigest()).meta(stored);
  }

  private LedgerArchive open() {
    return LedgerArchive.of(store, Manifest.open(store, names).orElseThrow(), Runnable::run);
  }

  @Test
  void everythingIsFoundWithoutTheNode() {
    try (LedgerArchive archive = open()) {
      assertThat(archive.chainId()).isEqualTo("chain1");
      assertThat(archive.ledgerId()).isEqualTo(names.ledgerId().hex());
      assertThat(archive.genesisHash()).isEqualTo(BLOCKS.get(0).hash());
      assertThat(archive.lastHeight()).isEqualTo(49);
      assertThat(archive.segments())
          .extracting(Archive.Segment::blocks)
          .containsExactly(20L, 20L, 10L);
      for (Block block : BLOCKS) {
        assertThat(archive.block(block.height())).contains(block);
        assertThat(archive.blockByHash(block.hash())).contains(block);
        for (int i = 0; i < block.transactions().size(); i++) {
          String id = block.transactions().get(i).id();
          assertThat(archive.transaction(id)).contains(block.transactions().get(i));
          assertThat(archive.rwSet(id)).contains(block.rwSets().get(i));
        }
      }
      assertThat(archive.block(50)).isEmpty();
      assertThat(archive.block(-1)).isEmpty();
      assertThat(archive.blockByHash(Bytes.ofUtf8("unknown"))).isEmpty();
      assertThat(archive.transaction("unknown")).isEmpty();
      assertThat(archive.rwSet("unknown")).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(Level.class)
  void aWholeArchivePassesEveryLevel(Level level) {
    List<Progress> progress = new ArrayList<>();
    Verification result =
        open()
            .verify(
                Verification.Request.of(level).with(JobControl.none().onProgress(progress::add)),
                RECORDED);
    assertThat(result.findings()).isEmpty();
    assertThat(result.ok()).isTrue();
    assertThat(result.cancelled()).isFalse();
    assertThat(result.segments()).isEqualTo(3);
    assertThat(result.blocks()).isEqualTo(50);
    assertThat(progress.get(progress.size() - 1).doneBlocks()).isEqualTo(50);
  }

  @Test
  void aVerifierProvesAnArchiveToo() {
    LedgerArchive archive = open();
    Verification.Request request = Verification.Request.of(Level.LEDGER);
    assertThat(archive.verify(request.with(SampleChain.verifier())).ok()).isTrue();
    assertThat(
            archive
                .verify(
                    request.with(
                        block -> {
                          if (block.height() % 10 == 4) {
                            throw new IntegrityException("rule broken by " + block.height());
                          }
                        }))
                .findings())
        .containsExactly(
            "rule broken by 4",
            "rule broken by 14",
            "rule broken by 24",
            "rule broken by 34",
            "rule broken by 44");
    assertThatThrownBy(() -> archive.verify(request))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("verifier");
  }

  @Test
  void whatTheLedgerDidNotCommitIsNamedBlockByBlock() {
    LongFunction<Optional<BlockMeta>> other =
        height ->
            switch ((int) height) {
              case 7 -> Optional.of(meta(8));
              case 30 -> Optional.empty();
              default -> RECORDED.apply(height);
            };
    assertThat(open().verify(Verification.Request.of(Level.LEDGER), other).findings())
        .hasSize(2)
        .anyMatch(finding -> finding.contains("block 7 ") && finding.contains("committed"))
        .anyMatch(
            finding -> finding.contains("block 30 ") && finding.contains("not in the ledger"));
  }

  @Test
  void damageIsFoundFromTheLevelOnThatLooksAtIt() {
    LedgerArchive archive = open();
    String segment = archive.segments().get(1).name();
    store.flipBit(segment, 300 * 8);
    assertThat(findings(Level.STRUCTURE)).isEmpty();
    for (Level level : List.of(Level.BYTES, Level.CONTENT, Level.LEDGER)) {
      assertThat(findings(level)).hasSize(1).allMatch(f -> f.contains(segment));
    }
    assertThatThrownBy(() -> open().block(25)).isInstanceOf(IntegrityException.class);
    assertThat(open().block(5)).contains(BLOCKS.get(5));
  }

  @Test
  void aLostSegmentAndOneInThePlaceOfAnotherAreNamedAndTheRestIsChecked() {
    List<Archive.Segment> segments = open().segments();
    Bytes first = store.get(segments.get(0).name(), 0, 1 << 30);
    store.replace(segments.get(1).name(), first);
    store.remove(segments.get(2).name());
    for (Level level : Level.values()) {
      Verification result = open().verify(Verification.Request.of(level), RECORDED);
      assertThat(result.findings()).hasSize(2);
      assertThat(result.findings().get(0)).contains(segments.get(1).name());
      assertThat(result.findings().get(1)).contains(segments.get(2).name(), "missing");
      assertThat(result.segments()).isEqualTo(1);
    }
  }

  @Test
  void aSegmentThatDoesNotNameTheOneBeforeIsNamed() {
    InMemoryArchiveStore unlinked = new InMemoryArchiveStore();
    ArchiveNames unlinkedNames =
        SampleArchive.writeUnlinked(unlinked, SampleArchive.ledgerId(3), BLOCKS, 20);
    try (LedgerArchive archive =
        LedgerArchive.owning(unlinked, Manifest.open(unlinked, unlinkedNames).orElseThrow())) {
      assertThat(archive.verify(Verification.Request.of(Level.STRUCTURE)).findings())
          .hasSize(archive.segments().size() - 1)
          .allMatch(finding -> finding.contains("does not name the digest of the one before"));
    }
  }

  @Test
  void damageThatComesAfterAReadIsFoundAllTheSame() {
    LedgerArchive archive = open();
    BLOCKS.forEach(block -> archive.block(block.height()));
    String segment = archive.segments().get(0).name();
    long bits = store.size(segment).orElseThrow() * 8;
    for (long bit = 0; bit < bits; bit += 9973) {
      store.flipBit(segment, bit);
      for (Level level : List.of(Level.BYTES, Level.CONTENT)) {
        assertThat(archive.verify(Verification.Request.of(level)).ok())
            .as("bit %d, %s", bit, level)
            .isFalse();
      }
      store.flipBit(segment, bit);
    }
  }

  @Test
  void aLostManifestEntryIsFoundByThoseAlreadyReading() {
    LedgerArchive archive = open();
    store.remove(names.entry(3));
    assertThat(archive.verify(Verification.Request.of(Level.STRUCTURE)).findings())
        .hasSize(1)
        .allMatch(finding -> finding.contains("manifest"));
  }

  @Test
  void aCheckEndsWhereItIsCancelled() {
    int[] asked = new int[1];
    Verification result =
        open()
            .verify(
                Verification.Request.of(Level.CONTENT)
                    .with(JobControl.none().cancelledBy(() -> asked[0]++ >= 25)));
    assertThat(result.cancelled()).isTrue();
    assertThat(result.ok()).isTrue();
    assertThat(result.blocks()).isBetween(1L, 49L);
  }

  @Test
  void aLookupReadsLittle() {
    List<Block> blocks =
        SampleChain.builder()
            .payloadBytes(5000)
            .transactionsPerBlock(20)
            .build()
            .blocks(60)
            .toList();
    InMemoryArchiveStore large = new InMemoryArchiveStore();
    ArchiveNames largeNames = SampleArchive.write(large, SampleArchive.ledgerId(2), blocks, 60);
    String id = blocks.get(33).transactions().get(3).id();
    try (LedgerArchive archive =
        LedgerArchive.of(large, Manifest.open(large, largeNames).orElseThrow(), Runnable::run)) {
      long before = large.bytesRead();
      assertThat(archive.transaction(id)).isPresent();
      assertThat(large.bytesRead() - before).isLessThan(400_000);
      assertThat(large.usedBytes()).isGreaterThan(1_000_000);
    }
  }

  private List<String> findings(Level level) {
    return open().verify(Verification.Request.of(level), RECORDED).findings();
  }
}
