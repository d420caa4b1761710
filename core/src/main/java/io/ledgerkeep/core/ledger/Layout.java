package io.ledgerkeep.core.ledger;

import com.google.common.hash.Hashing;
import io.ledgerkeep.Database;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

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
    try {
      byte[] bytes = Files.readAllBytes(file(ledger));
      return parse(file(ledger), new String(bytes, StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw SmallFile.failed("cannot read " + file(ledger), e);
    }
  }

  void write(Path ledger) {
    StringBuilder text = new StringBuilder(FIRST_LINE).append('\n');
    for (Database database : Database.values()) {
      Place place = place(database);
      text.append(database.lowerCaseName())
          .append(' ')
          .append(place.engine())
          .append(' ')
          .append(place.directory())
          .append('\n');
    }
    text.append(checksumLine(text.toString())).append('\n');
    SmallFile.replaceDurably(file(ledger), text.toString().getBytes(StandardCharsets.UTF_8));
  }

  Place place(Database database) {
    Place place = databases.get(database);
    if (place == null) {
      throw new IntegrityException("LAYOUT names no " + database.lowerCaseName() + " database");
    }
    return place;
  }

  private static Layout parse(Path file, String text) {
    List<String> lines = text.lines().toList();
    String first = lines.isEmpty() ? "" : lines.get(0);
    if (!first.equals(FIRST_LINE) && first.startsWith(FIRST_WORDS)) {
      throw new UnsupportedFormatException(
          "%s begins with '%s'; this release knows '%s'".formatted(file, first, FIRST_LINE));
    }
    String last = lines.isEmpty() ? "" : lines.get(lines.size() - 1);
    if (!first.equals(FIRST_LINE)
        || !text.endsWith(last + "\n")
        || !last.equals(checksumLine(text.substring(0, text.length() - last.length() - 1)))) {
      throw new IntegrityException(file + " does not fit its checksum; restore it from a copy");
    }
    Map<Database, Place> databases = new EnumMap<>(Database.class);
    for (String line : lines.subList(1, lines.size() - 1)) {
      List<String> words = List.of(line.split(" ", 3));
      for (Database database : Database.values()) {
        if (words.size() == 3 && words.get(0).equals(database.lowerCaseName())) {
          databases.put(database, new Place(words.get(1), words.get(2)));
        }
      }
    }
    return new Layout(databases);
  }

  private static String checksumLine(String text) {
    return "crc32c %08x"
        .formatted(Hashing.crc32c().hashString(text, StandardCharsets.UTF_8).asInt());
  }

  private static Path file(Path ledger) {
    return ledger.resolve("LAYOUT");
  }
}
