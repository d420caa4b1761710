package io.ledgerkeep.core.rebuilding;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.chain.ChainIndexes;
import io.ledgerkeep.core.chain.ChainIndexes.Correction;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Crc32c;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The file {@code INDEX} of a backup: every row of the indexes that a rebuild puts right, as it was
 * and as it becomes. A row is in the file, durable, before it is changed in the database; so the
 * file says what was there, and a rebuild that was interrupted goes on by it. There is no file as
 * long as nothing is wrong. For one thread; close it.
 */
public final class ReplacedRows implements AutoCloseable {

  private static final byte[] MAGIC = {'L', 'K', 'I', 'X', 0, 0, 0, 1};
  private static final int VERSION_AT = 4;
  private static final int HEADER_BYTES = 8;

  /** No row of an index comes near it: a larger one is none. */
  private static final int MAX_RECORD_BYTES = 1 << 20;

  private final Path file;
  private @Nullable FileChannel channel;
  private long rows;
  private long entries;

  private ReplacedRows(Path file) {
    this.file = file;
  }

  /**
   * Opens the file, if it is there; a record that a crash left unfinished at its end is cut off.
   *
   * @throws IntegrityException if it is damaged elsewhere
   */
  public static ReplacedRows open(Path file) {
    ReplacedRows rows = new ReplacedRows(file);
    if (Files.exists(file)) {
      try {
        rows.channel = FileChannel.open(file, StandardOpenOption.WRITE);
        rows.cutTornEnd();
      } catch (IOException e) {
        rows.close();
        throw SmallFile.failed("cannot open " + file, e);
      } catch (RuntimeException e) {
        rows.close();
        throw e;
      }
    }
    return rows;
  }

  /** Returns how many entries of the indexes are there; one that was found twice counts twice. */
  public long entries() {
    return entries;
  }

  /** Returns whether there is no row at all. */
  public boolean isEmpty() {
    return rows == 0;
  }

  private void count(Correction correction) {
    rows++;
    entries += ChainIndexes.isEntry(correction) ? 1 : 0;
  }

  /** Adds rows; durable when it returns. */
  void append(List<Correction> corrections) {
    if (corrections.isEmpty()) {
      return;
    }
    try {
      FileChannel open = channel;
      if (open == null) {
        open = create();
        channel = open;
      }
      for (Correction correction : corrections) {
        write(open, record(correction));
      }
      open.force(true);
      corrections.forEach(this::count);
    } catch (IOException e) {
      throw SmallFile.failed("cannot write " + file, e);
    }
  }

  private FileChannel create() throws IOException {
    Path home = file.toAbsolutePath().getParent();
    if (home == null) {
      throw new IllegalArgumentException(file + " is no file");
    }
    Files.createDirectories(home);
    FileChannel fresh =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    write(fresh, MAGIC);
    fresh.force(true);
    SmallFile.syncDirectory(home);
    SmallFile.syncDirectory(home.resolve("..").normalize());
    return fresh;
  }

  private static void write(FileChannel open, byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      open.write(buffer);
    }
  }

  private static byte[] record(Correction correction) {
    ByteWriter body = new ByteWriter(256).sized(correction.key());
    value(body, correction.before());
    value(body, correction.after());
    Bytes bytes = body.take();
    return new ByteWriter(bytes.size() + 8)
        .u32(bytes.size())
        .u32(Crc32c.of(bytes))
        .raw(bytes)
        .take()
        .toArray();
  }

  private static void value(ByteWriter out, Optional<Bytes> value) {
    if (value.isPresent()) {
      out.varint(value.get().size() + 1L).raw(value.get());
    } else {
      out.varint(0);
    }
  }

  /** Hands out all rows in the order in which they were added, so many at a time. */
  void forEach(int atATime, Consumer<List<Correction>> consumer) {
    List<Correction> some = new ArrayList<>();
    read(
        correction -> {
          some.add(correction);
          if (some.size() >= atATime) {
            consumer.accept(List.copyOf(some));
            some.clear();
          }
        });
    if (!some.isEmpty()) {
      consumer.accept(List.copyOf(some));
    }
  }

  private void cutTornEnd() throws IOException {
    long end = read(this::count);
    FileChannel open = channel;
    if (open != null) {
      if (end == 0) {
        open.truncate(0);
        write(open, MAGIC);
      } else {
        open.truncate(end).position(end);
      }
      open.force(true);
    }
  }

  /** Returns where the last whole record ends. */
  private long read(Consumer<Correction> consumer) {
    if (!Files.exists(file)) {
      return 0;
    }
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 16))) {
      long size = Files.size(file);
      if (size < HEADER_BYTES) {
        return 0;
      }
      requireKnown(in.readNBytes(HEADER_BYTES));
      long at = HEADER_BYTES;
      while (size - at >= 8) {
        int length = in.readInt();
        int sum = in.readInt();
        if (length <= 0 || length > MAX_RECORD_BYTES || length > size - at - 8) {
          return at; // as a crash leaves it: a length without its bytes, or zeros
        }
        Bytes body = Bytes.wrap(in.readNBytes(length));
        if (Crc32c.of(body) != sum) {
          if (at + 8 + length == size) {
            return at;
          }
          throw new IntegrityException(file + " is damaged at byte " + at);
        }
        consumer.accept(correction(body));
        at += 8 + length;
      }
      return at;
    } catch (IOException e) {
      throw SmallFile.failed("cannot read " + file, e);
    }
  }

  private void requireKnown(byte[] header) {
    for (int i = 0; i < HEADER_BYTES; i++) {
      if (header[i] != MAGIC[i]) {
        throw i < VERSION_AT
            ? new IntegrityException(file + " does not begin as a file of replaced rows")
            : new UnsupportedFormatException(
                file + " has another version than 1, the one this release knows");
      }
    }
  }

  private static Correction correction(Bytes body) {
    ByteReader in = new ByteReader(body, "a replaced row");
    Correction correction = new Correction(in.sized(), value(in), value(in));
    in.end();
    return correction;
  }

  private static Optional<Bytes> value(ByteReader in) {
    int sizePlusOne = in.number();
    return sizePlusOne == 0 ? Optional.empty() : Optional.of(in.raw(sizePlusOne - 1));
  }

  @Override
  public void close() {
    FileChannel open = channel;
    channel = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        throw SmallFile.failed("cannot close " + file, e);
      }
    }
  }
}
