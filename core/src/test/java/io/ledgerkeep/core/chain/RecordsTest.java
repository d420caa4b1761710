package io.ledgerkeep.core.chain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.chain.ChainKeys.BodyKey;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.SomeBlocks;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.error.IntegrityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The records and keys of the block database: they come back, they sort, damage is told. */
final class RecordsTest {

  private static MetaRow meta(Block block) {
    StoredBlock stored = StoredBlock.of(block);
    return MetaRow.genesis(stored, BlockDigests.of(stored, Digests.SHA256.newDigest()));
  }

  @Test
  void metasComeBack() {
    SomeBlocks blocks = new SomeBlocks(1);
    MetaRow previous = meta(blocks.block());
    for (int i = 0; i < 200; i++) {
      Block block = blocks.block();
      StoredBlock stored = StoredBlock.of(block);
      BlockDigests digests = BlockDigests.of(stored, Digests.SHA256.newDigest());
      MetaRow meta = MetaRow.after(previous, stored, digests);
      assertThat(MetaRow.decode(meta.encode(), block.height())).isEqualTo(meta);
      boolean normal = block.kind() == Block.Kind.NORMAL;
      assertThat(meta.normalBlocks()).isEqualTo(previous.normalBlocks() + (normal ? 1 : 0));
      assertThat(meta.normalBytes())
          .isEqualTo(previous.normalBytes() + (normal ? stored.bodyBytes() : 0));
      assertThat(meta.additionalBytes()).isEqualTo(block.additional().size());
      previous = meta;
    }
  }

  @Test
  void recordsComeBack() {
    ArchiveMark mark = new ArchiveMark(1L << 40, 7, Bytes.ofUtf8("digest"));
    assertThat(ArchiveMark.decode(mark.encode())).isEqualTo(mark);
    assertThat(ArchiveMark.decode(ArchiveMark.NONE.encode())).isEqualTo(ArchiveMark.NONE);
    for (JobRecord.Step step : JobRecord.Step.values()) {
      JobRecord job = new JobRecord(step, Bytes.ofUtf8("attempt"), 5, Long.MAX_VALUE);
      assertThat(JobRecord.decode(job.encode())).isEqualTo(job);
    }
  }

  @Test
  void damageIsToldAndNothingElse() {
    MetaRow meta = meta(new SomeBlocks(2).block());
    damaged(meta.encode(), bytes -> MetaRow.decode(bytes, 5));
    damaged(new ArchiveMark(5, 7, Bytes.ofUtf8("digest")).encode(), ArchiveMark::decode);
    JobRecord job = new JobRecord(JobRecord.Step.DELETE, Bytes.ofUtf8("attempt"), 5, 9);
    damaged(job.encode(), JobRecord::decode);
    damaged(new ByteWriter(12).u64(5).u32(1).take(), ChainReader::location);
    damaged(ChainKeys.body(Block.Kind.NORMAL, 5, 1, 0), BodyKey::of);
  }

  private static void damaged(Bytes good, Consumer<Bytes> decode) {
    decode.accept(good);
    for (int at = 0; at < good.size(); at++) {
      for (int bit = 0; bit < 8; bit++) {
        byte[] bytes = good.toArray();
        bytes[at] ^= (byte) (1 << bit);
        onlyIntegrity(() -> decode.accept(Bytes.wrap(bytes)));
      }
      Bytes cut = good.slice(0, at);
      assertThatExceptionOfType(IntegrityException.class).isThrownBy(() -> decode.accept(cut));
    }
    Bytes longer = new ByteWriter(0).raw(good).u8(0).take();
    assertThatExceptionOfType(IntegrityException.class).isThrownBy(() -> decode.accept(longer));
  }

  private static void onlyIntegrity(Runnable decode) {
    try {
      decode.run();
    } catch (IntegrityException e) {
      assertThat(e).hasMessageContaining("damaged");
    }
  }

