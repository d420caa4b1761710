package io.ledgerkeep.core.backup;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.backup.RowFrame.How;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.core.parallel.OrderedPipeline;
import io.ledgerkeep.error.IntegrityException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.concurrent.Executor;

/** Reads a file of rows, one frame in memory at a time. For one thread; close it. */
final class RowFileReader implements AutoCloseable {

  private final Path file;
  private final String what;
  private final InputStream in;
  private final MessageDigest digest = Digests.SHA256.newDigest();
  private ByteReader rowsLeft = new ByteReader(Bytes.EMPTY, "no rows");
  private Bytes key = Bytes.EMPTY;
  private Bytes value = Bytes.EMPTY;
  private long rows;
  private long rawBytes;
  private long bytes;
  private boolean ended;

  private RowFileReader(Path file, InputStream in) {
    this.file = file;
    this.what = "the file " + file + " of a backup";
    this.in = in;
  }

  static RowFileReader open(Path file) {
    try {
      RowFileReader reader =
          new RowFileReader(file, new BufferedInputStream(Files.newInputStream(file), 1 << 16));
      try {
        reader.readMagic();
        return reader;
      } catch (RuntimeException | Error e) {
        reader.close();
        throw e;
      }
    } catch (NoSuchFileException e) {
      throw new IntegrityException(
          "the file " + file + " of a backup is missing; put it back from a copy", e);
    } catch (IOException e) {
      throw SmallFile.failed("cannot read " + file, e);
    }
  }

  /**
   * Reads a file to its end; frames are decompressed on any thread.
   *
   * @return what it has, and the key of its last row, or empty bytes
   */
  static Read readThrough(Path file, Executor executor) {
    try (RowFileReader reader = open(file);
        OrderedPipeline<FrameRows> frames = new OrderedPipeline<>(executor)) {
      while (!reader.ended || !frames.isEmpty()) {
        while (!reader.ended && !frames.isFull()) {
          reader.submitFrame(frames);
        }
        if (!frames.isEmpty()) {
          reader.count(frames.takeUninterruptibly());
        }
      }
      return new Read(reader.totals(), reader.key());
    }
  }

  /** A file that was read. */
  record Read(RowTotals totals, Bytes lastKey) {}

  /** What one frame has. */
  private record FrameRows(long rows, long rawBytes, Bytes lastKey) {

    static FrameRows of(byte[] decoded, String what) {
      ByteReader in = new ByteReader(Bytes.wrap(decoded), what);
      Bytes last = Bytes.EMPTY;
      long rows = 0;
      while (in.left() > 0) {
        int keyBytes = in.number();
        int valueBytes = in.number();
        last = in.raw(keyBytes);
        in.raw(valueBytes);
        rows++;
      }
      return new FrameRows(rows, decoded.length, last);
    }
  }

  private void submitFrame(OrderedPipeline<FrameRows> frames) {
    RowFrame frame = RowFrame.decodeHeader(read(RowFrame.HEADER_BYTES), what);
    byte[] stored = read(frame.storedBytes());
    if (frame.how() == How.END) {
      end(frame, stored);
    } else {
      frames.submit(frame.rawBytes(), () -> FrameRows.of(frame.decode(stored, what), what));
    }
  }

  private void count(FrameRows frame) {
    rows += frame.rows();
    rawBytes += frame.rawBytes();
    key = frame.lastKey();
  }

  private void readMagic() {
    Bytes found = Bytes.wrap(read(RowFileWriter.MAGIC.size()));
    if (!found.equals(RowFileWriter.MAGIC)) {
      throw new IntegrityException(what + " does not begin as one; put it back from a copy");
    }
  }

  /** Steps to the next row; returns false at the end of the file. */
  boolean next() {
    while (rowsLeft.left() == 0) {
      if (ended || !nextFrame()) {
        return false;
      }
    }
    int keyBytes = rowsLeft.number();
    int valueBytes = rowsLeft.number();
    key = rowsLeft.raw(keyBytes);
    value = rowsLeft.raw(valueBytes);
    rows++;
    return true;
  }

  private boolean nextFrame() {
    RowFrame frame = RowFrame.decodeHeader(read(RowFrame.HEADER_BYTES), what);
    byte[] stored = read(frame.storedBytes());
    if (frame.how() == How.END) {
      end(frame, stored);
      return false;
    }
    byte[] decoded = frame.decode(stored, what);
    rawBytes += decoded.length;
    rowsLeft = new ByteReader(Bytes.wrap(decoded), what);
    return true;
  }

  private void end(RowFrame frame, byte[] stored) {
    frame.decode(stored, what);
    requireEnd();
    ended = true;
  }

  private void requireEnd() {
    try {
      if (in.read() >= 0) {
        throw new IntegrityException(what + " has more bytes than belong to it");
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot read " + file, e);
    }
  }

  private byte[] read(int size) {
    try {
      byte[] read = in.readNBytes(size);
      if (read.length < size) {
        throw new IntegrityException(what + " is cut off; put it back from a copy");
      }
      digest.update(read);
      bytes += size;
      return read;
    } catch (IOException e) {
      throw SmallFile.failed("cannot read " + file, e);
    }
  }

  Bytes key() {
    return key;
  }

  Bytes value() {
    return value;
  }

  /** Returns what was read; for who came to the end. */
  RowTotals totals() {
    if (!ended) {
      throw new IllegalStateException("the file was not read to its end");
    }
    return new RowTotals(rows, rawBytes, bytes, Bytes.wrap(digest.digest()));
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException e) {
      throw SmallFile.failed("cannot close " + file, e);
    }
  }
}
