package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Database;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** Whether there is room for a copy of a ledger, judged before anything of it is written. */
final class CopyRoom {

  /** An engine needs room beside the data while it sorts them. */
  static final double PLAIN_FACTOR = 1.25;

  /** A small value becomes half as large again when it is sealed. */
  static final double SEALED_FACTOR = 1.5;

  private final Settings settings;
  private final OpenLedger old;
  private final Map<Database, Path> homes;
  private final double factor;
  private final boolean archives;

  /**
   * Judges the room for a copy.
   *
   * @param homes where the databases are copied to
   * @param seals whether values in plain are sealed
   * @param archives whether bodies are archived as they are copied
   */
  CopyRoom(
      Settings settings,
      OpenLedger old,
      Map<Database, Path> homes,
      boolean seals,
      boolean archives) {
    this.settings = settings;
    this.old = old;
    this.homes = homes;
    this.factor = seals ? SEALED_FACTOR : PLAIN_FACTOR;
    this.archives = archives;
  }

  /** Returns about what the copy needs yet, in bytes. */
  long neededBytes() {
    return needed().values().stream().mapToLong(Long::longValue).sum();
  }

  /**
   * Returns if there is enough room.
   *
   * @throws StorageException of kind OUT_OF_SPACE otherwise
   */
  void require() {
    Map<Path, Long> needed = new LinkedHashMap<>();
    needed().forEach((database, bytes) -> needed.put(home(database), bytes));
    require(needed, settings);
  }

  /**
   * Returns if there is enough room for what is to be written to each of some directories, which
   * need not be there.
   */
  static void require(Map<Path, Long> needed, Settings settings) {
    Map<Object, Long> perDisk = new LinkedHashMap<>();
    Map<Object, Path> places = new LinkedHashMap<>();
    needed.forEach(
        (home, bytes) -> {
          Path place = existing(home);
          Object disk = disk(place);
          places.putIfAbsent(disk, place);
          perDisk.merge(disk, bytes, Long::sum);
        });
    perDisk.forEach(
        (disk, bytes) -> {
          Path place = places.get(disk);
          long usable = settings.usableBytes.applyAsLong(place);
          if (usable < bytes) {
            throw new StorageException(
                StorageException.Kind.OUT_OF_SPACE,
                "the copy needs about %s bytes on the disk of %s, which has %s left; make room there, nothing was changed"
                    .formatted(bytes, place, usable));
          }
        });
  }

  private Map<Database, Long> needed() {
    Map<Database, Long> needed = new EnumMap<>(Database.class);
    for (Database database : homes.keySet()) {
      StorageEngine engine = old.parts().engine(database);
      long bytes = engine.sizeBytes();
      if (database == Database.BLOCK) {
        // An engine may store plain bodies smaller than they are; sealed ones it cannot.
        bytes = Math.max(bytes, old.bodyBytes() - old.archivedBytes());
        bytes += sizeOf(old.parts().blockHome().resolve("ids"));
      }
      long all = (long) (factor * bytes) + settings.reserveBytes;
      if (database == Database.BLOCK && archives) {
        all += Math.min(settings.copyArchiveBytes, old.archivedBytes());
      }
      needed.put(database, Math.max(0, all - sizeOf(home(database))));
    }
    return needed;
  }

  private Path home(Database database) {
    return Objects.requireNonNull(homes.get(database));
  }

  private static Path existing(Path path) {
    Path at = path.toAbsolutePath();
    while (at.getParent() != null && !Files.exists(at)) {
      at = at.getParent();
    }
    return at;
  }

  static long sizeOf(Path root) {
    if (!Files.exists(root)) {
      return 0;
    }
    try (Stream<Path> files = Files.walk(root)) {
      long sum = 0;
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        sum += Files.size(file);
      }
      return sum;
    } catch (IOException e) {
      throw SmallFile.failed("cannot tell the size of " + root, e);
    }
  }

  private static Object disk(Path place) {
    try {
      return Files.getFileStore(place);
    } catch (IOException e) {
      throw SmallFile.failed("cannot tell on which disk " + place + " is", e);
    }
  }

  static long usableBytes(Path place) {
    try {
      return Files.getFileStore(place).getUsableSpace();
    } catch (IOException e) {
      throw SmallFile.failed("cannot tell how much room there is at " + place, e);
    }
  }
}