  @Test
  void countsThatAreNoneAreDamage() {
    MetaRow good = meta(new SomeBlocks(2).block());
    String hex = good.encode().hex();
    int at = hex.indexOf(good.meta().headerDigest().hex());
    String huge = hex.substring(0, at - 2) + "ffffffffffffffff7f" + hex.substring(at);
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> MetaRow.decode(Bytes.fromHex(huge), 5))
        .withMessageContaining("the meta of block 5 is damaged");
  }

  // ------------------------------------------------------------------------------------ keys

  @Test
  void keysSortByHeightOrdinalAndPart() {
    Random random = new Random(3);
    long[] heights = {0, 1, 255, 256, 1L << 31, 1L << 32, 1L << 40, Long.MAX_VALUE - 1};
    int[] ordinals = {0, 1, 255, 256, 1 << 20, Integer.MAX_VALUE};
    List<Bytes> ascending = new ArrayList<>();
    for (long height : heights) {
      for (int ordinal : ordinals) {
        ascending.add(ChainKeys.body(Block.Kind.NORMAL, height, ordinal, ChainKeys.TRANSACTION));
        ascending.add(ChainKeys.body(Block.Kind.NORMAL, height, ordinal, ChainKeys.RW_SET));
      }
      ascending.add(ChainKeys.additional(Block.Kind.NORMAL, height));
    }
    List<Bytes> shuffled = new ArrayList<>(ascending);
    java.util.Collections.shuffle(shuffled, random);
    shuffled.sort(null);
    assertThat(shuffled).isEqualTo(ascending);
    for (long height : heights) {
      assertThat(ChainKeys.meta(height)).isLessThan(ChainKeys.meta(height + 1));
    }
  }

  @Test
  void aRangeOfBodiesHoldsThoseHeightsAndNoOthers() {
    for (long first : new long[] {0, 254, 255, (1L << 32) - 1}) {
      var range = ChainKeys.bodies(first, first + 2);
      for (long height = Math.max(0, first - 2); height < first + 5; height++) {
        boolean inside = height >= first && height <= first + 2;
        Bytes row = ChainKeys.body(Block.Kind.NORMAL, height, 7, ChainKeys.TRANSACTION);
        Bytes last = ChainKeys.additional(Block.Kind.NORMAL, height);
        assertThat(range.contains(row)).isEqualTo(inside);
        assertThat(range.contains(last)).isEqualTo(inside);
        Bytes kept = ChainKeys.body(Block.Kind.CONFIG, height, 7, ChainKeys.TRANSACTION);
        assertThat(range.contains(kept)).isFalse();
        assertThat(ChainKeys.bodiesFrom(Block.Kind.NORMAL, first).contains(row))
            .isEqualTo(height >= first);
        assertThat(ChainKeys.metasFrom(first).contains(ChainKeys.meta(height)))
            .isEqualTo(height >= first);
      }
    }
  }

  @Test
  void theBodiesOfGenesisAndConfigBlocksLieTogether() {
    Bytes genesis = ChainKeys.body(Block.Kind.GENESIS, 0, 0, ChainKeys.TRANSACTION);
    Bytes config = ChainKeys.body(Block.Kind.CONFIG, 0, 0, ChainKeys.TRANSACTION);
    assertThat(genesis).isEqualTo(config);
    assertThat(genesis).isNotEqualTo(ChainKeys.body(Block.Kind.NORMAL, 0, 0, 0));
  }

  @Test
  void whatIsNoTextHasAKeyOfNoText() {
    assertThat(ChainKeys.id("a?").hex()).isEqualTo("06613f");
    assertThat(ChainKeys.id("\uD83D\uDE00").hex()).isEqualTo("06f09f9880");
    assertThat(ChainKeys.id("a\uD83D").hex()).isEqualTo("06ff");
    assertThat(ChainKeys.id("\uDE00\uD83D").hex()).isEqualTo("06ff");
  }
}
