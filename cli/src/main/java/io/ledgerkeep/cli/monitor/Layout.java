package io.ledgerkeep.cli.monitor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/** What the file {@code LAYOUT} says, by the format in {@code docs/format.md}. */
final class Layout {

  private static final String FIRST_LINE = "ledgerkeep layout 1\n";
  private static final String MOVED = "ledgerkeep layout moved ";

  private Layout() {}

  /**
   * Where a database is.
   *
   * @param database its name
   * @param engine the engine's name
   * @param directory the directory of the database
   */
  record Place(String database, String engine, Path directory) {}

  static Path file(Path ledger) {
    return ledger.resolve("LAYOUT");
  }

  /**
   * Returns where the databases of a ledger are.
   *
   * @throws IOException if the file cannot be read, or is not the layout of a ledger here
   */
  static List<Place> read(Path ledger) throws IOException {
    byte[] bytes = Files.readAllBytes(file(ledger));
    String text = new String(bytes, StandardCharsets.UTF_8);
    if (text.startsWith(MOVED)) {
      throw new IOException("the ledger was moved to another directory; status says which");
    }
    if (!text.startsWith(FIRST_LINE)) {
      throw new IOException(file(ledger) + " is not a layout that this release knows");
    }
    int end = text.lastIndexOf("crc32c ");
    if (end < 0 || !text.substring(end).equals("crc32c " + checksum(text.substring(0, end)))) {
      throw new IOException(file(ledger) + " does not fit its checksum: run doctor");
    }
    List<Place> places = new ArrayList<>();
    for (String line : text.substring(FIRST_LINE.length(), end).lines().toList()) {
      String[] words = line.split(" ", 3);
      if (words.length == 3) {
        places.add(new Place(words[0], words[1], ledger.resolve(words[2])));
      }
    }
    return places;
  }

  private static String checksum(String text) {
    CRC32C crc = new CRC32C();
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    return "%08x\n".formatted(crc.getValue());
  }
}
