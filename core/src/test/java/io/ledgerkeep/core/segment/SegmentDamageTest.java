package io.ledgerkeep.core.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.Crc32c;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.UnsupportedFormatException;
import io.ledgerkeep.testkit.SampleChain;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class SegmentDamageTest {

  private static final List<Block> BLOCKS =
      SampleChain.builder().payloadBytes(20).keys(5).build().blocks(7).toList();
  private static final byte[] SEGMENT = Segments.of(BLOCKS).write();

  @Test
  void everyFlippedByteIsFoundByTheBytesAlone() {
    for (int at = 0; at < SEGMENT.length; at++) {
      byte[] damaged = SEGMENT.clone();
      damaged[at] ^= (byte) (1 << (at % 8));
      assertThat(bytesAreWhole(damaged)).as("byte " + at).isFalse();
    }
  }

  @Test
  void everyFlippedByteIsFoundByTheContent() {
    Random random = new Random(3);
    for (int at = 0; at < SEGMENT.length; at++) {
      byte[] damaged = SEGMENT.clone();
      damaged[at] ^= (byte) (1 + random.nextInt(255));
      assertThat(contentIsWhole(damaged)).as("byte " + at).isFalse();
    }
  }

  @Test
  void noFlippedByteIsServed() {
    String id = BLOCKS.get(4).transactions().get(1).id();
    for (int at = 0; at < SEGMENT.length; at++) {
      byte[] damaged = SEGMENT.clone();
      damaged[at] ^= 0x20;
      try {
        SegmentReader reader = Segments.reader(damaged);
        assertThat(reader.find(id)).contains(new SegmentReader.Place(4, 1));
        assertThat(reader.block(4).decode()).isEqualTo(BLOCKS.get(4));
      } catch (IntegrityException | UnsupportedFormatException expected) {
        assertThat(expected).hasMessageContaining(Segments.NAME);
      }
    }
  }

  @Test
  void everyTruncationIsFound() {
    for (int size = 0; size < SEGMENT.length; size++) {
      byte[] cut = Arrays.copyOf(SEGMENT, size);
      assertThatThrownBy(() -> Segments.reader(cut))
          .as("cut to " + size)
          .isInstanceOf(IntegrityException.class);
    }
  }

  @Test
  void whatIsAppendedIsFound() {
    for (int more : new int[] {1, 63, 64, 100_000}) {
      byte[] longer = Arrays.copyOf(SEGMENT, SEGMENT.length + more);
      assertThatThrownBy(() -> Segments.reader(longer)).isInstanceOf(IntegrityException.class);
    }
    byte[] twice = Arrays.copyOf(SEGMENT, SEGMENT.length * 2);
    System.arraycopy(SEGMENT, 0, twice, SEGMENT.length, SEGMENT.length);
    assertThatThrownBy(() -> Segments.reader(twice)).isInstanceOf(IntegrityException.class);
  }

  @Test
  void aDamagedFrameIsNamedWithBothDigests() {
    byte[] damaged = SEGMENT.clone();
    damaged[SegmentHeader.BYTES + FrameHeader.BYTES + 5] ^= 1;
    List<String> findings =
        SegmentCheck.bytes(Segments.reader(damaged), Runnable::run, bytes -> true);
    assertThat(findings).hasSize(1);
    assertThat(findings.get(0))
        .contains(Segments.NAME, "frame 0", "expected", "found")
        .containsPattern("[0-9a-f]{64}.*[0-9a-f]{64}");
  }

  @Test
  void allDamagedFramesAreListed() {
    byte[] damaged = SEGMENT.clone();
    FrameTable table = Segments.reader(SEGMENT).footer().frames();
    damaged[(int) table.offset(1)] ^= 1;
    damaged[(int) table.end(3) - 1] ^= 1;
    SegmentReader reader = Segments.reader(damaged);
    assertThat(SegmentCheck.bytes(reader, Runnable::run, bytes -> true))
        .hasSize(2)
        .anyMatch(finding -> finding.contains("frame 1 "))
        .anyMatch(finding -> finding.contains("frame 3 "));
    assertThat(SegmentCheck.bytes(reader, Runnable::run, bytes -> false)).isEmpty();
  }

  @Test
  void aNewerFormatIsRefusedByName() {
    byte[] newer = SEGMENT.clone();
    newer[11] = 2;
    putCrc(newer, SegmentHeader.BYTES - 4, 0, SegmentHeader.BYTES - 4);
    assertThatThrownBy(() -> Segments.reader(newer))
        .isInstanceOf(UnsupportedFormatException.class)
        .hasMessageContaining("version 2");
  }

  @Test
  void whatIsStoredInAnUnknownWayIsRefusedByName() {
    for (var way : Map.of(12, "compression", 13, "digest", 14, "encryption").entrySet()) {
      byte[] newer = SEGMENT.clone();
      newer[way.getKey()] = 9;
      putCrc(newer, SegmentHeader.BYTES - 4, 0, SegmentHeader.BYTES - 4);
      assertThatThrownBy(() -> Segments.reader(newer))
          .isInstanceOf(UnsupportedFormatException.class)
          .hasMessageContaining(way.getValue() + " 9");
    }
  }

  @Test
  void framesOfAnotherSegmentAreFound() {
    byte[] other =
        Segments.of(
                SampleChain.builder().seed(9).payloadBytes(20).keys(5).build().blocks(7).toList())
            .write();
    FrameTable mine = Segments.reader(SEGMENT).footer().frames();
    FrameTable theirs = Segments.reader(other).footer().frames();
    for (int i = 0; i < mine.size(); i++) {
      if (mine.end(i) - mine.offset(i) == theirs.end(i) - theirs.offset(i)) {
        byte[] mixed = SEGMENT.clone();
        int size = (int) (mine.end(i) - mine.offset(i));
        System.arraycopy(other, (int) theirs.offset(i), mixed, (int) mine.offset(i), size);
        if (!Arrays.equals(mixed, SEGMENT)) {
          assertThat(contentIsWhole(mixed)).as("frame " + i).isFalse();
        }
      }
    }
  }

  @Test
  void whatWasRewrittenTogetherWithItsChecksumIsFound() {
    byte[] header = SEGMENT.clone();
    header[80] ^= 1;
    putCrc(header, SegmentHeader.BYTES - 4, 0, SegmentHeader.BYTES - 4);
    assertThatThrownBy(() -> Segments.reader(header))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("digest");

    byte[] footer = SEGMENT.clone();
    int end = SEGMENT.length - SegmentTrailer.BYTES;
    int from = (int) Bytes.wrap(SEGMENT, end, 8).asBuffer().getLong();
    footer[end - 1] ^= 1;
    putCrc(footer, from + 36, from + FrameHeader.BYTES, end - from - FrameHeader.BYTES);
    assertThatThrownBy(() -> Segments.reader(footer))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("digest");

    byte[] frame = SEGMENT.clone();
    FrameTable table = Segments.reader(SEGMENT).footer().frames();
    int at = (int) table.offset(0);
    int size = (int) table.end(0) - at - FrameHeader.BYTES;
    frame[at + FrameHeader.BYTES + size - 1] ^= 1;
    putCrc(frame, at + 36, at + FrameHeader.BYTES, size);
    assertThat(SegmentCheck.bytes(Segments.reader(frame), Runnable::run, bytes -> true))
        .hasSize(1)
        .allMatch(finding -> finding.contains("digest"));
  }

  private static void putCrc(byte[] bytes, int at, int from, int size) {
    ByteBuffer.wrap(bytes).putInt(at, Crc32c.of(Bytes.wrap(bytes, from, size)));
  }

  /** Digests prove who wrote it, not that what is written makes sense: lengths, counts, places. */
  @Test
  void aFooterThatLiesUnderItsOwnDigestIsRefusedOrHarmless() {
    int end = SEGMENT.length - SegmentTrailer.BYTES;
    for (int at = footerOffset() + FrameHeader.BYTES; at < end; at++) {
      for (int change : new int[] {0x01, 0x20, 0x80, 0xFF}) {
        byte[] lying = SEGMENT.clone();
        lying[at] ^= (byte) change;
        seal(lying);
        assertRefusedOrHarmless(lying, "byte " + at + " changed by " + change);
      }
    }
  }

  @Test
  void aStreamThatLiesUnderItsOwnDigestIsRefusedOrHarmless() {
    FrameTable table = Segments.reader(SEGMENT).footer().frames();
    int frames = 0;
    for (int i = 0; i < table.size(); i++) {
      int from = (int) table.offset(i);
      boolean storedAsItIs = SEGMENT[from + 5] == 0;
      frames += storedAsItIs ? 1 : 0;
      for (int at = from + FrameHeader.BYTES; storedAsItIs && at < table.end(i); at++) {
        for (int change : new int[] {0x01, 0x80, 0xFF}) {
          byte[] lying = SEGMENT.clone();
          lying[at] ^= (byte) change;
          sealFrame(lying, table, i);
          seal(lying);
          assertRefusedOrHarmless(lying, "frame " + i + ", byte " + at + " changed by " + change);
        }
      }
    }
    assertThat(frames).as("frames that are stored as they are").isGreaterThan(3);
  }

  /** Whoever asks gets what was committed, or a failure of ours. */
  private static void assertRefusedOrHarmless(byte[] segment, String what) {
    Block block = BLOCKS.get(4);
    String id = block.transactions().get(1).id();
    List<Consumer<SegmentReader>> questions =
        List.of(
            reader -> reader.block(4).decode(),
            reader -> reader.find(id),
            reader -> reader.findHash(block.hash()),
            reader -> reader.transactionRow(4, 1),
            reader -> reader.rwSetRow(4, 1),
            reader -> SegmentCheck.bytes(reader, Runnable::run, bytes -> true),
            reader -> SegmentCheck.content(reader, Runnable::run, (found, meta) -> true));
    for (Consumer<SegmentReader> question : questions) {
      try {
        question.accept(Segments.reader(segment));
      } catch (IntegrityException | UnsupportedFormatException expected) {
        assertThat(expected).as(what).hasMessageContaining("segment");
      } catch (RuntimeException | OutOfMemoryError other) {
        throw new AssertionError(what, other);
      }
    }
  }

  private static int footerOffset() {
    int end = SEGMENT.length - SegmentTrailer.BYTES;
    return (int) Bytes.wrap(SEGMENT, end, 8).asBuffer().getLong();
  }

  /** Makes checksums and digest of a frame fit its bytes, also in the footer. */
  private static void sealFrame(byte[] segment, FrameTable table, int frame) {
    int at = (int) table.offset(frame);
    int size = (int) table.end(frame) - at;
    putCrc(segment, at + 36, at + FrameHeader.BYTES, size - FrameHeader.BYTES);
    int digest = Bytes.wrap(SEGMENT).hex().lastIndexOf(table.digest(frame).hex()) / 2;
    byte[] fresh = Digests.SHA256.newDigest().digest(Arrays.copyOfRange(segment, at, at + size));
    System.arraycopy(fresh, 0, segment, digest, fresh.length);
  }

  /** Makes checksums and digest of the footer and the trailer fit. */
  private static void seal(byte[] segment) {
    int from = footerOffset();
    int end = segment.length - SegmentTrailer.BYTES;
    putCrc(segment, from + 36, from + FrameHeader.BYTES, end - from - FrameHeader.BYTES);
    var digest = Digests.SHA256.newDigest();
    digest.update(segment, 0, SegmentHeader.BYTES);
    digest.update(segment, from, end - from);
    System.arraycopy(digest.digest(), 0, segment, end + 16, Digests.SIZE);
    putCrc(segment, end + 52, end, 52);
  }

  @Test
  void aLocatorThatDoesNotFitTheDataIsFoundByTheContent() {
    byte[] forged = Segments.of(BLOCKS).with((digest, key) -> key.get(0)).write();
    assertThat(bytesAreWhole(forged)).isTrue();
    assertThatThrownBy(() -> Segments.check(forged))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("locator");
  }

  @Test
  void leavesThatDoNotFitTheDataAreFoundByTheContentAndByWhoReadsARow() throws IOException {
    BlockDigests others = digests(SampleChain.builder().seed(2).build().block(1));
    byte[] forged = forged(digests -> others);
    assertThat(bytesAreWhole(forged)).isTrue();
    assertThatThrownBy(() -> Segments.check(forged))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("leaves from block ");
    assertThatThrownBy(() -> Segments.reader(forged).transactionRow(1, 0))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("leaf 0");
    assertThatThrownBy(() -> Segments.reader(forged).rwSetRow(1, 2))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("leaf 2");
  }

  @Test
  void aContentRootThatDoesNotFitTheDataIsFoundByTheContent() throws IOException {
    byte[] forged =
        forged(
            own ->
                new BlockDigests(
                    own.additional(),
                    own.header(),
                    own.transactionLeaves(),
                    own.rwSetLeaves(),
                    own.transactionRoot(),
                    own.rwSetRoot()));
    assertThat(bytesAreWhole(forged)).isTrue();
    assertThatThrownBy(() -> Segments.check(forged))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("content root");
  }

  /** Writes a segment whose second block has digests that are not its own. */
  private static byte[] forged(UnaryOperator<BlockDigests> forge) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SegmentWriter writer = Segments.writer(out, BLOCKS.get(0))) {
      Segments.add(writer, BLOCKS.get(0));
      Block second = BLOCKS.get(1);
      BlockGroup.Builder group = new BlockGroup.Builder(Digests.SHA256);
      group.add(StoredBlock.of(second), forge.apply(digests(second)));
      writer.add(group.build());
      writer.finish();
    }
    return out.toByteArray();
  }

  private static BlockDigests digests(Block block) {
    return BlockDigests.of(StoredBlock.of(block), Digests.SHA256.newDigest());
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
      if (!Segments.check(segment).equals(BLOCKS)) {
        fail("other blocks were read, and nothing was noticed");
      }
      return true;
    } catch (IntegrityException | UnsupportedFormatException expected) {
      return false;
    }
  }
}
