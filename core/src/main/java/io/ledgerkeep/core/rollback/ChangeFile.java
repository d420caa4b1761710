package io.ledgerkeep.core.rollback;

import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import com.google.common.io.MoreFiles;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.WriteBatch;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * The file {@code CHANGES}: batches as they are to be written to the engines of a ledger, values
 * sealed where those are. Written before a roll back is committed, which records its digest, so
 * that nothing has to be worked out, and nothing can be missing, afterwards.
 */
final class ChangeFile {

  private static final Bytes MAGIC = Bytes.wrap(new byte[] {'L', 'K', 'C', 'H', 0, 0, 0, 1});

  /** A database is its place here, from 1. */
  private static final List<Database> CODES =
      List.of(Database.BLOCK, Database.STATE, Database.HISTORY);

  private ChangeFile() {}

  /** Writes a file. For one thread; close it. */
  static final class Writer implements AutoCloseable {

    private final Path file;
    private final FileChannel channel;
    private final Hasher hasher = Hashing.sha256().newHasher();

    Writer(Path file) {
      this.file = file;
      try {
        channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      } catch (IOException e) {
        throw SmallFile.failed("cannot make " + file, e);
      }
      write(MAGIC);
    }

    void append(Database database, WriteBatch batch) {
      Bytes body = body(batch);
      write(new ByteWriter(5).u8(CODES.indexOf(database) + 1).u32(body.size()).take());
      write(body);
    }

    private void write(Bytes bytes) {
      hasher.putBytes(bytes.toArrayUnsafe());
      ByteBuffer buffer = bytes.asBuffer();
      try {
        while (buffer.hasRemaining()) {
          channel.write(buffer);
        }
      } catch (IOException e) {
        throw SmallFile.failed("cannot write " + file, e);
      }
    }

    /** Makes all of it durable; returns its digest. */
    Bytes finish() {
      try {
        channel.force(true);
        SmallFile.syncDirectory(file.resolveSibling(""));
      } catch (IOException e) {
        throw SmallFile.failed("cannot sync " + file, e);
      }
      return Bytes.wrap(hasher.hash().asBytes());
    }

    @Override
    public void close() {
      try {
        channel.close();
      } catch (IOException e) {
        throw SmallFile.failed("cannot close " + file, e);
      }
    }
  }

  private static Bytes body(WriteBatch batch) {
    ByteWriter out = new ByteWriter(Math.toIntExact(batch.bytes() + 10L * batch.size()));
    batch.forEach(
        new WriteBatch.Visitor() {
          @Override
          public void put(Bytes key, Bytes value) {
            out.sized(key).varint(value.size() + 1L).raw(value);
          }

          @Override
          public void delete(Bytes key) {
            out.sized(key).varint(0);
          }
        });
    return out.take();
  }

  private static WriteBatch batch(Bytes body) {
    WriteBatch batch = new WriteBatch();
    ByteReader in = new ByteReader(body, "a batch of changes");
    while (in.left() > 0) {
      Bytes key = in.sized();
      int sizePlusOne = in.number();
      if (sizePlusOne == 0) {
        batch.delete(key);
      } else {
        batch.put(key, in.raw(sizePlusOne - 1));
      }
    }
    return batch;
  }

  /**
   * Returns if the file is the one that was written.
   *
   * @throws IntegrityException if it is not, or is gone
   */
  static void require(Path file, Bytes digest) {
    if (!Files.exists(file)) {
      throw new IntegrityException(file + " is gone");
    }
    try {
      Bytes found = Bytes.wrap(MoreFiles.asByteSource(file).hash(Hashing.sha256()).asBytes());
      if (!found.equals(digest)) {
        throw new IntegrityException(
            "%s is not as it was written: its SHA-256 digest is %s, expected %s"
                .formatted(file, found.hex(), digest.hex()));
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot read " + file, e);
    }
  }

  /** Hands out the batches of a file that is as it was written, in their order. */
  static void forEach(Path file, BiConsumer<Database, WriteBatch> consumer) {
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 16))) {
      in.skipNBytes(MAGIC.size());
      for (int code = in.read(); code >= 0; code = in.read()) {
        Bytes body = Bytes.wrap(in.readNBytes(in.readInt()));
        consumer.accept(CODES.get(code - 1), batch(body));
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot read " + file, e);
    }
  }
}
