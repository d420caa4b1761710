package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.core.archiving.AllBlocks;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Whether there is room for state and history to be made anew. As much as the originals take is
 * what they will; where an original is gone, the newest blocks tell about how much there may be.
 */
final class RebuildRoom {

  private static final int SAMPLED_BLOCKS = 64;
  private static final int ROW_BYTES = 32;

  private final Settings settings;
  private final Path directory;
  private final BlockSide blocks;

  RebuildRoom(Settings settings, Path directory, BlockSide blocks) {
    this.settings = settings;
    this.directory = directory;
    this.blocks = blocks;
  }

  /**
   * Returns if there is enough room.
   *
   * @throws StorageException of kind OUT_OF_SPACE otherwise
   */
  void require(RebuildRecord record) {
    Map<Path, Long> needed = new LinkedHashMap<>();
    needed(record)
        .forEach(
            (database, bytes) ->
                needed.put(directory.resolve(record.place(database).directory()), bytes));
    CopyRoom.require(needed, settings);
  }

  /** Returns about what each database needs yet, in bytes. */
  Map<Database, Long> needed(RebuildRecord record) {
    Map<Database, Long> needed = new EnumMap<>(Database.class);
    double factor = blocks.isEncrypted() ? CopyRoom.SEALED_FACTOR : CopyRoom.PLAIN_FACTOR;
    for (Database database : RebuildRecord.MADE) {
      Path original = directory.resolve(record.original().place(database).directory());
      long bytes = CopyRoom.sizeOf(original.resolve("db"));
      long all =
          (bytes > 0 ? (long) (CopyRoom.PLAIN_FACTOR * bytes) : (long) (factor * sampled(database)))
              + settings.reserveBytes;
      long there = CopyRoom.sizeOf(directory.resolve(record.place(database).directory()));
      needed.put(database, Math.max(0, all - there));
    }
    return needed;
  }

  private long sampled(Database database) {
    long last = blocks.last().height();
    long first = Math.max(0, last - SAMPLED_BLOCKS + 1);
    long sum = 0;
    Set<Object> keys = new HashSet<>();
    // A bad block is found, and named, when all are read.
    try (AllBlocks newest = blocks.archiving().blocks(first, last)) {
      while (newest.hasNext()) {
        Block block = newest.next().block().decode();
        for (RwSet rwSet : block.rwSets()) {
          for (RwSet.Write write : rwSet.writes()) {
            if (database == Database.HISTORY) {
              sum += ROW_BYTES + keyBytes(write) + rwSet.txId().length();
            } else if (keys.add(Map.entry(write.namespace(), write.key()))) {
              sum += ROW_BYTES + keyBytes(write) + write.value().map(Bytes::size).orElse(0);
            }
          }
        }
      }
    } catch (IntegrityException damaged) {
      return sum;
    }
    return last < 0 ? 0 : sum * (last + 1) / (last - first + 1);
  }

  private static long keyBytes(RwSet.Write write) {
    return write.namespace().length() + (long) write.key().size();
  }
}
