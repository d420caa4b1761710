package io.ledgerkeep.core.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.testkit.SampleChain;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SegmentTest {

  private static final ExecutorService THREADS = Executors.newFixedThreadPool(3);

  @AfterAll
  static void stopThreads() {
    THREADS.shutdown();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void whatIsReadEqualsWhatWasWritten(long seed) {
    Random random = new Random(seed);
    SampleChain chain =
        SampleChain.builder()
            .seed(seed)
            .transactionsPerBlock(random.nextInt(30))
            .payloadBytes(random.nextInt(2000))
            .build();
    int from = random.nextInt(50);
    List<Block> blocks = chain.blocks(from, from + 1 + random.nextInt(300)).toList();
    SegmentReader reader = Segments.of(blocks).on(THREADS).reader();

    assertThat(Segments.check(reader, THREADS)).isEqualTo(blocks);
    for (Block block : blocks) {
      assertThat(reader.block(block.height()).decode()).isEqualTo(block);
    }
    SegmentContents contents = reader.summary().contents();
    assertThat(contents.firstHeight()).isEqualTo(from);
    assertThat(contents.lastHeight()).isEqualTo(from + blocks.size() - 1);
    assertThat(contents.previousHash()).isEqualTo(blocks.get(0).previousHash());
    assertThat(contents.lastHash()).isEqualTo(blocks.get(blocks.size() - 1).hash());
    assertThat(contents.configHeights())
        .isEqualTo(
            blocks.stream()
                .filter(block -> block.kind() != Block.Kind.NORMAL)
                .map(Block::height)
                .toList());
  }

  @Test
  void everyTransactionIsFoundAndProven() {
    List<Block> blocks = SampleChain.builder().transactionsPerBlock(40).build().blocks(60).toList();
    SegmentReader reader = Segments.of(blocks).reader();
    for (Block block : blocks) {
      BlockMeta meta = meta(block);
      assertThat(reader.findHash(block.hash())).isEqualTo(OptionalLong.of(block.height()));
      for (int i = 0; i < block.transactions().size(); i++) {
        assertThat(reader.find(block.transactions().get(i).id()))
            .contains(new SegmentReader.Place(block.height(), i));
        SegmentReader.ProvenRow transaction = reader.transactionRow(block.height(), i);
        assertThat(StoredBlock.transaction(transaction.row()))
            .isEqualTo(block.transactions().get(i));
        assertThat(transaction.root()).isEqualTo(meta.transactionRoot());
        SegmentReader.ProvenRow rwSet = reader.rwSetRow(block.height(), i);
        assertThat(StoredBlock.rwSet(block.transactions().get(i).id(), rwSet.row()))
            .isEqualTo(block.rwSets().get(i));
        assertThat(rwSet.root()).isEqualTo(meta.rwSetRoot());
      }
    }
  }

  @Test
  void whatIsNotThereIsNotFound() {
    List<Block> blocks = SampleChain.ofSeed(1).blocks(100).toList();
    SegmentReader reader = Segments.of(blocks).reader();
    String id = blocks.get(1).transactions().get(0).id();
    assertThat(reader.find("")).isEmpty();
    assertThat(reader.find("unknown")).isEmpty();
    assertThat(reader.find(id.substring(1))).isEmpty();
    assertThat(reader.find("\ud800")).isEmpty();
    assertThat(reader.findHash(Bytes.EMPTY)).isEmpty();
    assertThat(reader.findHash(Bytes.ofUtf8("unknown"))).isEmpty();
    assertThatThrownBy(() -> reader.block(100)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> reader.transactionRow(1, 3))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> reader.rwSetRow(1, -1)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, 5})
  void equalFingerprintsAreToldApartByTheWholeId(int all) {
    List<Block> blocks = SampleChain.ofSeed(1).blocks(30).toList();
    SegmentReader reader = Segments.of(blocks).with((digest, key) -> all).reader();
    requireAllFound(reader, blocks);
    assertThat(reader.find("unknown")).isEmpty();
    assertThat(reader.findHash(Bytes.ofUtf8("unknown"))).isEmpty();
  }

  @Test
  void unevenFingerprintsAreFoundTooInLocatorsOfManyFrames() {
    SampleChain chain =
        SampleChain.builder()
            .transactionsPerBlock(300)
            .payloadBytes(0)
            .readsPerTransaction(0)
            .writesPerTransaction(0)
            .build();
    List<Block> blocks = chain.blocks(150).toList();
    for (int bits : new int[] {10, 20, 31}) {
      Fingerprint uneven =
          (digest, key) -> {
            int even = Fingerprint.DIGEST.of(digest, key);
            return even >>> bits == 0 ? even : even & ((1 << bits) - 1);
          };
      requireAllFound(Segments.of(blocks).with(uneven).reader(), blocks.subList(100, 104));
    }
    requireAllFound(Segments.of(blocks).reader(), blocks);
  }

  private static void requireAllFound(SegmentReader reader, List<Block> blocks) {
    for (Block block : blocks) {
      assertThat(reader.findHash(block.hash())).isEqualTo(OptionalLong.of(block.height()));
      for (int i = 0; i < block.transactions().size(); i++) {
        assertThat(reader.find(block.transactions().get(i).id()))
            .isEqualTo(Optional.of(new SegmentReader.Place(block.height(), i)));
      }
    }
  }

  @Test
  void rowsLargerThanFramesComeBackWhole() {
    SampleChain chain =
        SampleChain.builder()
            .payloadBytes(200 << 10)
            .valueBytes(150 << 10)
            .additionalBytes(100 << 10)
            .keys(4)
            .build();
    List<Block> blocks = chain.blocks(8).toList();
    byte[] segment = Segments.of(blocks).on(THREADS).write();
    SegmentReader reader = Segments.reader(segment);
    assertThat(Segments.check(reader, THREADS)).isEqualTo(blocks);
    for (Block block : blocks) {
      assertThat(reader.block(block.height()).decode()).isEqualTo(block);
    }
    Block block = blocks.get(5);
    SegmentReader one = Segments.reader(segment);
    assertThat(StoredBlock.transaction(one.transactionRow(5, 1).row()))
        .isEqualTo(block.transactions().get(1));
    assertThat(one.bytesRead()).isLessThan(segment.length / 4);
  }

  @Test
  void blocksOfARangeComeInOrder() {
    List<Block> blocks = SampleChain.builder().payloadBytes(3000).build().blocks(200).toList();
    SegmentReader reader = Segments.of(blocks).reader();
    List<Block> found = new ArrayList<>();
    try (var range = reader.blocks(20, 150, THREADS)) {
      range.forEachRemaining(block -> found.add(block.decode()));
    }
    assertThat(found).isEqualTo(blocks.subList(20, 151));

    var closed = reader.blocks(20, 150, THREADS);
    closed.next();
    closed.close();
    closed.close();
    assertThatThrownBy(closed::hasNext).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void equalBlocksGiveEqualBytesHoweverManyThreadsCompress() {
    List<Block> blocks = SampleChain.builder().payloadBytes(20_000).build().blocks(100).toList();
    assertThat(Segments.of(blocks).on(THREADS).write()).isEqualTo(Segments.of(blocks).write());
  }

  @Test
  void aDictionaryIsUsedWhereItPaysAndCarriedOver() {
    SampleChain chain = SampleChain.builder().payloadBytes(900).additionalBytes(0).build();
    List<Block> blocks = chain.blocks(2600).toList();
    DictionaryTrainer trainer = new DictionaryTrainer();
    byte[] first = Segments.of(blocks.subList(0, 2500)).with(trainer).on(THREADS).write();
    byte[] second = Segments.of(blocks.subList(2500, 2600)).with(trainer).write();
    assertThat(trainer.isDecided()).isTrue();
    boolean used = trainer.dictionary() != null;
    for (byte[] segment : List.of(first, second)) {
      FrameTable table = Segments.reader(segment).footer().frames();
      assertThat(table.frames(Stream.DICTIONARY)).isEqualTo(used ? 1 : 0);
    }
    assertThat(Segments.check(first)).isEqualTo(blocks.subList(0, 2500));
    assertThat(Segments.check(second)).isEqualTo(blocks.subList(2500, 2600));
  }

  private static BlockMeta meta(Block block) {
    StoredBlock stored = StoredBlock.of(block);
    return BlockDigests.of(stored, Digests.SHA256.newDigest()).meta(stored);
  }
}
