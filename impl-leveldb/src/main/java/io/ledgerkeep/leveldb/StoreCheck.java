package io.ledgerkeep.leveldb;

import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Looks at a closed store before LevelDB does, because LevelDB overlooks damage: it skips zeros in
 * the middle of a log, forgets the damage of one log when the next is whole, does not miss a log
 * that is gone, and makes a new store over the tables of one whose {@code CURRENT} is gone.
 *
 * <p>Every record of a log begins with the number of its first mutation and their count, so that
 * each record says where the next one goes on. The first place where that chain breaks is where the
 * store was cut off, or where it is damaged:
 *
 * <ul>
 *   <li>Nothing whole comes after it: a crash of the machine tore the last record. It is cut away.
 *   <li>Whole records come after it, and the logs hold {@link
 *       io.ledgerkeep.storage.StorageEngine.Durability#BUFFERED} writes only: the crash took pages
 *       that were never synced, in whatever order the machine had written them. What comes after is
 *       cut away too, since a buffered write is not kept without those before it.
 *   <li>Whole records come after it in a log of durable writes: that is damage, and is refused.
 * </ul>
 *
 * <p>A manifest is treated like a log of durable writes. An edit is acted upon (files deleted) only
 * after it was synced, so without a torn last one everything is still there; that it is is checked.
 */
final class StoreCheck {

  /** The number of a first mutation, and a count of mutations, begin each record. */
  private static final int RECORD_HEADER_BYTES = 12;

  private final Path directory;
  private final boolean buffered;
  private final List<Tear> tears = new ArrayList<>();
  private long logBytes;

  private StoreCheck(Path directory, boolean buffered) {
    this.directory = directory;
    this.buffered = buffered;
  }

  /**
   * What the check found.
   *
   * @param isNew whether there is no store yet
   * @param tears what has to be cut away before LevelDB opens the store
   * @param logBytes the size of the logs that LevelDB will turn into tables
   * @param tableBytes the size of all tables
   * @param upperBytes the size of the tables at levels 0 and 1
   */
  record Finding(
      boolean isNew, List<Tear> tears, long logBytes, long tableBytes, long upperBytes) {}

  /**
   * Checks the store; changes nothing.
   *
   * @param buffered whether the logs hold buffered writes only
   * @throws IntegrityException if it is damaged
   * @throws UnsupportedFormatException if another LevelDB wrote it
   */
  static Finding examine(Path directory, boolean buffered) throws IOException {
    return new StoreCheck(directory, buffered).examine();
  }

  private Finding examine() throws IOException {
    refuseNewerTables();
    Path current = directory.resolve("CURRENT");
    if (Files.notExists(current)) {
      refuseOrphans(current);
      return new Finding(true, List.of(), 0, 0, 0);
    }
    Manifest manifest = Manifest.read(StoreFiles.manifest(current));
    checkTables(manifest);
    NavigableMap<Long, Path> logs = liveLogs(manifest);
    if (manifest.torn()) {
      tears.add(new Tear(manifest.file(), manifest.wholeBytes()));
    }
    checkLogs(new ArrayList<>(logs.values()), manifest.lastSequence() + 1);
    long tableBytes = manifest.tables().values().stream().mapToLong(Long::longValue).sum();
    return new Finding(false, List.copyOf(tears), logBytes, tableBytes, manifest.upperBytes());
  }

  private void refuseNewerTables() throws IOException {
    if (!StoreFiles.numbered(directory, StoreFiles.NEWER_TABLE).isEmpty()) {
      throw new UnsupportedFormatException(
          "the store "
              + directory
              + " has tables named .ldb, so LevelDB 1.14 or later, or one of another language,"
              + " wrote it; this one reads tables named .sst. Export the chain with the software"
              + " that wrote it and import that; do not rename files and do not repair: LevelDB's"
              + " repair empties such a store");
    }
  }

  private void refuseOrphans(Path current) throws IOException {
    if (!StoreFiles.numbered(directory, StoreFiles.TABLE).isEmpty()
        || !StoreFiles.numbered(directory, StoreFiles.LOG).isEmpty()) {
      throw LevelDbErrors.damage(current, "it is missing although tables or logs are there");
    }
  }

  private void checkTables(Manifest manifest) throws IOException {
    NavigableMap<Long, Path> tables = StoreFiles.numbered(directory, StoreFiles.TABLE);
    for (var expected : manifest.tables().entrySet()) {
      Path table = tables.get(expected.getKey());
      if (table == null || Files.size(table) != expected.getValue()) {
        throw LevelDbErrors.damage(
            manifest.file(),
            "table %s of %s bytes is missing or has another size"
                .formatted(expected.getKey(), expected.getValue()));
      }
    }
  }

  private NavigableMap<Long, Path> liveLogs(Manifest manifest) throws IOException {
    NavigableMap<Long, Path> all = StoreFiles.numbered(directory, StoreFiles.LOG);
    if (manifest.logNumber() != 0 && !all.containsKey(manifest.logNumber())) {
      throw LevelDbErrors.damage(
          manifest.file(), "log %s is missing".formatted(manifest.logNumber()));
    }
    NavigableMap<Long, Path> live = new TreeMap<>(all.tailMap(manifest.logNumber(), true));
    Path previous = all.get(manifest.previousLogNumber());
    if (previous != null) {
      live.put(manifest.previousLogNumber(), previous);
    }
    return live;
  }

  /** Follows the chain through the logs up to where it breaks, and judges the break. */
  private void checkLogs(List<Path> logs, long atMost) throws IOException {
    Chain chain = new Chain(atMost);
    for (int i = 0; i < logs.size(); i++) {
      try (LogReader reader = LogReader.open(logs.get(i))) {
        LogReader.Found found = reader.next();
        while (found == LogReader.Found.RECORD && chain.continuesWith(reader.record())) {
          found = reader.next();
        }
        logBytes += reader.recordStart();
        if (found != LogReader.Found.END) {
          cut(logs.subList(i, logs.size()), reader.recordStart(), chain);
          return;
        }
      }
    }
  }

  private void cut(List<Path> logs, long wholeBytes, Chain chain) throws IOException {
    if (!buffered && holdRecord(logs, wholeBytes, chain)) {
      throw LevelDbErrors.damage(
          logs.get(0),
          "the record at byte %s is damaged or out of turn, and whole ones follow"
              .formatted(wholeBytes));
    }
    long whole = wholeBytes;
    for (Path log : logs) {
      tears.add(new Tear(log, whole));
      whole = 0;
    }
  }

  private static boolean holdRecord(List<Path> logs, long from, Chain chain) throws IOException {
    long start = from;
    for (Path log : logs) {
      try (LogReader reader = LogReader.open(log)) {
        if (reader.holdsRecordFrom(start, chain::comesBefore)) {
          return true;
        }
      }
      start = 0;
    }
    return false;
  }

  /** The numbers that records have to have. */
  private static final class Chain {

    private long next;
    private boolean begun;

    /** The first record begins at this number or, if it is in tables in part, below. */
    Chain(long atMost) {
      next = atMost;
    }

    boolean continuesWith(ByteBuffer record) {
      if (!comesBefore(record)) {
        return false;
      }
      long first = record.getLong(0);
      if (begun ? first != next : first > next) {
        return false;
      }
      begun = true;
      next = first + Integer.toUnsignedLong(record.getInt(Long.BYTES));
      return true;
    }

    /** Returns whether the record can come after those seen so far. */
    boolean comesBefore(ByteBuffer record) {
      return record.remaining() >= RECORD_HEADER_BYTES && (!begun || record.getLong(0) >= next);
    }
  }
}
