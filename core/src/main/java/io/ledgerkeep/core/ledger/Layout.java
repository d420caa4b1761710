package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Database;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
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

  static Layout read(Path ledger) {
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
    try {
      if (Files.deleteIfExists(file(ledger))) {
        SmallFile.syncDirectory(ledger);
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot remove " + file(ledger), e);
    }
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
