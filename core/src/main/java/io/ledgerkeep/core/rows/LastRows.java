package io.ledgerkeep.core.rows;

import io.ledgerkeep.core.files.SmallFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Adds up the hashes of rows of which only the last with a key counts. The rows are parted by their
 * keys, so that one part after the other fits into memory; what fills a buffer goes to a file. For
 * one thread; close it, which removes the file.
 */
public final class LastRows implements AutoCloseable {

  /** What a row counts that was deleted. */
  public static final long NONE = 0;

  private static final int PARTS = 256;
  private static final int PAGE_ROWS = 2048;
  private static final int PAGE_BYTES = PAGE_ROWS * 2 * Long.BYTES;

  /** More rows in one part take too much memory: a table of 64 MiB. */
  private static final long MAX_PART_ROWS = 1 << 21;

  private final Path file;
  private final long maxPartRows;
  private final List<Part> parts = new ArrayList<>();
  private @Nullable FileChannel channel;
  private long pages;

  /** Begins without a row. Another file of this name is removed. */
  public LastRows(Path file) {
    this(file, MAX_PART_ROWS);
  }

  LastRows(Path file, long maxPartRows) {
    this.file = file;
    this.maxPartRows = maxPartRows;
    remove();
    for (int i = 0; i < PARTS; i++) {
      parts.add(new Part());
    }
  }

  /**
   * What the last rows come to.
   *
   * @param sum the sum of their hashes
   * @param rows how many there are, those that were deleted left out
   */
  public record Sum(long sum, long rows) {}

  /** Adds a row, or with {@link #NONE} that it was deleted, by the hashes of its key and of it. */
  public void add(long key, long row) {
    parts.get((int) (key >>> 56)).add(key, row);
  }

  /** Returns the sum of the last rows of all keys; nothing where there are too many to tell. */
  public Optional<Sum> sum() {
    long sum = 0;
    long rows = 0;
    for (Part part : parts) {
      if (part.rows() > maxPartRows) {
        return Optional.empty();
      }
      Sum of = part.sum();
      sum += of.sum();
      rows += of.rows();
    }
    return Optional.of(new Sum(sum, rows));
  }

  private long append(ByteBuffer page) {
    try {
      FileChannel open = channel;
      if (open == null) {
        open =
            FileChannel.open(
                file,
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        channel = open;
      }
      long at = pages * PAGE_BYTES;
      while (page.hasRemaining()) {
        open.write(page, at + page.position());
      }
      return pages++;
    } catch (IOException e) {
      throw SmallFile.failed("cannot write " + file, e);
    }
  }

  private LongBuffer page(long number) {
    ByteBuffer page = ByteBuffer.allocate(PAGE_BYTES);
    FileChannel open = channel;
    try {
      while (page.hasRemaining()) {
        if (open == null || open.read(page, number * PAGE_BYTES + page.position()) < 0) {
          throw new IOException("it ends too early");
        }
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot read " + file, e);
    }
    return page.flip().asLongBuffer();
  }

  @Override
  public void close() {
    FileChannel open = channel;
    channel = null;
    try {
      if (open != null) {
        open.close();
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot close " + file, e);
    } finally {
      remove();
    }
  }

  private void remove() {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw SmallFile.failed("cannot remove " + file, e);
    }
  }

  /** The rows of some of the keys. */
  private final class Part {

    private final List<Long> written = new ArrayList<>();
    private @Nullable ByteBuffer open;

    void add(long key, long row) {
      ByteBuffer page = open;
      if (page == null) {
        page = ByteBuffer.allocate(PAGE_BYTES);
        open = page;
      }
      page.putLong(key).putLong(row);
      if (!page.hasRemaining()) {
        written.add(append(page.flip()));
        page.clear();
      }
    }

    long rows() {
      return (long) written.size() * PAGE_ROWS + openRows();
    }

    private int openRows() {
      ByteBuffer page = open;
      return page == null ? 0 : page.position() / (2 * Long.BYTES);
    }

    Sum sum() {
      Table table = new Table(rows());
      written.forEach(number -> table.put(page(number)));
      ByteBuffer page = open;
      if (page != null) {
        table.put(page.duplicate().flip().asLongBuffer());
      }
      return table.sum();
    }
  }

  /** The last row of each key. */
  private static final class Table {

    private final long[] keys;
    private final long[] rows;
    private long sum;
    private long count;

    Table(long most) {
      int size = Integer.highestOneBit((int) Math.max(1, most)) * 4;
      keys = new long[size];
      rows = new long[size];
    }

    void put(LongBuffer page) {
      while (page.hasRemaining()) {
        put(page.get() | 1, page.get()); // no key is 0, which is an empty place
      }
    }

    private void put(long key, long row) {
      int at = (int) (key >>> 1) & (keys.length - 1);
      while (keys[at] != 0 && keys[at] != key) {
        at = (at + 1) & (keys.length - 1);
      }
      sum += row - rows[at];
      count += Long.compare(row == NONE ? 0 : 1, rows[at] == NONE ? 0 : 1);
      keys[at] = key;
      rows[at] = row;
    }

    Sum sum() {
      return new Sum(sum, count);
    }
  }
}
