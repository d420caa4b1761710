package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledgerkeep.Conversion.Direction;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
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

  /** Plans the copy of a ledger; all names are new. */
  static CopyRecord plan(
      Path ledger, Layout layout, Direction direction, Bytes from, Bytes to, Clock clock) {
    return Beside.firstFree(
        clock,
        stamp -> planned(ledger, layout, direction, from, to, stamp),
        record -> record.names(ledger));
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

  private List<Path> names(Path ledger) {
    List<Path> names = new ArrayList<>(homes(ledger));
    names.add(backup(ledger));
    return names;
  }

  private static Layout placed(Path ledger, Layout layout, Direction direction, String stamp) {
    String name = (direction == Direction.ENCRYPT ? "encrypted-" : "plain-") + stamp;
    Map<Database, Layout.Place> places = new EnumMap<>(Database.class);
    for (Database database : Database.values()) {
      Layout.Place old = layout.place(database);
      places.put(
          database,
          new Layout.Place(old.engine(), Beside.place(ledger, old.directory(), name).toString()));
    }
    return new Layout(places);
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
    return Beside.homes(ledger, layout, List.of(Database.values()));
  }

  /**
   * Returns what the original consists of, without the backup's directory. Where the copy lies
   * within a directory of the original, only what belongs to that is named.
   */
  List<Path> originals(Path ledger) {
    return Stream.of(Database.values())
        .flatMap(
            database -> Beside.originals(ledger, original.place(database), layout.place(database)))
        .toList();
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
    return CheckedText.readIfThere(file(ledger), FIRST_WORDS, FIRST_LINE, CopyRecord::of);
  }

  private static CopyRecord of(List<String> lines) {
    int databases = Database.values().length;
    return new CopyRecord(
        Direction.valueOf(lines.get(1).toUpperCase(Locale.ROOT)),
        lines.get(2),
        Bytes.fromHex(lines.get(3)),
        Bytes.fromHex(lines.get(4)),
        Layout.of(lines.subList(HEAD_LINES, HEAD_LINES + databases)),
        Layout.of(lines.subList(HEAD_LINES + databases, lines.size())));
  }

  /** Removes the file; durable when it returns. */
  static void remove(Path ledger) {
    CheckedText.remove(file(ledger));
  }

  private static Path file(Path ledger) {
    return ledger.resolve("CONVERTING");
  }
}
