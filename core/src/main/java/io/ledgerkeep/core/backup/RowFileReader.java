package io.ledgerkeep.core.backup;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.backup.RowFrame.How;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.IntegrityException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;

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
   * Reads a file to its end.
   *
   * @return what it has, and the key of its last row, or empty bytes
   */
  static Read readThrough(Path file) {
    try (RowFileReader reader = open(file)) {
      while (reader.next()) {
        // every frame is checked on the way
      }
      return new Read(reader.totals(), reader.key());
    }
  }

  /** A file that was read. */
  record Read(RowTotals totals, Bytes lastKey) {}

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
    byte[] decoded = frame.decode(read(frame.storedBytes()), what);
    if (frame.how() == How.END) {
      requireEnd();
      ended = true;
      return false;
    }
    rawBytes += decoded.length;
    rowsLeft = new ByteReader(Bytes.wrap(decoded), what);
    return true;
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
