package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledgerkeep.Conversion.Direction;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The file {@code CONVERTING}: that a copy of the ledger is being made, and where. Written before
 * anything of the copy, removed after everything that is left of making it, so that whatever a kill
 * leaves is known by it.
 *
 * @param direction what the ledger is to become
 * @param stamp when it began, and part of all names that it makes
 * @param from the identity of the ledger
 * @param to the identity of the copy
 * @param layout where the databases of the copy are, as the ledger's directory sees them
 * @param original where those of the ledger are
 */
record CopyRecord(
    Direction direction, String stamp, Bytes from, Bytes to, Layout layout, Layout original) {

  private static final String FIRST_WORDS = "ledgerkeep conversion ";
  private static final String FIRST_LINE = FIRST_WORDS + "1";
  private static final int HEAD_LINES = 5;
  static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

  /** The end of a directory's name that an earlier conversion or rebuild chose. */
  private static final Pattern CHOSEN =
      Pattern.compile("(.*?)\\.?(?:encrypted|plain|rebuilt)-[0-9]{8}T[0-9]{6}Z(?:-[0-9]+)?");

  /** What lies in the directory of a database. */
  private static final Pattern OWN_FILE = Pattern.compile("db|ids|RESERVE|KEYS(\\..*)?");

  /** Plans the copy of a ledger; all names are new. */
  static CopyRecord plan(
      Path ledger, Layout layout, Direction direction, Bytes from, Bytes to, Clock clock) {
    String now = STAMP.format(clock.instant());
    CopyRecord record = planned(ledger, layout, direction, from, to, now);
    for (int n = 2; record.isTaken(ledger); n++) {
      record = planned(ledger, layout, direction, from, to, now + "-" + n);
    }
    return record;
  }

  private static CopyRecord planned(
      Path ledger, Layout layout, Direction direction, Bytes from, Bytes to, String stamp) {
    return new CopyRecord(
        direction, stamp, from, to, placed(ledger, layout, direction, stamp), layout);
  }

  /** Returns the same record of a ledger whose databases were moved meanwhile. */
  CopyRecord withOriginal(Layout newOriginal) {
    return new CopyRecord(direction, stamp, from, to, layout, newOriginal);
  }

  private boolean isTaken(Path ledger) {
    return Files.exists(backup(ledger)) || homes(ledger).stream().anyMatch(Files::exists);
  }

  private static Layout placed(Path ledger, Layout layout, Direction direction, String stamp) {
    String name = (direction == Direction.ENCRYPT ? "encrypted-" : "plain-") + stamp;
    Map<Database, Layout.Place> places = new EnumMap<>(Database.class);
    for (Database database : Database.values()) {
      Layout.Place old = layout.place(database);
      places.put(
          database,
          new Layout.Place(old.engine(), beside(ledger, old.directory(), name).toString()));
    }
    return new Layout(places);
  }

  /**
   * A database stays on its disk: the copy's directory is a sibling, unless the directory is where
   * a disk is mounted, or a link to one; then it is within.
   */
  static Path beside(Path ledger, String directory, String name) {
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

  // ------------------------------------------------------------------------------------ names

  /** Returns the directory of the copy as long as it is made. */
  static Path workshop(Path ledger) {
    return ledger.resolve("CONVERTING.ledger");
  }

  /** Returns the directory that opens the old databases after the switch. */
  Path backup(Path ledger) {
    return ledger.resolve(
        "backup-" + stamp + (direction == Direction.ENCRYPT ? "-plain" : "-encrypted"));
  }

  /** Returns the directories of the copy's databases. */
  List<Path> homes(Path ledger) {
    return Stream.of(Database.values())
        .map(database -> ledger.resolve(layout.place(database).directory()))
        .toList();
  }

  /**
   * Returns what the original consists of, without the backup's directory. Where the copy lies
   * within a directory of the original, only what belongs to that is named.
   */
  List<Path> originals(Path ledger) {
    return Stream.of(Database.values())
        .flatMap(database -> originals(ledger, original.place(database), layout.place(database)))
        .toList();
  }

  /** Returns what the original of one database consists of. */
  static Stream<Path> originals(Path ledger, Layout.Place original, Layout.Place copy) {
    Path home = ledger.resolve(original.directory());
    return Path.of(copy.directory()).startsWith(Path.of(original.directory()))
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

  // ------------------------------------------------------------------------------------ the file

  void write(Path ledger) {
    List<String> lines = new ArrayList<>();
    lines.add(FIRST_LINE);
    lines.add(direction.name().toLowerCase(Locale.ROOT));
    lines.add(stamp);
    lines.add(from.hex());
    lines.add(to.hex());
    lines.addAll(layout.lines());
    lines.addAll(original.lines());
    CheckedText.write(file(ledger), lines);
  }

  static Optional<CopyRecord> read(Path ledger) {
    if (!Files.exists(file(ledger))) {
      return Optional.empty();
    }
    List<String> lines = CheckedText.read(file(ledger), FIRST_WORDS, FIRST_LINE);
    int databases = Database.values().length;
    try {
      return Optional.of(
          new CopyRecord(
              Direction.valueOf(lines.get(1).toUpperCase(Locale.ROOT)),
              lines.get(2),
              Bytes.fromHex(lines.get(3)),
              Bytes.fromHex(lines.get(4)),
              Layout.of(lines.subList(HEAD_LINES, HEAD_LINES + databases)),
              Layout.of(lines.subList(HEAD_LINES + databases, lines.size()))));
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      throw new IntegrityException(file(ledger) + " fits its checksum and no format", e);
    }
  }

  /** Removes the file; durable when it returns. */
  static void remove(Path ledger) {
    try {
      Files.deleteIfExists(file(ledger));
      SmallFile.syncDirectory(ledger);
    } catch (IOException e) {
      throw SmallFile.failed("cannot remove " + file(ledger), e);
    }
  }

  private static Path file(Path ledger) {
    return ledger.resolve("CONVERTING");
  }
}
