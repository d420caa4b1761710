package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Database;
import io.ledgerkeep.core.files.Directories;
import io.ledgerkeep.core.files.SmallFile;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What jobs do that make databases beside those of a ledger and switch to them: choose names that
 * are free, make what was made durable, keep the original's LAYOUT, tell what the original is.
 */
final class Beside {

  private static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

  /** The end of a directory's name that an earlier job chose. */
  private static final Pattern CHOSEN =
      Pattern.compile(
          "(.*?)\\.?(?:encrypted|plain|rebuilt|migrated)-[0-9]{8}T[0-9]{6}Z(?:-[0-9]+)?");

  /** What lies in the directory of a database. */
  private static final Pattern OWN_FILE =
      Pattern.compile("db|ids|RESERVE|audit\\.log|KEYS(\\..*)?");

  private Beside() {}

  // ------------------------------------------------------------------------------------ names

  /**
   * Returns the first plan of which nothing is there yet.
   *
   * @param planned makes the plan from the stamp that is part of all its names
   * @param names returns what the plan is going to make
   */
  static <P> P firstFree(Clock clock, Function<String, P> planned, Function<P, List<Path>> names) {
    String now = STAMP.format(clock.instant());
    P plan = planned.apply(now);
    for (int n = 2; names.apply(plan).stream().anyMatch(Files::exists); n++) {
      plan = planned.apply(now + "-" + n);
    }
    return plan;
  }

  /**
   * Returns a directory for what takes a database's place. A database stays on its disk: it is a
   * sibling, unless the directory is where a disk is mounted, or a link to one; then it is within.
   */
  static Path place(Path ledger, String directory, String name) {
    Path old = Path.of(directory);
    Path fileName = old.getFileName();
    if (fileName == null || isDoorToADisk(ledger.resolve(old))) {
      return old.resolve(name);
    }
    Matcher chosen = CHOSEN.matcher(fileName.toString());
    String base = chosen.matches() ? chosen.group(1) : fileName.toString();
    return old.resolveSibling(base.isEmpty() ? name : base + "." + name);
  }

  static boolean isDoorToADisk(Path home) {
    Path parent = home.toAbsolutePath().normalize().getParent();
    if (!Files.exists(home, LinkOption.NOFOLLOW_LINKS)) {
      return false; // it is gone, and with it whatever door it was
    }
    try {
      return parent == null || Files.isSymbolicLink(home) || !storeOf(home).equals(storeOf(parent));
    } catch (IOException e) {
      throw SmallFile.failed("cannot tell on which disk " + home + " is", e);
    }
  }

  private static FileStore storeOf(Path path) throws IOException {
    return Files.getFileStore(path);
  }

  /** Returns the directories of some databases. */
  static List<Path> homes(Path ledger, Layout layout, Collection<Database> databases) {
    return databases.stream()
        .map(database -> ledger.resolve(layout.place(database).directory()))
        .toList();
  }

  /** Returns the directory of each database. */
  static Map<Database, Path> homes(Path ledger, Layout layout) {
    Map<Database, Path> homes = new EnumMap<>(Database.class);
    layout.databases().forEach((database, place) -> homes.put(database, home(ledger, place)));
    return homes;
  }

  /** Returns the directory of a database. */
  static Path home(Path ledger, Layout.Place place) {
    return ledger.resolve(place.directory()).normalize();
  }

  // ------------------------------------------------------------------------------------ switch

  /** Makes the names of directories durable, before a LAYOUT says that they are there. */
  static void sync(List<Path> homes) {
    for (Path home : homes) {
      try {
        SmallFile.syncDirectory(home);
        SmallFile.syncDirectory(home.resolve("..").normalize());
      } catch (IOException e) {
        throw SmallFile.failed("cannot make " + home + " durable", e);
      }
    }
  }

  /** Keeps a layout as a file of a directory in the ledger's; durable when it returns. */
  static void keep(Layout original, Path ledger, Path backup, String name) {
    try {
      Files.createDirectories(backup);
      original.writeTo(backup.resolve(name));
      SmallFile.syncDirectory(ledger);
    } catch (IOException e) {
      throw SmallFile.failed("cannot make " + backup, e);
    }
  }

  /**
   * Returns what the original of one database consists of. Where what took its place lies within
   * its directory, only what belongs to the original is named.
   */
  static Stream<Path> originals(Path ledger, Layout.Place original, Layout.Place made) {
    Path home = ledger.resolve(original.directory());
    return Path.of(made.directory()).startsWith(Path.of(original.directory()))
        ? ownFiles(home).stream()
        : Stream.of(home);
  }

  private static List<Path> ownFiles(Path home) {
    try (Stream<Path> files = Files.list(home)) {
      return files
          .filter(file -> OWN_FILE.matcher(file.getFileName().toString()).matches())
          .sorted()
          .toList();
    } catch (IOException e) {
      throw SmallFile.failed("cannot look into " + home, e);
    }
  }

  /**
   * Removes what belongs to a database from its directory, and the directory where it is empty then
   * and no disk.
   */
  static void deleteOwn(Path home) {
    if (Files.isDirectory(home)) {
      ownFiles(home).forEach(Directories::delete);
      try {
        Files.delete(home);
      } catch (IOException e) {
        // others have something there, or a disk is mounted there; neither is ours
      }
    }
  }
}
