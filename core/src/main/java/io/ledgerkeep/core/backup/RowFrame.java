package io.ledgerkeep.core.backup;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Crc32c;
import io.ledgerkeep.error.IntegrityException;

/**
 * What a file of rows consists of: so many whole rows, compressed together.
 *
 * @param how how they are stored, or that there are no more
 * @param rawBytes the size of the rows
 * @param storedBytes the size of what follows the header
 * @param checksum CRC32C of that
 */
record RowFrame(How how, int rawBytes, int storedBytes, int checksum) {

  /** How rows are stored. */
  enum How {
    AS_THEY_ARE(0),
    COMPRESSED(1),
    /** No rows: the file ends here. */
    END(2);

    private final int code;

    How(int code) {
      this.code = code;
    }

    private static How of(int code, ByteReader in) {
      for (How how : values()) {
        if (how.code == code) {
          return how;
        }
      }
      throw in.damaged("there is no frame of kind " + code);
    }
  }

  static final int HEADER_BYTES = 13;

  /** A frame is finished once its rows have so many bytes; the last row may be a large one. */
  static final int FULL_BYTES = 256 << 10;

  /** The largest key, and the largest value however it is sealed, come nowhere near it. */
  private static final int MAX_BYTES = 64 << 20;

  private static final int LEVEL = 3;

  /** Returns the bytes of a frame of these rows, header included. */
  static byte[] encode(byte[] rows) {
    byte[] compressed = Zstd.compress(rows, LEVEL);
    return compressed.length < rows.length
        ? framed(How.COMPRESSED, rows.length, compressed)
        : framed(How.AS_THEY_ARE, rows.length, rows);
  }

  /** Returns the bytes of the frame that ends a file. */
  static byte[] end() {
    return framed(How.END, 0, new byte[0]);
  }

  private static byte[] framed(How how, int rawBytes, byte[] stored) {
    return new ByteWriter(HEADER_BYTES + stored.length)
        .u8(how.code)
        .u32(rawBytes)
        .u32(stored.length)
        .u32(Crc32c.of(stored))
        .raw(stored)
        .take()
        .toArray();
  }

  static RowFrame decodeHeader(byte[] header, String what) {
    ByteReader in = new ByteReader(Bytes.wrap(header), what);
    RowFrame frame = new RowFrame(How.of(in.u8(), in), in.u32(), in.u32(), in.u32());
    if (frame.rawBytes < 0
        || frame.rawBytes > MAX_BYTES
        || frame.storedBytes < 0
        || frame.storedBytes > frame.rawBytes) {
      throw in.damaged("the sizes of a frame are none");
    }
    return frame;
  }

  /** Returns the rows of what follows the header. */
  byte[] decode(byte[] stored, String what) {
    if (Crc32c.of(stored) != checksum) {
      throw new IntegrityException(what + " is damaged: a frame does not fit its checksum");
    }
    return how == How.COMPRESSED ? decompress(stored, what) : stored;
  }

  private byte[] decompress(byte[] stored, String what) {
    byte[] rows = new byte[rawBytes];
    try {
      if (Zstd.decompress(rows, stored) == rawBytes) {
        return rows;
      }
    } catch (ZstdException e) {
      throw new IntegrityException(what + " is damaged: " + e.getMessage(), e);
    }
    throw new IntegrityException(what + " is damaged: a frame has another size than it says");
  }
}
