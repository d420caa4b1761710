package io.ledgerkeep.leveldb;

import io.ledgerkeep.error.StorageException;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Refuses what the disk has no room for, before LevelDB begins it.
 *
 * <p>LevelDB writes through mappings of sparse files. A page that the full disk has no room for
 * ends the process (SIGBUS), in the writing thread as well as in the background one. So room is
 * asked for beforehand, for the write itself and for all that LevelDB may do because of it:
 *
 * <ul>
 *   <li>what one store of this process on the disk needs at most, the greediest one: they share one
 *       background thread, and what it needs it gives back in the end. It writes what is in memory
 *       to a table before it deletes the log, and all that a compaction keeps before it deletes
 *       what was compacted: all of levels 0 and 1, or up to 50 MiB of deeper levels, but never more
 *       than there is;
 *   <li>above that a margin, larger for what is the sooner done without. With the option {@code
 *       low-space-bytes} = M: M for durable puts (a commit), M / 2 for buffered puts (what has to
 *       follow a commit), M / 4 for deletes, and nothing for compaction, so that a full store can
 *       still be emptied. A flush needs no more than what is in memory.
 * </ul>
 *
 * <p>While a compaction is under way, what it has written already is asked for once more. A commit
 * is refused nevertheless; all else waits for compactions to end and is looked at again.
 *
 * <p>What other processes write to the disk at the same time is beyond this check.
 */
final class SpaceGuard implements AutoCloseable {

  /** What asks for room. */
  enum Demand {
    DURABLE_PUT(1),
    BUFFERED_PUT(2),
    DELETE(4),
    COMPACTION(Long.MAX_VALUE);

    /** The part of the margin that is left to others. */
    private final long part;

    Demand(long part) {
      this.part = part;
    }
  }

  private static final long MIB = 1 << 20;

  /** Manifests, and the mappings that run ahead of what is written. */
  private static final long FILES_BYTES = 4 * MIB;

  /** LevelDB's bound on compactions below level 1, which take tables of 2 MiB each. */
  private static final long DEEP_COMPACTION_BYTES = 50 * MIB;

  /** One compaction may be followed by the next. */
  private static final int SETTLES = 8;

  private static final Pattern LEVEL =
      Pattern.compile("^ *(?<level>[0-9]+) +(?<files>[0-9]+) +(?<size>[0-9]+) ", Pattern.MULTILINE);

  private static final Set<SpaceGuard> ALL = ConcurrentHashMap.newKeySet();

  private final Path directory;
  private final FileStore disk;
  private final LevelDbConfig config;
  private final Supplier<String> statistics;
  private final Runnable settle;
  private final AtomicLong unflushedBytes = new AtomicLong();
  private volatile long compactionBytes;

  private SpaceGuard(
      Path directory,
      FileStore disk,
      LevelDbConfig config,
      Supplier<String> statistics,
      Runnable settle) {
    this.directory = directory;
    this.disk = disk;
    this.config = config;
    this.statistics = statistics;
    this.settle = settle;
  }

  /**
   * Creates the guard of a store that was opened; it counts until it is closed.
   *
   * @param statistics the table that LevelDB prints of its levels
   * @param settle flushes, and returns when what runs in the background has ended
   */
  static SpaceGuard of(
      Path directory, LevelDbConfig config, Supplier<String> statistics, Runnable settle)
      throws IOException {
    SpaceGuard guard =
        new SpaceGuard(directory, Files.getFileStore(directory), config, statistics, settle);
    guard.compactionBytes = compactionBytes(statistics.get());
    ALL.add(guard);
    return guard;
  }

  /**
   * Refuses to open a store on a disk that its logs, turned into tables, would overflow, or the
   * compaction that LevelDB may begin as soon as it is open.
   */
  static void requireRoomToOpen(Path directory, StoreCheck.Finding store) throws IOException {
    long logs = store.logBytes() + store.logBytes() / 8;
    long compaction = compactionBytes(store.tableBytes() + logs, store.upperBytes() + logs);
    FileStore disk = Files.getFileStore(directory);
    long needed = logs + Math.max(compaction, mostOf(disk, SpaceGuard::needBytes)) + FILES_BYTES;
    long free = disk.getUsableSpace();
    if (free < needed) {
      throw LevelDbErrors.outOfSpace("opening the LevelDB store", directory, needed, free);
    }
  }

