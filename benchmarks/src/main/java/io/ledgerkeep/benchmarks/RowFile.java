package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.storage.WriteBatch;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Rows in a plain file, in the order in which they came: what both sides are fed with. */
final class RowFile {

  private static final int BUFFER_BYTES = 1 << 20;

  private final Path file;

  RowFile(Path file) {
    this.file = file;
  }

  /** Writes the file anew. For one thread; close it. */
  Writer writer() throws IOException {
    return new Writer(file);
  }

  /** Reads the file from its beginning. For one thread; close it. */
  Reader reader() throws IOException {
    return new Reader(file);
  }

  static final class Writer implements AutoCloseable {

    private final DataOutputStream out;

    private Writer(Path file) throws IOException {
      out =
          new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file), BUFFER_BYTES));
    }

    void add(byte[] key, byte[] value) {
      try {
        out.writeInt(key.length);
        out.writeInt(value.length);
        out.write(key);
        out.write(value);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }

  static final class Reader implements AutoCloseable {

    private final DataInputStream in;

    private Reader(Path file) throws IOException {
      in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES));
    }

    /** Returns the next rows, of at least so many bytes in all but at the end; empty at the end. */
    WriteBatch next(long bytes) throws IOException {
      WriteBatch rows = new WriteBatch();
      while (rows.bytes() < bytes && in.available() > 0) {
        int keySize = in.readInt();
        int valueSize = in.readInt();
        rows.put(Bytes.wrap(in.readNBytes(keySize)), Bytes.wrap(in.readNBytes(valueSize)));
      }
      return rows;
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
