package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The file {@code MIGRATING}: that databases of the ledger are being brought elsewhere, and where.
 * Written before anything of them, removed after everything that is left to do.
 *
 * @param step how far it has come
 * @param stamp when it began, and part of all names that it makes
 * @param ledgerId the identity of the ledger
 * @param destination the directory of the ledger afterwards; as the ledger's directory sees it
 * @param layout where the databases are afterwards, as the destination sees them
 * @param original where they were
 */
record MigrationRecord(
    Step step, String stamp, Bytes ledgerId, Path destination, Layout layout, Layout original) {

  /** How far a migration has come. */
  enum Step {
    /** Nothing is in the new places yet, so that what is there is another's. */
    BEGUN,
    /** The new places are filled. */
    COPYING,
    /** They are filled and proven, and the ledger is there, or will be. */
    SWITCHING
  }

  /** The destination of a ledger that stays in its directory. */
  static final Path HERE = Path.of(".");

  private static final String FIRST_WORDS = "ledgerkeep migration ";
  private static final String FIRST_LINE = FIRST_WORDS + "1";
  private static final int HEAD_LINES = 5;
  private static final String ARRIVAL = "ledgerkeep arrival 1";

  MigrationRecord at(Step another) {
    return new MigrationRecord(another, stamp, ledgerId, destination, layout, original);
  }

  /** Returns whether it was begun by the same request, with the databases where they are now. */
  boolean isLike(MigrationRecord another) {
    return at(Step.BEGUN).equals(another.at(Step.BEGUN));
  }

  /** Returns whether the ledger gets another directory. */
  boolean isElsewhere() {
    return !destination.equals(HERE);
  }

  /** Returns the databases that are brought elsewhere. */
  List<Database> moved() {
    return Stream.of(Database.values())
        .filter(
            database -> isElsewhere() || !layout.place(database).equals(original.place(database)))
        .toList();
  }

  Path destination(Path ledger) {
    return ledger.resolve(destination).normalize();
  }

  /** Returns the directory of a database afterwards. */
  Path home(Path ledger, Database database) {
    return Beside.home(destination(ledger), layout.place(database));
  }

  /** Returns the directories of the databases that are brought elsewhere, afterwards. */
  List<Path> homes(Path ledger) {
    return moved().stream().map(database -> home(ledger, database)).toList();
  }

  /** Returns all names that are chosen where none is given. */
  List<Path> chosenNames(Path ledger) {
    List<Path> names = new ArrayList<>(homes(ledger));
    names.add(backup(ledger));
    return names;
  }

  /** Returns the directory of what is kept of the originals beside themselves. */
  Path backup(Path ledger) {
    return ledger.resolve(backupName());
  }

  private String backupName() {
    return "backup-" + stamp + "-migrate";
  }

  /** Returns what takes the place of the layout if the ledger gets another directory. */
  Layout.Moved movedAway(Path ledger) {
    return new Layout.Moved(stamp, ledgerId, destination(ledger), Path.of(backupName()));
  }

  /** Returns what is there of the originals, with the backup's directory. */
  List<Path> originals(Path ledger) {
    return Stream.concat(
            moved().stream().flatMap(database -> originals(ledger, database)),
            Stream.of(backup(ledger)))
        .filter(Files::exists)
        .toList();
  }

  private Stream<Path> originals(Path ledger, Database database) {
    Layout.Place place = original.place(database);
    if (isElsewhere()) {
      return Stream.of(Beside.home(ledger, place));
    }
    return Files.exists(Beside.home(ledger, place))
        ? Beside.originals(ledger, place, layout.place(database))
        : Stream.of();
  }

  // ------------------------------------------------------------------------------------ the file

  void write(Path ledger) {
    List<String> lines = new ArrayList<>();
    lines.add(FIRST_LINE);
    lines.add(step.name().toLowerCase(Locale.ROOT));
    lines.add(stamp);
    lines.add(ledgerId.hex());
    lines.add(destination.toString());
    lines.addAll(layout.lines());
    lines.addAll(original.lines());
    CheckedText.write(file(ledger), lines);
  }

  static Optional<MigrationRecord> read(Path ledger) {
    return CheckedText.readIfThere(file(ledger), FIRST_WORDS, FIRST_LINE, MigrationRecord::of);
  }

  private static MigrationRecord of(List<String> lines) {
    int databases = Database.values().length;
    return new MigrationRecord(
        Step.valueOf(lines.get(1).toUpperCase(Locale.ROOT)),
        lines.get(2),
        Bytes.fromHex(lines.get(3)),
        Path.of(lines.get(4)),
        Layout.of(lines.subList(HEAD_LINES, HEAD_LINES + databases)),
        Layout.of(lines.subList(HEAD_LINES + databases, lines.size())));
  }

  static void remove(Path ledger) {
    CheckedText.remove(file(ledger));
  }

  private static Path file(Path ledger) {
    return ledger.resolve("MIGRATING");
  }

  // ------------------------------------------------------------------------------------ arrival

  /** Says in the new places, until the ledger is there, that they are this migration's. */
  void announce(Path ledger) {
    for (Path place : announced(ledger)) {
      try {
        Files.createDirectories(place);
      } catch (IOException e) {
        throw SmallFile.failed("cannot make the directory " + place, e);
      }
      List<String> lines = new ArrayList<>(List.of(ARRIVAL));
      lines.add(ledger.toAbsolutePath().normalize().toString());
      lines.addAll(owner());
      CheckedText.write(arrival(place), lines);
    }
  }

  /** Returns whether all new places are this migration's; others may have them by now. */
  boolean owns(Path ledger) {
    return announced(ledger).stream().allMatch(this::ownsPlace);
  }

  private boolean ownsPlace(Path place) {
    if (isElsewhere() && Layout.exists(place) && Layout.moved(place).isEmpty()) {
      return false;
    }
    try {
      return CheckedText.readIfThere(arrival(place), ARRIVAL, ARRIVAL, lines -> lines)
          .filter(lines -> lines.subList(2, lines.size()).equals(owner()))
          .isPresent();
    } catch (IntegrityException e) {
      return false;
    }
  }

  private List<String> owner() {
    return List.of(ledgerId.hex(), stamp);
  }

  private List<Path> announced(Path ledger) {
    return isElsewhere() ? List.of(destination(ledger)) : homes(ledger);
  }

  void removeAnnouncement(Path ledger) {
    announced(ledger).forEach(place -> CheckedText.remove(arrival(place)));
  }

  /** Returns whether a ledger is on its way to the directory. */
  static boolean isArriving(Path directory) {
    return Files.exists(arrival(directory));
  }

  private static Path arrival(Path directory) {
    return directory.resolve("ARRIVING");
  }
}
