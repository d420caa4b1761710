package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.benchmarks.SideBySide.Written;
import io.ledgerkeep.storage.WriteBatch;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/** Batches as a ledger wrote them, in a plain file: more than memory should hold. */
final class WrittenFile {

  private static final int BUFFER_BYTES = 1 << 20;
  private static final int DELETED = -1;

  private final Path file;

  WrittenFile(Path file) {
    this.file = file;
  }

  /** Writes the file anew. For one thread; close it. */
  Writer writer() throws IOException {
    return new Writer(file);
  }

  /** Shows all batches in the order in which they were written. */
  void forEach(Consumer<Written> use) {
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES))) {
      while (in.available() > 0) {
        use.accept(read(in));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Written read(DataInputStream in) throws IOException {
    Database database = Database.valueOf(in.readUTF());
    boolean durable = in.readBoolean();
    WriteBatch batch = new WriteBatch();
    for (int left = in.readInt(); left > 0; left--) {
      Bytes key = Bytes.wrap(in.readNBytes(in.readInt()));
      int valueSize = in.readInt();
      if (valueSize == DELETED) {
        batch.delete(key);
      } else {
        batch.put(key, Bytes.wrap(in.readNBytes(valueSize)));
      }
    }
    return new Written(database, batch, durable);
  }

  static final class Writer implements AutoCloseable {

    private final DataOutputStream out;

    private Writer(Path file) throws IOException {
      out =
          new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file), BUFFER_BYTES));
    }

    void add(Written written) {
      try {
        out.writeUTF(written.database().name());
        out.writeBoolean(written.durable());
        out.writeInt(written.batch().size());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      written
          .batch()
          .forEach(
              new WriteBatch.Visitor() {
                @Override
                public void put(Bytes key, Bytes value) {
                  add(key, value.size(), value);
                }

                @Override
                public void delete(Bytes key) {
                  add(key, DELETED, Bytes.EMPTY);
                }
              });
    }

    private void add(Bytes key, int valueSize, Bytes value) {
      try {
        out.writeInt(key.size());
        out.write(key.toArrayUnsafe());
        out.writeInt(valueSize);
        out.write(value.toArrayUnsafe());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }
}
