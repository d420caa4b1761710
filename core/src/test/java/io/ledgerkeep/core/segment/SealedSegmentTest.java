package io.ledgerkeep.core.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.sealing.ArchiveKey;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.sealing.SampleArchiveKeys;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import io.ledgerkeep.error.UnsupportedFormatException;
import io.ledgerkeep.testkit.SampleChain;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class SealedSegmentTest {

  private static final ExecutorService THREADS = Executors.newFixedThreadPool(3);
  private static final Bytes LEDGER = Segments.ID;
  private static final ArchiveKeys KEYS = SampleArchiveKeys.keys(LEDGER, 1);
  private static final ArchiveKey KEY = KEYS.newest().orElseThrow();
  private static final List<Block> BLOCKS =
      SampleChain.builder().payloadBytes(20).keys(5).build().blocks(7).toList();
  private static final byte[] SEGMENT = Segments.of(BLOCKS).under(KEY).write();

  @AfterAll
  static void stopThreads() {
    THREADS.shutdown();
  }

  static List<String> suites() {
    return SampleArchiveKeys.suites();
  }

  // ------------------------------------------------------------------------------------ reading

  @ParameterizedTest
  @MethodSource("suites")
  void whatIsReadEqualsWhatWasWrittenUnderEverySuite(String suite) {
    List<Block> blocks =
        SampleChain.builder()
            .transactionsPerBlock(10)
            .payloadBytes(3000)
            .build()
            .blocks(60)
            .toList();
    ArchiveKey key = SampleArchiveKeys.key(LEDGER, 3, suite, 9);
    byte[] segment = Segments.of(blocks).under(key).on(THREADS).write();
    SegmentReader reader = Segments.reader(segment, ArchiveKeys.of(List.of(KEY, key)));

    assertThat(Segments.check(reader, THREADS)).isEqualTo(blocks);
    for (Block block : blocks) {
      assertThat(reader.block(block.height()).decode()).isEqualTo(block);
      assertThat(reader.findHash(block.hash())).isEqualTo(OptionalLong.of(block.height()));
      for (int i = 0; i < block.transactions().size(); i++) {
        assertThat(reader.find(block.transactions().get(i).id()))
            .contains(new SegmentReader.Place(block.height(), i));
        assertThat(StoredBlock.transaction(reader.transactionRow(block.height(), i).row()))
            .isEqualTo(block.transactions().get(i));
      }
    }
    assertThat(suites()).hasSize(4);
  }

  @Test
  void aDictionaryIsSealedLikeEverythingElse() {
    Bytes votes = noise(12 << 10);
    List<Block> blocks =
        SampleChain.builder()
            .payloadBytes(2500)
            .build()
            .blocks(345)
            .map(block -> withAdditional(block, votes))
            .toList();
    byte[] segment = Segments.of(blocks).under(KEY).on(THREADS).write();
    SegmentReader reader = Segments.reader(segment, KEYS);
    assertThat(reader.footer().frames().frames(Stream.DICTIONARY)).isEqualTo(1);
    assertThat(Segments.check(reader, THREADS)).isEqualTo(blocks);
    Forger forger = new Forger(segment);
    assertThat(forger.frames).allMatch(frame -> (frame.flags() & FrameHeader.SEALED) != 0);
    assertThat(occurs(segment, votes.slice(100, 124))).isFalse();
  }

  @Test
  void nothingOfTheBlocksLiesOpenButHashes() {
    List<Block> blocks = new ArrayList<>();
    for (long height = 0; height < 20; height++) {
      blocks.add(marked(height, blocks));
    }
    byte[] plain = Segments.of(blocks).with(DictionaryTrainer.none()).write();
    byte[] sealed = Segments.of(blocks).under(KEY).write();
    int markers = 0;
    for (Block block : blocks) {
      Transaction transaction = block.transactions().get(0);
      RwSet.Write write = block.rwSets().get(0).writes().get(0);
      for (Bytes marker :
          List.of(
              block.header(),
              block.additional(),
              transaction.payload().slice(3000, 3024),
              Bytes.ofUtf8(transaction.id()),
              Bytes.ofUtf8(write.namespace()),
              write.key(),
              write.value().orElseThrow())) {
        markers += occurs(plain, marker) ? 1 : 0;
        assertThat(occurs(sealed, marker)).as("block %s", block.height()).isFalse();
      }
    }
    assertThat(markers).as("markers that a segment in plain shows").isEqualTo(7 * 20);
    assertThat(occurs(sealed, Bytes.wrap(SampleArchiveKeys.root(1)))).isFalse();
  }

  @Test
  void noTwoSegmentsHaveTheSameKey() {
    Set<Bytes> salts = new HashSet<>();
    Set<Bytes> commitments = new HashSet<>();
    Set<Bytes> firstFrames = new HashSet<>();
    for (int i = 0; i < 10; i++) {
      Forger forger = new Forger(Segments.of(BLOCKS).under(KEY).write());
      SegmentHeader.Seal seal = forger.header.seal().orElseThrow();
      salts.add(seal.salt());
      commitments.add(seal.commitment());
      firstFrames.add(forger.frames.get(0).stored());
    }
    assertThat(salts).hasSize(10);
    assertThat(commitments).hasSize(10);
    assertThat(firstFrames).hasSize(10);
  }

  @Test
  void moreSegmentsAreReadAtATimeThanHaveTheirCiphersReady() throws Exception {
    try (ArchiveKeys keys = SampleArchiveKeys.keys(LEDGER, 4)) {
      ArchiveKey key = keys.newest().orElseThrow();
      List<byte[]> segments = new ArrayList<>();
      for (int i = 0; i < 150; i++) {
        segments.add(Segments.of(BLOCKS).under(key).write());
      }
      List<Future<?>> readers = new ArrayList<>();
      for (int thread = 0; thread < 3; thread++) {
        List<SegmentReader> opened =
            segments.stream().map(segment -> Segments.reader(segment, keys)).toList();
        readers.add(
            THREADS.submit(
                () -> {
                  for (int round = 0; round < 3; round++) {
                    for (SegmentReader reader : opened) {
                      assertThat(Segments.check(reader, Runnable::run)).isEqualTo(BLOCKS);
                    }
                  }
                }));
      }
      for (Future<?> reader : readers) {
        reader.get();
      }
    }
  }

  @Test
  void aKeyThatIsClosedOpensAndSealsNothing() {
    ArchiveKeys keys = SampleArchiveKeys.keys(LEDGER, 5);
    ArchiveKey key = keys.newest().orElseThrow();
    byte[] segment = Segments.of(BLOCKS).under(key).write();
    SegmentReader used = Segments.reader(segment, keys);
    SegmentReader unused = Segments.reader(segment, keys);
    used.block(3);
    keys.close();
    keys.close();
    assertThatThrownBy(() -> Segments.check(used, Runnable::run))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> unused.block(3)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> Segments.of(BLOCKS).under(key).write())
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> key.mac(Bytes.EMPTY)).isInstanceOf(IllegalStateException.class);
  }

  // ------------------------------------------------------------------------------------ keys

  @Test
  void withoutAKeyStructureAndBytesAreCheckedAndNothingIsServed() {
    SegmentReader reader = Segments.reader(SEGMENT);
    assertThat(reader.summary()).isEqualTo(Segments.reader(SEGMENT, KEYS).summary());
    assertThat(SegmentCheck.bytes(reader, Runnable::run, bytes -> true)).isEmpty();
    List<Runnable> questions =
        List.of(
            () -> reader.block(3),
            () -> reader.find("id"),
            () -> reader.findHash(BLOCKS.get(1).hash()),
            () -> reader.transactionRow(3, 0),
            () -> Segments.check(reader, Runnable::run));
    for (Runnable question : questions) {
      assertThatThrownBy(question::run)
          .isInstanceOfSatisfying(
              KeyUnavailableException.class, e -> assertThat(e.reason()).isEqualTo(Reason.MISSING))
          .hasMessageContainingAll(Segments.NAME, "a test", "encrypt_key");
    }
  }

  @Test
  void aWrongKeyIsRefusedAtTheDoor() {
    assertThatThrownBy(() -> Segments.reader(SEGMENT, SampleArchiveKeys.keys(LEDGER, 2)))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("another key");
    ArchiveKeys otherNumber =
        ArchiveKeys.of(List.of(SampleArchiveKeys.key(LEDGER, 2, SampleArchiveKeys.AES_256, 1)));
    assertThatThrownBy(() -> Segments.reader(SEGMENT, otherNumber))
        .isInstanceOfSatisfying(
            KeyUnavailableException.class, e -> assertThat(e.reason()).isEqualTo(Reason.MISSING))
        .hasMessageContaining("archive key 1");
    ArchiveKeys otherSuite =
        ArchiveKeys.of(List.of(SampleArchiveKeys.key(LEDGER, 1, "AES-128-GCM", 1)));
    assertThatThrownBy(() -> Segments.reader(SEGMENT, otherSuite))
        .isInstanceOf(IntegrityException.class);
  }

  @Test
  void aSegmentInPlainIsRefusedByWhoHasAKey() {
    byte[] plain = Segments.of(BLOCKS).write();
    assertThatThrownBy(() -> Segments.reader(plain, KEYS))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("in plain");
  }

  // ------------------------------------------------------------------------------------ damage

  @Test
  void everyFlippedByteIsFoundByTheBytesAloneWithoutAKey() {
    for (int at = 0; at < SEGMENT.length; at++) {
      byte[] damaged = SEGMENT.clone();
      damaged[at] ^= (byte) (1 << (at % 8));
      assertThat(bytesAreWhole(damaged)).as("byte " + at).isFalse();
    }
    assertThat(bytesAreWhole(SEGMENT)).isTrue();
  }

  @Test
  void everyFlippedByteIsFoundByTheContent() {
    Random random = new Random(3);
    for (int at = 0; at < SEGMENT.length; at++) {
      byte[] damaged = SEGMENT.clone();
      damaged[at] ^= (byte) (1 + random.nextInt(255));
      assertThat(contentIsWhole(damaged)).as("byte " + at).isFalse();
    }
    assertThat(contentIsWhole(SEGMENT)).isTrue();
  }

  @Test
  void everyTruncationIsFound() {
    for (int size = 0; size < SEGMENT.length; size++) {
      byte[] cut = Arrays.copyOf(SEGMENT, size);
      assertThatThrownBy(() -> Segments.reader(cut, KEYS))
          .as("cut to " + size)
          .isInstanceOf(IntegrityException.class);
    }
  }

  // ------------------------------------------------------------------------------------ forgery

  @Test
  void theForgerWritesTheSameBytesWhereNothingIsForged() {
    assertThat(new Forger(SEGMENT).write()).isEqualTo(SEGMENT);
  }

  @Test
  void everyByteOfEveryFrameIsProvenByItsTagWhateverFitsAround() {
    int frames = new Forger(SEGMENT).frames.size();
    assertThat(frames).isGreaterThanOrEqualTo(6);
    for (int i = 0; i < frames; i++) {
      int size = new Forger(SEGMENT).frames.get(i).stored().size();
      for (int at = 0; at < size; at++) {
        Forger forger = new Forger(SEGMENT);
        byte[] stored = forger.frames.get(i).stored().toArray();
        stored[at] ^= 0x10;
        forger.frames.set(i, forger.frames.get(i).stored(Bytes.wrap(stored)));
        assertForged(forger);
      }
      Forger shorter = new Forger(SEGMENT);
      Bytes stored = shorter.frames.get(i).stored();
      shorter.frames.set(i, shorter.frames.get(i).stored(stored.slice(0, stored.size() - 1)));
      assertForged(shorter);
    }
  }

  @Test
  void framesOfASegmentAreNotMovedWithinIt() {
    List<Block> blocks = SampleChain.builder().payloadBytes(30_000).build().blocks(20).toList();
    byte[] segment = Segments.of(blocks).under(KEY).write();
    List<Forger.Frame> frames = new Forger(segment).frames;
    int swaps = 0;
    for (int i = 0; i < frames.size(); i++) {
      for (int j = i + 1; j < frames.size(); j++) {
        if (frames.get(i).stream() == frames.get(j).stream()
            && frames.get(i).rawBytes() == frames.get(j).rawBytes()) {
          Forger forger = new Forger(segment);
          Collections.swap(forger.frames, i, j);
          assertForged(forger);
          swaps++;
        }
      }
    }
    assertThat(swaps).isGreaterThan(10);
  }

  @Test
  void framesAreNotMovedBetweenSegments() {
    byte[] twin = Segments.of(BLOCKS).under(KEY).write();
    List<Forger.Frame> others = new Forger(twin).frames;
    for (int i = 0; i < others.size(); i++) {
      Forger forger = new Forger(SEGMENT);
      forger.frames.set(i, others.get(i));
      assertForged(forger);
    }
    assertThat(contentIsWhole(twin)).as("equal blocks, each frame in its place").isTrue();
  }

  @Test
  void framesAreNotPutBelowAnotherHeader() {
    SegmentHeader own = new Forger(SEGMENT).header;
    SegmentHeader.Seal seal = own.seal().orElseThrow();
    Bytes id = Bytes.fromHex("ff".repeat(16));
    Bytes random = Bytes.fromHex("ee".repeat(32));
    List<SegmentHeader> others =
        List.of(
            with(own.genesisHash(), own.ledgerId(), id, own.firstHeight(), seal),
            with(own.genesisHash(), id, own.attemptId(), own.firstHeight(), seal),
            with(random, own.ledgerId(), own.attemptId(), own.firstHeight(), seal),
            with(
                own.genesisHash(),
                own.ledgerId(),
                own.attemptId(),
                own.firstHeight(),
                new SegmentHeader.Seal(1, random, seal.commitment())),
            with(
                own.genesisHash(),
                own.ledgerId(),
                own.attemptId(),
                own.firstHeight(),
                new SegmentHeader.Seal(1, seal.salt(), random)),
            with(
                own.genesisHash(),
                own.ledgerId(),
                own.attemptId(),
                own.firstHeight(),
                new SegmentHeader.Seal(2, seal.salt(), seal.commitment())));
    ArchiveKeys both =
        ArchiveKeys.of(
            List.of(KEY, SampleArchiveKeys.key(LEDGER, 2, SampleArchiveKeys.AES_256, 1)));
    for (SegmentHeader other : others) {
      Forger forger = new Forger(SEGMENT);
      forger.header = other;
      byte[] forged = forger.write();
      assertThat(bytesAreWhole(forged)).isTrue();
      assertThatThrownBy(() -> Segments.reader(forged, both))
          .isInstanceOf(IntegrityException.class)
          .hasMessageContaining("commitment");
    }
    Forger wholeHeader = new Forger(SEGMENT);
    wholeHeader.header = new Forger(Segments.of(BLOCKS).under(KEY).write()).header;
    assertForged(wholeHeader);
  }

  @Test
  void aFrameInPlainInASealedSegmentIsRefused() {
    List<Forger.Frame> plain = new Forger(Segments.of(BLOCKS).write()).frames;
    for (int i = 0; i < plain.size(); i++) {
      for (int flag : new int[] {0, FrameHeader.SEALED}) {
        Forger forger = new Forger(SEGMENT);
        Forger.Frame frame = plain.get(i);
        if (frame.stored().size() > 16) {
          forger.frames.set(i, frame.flags(frame.flags() | flag));
          assertThatThrownBy(
                  () -> Segments.check(Segments.reader(forger.write(), KEYS), Runnable::run))
              .isInstanceOf(IntegrityException.class);
        }
      }
    }
    Forger unflagged = new Forger(SEGMENT);
    unflagged.frames.set(0, plain.get(0));
    assertThat(SegmentCheck.bytes(Segments.reader(unflagged.write()), Runnable::run, bytes -> true))
        .as("noticed without a key")
        .hasSize(1)
        .allMatch(finding -> finding.contains("in plain"));
  }

  @Test
  void aSealedFrameInASegmentInPlainIsRefused() {
    Forger forger = new Forger(Segments.of(BLOCKS).write());
    Forger.Frame frame = forger.frames.get(0);
    forger.frames.set(0, frame.flags(frame.flags() | FrameHeader.SEALED));
    assertThat(SegmentCheck.bytes(Segments.reader(forger.write()), Runnable::run, bytes -> true))
        .hasSize(1)
        .allMatch(finding -> finding.contains("is sealed"));
  }

  /** All sums fit, so that only the tag can tell; and it does, before anything is served. */
  private static void assertForged(Forger forger) {
    byte[] forged = forger.write();
    assertThat(bytesAreWhole(forged)).isTrue();
    assertThatThrownBy(() -> Segments.check(Segments.reader(forged, KEYS), Runnable::run))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("does not fit its seal");
  }

  private static SegmentHeader with(
      Bytes genesis, Bytes ledger, Bytes attempt, long height, SegmentHeader.Seal seal) {
    return new SegmentHeader(Digests.SHA256, genesis, ledger, attempt, height, Optional.of(seal));
  }

  private static Block withAdditional(Block block, Bytes additional) {
    return new Block(
        block.height(),
        block.kind(),
        block.hash(),
        block.previousHash(),
        block.header(),
        block.transactions(),
        block.rwSets(),
        additional);
  }

  /** A block whose parts are noise, which zstd stores as it is. */
  private static Block marked(long height, List<Block> before) {
    String id = "id-" + text(height * 10);
    RwSet.Write write =
        new RwSet.Write(
            "namespace-" + text(height * 10 + 1),
            noise(24, height * 10 + 2),
            Optional.of(noise(24, height * 10 + 3)));
    return new Block(
        height,
        height == 0 ? Block.Kind.GENESIS : Block.Kind.NORMAL,
        noise(32, height * 10 + 4),
        before.isEmpty() ? Bytes.EMPTY : before.get(before.size() - 1).hash(),
        noise(24, height * 10 + 5),
        List.of(new Transaction(id, noise(6000, height * 10 + 6))),
        List.of(new RwSet(id, List.of(), List.of(write))),
        noise(24, height * 10 + 7));
  }

  private static String text(long seed) {
    return noise(12, seed).hex();
  }

  private static Bytes noise(int size) {
    return noise(size, 1);
  }

  private static Bytes noise(int size, long seed) {
    byte[] noise = new byte[size];
    new Random(seed).nextBytes(noise);
    return Bytes.wrap(noise);
  }

  private static boolean occurs(byte[] segment, Bytes marker) {
    return Bytes.wrap(segment).hex().contains(marker.hex());
  }

  private static boolean bytesAreWhole(byte[] segment) {
    try {
      return SegmentCheck.bytes(Segments.reader(segment), Runnable::run, bytes -> true).isEmpty();
    } catch (IntegrityException | UnsupportedFormatException expected) {
      return false;
    }
  }

  private static boolean contentIsWhole(byte[] segment) {
    try {
      if (!Segments.check(Segments.reader(segment, KEYS), Runnable::run).equals(BLOCKS)) {
        fail("other blocks were read, and nothing was noticed");
      }
      return true;
    } catch (IntegrityException | UnsupportedFormatException | KeyUnavailableException expected) {
      return false;
    }
  }
}
