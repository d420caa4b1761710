package io.ledgerkeep.core.segment;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.testkit.SampleChain;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/**
 * Reads a segment with nothing but docs/format.md in hand: none of the classes of the format are
 * used, so a change of the format that the page does not tell shows here.
 */
final class SegmentByTheBookTest {

  private static final int DATA = 1;
  private static final int BLOCKS = 2;
  private static final int TXS = 3;
  private static final int LEAVES = 4;
  private static final int TX_LOCATOR = 5;
  private static final int HASH_LOCATOR = 6;
  private static final int DICTIONARY = 7;

  private final Map<Integer, ByteArrayOutputStream> streams = new TreeMap<>();

  @Test
  void aSegmentIsWhatThePageSays() throws Exception {
    List<Block> blocks =
        SampleChain.builder()
            .transactionsPerBlock(8)
            .payloadBytes(4000)
            .build()
            .blocks(40)
            .toList();
    byte[] file = Segments.of(blocks).write();
    ByteBuffer footer = readEnds(file, blocks);
    readFrames(file, footer);

    ByteBuffer data = stream(DATA);
    List<Integer> prefixes = new ArrayList<>();
    List<Integer> sizes = new ArrayList<>();
    for (Block block : blocks) {
      int from = data.position();
      assertThat(readBlock(data, block.height(), prefixes)).isEqualTo(block);
      sizes.add(data.position() - from);
    }
    assertThat(data.hasRemaining()).isFalse();
    assertThat(streams).doesNotContainKey(DICTIONARY);
    readIndexes(blocks, prefixes, sizes);
    readLocators(blocks);
  }

  /** Checks header and trailer; returns the content of the footer, before the frame table. */
  private ByteBuffer readEnds(byte[] file, List<Block> blocks) throws Exception {
    ByteBuffer header = ByteBuffer.wrap(file, 0, 192);
    assertThat(hex(header, 8)).isEqualTo("894c4b530d0a1a0a");
    assertThat(header.getInt()).isEqualTo(1);
    assertThat(hex(header, 4)).isEqualTo("01010020");
    assertThat(hex(header, 64)).isEqualTo(blocks.get(0).hash().hex() + "00".repeat(32));
    assertThat(hex(header, 32)).isEqualTo("000102030405060708090a0b0c0d0e0f".repeat(2));
    assertThat(header.getLong()).isZero();
    assertThat(hex(header, 68)).isEqualTo("00".repeat(68));
    assertThat(header.getInt()).isEqualTo(crc(file, 0, 188));

    int end = file.length - 64;
    ByteBuffer trailer = ByteBuffer.wrap(file, end, 64);
    int footerAt = (int) trailer.getLong();
    int footerSize = trailer.getInt();
    assertThat(footerAt + footerSize).isEqualTo(end);
    assertThat(trailer.getInt()).isEqualTo(1);
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    digest.update(file, 0, 192);
    digest.update(file, footerAt, footerSize);
    assertThat(hex(trailer, 32)).isEqualTo(Bytes.wrap(digest.digest()).hex());
    assertThat(trailer.getInt()).isZero();
    assertThat(trailer.getInt()).isEqualTo(crc(file, end, 52));
    assertThat(raw(trailer, 8)).isEqualTo("LKSEND1\n".getBytes(StandardCharsets.US_ASCII));
    return ByteBuffer.wrap(file, footerAt + 40, footerSize - 40);
  }

  private void readFrames(byte[] file, ByteBuffer footer) throws Exception {
    assertThat(varint(footer)).isZero();
    assertThat(varint(footer)).isEqualTo(40);
    long transactions = varint(footer);
    sized(footer);
    sized(footer);
    raw(footer, 32);
    long configs = varint(footer);
    assertThat(varint(footer)).as("genesis is the first of them").isZero();
    for (int i = 1; i < configs; i++) {
      varint(footer);
    }
    assertThat(sized(footer)).isEmpty();
    assertThat(new String(sized(footer), StandardCharsets.UTF_8)).startsWith("ledgerkeep");
    long[] decodedSizes = new long[8];
    for (int stream = 1; stream <= 7; stream++) {
      decodedSizes[stream] = varint(footer);
    }
    assertThat(decodedSizes[LEAVES]).isEqualTo(transactions * 64);
    long frames = varint(footer);
    int at = 192;
    for (int number = 0; number < frames; number++) {
      int stream = footer.get();
      int stored = (int) varint(footer);
      byte[] frame = Arrays.copyOfRange(file, at, at + 40 + stored);
      assertThat(raw(footer, 32)).isEqualTo(MessageDigest.getInstance("SHA-256").digest(frame));
      readFrame(frame, number, stream);
      at += 40 + stored;
    }
    assertThat(footer.hasRemaining()).isFalse();
    for (int stream = 1; stream <= 7; stream++) {
      assertThat(stream(stream).remaining()).isEqualTo((int) decodedSizes[stream]);
    }
  }

  private void readFrame(byte[] frame, int number, int stream) throws Exception {
    ByteArrayOutputStream decoded =
        streams.computeIfAbsent(stream, key -> new ByteArrayOutputStream());
    ByteBuffer header = ByteBuffer.wrap(frame, 0, 40);
    assertThat(raw(header, 4)).isEqualTo("LKF1".getBytes(StandardCharsets.US_ASCII));
    assertThat(header.get()).isEqualTo((byte) stream);
    int flags = header.get();
    assertThat(header.getShort()).isZero();
    assertThat(header.getInt()).isEqualTo(number);
    int size = header.getInt();
    assertThat(header.getInt()).isEqualTo(frame.length - 40);
    assertThat(header.getInt()).isZero();
    assertThat(header.getLong()).isEqualTo(decoded.size()).matches(offset -> offset % 65536 == 0);
    assertThat(header.getInt()).isEqualTo(crc(frame, 0, 32));
    assertThat(header.getInt()).isEqualTo(crc(frame, 40, frame.length - 40));
    byte[] stored = Arrays.copyOfRange(frame, 40, frame.length);
    assertThat(flags).isIn(0, 1);
    decoded.write(flags == 0 ? stored : Zstd.decompress(stored, size));
  }

