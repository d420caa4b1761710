package io.ledgerkeep.core.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.testkit.SampleChain;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.LongFunction;
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
    Bytes votes = noise(12 << 10, 1);
    List<Block> blocks = blocksWith(350, height -> votes);
    DictionaryTrainer trainer = new DictionaryTrainer();
    byte[] first = Segments.of(blocks.subList(0, 345)).with(trainer).on(THREADS).write();
    byte[] second = Segments.of(blocks.subList(345, 350)).with(trainer).write();
    byte[] without = Segments.of(blocks).with(DictionaryTrainer.none()).write();

    assertThat(dictionaries(first)).isEqualTo(1);
    assertThat(dictionaries(second)).isEqualTo(1);
    assertThat(first.length + second.length).isLessThan(without.length * 95 / 100);
    assertThat(Segments.check(first)).isEqualTo(blocks.subList(0, 345));
    assertThat(Segments.check(second)).isEqualTo(blocks.subList(345, 350));
    assertThat(Segments.reader(second).block(347).decode()).isEqualTo(blocks.get(347));
  }

  @Test
  void aDictionaryThatDoesNotPayIsLeftOut() {
    List<Block> blocks = blocksWith(350, height -> noise(12 << 10, height));
    DictionaryTrainer trainer = new DictionaryTrainer();
    byte[] segment = Segments.of(blocks).with(trainer).write();
    assertThat(trainer.isDecided()).isTrue();
    assertThat(dictionaries(segment)).isZero();
    assertThat(Segments.check(segment)).isEqualTo(blocks);
  }

  @Test
  void aSegmentTooSmallToDecideLeavesTheDecisionToTheNext() {
    DictionaryTrainer trainer = new DictionaryTrainer();
    List<Block> blocks = blocksWith(20, height -> Bytes.EMPTY);
    assertThat(Segments.check(Segments.of(blocks).with(trainer).write())).isEqualTo(blocks);
    assertThat(trainer.isDecided()).isFalse();
  }

  private static List<Block> blocksWith(int count, LongFunction<Bytes> additional) {
    return SampleChain.builder()
        .payloadBytes(2500)
        .build()
        .blocks(count)
        .map(
            block ->
                new Block(
                    block.height(),
                    block.kind(),
                    block.hash(),
                    block.previousHash(),
                    block.header(),
                    block.transactions(),
                    block.rwSets(),
                    additional.apply(block.height())))
        .toList();
  }

  private static Bytes noise(int size, long seed) {
    byte[] noise = new byte[size];
    new Random(seed).nextBytes(noise);
    return Bytes.wrap(noise);
  }

  private static int dictionaries(byte[] segment) {
    return Segments.reader(segment).footer().frames().frames(Stream.DICTIONARY);
  }

  @Test
  void whereThereAreNoTransactionsNoneIsFound() {
    List<Block> blocks =
        SampleChain.builder()
            .transactionsPerBlock(0)
            .configAt(height -> false)
            .emptyAt(height -> true)
            .build()
            .blocks(5)
            .toList();
    SegmentReader reader = Segments.of(blocks).reader();
    assertThat(reader.find("any")).isEmpty();
    assertThat(Segments.check(reader, THREADS)).isEqualTo(blocks);
  }

  @Test
  void onlyTheNextBlockOfTheChainIsTaken() throws IOException {
    List<Block> blocks = SampleChain.ofSeed(1).blocks(10).toList();
    Block other = SampleChain.ofSeed(2).block(1);
    try (SegmentWriter writer = Segments.writer(OutputStream.nullOutputStream(), blocks.get(0))) {
      assertThatThrownBy(writer::finish).isInstanceOf(IllegalStateException.class);
      Segments.add(writer, blocks.get(0));
      assertThatThrownBy(() -> Segments.add(writer, blocks.get(2)))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> Segments.add(writer, other)).isInstanceOf(IntegrityException.class);
      Segments.add(writer, blocks.get(1));
      assertThat(writer.finish().contents().blocks()).isEqualTo(2);
    }
  }

  @Test
  void itIsFullWithAllTheBlocksItMayHave() throws IOException {
    Block genesis = SampleChain.ofSeed(1).block(0);
    try (SegmentWriter writer = Segments.writer(OutputStream.nullOutputStream(), genesis)) {
      BlockGroup.Builder group = new BlockGroup.Builder(Digests.SHA256);
      Block last = genesis;
      group.add(StoredBlock.of(genesis));
      while (last.height() < SegmentFormat.MAX_BLOCKS - 1) {
        last = emptyBlockAfter(last);
        group.add(StoredBlock.of(last));
        if (last.height() % BlockGroup.MAX_BLOCKS == BlockGroup.MAX_BLOCKS - 1) {
          assertThat(writer.isFull()).isFalse();
          writer.add(group.build());
          group = new BlockGroup.Builder(Digests.SHA256);
        }
      }
      assertThat(writer.isFull()).isTrue();
      Block next = emptyBlockAfter(last);
      assertThatThrownBy(() -> Segments.add(writer, next))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(writer.finish().contents().blocks()).isEqualTo(SegmentFormat.MAX_BLOCKS);
    }
  }

  private static Block emptyBlockAfter(Block block) {
    long height = block.height() + 1;
    return new Block(
        height,
        Block.Kind.NORMAL,
        Bytes.ofUtf8("hash " + height),
        block.hash(),
        Bytes.EMPTY,
        List.of(),
        List.of(),
        Bytes.EMPTY);
  }

  @Test
  void aStreamThatFailsEndsTheWriterAndItsTasks() throws IOException {
    List<Block> blocks = SampleChain.builder().payloadBytes(50_000).build().blocks(50).toList();
    OutputStream full =
        new OutputStream() {
          private int room = 500_000;

          @Override
          public void write(int value) throws IOException {
            write(new byte[1], 0, 1);
          }

          @Override
          public void write(byte[] bytes, int offset, int length) throws IOException {
            room -= length;
            if (room < 0) {
              throw new IOException("full");
            }
          }
        };
    try (SegmentWriter writer = Segments.writer(full, blocks.get(0))) {
      assertThatThrownBy(
              () -> {
                for (Block block : blocks) {
                  Segments.add(writer, block);
                }
              })
          .isInstanceOf(IOException.class)
          .hasMessage("full");
    }
  }

  private static BlockMeta meta(Block block) {
    StoredBlock stored = StoredBlock.of(block);
    return BlockDigests.of(stored, Digests.SHA256.newDigest()).meta(stored);
  }
}
