package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.IntegrityException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The file {@code LAYOUT}: which engine each database is on and which directory it has. It is the
 * last thing written when a ledger is made, and replaced in one step when a database is switched.
 *
 * @param databases the place of each database
 */
record Layout(Map<Database, Place> databases) {

  private static final String FIRST_WORDS = "ledgerkeep layout ";
  private static final String FIRST_LINE = FIRST_WORDS + "1";

  /** The name of the file of a layout that was replaced. */
  static final String BEFORE = "LAYOUT.before";

  /**
   * Where a database is.
   *
   * @param engine the name of the engine's provider
   * @param directory relative to the ledger's directory, or absolute
   */
  record Place(String engine, String directory) {

    /** Checks that the name is one word of the line. */
    Place {
      if (!engine.matches("[a-z0-9-]+")) {
        throw new ConfigurationException(
            "the name of an engine has lower-case letters, digits and hyphens, unlike '%s'"
                .formatted(engine));
      }
    }
  }

  Layout {
    databases = Map.copyOf(databases);
  }

  static boolean exists(Path ledger) {
    return Files.exists(file(ledger));
  }

  /**
   * What stands in the place of the layout of a ledger that was moved to another directory. An
   * older release does not know it, and opens nothing.
   *
   * @param stamp of the migration
   * @param ledgerId which ledger it was
   * @param directory where it is now
   * @param backup the directory with its layout from before
   */
  record Moved(String stamp, Bytes ledgerId, Path directory, Path backup) {

    private static final String FIRST_LINE = FIRST_WORDS + "moved 1";

    void write(Path ledger) {
      CheckedText.write(
          file(ledger),
          List.of(FIRST_LINE, stamp, ledgerId.hex(), directory.toString(), backup.toString()));
    }

    private static Moved of(List<String> lines) {
      return new Moved(
          lines.get(1), Bytes.fromHex(lines.get(2)), Path.of(lines.get(3)), Path.of(lines.get(4)));
    }

    private ConflictException refusal(Path from) {
      Path before = from.resolve(backup).resolve(BEFORE);
      String back =
          Files.exists(before)
              ? "To go back to how it was then, put %s in the place of %s, and never open the other one again"
                  .formatted(before, file(from))
              : "Its originals were removed from here";
      return new ConflictException(
          Reason.MOVED,
          "the ledger %s in %s was moved to %s: open it there. %s"
              .formatted(ledgerId.hex(), from, directory, back));
    }
  }

  /** Returns where the ledger was moved to, if it was. */
  static Optional<Moved> moved(Path ledger) {
    return CheckedText.beginsWith(file(ledger), Moved.FIRST_LINE)
        ? CheckedText.readIfThere(file(ledger), FIRST_WORDS, Moved.FIRST_LINE, Moved::of)
        : Optional.empty();
  }

  /**
   * Returns if the ledger is still in its directory.
   *
   * @throws ConflictException {@link Reason#MOVED} if it is in another one by now
   */
  static void requireNotMoved(Path ledger) {
    moved(ledger)
        .ifPresent(
            moved -> {
              throw moved.refusal(ledger);
            });
  }

  /**
   * Returns the layout of a ledger.
   *
   * @throws ConflictException {@link Reason#MOVED} if the ledger is in another directory by now
   */
  static Layout read(Path ledger) {
    requireNotMoved(ledger);
    return readFile(file(ledger));
  }

  /** Reads a file of the form of a layout, whatever its name. */
  static Layout readFile(Path file) {
    List<String> lines = CheckedText.read(file, FIRST_WORDS, FIRST_LINE);
    return of(lines.subList(1, lines.size()));
  }

  void write(Path ledger) {
    writeTo(file(ledger));
  }

  /** Writes the same to a file that is the layout of nothing yet. */
  void writeTo(Path file) {
    List<String> lines = new ArrayList<>();
    lines.add(FIRST_LINE);
    lines.addAll(lines());
    CheckedText.write(file, lines);
  }

  /** Removes the file, if it is there, so that the directory holds no ledger; durable. */
  static void remove(Path ledger) {
    CheckedText.remove(file(ledger));
  }

  /** Returns a line for each database. */
  List<String> lines() {
    return Stream.of(Database.values())
        .map(
            database ->
                database.lowerCaseName()
                    + " "
                    + place(database).engine()
                    + " "
                    + place(database).directory())
        .toList();
  }

  /** Returns the same places as a ledger sees them whose directory lies in this one's. */
  Layout fromBelow() {
    Map<Database, Place> places = new EnumMap<>(Database.class);
    databases.forEach(
        (database, place) ->
            places.put(
                database,
                Path.of(place.directory()).isAbsolute()
                    ? place
                    : new Place(place.engine(), "../" + place.directory())));
    return new Layout(places);
  }

  Place place(Database database) {
    Place place = databases.get(database);
    if (place == null) {
      throw new IntegrityException("LAYOUT names no " + database.lowerCaseName() + " database");
    }
    return place;
  }

  /** Returns what {@link #lines} gave. */
  static Layout of(List<String> lines) {
    Map<Database, Place> databases = new EnumMap<>(Database.class);
    for (String line : lines) {
      List<String> words = List.of(line.split(" ", 3));
      for (Database database : Database.values()) {
        if (words.size() == 3 && words.get(0).equals(database.lowerCaseName())) {
          databases.put(database, new Place(words.get(1), words.get(2)));
        }
      }
    }
    return new Layout(databases);
  }

  private static Path file(Path ledger) {
    return ledger.resolve("LAYOUT");
  }
}