  private static Block readBlock(ByteBuffer data, long height, List<Integer> prefixes) {
    int from = data.position();
    Block.Kind kind =
        List.of(Block.Kind.GENESIS, Block.Kind.CONFIG, Block.Kind.NORMAL).get(data.get());
    Bytes hash = Bytes.wrap(sized(data));
    Bytes previousHash = Bytes.wrap(sized(data));
    Bytes header = Bytes.wrap(sized(data));
    Bytes additional = Bytes.wrap(sized(data));
    long count = varint(data);
    prefixes.add(data.position() - from);
    List<Transaction> transactions = new ArrayList<>();
    List<RwSet> rwSets = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ByteBuffer row = ByteBuffer.wrap(sized(data));
      String id = text(row);
      transactions.add(new Transaction(id, Bytes.wrap(raw(row, row.remaining()))));
      rwSets.add(readRwSet(id, ByteBuffer.wrap(sized(data))));
    }
    return new Block(height, kind, hash, previousHash, header, transactions, rwSets, additional);
  }

  private static RwSet readRwSet(String id, ByteBuffer row) {
    long readCount = varint(row);
    long writeCount = varint(row);
    List<RwSet.Read> reads = new ArrayList<>();
    for (int i = 0; i < readCount; i++) {
      reads.add(new RwSet.Read(text(row), Bytes.wrap(sized(row)), value(row)));
    }
    List<RwSet.Write> writes = new ArrayList<>();
    for (int i = 0; i < writeCount; i++) {
      writes.add(new RwSet.Write(text(row), Bytes.wrap(sized(row)), value(row)));
    }
    assertThat(row.hasRemaining()).isFalse();
    return new RwSet(id, reads, writes);
  }

  private static Optional<Bytes> value(ByteBuffer row) {
    int sizePlusOne = (int) varint(row);
    return sizePlusOne == 0 ? Optional.empty() : Optional.of(Bytes.wrap(raw(row, sizePlusOne - 1)));
  }

  /** Checks the streams that say where everything is, and finds every row and leaf by them. */
  private void readIndexes(List<Block> blocks, List<Integer> prefixes, List<Integer> sizes)
      throws Exception {
    ByteBuffer index = stream(BLOCKS);
    ByteBuffer lengths = stream(TXS);
    ByteBuffer leaves = stream(LEAVES);
    ByteBuffer data = stream(DATA);
    for (int b = 0; b < blocks.size(); b++) {
      int prefix = (int) varint(index);
      assertThat(prefix).isEqualTo(prefixes.get(b));
      assertThat(varint(index)).isEqualTo(sizes.get(b) - prefix);
      assertThat(varint(index)).isEqualTo(blocks.get(b).transactions().size());
      int lengthsEnd = (int) varint(index) + lengths.position();
      data.position(data.position() + prefix);
      for (int i = 0; i < 2 * blocks.get(b).transactions().size(); i++) {
        byte[] row = sized(data);
        assertThat(varint(lengths)).isEqualTo(row.length);
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update((byte) 0);
        assertThat(raw(leaves, 32)).isEqualTo(digest.digest(row));
      }
      assertThat(lengths.position()).isEqualTo(lengthsEnd);
    }
    assertThat(index.hasRemaining() || lengths.hasRemaining() || leaves.hasRemaining()).isFalse();
  }

  private void readLocators(List<Block> blocks) throws Exception {
    List<byte[]> ids = new ArrayList<>();
    List<byte[]> hashes = new ArrayList<>();
    for (Block block : blocks) {
      hashes.add(block.hash().toArray());
      for (Transaction transaction : block.transactions()) {
        ids.add(transaction.id().getBytes(StandardCharsets.UTF_8));
      }
    }
    readLocator(stream(TX_LOCATOR), ids);
    readLocator(stream(HASH_LOCATOR), hashes);
  }

  private static void readLocator(ByteBuffer locator, List<byte[]> keys) throws Exception {
    assertThat(locator.remaining()).isEqualTo(8 * keys.size());
    Bytes before = Bytes.EMPTY;
    while (locator.hasRemaining()) {
      Bytes entry = Bytes.wrap(raw(locator, 8));
      assertThat(entry).isGreaterThan(before);
      before = entry;
      int number = ByteBuffer.wrap(entry.toArray()).getInt(4);
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(keys.get(number));
      assertThat(entry.slice(0, 4)).isEqualTo(Bytes.wrap(digest, 0, 4));
    }
  }

  private ByteBuffer stream(int code) {
    ByteArrayOutputStream stream = streams.get(code);
    return ByteBuffer.wrap(stream == null ? new byte[0] : stream.toByteArray());
  }

  private static long varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      int next = in.get();
      value |= (long) (next & 0x7F) << shift;
      if (next >= 0) {
        return value;
      }
    }
  }

  private static byte[] sized(ByteBuffer in) {
    return raw(in, (int) varint(in));
  }

  private static String text(ByteBuffer in) {
    return new String(sized(in), StandardCharsets.UTF_8);
  }

  private static byte[] raw(ByteBuffer in, int size) {
    byte[] bytes = new byte[size];
    in.get(bytes);
    return bytes;
  }

  private static String hex(ByteBuffer in, int size) {
    return Bytes.wrap(raw(in, size)).hex();
  }

  private static int crc(byte[] bytes, int from, int size) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, size);
    return (int) crc.getValue();
  }
}
