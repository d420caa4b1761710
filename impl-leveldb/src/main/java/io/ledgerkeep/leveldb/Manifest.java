package io.ledgerkeep.leveldb;

import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a manifest of LevelDB says: a log of edits, whose sum is the state of the store.
 *
 * @param file the manifest
 * @param wholeBytes how far it is whole
 * @param torn whether something else than zeros follows, none of it a whole edit
 * @param logNumber the first log that is not in tables yet; 0 in a store that was never used
 * @param previousLogNumber one more such log, in stores of very old releases
 * @param lastSequence the number of a mutation at or after the last one in tables
 * @param tables the size of every table in use by its number
 * @param upperBytes the size of the tables at levels 0 and 1
 */
record Manifest(
    Path file,
    long wholeBytes,
    boolean torn,
    long logNumber,
    long previousLogNumber,
    long lastSequence,
    Map<Long, Long> tables,
    long upperBytes) {

  /**
   * Reads the manifest.
   *
   * @throws IntegrityException if it is damaged other than by a torn last edit
   */
  static Manifest read(Path file) throws IOException {
    try (LogReader reader = LogReader.open(file)) {
      Sum sum = new Sum();
      LogReader.Found found = reader.next();
      while (found == LogReader.Found.RECORD) {
        sum.add(reader.record());
        found = reader.next();
      }
      boolean torn = found == LogReader.Found.DAMAGE;
      long wholeBytes = reader.recordStart();
      if (sum.edits == 0 || (torn && reader.holdsRecordFrom(wholeBytes + 1, edit -> true))) {
        throw damaged(file);
      }
      return new Manifest(
          file,
          wholeBytes,
          torn,
          sum.logNumber,
          sum.previousLogNumber,
          sum.lastSequence,
          sum.sizes(),
          sum.bytes(0) + sum.bytes(1));
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw damaged(file);
    }
  }

  private static IntegrityException damaged(Path file) {
    return LevelDbErrors.damage(file, "the manifest cannot be read to its end");
  }

  /** Adds up edits: tagged fields of variable-length numbers and length-prefixed strings. */
  private static final class Sum {

    private static final int COMPARATOR = 1;
    private static final int LOG_NUMBER = 2;
    private static final int NEXT_FILE_NUMBER = 3;
    private static final int LAST_SEQUENCE = 4;
    private static final int COMPACT_POINTER = 5;
    private static final int DELETED_FILE = 6;
    private static final int NEW_FILE = 7;
    private static final int PREVIOUS_LOG_NUMBER = 9;

    private int edits;
    private long logNumber;
    private long previousLogNumber;
    private long lastSequence;

    /** By level and number: a table moves down by being deleted above and added below. */
    private final Map<Integer, Map<Long, Long>> tables = new TreeMap<>();

    void add(ByteBuffer edit) {
      edits++;
      while (edit.hasRemaining()) {
        addField((int) number(edit), edit);
      }
    }

    Map<Long, Long> sizes() {
      Map<Long, Long> sizes = new TreeMap<>();
      tables.values().forEach(sizes::putAll);
      return Collections.unmodifiableMap(sizes);
    }

    long bytes(int level) {
      return tables.getOrDefault(level, Map.of()).values().stream()
          .mapToLong(Long::longValue)
          .sum();
    }

    private void addField(int tag, ByteBuffer edit) {
      switch (tag) {
        case COMPARATOR -> skipString(edit);
        case LOG_NUMBER -> logNumber = number(edit);
        case NEXT_FILE_NUMBER -> number(edit);
        case LAST_SEQUENCE -> lastSequence = number(edit);
        case COMPACT_POINTER -> {
          number(edit);
          skipString(edit);
        }
        case DELETED_FILE -> level(edit).remove(number(edit));
        case NEW_FILE -> {
          level(edit).put(number(edit), number(edit));
          skipString(edit);
          skipString(edit);
        }
        case PREVIOUS_LOG_NUMBER -> previousLogNumber = number(edit);
        default -> throw new IllegalArgumentException("unknown field of a manifest: " + tag);
      }
    }

    private Map<Long, Long> level(ByteBuffer edit) {
      return tables.computeIfAbsent((int) number(edit), level -> new TreeMap<>());
    }

    private static long number(ByteBuffer edit) {
      long number = 0;
      for (int shift = 0; ; shift += 7) {
        byte part = edit.get();
        number |= (long) (part & 0x7f) << shift;
        if (part >= 0) {
          return number;
        }
      }
    }

    private static void skipString(ByteBuffer edit) {
      int bytes = (int) number(edit);
      edit.position(edit.position() + bytes);
    }
  }
}
