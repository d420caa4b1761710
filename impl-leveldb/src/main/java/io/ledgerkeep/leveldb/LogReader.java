package io.ledgerkeep.leveldb;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Reads the framing of LevelDB's logs, which its manifests use too, and tells how far it is whole.
 *
 * <p>A file is a row of blocks of 32 KiB. A block holds fragments: a masked CRC32C (4 bytes, little
 * endian, over type and content), the length of the content (2), the type (1), the content. A
 * record is one fragment of type full, or one first, any number of middle and one last. Less than
 * seven bytes at the end of a block are padding. LevelDB writes through a mapping that it extends
 * ahead, so zeros up to the end of the file are what the death of a process leaves; LevelDB skips
 * zeros anywhere, which is why it does not notice a page that a power cut left out.
 */
final class LogReader implements AutoCloseable {

  /** What {@link #next} came upon. */
  enum Found {
    /** A whole record. */
    RECORD,
    /** The end: nothing but zeros follows. */
    END,
    /** Something that is neither. */
    DAMAGE
  }

  static final int BLOCK_BYTES = 32 << 10;
  static final int HEADER_BYTES = 7;

  private static final int FULL = 1;
  private static final int FIRST = 2;
  private static final int LAST = 4;
  private static final int MASK_DELTA = 0xa282ead8;

  private final FileChannel channel;
  private final long size;
  private final byte[] block = new byte[BLOCK_BYTES];
  private long blockStart = -BLOCK_BYTES;
  private int blockLimit;
  private int at;

  private int type;
  private int contentStart;
  private int contentBytes;

  private long recordStart;
  private byte[] record = new byte[1 << 10];
  private int recordBytes;

  private LogReader(FileChannel channel, long size) {
    this.channel = channel;
    this.size = size;
  }

  static LogReader open(Path file) throws IOException {
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
    return new LogReader(channel, channel.size());
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /** Returns where the record last found begins, or the one that turned out damaged. */
  long recordStart() {
    return recordStart;
  }

  /** Returns the content of the record last found, good until the next one is read. */
  ByteBuffer record() {
    return ByteBuffer.wrap(record, 0, recordBytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Reads on. After {@link Found#DAMAGE}, {@link #recordStart} is where what is whole ends. */
  Found next() throws IOException {
    recordBytes = 0;
    boolean begun = false;
    while (true) {
      if (!toHeader()) {
        recordStart = begun ? recordStart : position();
        return begun || !onlyZerosFrom(position()) ? Found.DAMAGE : Found.END;
      }
      if (!begun) {
        recordStart = position();
      }
      if (isZeroHeader()) {
        return begun || !onlyZerosFrom(position()) ? Found.DAMAGE : Found.END;
      }
      if (!readFragment()) {
        return Found.DAMAGE;
      }
      boolean opens = type == FULL || type == FIRST;
      if (opens ? begun && recordBytes > 0 : !begun) {
        return Found.DAMAGE;
      }
      if (opens) {
        // An empty first fragment at the end of a block, which old writers left, is begun anew.
        recordStart = begun ? fragmentStart() : recordStart;
      }
      begun = true;
      append();
      if (type == FULL || type == LAST) {
        return Found.RECORD;
      }
    }
  }

  /** Returns whether any whole record that fits begins at or after the place. */
  boolean holdsRecordFrom(long from, RecordTest test) throws IOException {
    for (long place = from; place + HEADER_BYTES <= size; ) {
      seek(place);
      if (blockLimit - at < HEADER_BYTES || !readFragment()) {
        place++;
        continue;
      }
      long behind = position();
      if (type == FULL || type == FIRST) {
        seek(place);
        if (next() == Found.RECORD && test.fits(record())) {
          return true;
        }
      }
      place = behind;
    }
    return false;
  }

  /** Says whether what looks like a record can be one. */
  interface RecordTest {
    boolean fits(ByteBuffer record);
  }

  /** Returns whether the file has only zeros from the place on. */
  boolean onlyZerosFrom(long from) throws IOException {
    ByteBuffer part = ByteBuffer.allocate(BLOCK_BYTES);
    for (long place = from; place < size; place += part.limit()) {
      part.clear();
      readFully(part, place);
      if (!part.equals(ByteBuffer.allocate(part.limit()))) {
        return false;
      }
    }
    return true;
  }

  private long position() {
    return blockStart + at;
  }

  private long fragmentStart() {
    return blockStart + contentStart - HEADER_BYTES;
  }

  private void seek(long place) throws IOException {
    long start = place - place % BLOCK_BYTES;
    if (start != blockStart) {
      load(start);
    }
    at = (int) (place - start);
  }

  /** Steps over padding to where a header is; returns false where the file ends before. */
  private boolean toHeader() throws IOException {
    if (blockLimit - at >= HEADER_BYTES) {
      return true;
    }
    if (blockStart >= 0 && blockLimit < BLOCK_BYTES) {
      return false;
    }
    load(blockStart + BLOCK_BYTES);
    at = 0;
    return blockLimit >= HEADER_BYTES;
  }

  private void load(long start) throws IOException {
    ByteBuffer target = ByteBuffer.wrap(block);
    readFully(target, start);
    blockStart = start;
    blockLimit = target.limit();
  }

  /** Fills the buffer from the place on; its limit becomes the number of bytes there are. */
  private void readFully(ByteBuffer target, long place) throws IOException {
    while (target.hasRemaining() && channel.read(target, place + target.position()) > 0) {}
    target.flip();
  }

  private boolean isZeroHeader() {
    return block[at + 4] == 0 && block[at + 5] == 0 && block[at + 6] == 0;
  }

  /** Steps over a fragment if it is whole. */
  private boolean readFragment() {
    ByteBuffer header = ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN);
    int length = Short.toUnsignedInt(header.getShort(at + 4));
    int found = block[at + 6];
    if (found < FULL || found > LAST || at + HEADER_BYTES + length > blockLimit) {
      return false;
    }
    CRC32C crc = new CRC32C();
    crc.update(block, at + 6, 1 + length);
    if (mask((int) crc.getValue()) != header.getInt(at)) {
      return false;
    }
    type = found;
    contentStart = at + HEADER_BYTES;
    contentBytes = length;
    at += HEADER_BYTES + length;
    return true;
  }

  /** Returns the form in which LevelDB stores a checksum. */
  static int mask(int crc) {
    return Integer.rotateRight(crc, 15) + MASK_DELTA;
  }

  private void append() {
    if (recordBytes + contentBytes > record.length) {
      record = Arrays.copyOf(record, Math.max(2 * record.length, recordBytes + contentBytes));
    }
    System.arraycopy(block, contentStart, record, recordBytes, contentBytes);
    recordBytes += contentBytes;
  }
}
