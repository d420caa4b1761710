package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import java.nio.file.Files;
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
 * The file {@code REBUILDING}: that state and history of the ledger are being made anew, where, and
 * of which blocks. Written before anything of them, removed after everything that is left to do.
 *
 * @param step how far it has come
 * @param stamp when it began, and part of all names that it makes
 * @param ledgerId the identity of the ledger
 * @param verified whether all blocks that count are verified
 * @param last the newest block, to be the newest still when it goes on
 * @param layout where the databases are afterwards
 * @param original where they were
 */
record RebuildRecord(
    Step step,
    String stamp,
    Bytes ledgerId,
    boolean verified,
    Newest last,
    Layout layout,
    Layout original) {

  /** How far a rebuild has come. */
  enum Step {
    /** State and history are built; nothing of the ledger was changed. */
    BUILDING,
    /** They are built and proven; the indexes are put right, then the ledger switches. */
    CORRECTING,
    /** They were proven, are of no use any more, and are removed. */
    DISCARDING
  }

  /** The newest block of a ledger; -1 and no hash where it has none. */
  record Newest(long height, Bytes hash) {}

  /** What is made anew beside the originals. */
  static final List<Database> MADE = List.of(Database.STATE, Database.HISTORY);

  private static final String FIRST_WORDS = "ledgerkeep rebuild ";
  private static final String FIRST_LINE = FIRST_WORDS + "1";
  private static final int HEAD_LINES = 7;
  private static final String VERIFIED = "verified";

  /** Plans a rebuild; all names are new. */
  static RebuildRecord plan(
      Path ledger, Layout layout, Bytes ledgerId, boolean verified, Newest last, Clock clock) {
    return Beside.firstFree(
        clock,
        stamp -> planned(ledger, layout, ledgerId, verified, last, stamp),
        record -> record.names(ledger));
  }

  private static RebuildRecord planned(
      Path ledger, Layout layout, Bytes ledgerId, boolean verified, Newest last, String stamp) {
    Map<Database, Layout.Place> places = new EnumMap<>(layout.databases());
    for (Database database : MADE) {
      Layout.Place old = layout.place(database);
      Path made = Beside.place(ledger, old.directory(), "rebuilt-" + stamp);
      places.put(database, new Layout.Place(old.engine(), made.toString()));
    }
    return new RebuildRecord(
        Step.BUILDING, stamp, ledgerId, verified, last, new Layout(places), layout);
  }

  private List<Path> names(Path ledger) {
    List<Path> names = new ArrayList<>(homes(ledger));
    names.add(backup(ledger));
    return names;
  }

  /** Returns the same record of a rebuild that goes on, its blocks verified or not. */
  RebuildRecord withVerified(boolean areVerified) {
    return new RebuildRecord(step, stamp, ledgerId, areVerified, last, layout, original);
  }

  /** Returns the record at another step. */
  RebuildRecord at(Step another) {
    return new RebuildRecord(another, stamp, ledgerId, verified, last, layout, original);
  }

  /** Returns the directory of what is kept of the originals beside themselves. */
  Path backup(Path ledger) {
    return ledger.resolve("backup-" + stamp + "-rebuild");
  }

  /** Returns the file of replaced rows of the indexes, which is there if any are. */
  Path replacedRows(Path ledger) {
    return backup(ledger).resolve("INDEX");
  }

  /** Returns the file for what the job notes on its way, there while it runs. */
  Path scratch(Path ledger) {
    return ledger.resolve(place(Database.STATE).directory()).resolve("sums");
  }

  /** Returns the directories that are made. */
  List<Path> homes(Path ledger) {
    return Beside.homes(ledger, layout, MADE);
  }

  Layout.Place place(Database database) {
    return layout.place(database);
  }

  /** Returns what is there of the originals, with the backup's directory. */
  List<Path> originals(Path ledger) {
    Stream<Path> databases =
        MADE.stream()
            .filter(database -> Files.exists(home(ledger, database)))
            .flatMap(
                database -> Beside.originals(ledger, original.place(database), place(database)));
    return Stream.concat(databases, Stream.of(backup(ledger))).toList();
  }

  private Path home(Path ledger, Database database) {
    return ledger.resolve(original.place(database).directory());
  }

  // ------------------------------------------------------------------------------------ the file

  void write(Path ledger) {
    List<String> lines = new ArrayList<>();
    lines.add(FIRST_LINE);
    lines.add(step.name().toLowerCase(Locale.ROOT));
    lines.add(stamp);
    lines.add(ledgerId.hex());
    lines.add(verified ? VERIFIED : "trusted");
    lines.add(String.valueOf(last.height()));
    lines.add(last.hash().hex());
    lines.addAll(layout.lines());
    lines.addAll(original.lines());
    CheckedText.write(file(ledger), lines);
  }

  static Optional<RebuildRecord> read(Path ledger) {
    return CheckedText.readIfThere(file(ledger), FIRST_WORDS, FIRST_LINE, RebuildRecord::of);
  }

  private static RebuildRecord of(List<String> lines) {
    int databases = Database.values().length;
    return new RebuildRecord(
        Step.valueOf(lines.get(1).toUpperCase(Locale.ROOT)),
        lines.get(2),
        Bytes.fromHex(lines.get(3)),
        lines.get(4).equals(VERIFIED),
        new Newest(Long.parseLong(lines.get(5)), Bytes.fromHex(lines.get(6))),
        Layout.of(lines.subList(HEAD_LINES, HEAD_LINES + databases)),
        Layout.of(lines.subList(HEAD_LINES + databases, lines.size())));
  }

  /** Removes the file; durable when it returns. */
  static void remove(Path ledger) {
    CheckedText.remove(file(ledger));
  }

  private static Path file(Path ledger) {
    return ledger.resolve("REBUILDING");
  }
}