  /**
   * Returns if there is room.
   *
   * @param bytes what is about to be appended to the log
   * @throws StorageException out of space, if there is not
   */
  void require(long bytes, Demand demand) {
    Optional<StorageException> refusal = refusal(bytes, demand);
    for (int i = 0; i < SETTLES && refusal.isPresent() && demand != Demand.DURABLE_PUT; i++) {
      settle.run();
      refusal = refusal(bytes, demand);
    }
    if (refusal.isPresent()) {
      throw refusal.get();
    }
  }

  private Optional<StorageException> refusal(long bytes, Demand demand) {
    long free = freeBytes();
    long asked = bytes + config.lowSpaceBytes() / demand.part;
    if (free >= ampleBytes() + asked) {
      return Optional.empty();
    }
    compactionBytes = compactionBytes(statistics.get());
    return refusalUnless(neededBytes() + asked, free);
  }

  /** Returns if there is room to write to a table what is in memory. */
  void requireToFlush() {
    Optional<StorageException> refusal = refusalUnless(memoryBytes() + FILES_BYTES, freeBytes());
    if (refusal.isPresent()) {
      throw refusal.get();
    }
  }

  private Optional<StorageException> refusalUnless(long needed, long free) {
    return free >= needed
        ? Optional.empty()
        : Optional.of(LevelDbErrors.outOfSpace("writing to", directory, needed, free));
  }

  private long freeBytes() {
    try {
      return disk.getUsableSpace();
    } catch (IOException e) {
      throw LevelDbErrors.file("asking for the free space of " + directory, e);
    }
  }

  /** Notes what was appended to the log, and so has to be written to a table one day. */
  void appended(long bytes) {
    unflushedBytes.addAndGet(bytes);
  }

  /** Returns what was appended since the last {@link #flushed}. */
  long unflushedBytes() {
    return unflushedBytes.get();
  }

  /** Notes that of what was appended so much is in tables. */
  void flushed(long bytes) {
    unflushedBytes.addAndGet(-bytes);
  }

  @Override
  public void close() {
    ALL.remove(this);
  }

  /** With so much room no store here can need more, and its statistics need not be looked at. */
  private long ampleBytes() {
    return mostOf(disk, guard -> 32 * guard.config.writeBufferBytes() + DEEP_COMPACTION_BYTES);
  }

  private long neededBytes() {
    return mostOf(disk, SpaceGuard::needBytes) + FILES_BYTES;
  }

  private long needBytes() {
    return compactionBytes + memoryBytes();
  }

  private static long mostOf(FileStore disk, ToLongFunction<SpaceGuard> need) {
    long most = 0;
    for (SpaceGuard guard : ALL) {
      if (guard.disk.equals(disk)) {
        most = Math.max(most, need.applyAsLong(guard));
      }
    }
    return most;
  }

  /** LevelDB flushes by itself too, and holds at most two buffers. */
  private long memoryBytes() {
    return Math.min(unflushedBytes.get(), 2 * config.writeBufferBytes());
  }

  /** Reads level, number of files and whole MiB off each line that begins with them. */
  private static long compactionBytes(String statistics) {
    long all = 0;
    long upper = 0;
    Matcher line = LEVEL.matcher(statistics);
    while (line.find()) {
      boolean isEmpty = line.group("files").equals("0");
      long bytes = isEmpty ? 0 : (Long.parseLong(line.group("size")) + 1) * MIB;
      all += bytes;
      upper += Integer.parseInt(line.group("level")) <= 1 ? bytes : 0;
    }
    return compactionBytes(all, upper);
  }

  private static long compactionBytes(long all, long upper) {
    return Math.min(all, Math.max(upper, DEEP_COMPACTION_BYTES));
  }
}
