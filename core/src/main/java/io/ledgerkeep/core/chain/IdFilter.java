package io.ledgerkeep.core.chain;

import com.google.common.hash.HashFunction;
import com.google.common.hash.Hashing;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.StorageException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Says of a transaction id or a block hash that it is surely new, or that it perhaps is not: only
 * then the index has to be read.
 *
 * <p>A blocked Bloom filter in layers, each a mapped file: an id sets {@value #PROBES} bits within
 * one cache line of the newest layer. A layer has 12 bits for each id it is made for; each is twice
 * as large as the one before, up to 2^27 ids. So 10^9 ids take 18 layers of 1.6 GiB in all on disk,
 * of which only the lines touched lie in memory (page cache, not heap). Each full layer answers
 * "perhaps" for about one new id in 220: at 10^6 ids one in fifty, at 10^9 one in twelve.
 *
 * <p>A line ends with a sum over its bits. One whose sum is wrong, be it damaged, written by halves
 * in a crash or just being changed, answers "perhaps" for good: what is lost from the file costs
 * time, and never lets an id in twice.
 *
 * <p>Bits are only ever set, so whatever part of a layer a crash leaves on disk, it says "surely
 * new" of no id that was covered by a {@link #force}. Files are written out in full before they are
 * mapped: a mapped hole on a full disk would kill the process. For one thread at a time.
 */
final class IdFilter implements AutoCloseable {

  private static final int PROBES = 6;
  private static final int BITS_PER_ID = 12;
  private static final int LINE_BYTES = 64;
  private static final int LINE_BITS = (LINE_BYTES - Integer.BYTES) * 8;
  private static final int HEADER_BYTES = 4096;
  private static final long MAGIC = 0x4C4B_4944_4649_4C32L; // LKIDFIL2
  private static final int FIRST_LAYER_LOG_2 = 16;
  private static final int LARGEST_LAYER_LOG_2 = 27;

  private final Path directory;
  private final long key;
  private final HashFunction hash;
  private final boolean isNew;

  /** Only ever grows; a check may look while a commit adds. */
  private final List<Layer> layers = new CopyOnWriteArrayList<>();

  private IdFilter(Path directory, long key, boolean isNew) {
    this.directory = directory;
    this.key = key;
    this.isNew = isNew;
    this.hash = Hashing.sipHash24(key, ~key);
  }

  /**
   * Opens the filter of the directory.
   *
   * @param key drawn at random when the ledger was made, so that nobody can choose ids that collide
   * @param layers the number of layers that were forced last
   * @param ids the number of ids that they held then
   * @throws NoSuchFileException if a layer is missing, short, another ledger's or older than what
   *     was forced last: to be made anew
   */
  static IdFilter open(Path directory, long key, int layers, long ids) throws IOException {
    Files.createDirectories(directory);
    IdFilter filter = new IdFilter(directory, key, false);
    for (int i = 0; i < layers; i++) {
      filter.layers.add(Layer.open(filter.file(i), key, i));
    }
    if (filter.count() < ids) {
      // An older copy was put back: it would call ids new that are not.
      throw new NoSuchFileException(
          directory.toString(), null, "holds " + filter.count() + " of " + ids + " ids");
    }
    filter.removeFrom(layers);
    return filter;
  }

  /** Makes an empty filter in the directory; whatever filter was there is gone. */
  static IdFilter create(Path directory, long key) throws IOException {
    Files.createDirectories(directory);
    IdFilter filter = new IdFilter(directory, key, true);
    filter.removeFrom(0);
    return filter;
  }

  /** Returns whether the filter was made anew and knows no id yet. */
  boolean isNew() {
    return isNew;
  }

  /** Returns what an id is asked for and added by. */
  long hash(Bytes id) {
    return hash.hashBytes(id.toArrayUnsafe()).asLong();
  }

  /** Returns false only if the id of the hash was never added. */
  boolean mightContain(long bits) {
    for (int i = layers.size() - 1; i >= 0; i--) {
      if (layers.get(i).contains(bits)) {
        return true;
      }
    }
    return false;
  }

  /** Returns how many ids were added. */
  long count() {
    long sum = 0;
    for (Layer layer : layers) {
      sum += layer.count;
    }
    return sum;
  }

  /** Makes sure that so many ids can be added without another file. */
  void makeRoom(int ids) {
    if (layers.isEmpty() || newest().count + ids > newest().capacity) {
      int number = layers.size();
      int log2 = Math.min(FIRST_LAYER_LOG_2 + number, LARGEST_LAYER_LOG_2);
      try {
        layers.add(Layer.create(file(number), key, number, Math.max(1L << log2, ids)));
      } catch (IOException e) {
        throw SmallFile.failed("cannot write the next layer of the id filter " + file(number), e);
      }
    }
  }

  /** Adds the id of a hash, for which there is room. */
  void add(long bits) {
    newest().add(bits);
  }

  /** Makes all bits durable; returns the number of layers. */
  int force() {
    try {
      layers.forEach(Layer::force);
      return layers.size();
    } catch (UncheckedIOException e) {
      throw new StorageException(
          StorageException.Kind.FATAL, "cannot sync the id filter in " + directory, e);
    }
  }

  @Override
  public void close() {
    layers.clear();
  }

  private Layer newest() {
    return layers.get(layers.size() - 1);
  }

  private Path file(int number) {
    return directory.resolve(String.format(Locale.ROOT, "layer-%02d", number));
  }

  private void removeFrom(int number) throws IOException {
    for (int i = number; Files.deleteIfExists(file(i)); i++) {
      // each was made for a count that no checkpoint recorded
    }
  }

  /** One file: a header, then lines of 512 bits. */
  private static final class Layer {

    /** Where in a line its sum is. */
    private static final int SUM_AT = LINE_BYTES - Integer.BYTES;

    private static final long GOLDEN = 0x9E37_79B9_7F4A_7C15L;

    private final MappedByteBuffer map;
    private final long capacity;
    private final long lines;
    private long count;
    private long forcedCount;

    private Layer(MappedByteBuffer map, long capacity, long count, long forcedCount) {
      this.map = map;
      this.capacity = capacity;
      this.lines = lines(capacity);
      this.count = count;
      this.forcedCount = forcedCount;
    }

    static Layer create(Path file, long key, int number, long capacity) throws IOException {
      try (FileChannel channel =
          FileChannel.open(
              file,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE)) {
        ByteBuffer empty = emptyLines(HEADER_BYTES / LINE_BYTES);
        for (long left = bytes(capacity); left > 0; ) {
          empty.clear().limit((int) Math.min(left, empty.capacity()));
          left -= channel.write(empty);
        }
        channel.force(true);
        MappedByteBuffer map = map(channel, bytes(capacity));
        map.putLong(0, MAGIC).putLong(8, key).putLong(16, number).putLong(24, capacity);
        return new Layer(map, capacity, 0, -1);
      } catch (IOException e) {
        Files.deleteIfExists(file);
        throw e;
      }
    }

    static Layer open(Path file, long key, int number) throws IOException {
      try (FileChannel channel =
          FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
        if (channel.size() > HEADER_BYTES && channel.size() <= Integer.MAX_VALUE) {
          MappedByteBuffer map = map(channel, channel.size());
          long capacity = map.getLong(24);
          if (map.getLong(0) == MAGIC
              && map.getLong(8) == key
              && map.getLong(16) == number
              && capacity > 0
              && capacity <= Integer.MAX_VALUE
              && bytes(capacity) == channel.size()) {
            return new Layer(map, capacity, map.getLong(32), map.getLong(32));
          }
        }
        throw new NoSuchFileException(file.toString(), null, "is not the layer it should be");
      }
    }

    private static ByteBuffer emptyLines(int count) {
      ByteBuffer empty = ByteBuffer.allocate(count * LINE_BYTES);
      for (int line = 0; line < empty.capacity(); line += LINE_BYTES) {
        empty.putInt(line + SUM_AT, sum(empty, line));
      }
      return empty;
    }

    boolean contains(long bits) {
      int line = line(bits);
      long probe = bits;
      for (int i = 0; i < PROBES; i++) {
        probe *= GOLDEN;
        int bit = bit(probe);
        if ((map.get(line + (bit >>> 3)) & (1 << (bit & 7))) == 0) {
          return !isSound(line);
        }
      }
      return true;
    }

    void add(long bits) {
      int line = line(bits);
      boolean sound = isSound(line);
      long probe = bits;
      for (int i = 0; i < PROBES; i++) {
        probe *= GOLDEN;
        int bit = bit(probe);
        int at = line + (bit >>> 3);
        map.put(at, (byte) (map.get(at) | (1 << (bit & 7))));
      }
      if (sound) { // what is lost from a line is not to be taken for what it should be
        map.putInt(line + SUM_AT, sum(map, line));
      }
      count++;
    }

    private boolean isSound(int line) {
      return map.getInt(line + SUM_AT) == sum(map, line);
    }

    /** Sums up a line; what is all zeros does not have the sum zero. */
    private static int sum(ByteBuffer lines, int line) {
      long sum = MAGIC;
      for (int at = line; at < line + SUM_AT - Integer.BYTES; at += Long.BYTES) {
        sum = (sum ^ lines.getLong(at)) * GOLDEN;
        sum ^= sum >>> 32;
      }
      sum = (sum ^ lines.getInt(line + SUM_AT - Integer.BYTES)) * GOLDEN;
      return (int) (sum >>> 32);
    }

    private static int bit(long probe) {
      return (int) (((probe >>> 32) * LINE_BITS) >>> 32);
    }

    /** A layer that is full is forced once, and costs the following checkpoints nothing. */
    void force() {
      if (forcedCount != count) {
        map.putLong(32, count);
        map.force();
        forcedCount = count;
      }
    }

    private int line(long bits) {
      long line = Math.multiplyHigh(bits >>> 1, lines << 1);
      return HEADER_BYTES + (int) line * LINE_BYTES;
    }

    private static MappedByteBuffer map(FileChannel channel, long size) throws IOException {
      return channel.map(FileChannel.MapMode.READ_WRITE, 0, size);
    }

    private static long lines(long capacity) {
      return Math.max(1, capacity * BITS_PER_ID / LINE_BITS);
    }

    private static long bytes(long capacity) {
      return HEADER_BYTES + lines(capacity) * LINE_BYTES;
    }
  }

  /** Returns the key as the ledger's identity gives it. */
  static long key(Bytes ledgerId) {
    return ledgerId.asBuffer().getLong(0);
  }
}
