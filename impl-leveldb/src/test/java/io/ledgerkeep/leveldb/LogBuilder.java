package io.ledgerkeep.leveldb;

import io.ledgerkeep.Bytes;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/** Writes logs in LevelDB's framing, independently of what reads them. */
final class LogBuilder {

  private static final int BLOCK_BYTES = 32768;
  private static final int HEADER_BYTES = 7;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** Appends a record, in as many fragments as the blocks ask for. */
  LogBuilder record(byte[] content) {
    int from = 0;
    do {
      int room = BLOCK_BYTES - out.size() % BLOCK_BYTES;
      if (room < HEADER_BYTES) {
        zeros(room);
        room = BLOCK_BYTES;
      }
      int length = Math.min(room - HEADER_BYTES, content.length - from);
      boolean isFirst = from == 0;
      boolean isLast = from + length == content.length;
      fragment(isFirst ? (isLast ? 1 : 2) : (isLast ? 4 : 3), content, from, length);
      from += length;
    } while (from < content.length);
    return this;
  }

  /** Appends a record of one put, with the number of that mutation. */
  LogBuilder put(long sequence, String key, String value) {
    return record(batch(sequence, key, value));
  }

  static byte[] batch(long sequence, String key, String value) {
    ByteBuffer content = ByteBuffer.allocate(1 << 10).order(ByteOrder.LITTLE_ENDIAN);
    content.putLong(sequence).putInt(1).put((byte) 1);
    content.put((byte) key.length()).put(key.getBytes(StandardCharsets.UTF_8));
    content.put((byte) value.length()).put(value.getBytes(StandardCharsets.UTF_8));
    return Bytes.wrap(content.array(), 0, content.position()).toArray();
  }

  LogBuilder zeros(int count) {
    return raw(new byte[count]);
  }

  LogBuilder raw(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  int size() {
    return out.size();
  }

  byte[] bytes() {
    return out.toByteArray();
  }

  private void fragment(int type, byte[] content, int from, int length) {
    CRC32C crc = new CRC32C();
    crc.update(type);
    crc.update(content, from, length);
    int masked = (((int) crc.getValue() >>> 15) | ((int) crc.getValue() << 17)) + 0xa282ead8;
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    header.putInt(masked).putShort((short) length).put((byte) type);
    out.writeBytes(header.array());
    out.write(content, from, length);
  }
}
