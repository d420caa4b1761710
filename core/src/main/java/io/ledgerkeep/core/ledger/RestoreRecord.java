package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The file {@code RESTORING}: that a ledger is being restored into a directory, from what, and how
 * far it has come. Written before anything of the ledger, removed when it can be opened.
 *
 * @param backup the digest of the backup's manifest
 * @param loaded how many files of the backups are on the engines, durable; {@link #NOT_BEGUN}
 *     before anything was put there
 * @param step how far it has come beside that
 * @param layout where its databases are
 */
record RestoreRecord(Bytes backup, int loaded, Step step, Layout layout) {

  /** What is to be done next. */
  enum Step {
    /** Rows are put on the engines, and compared. */
    LOADING,
    /** The ledger can be opened, and is to be verified and switched to. */
    PREPARED;

    String lowerCaseName() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  static final String NAME = "RESTORING";

  static final int NOT_BEGUN = -1;

  private static final String FIRST_WORDS = "ledgerkeep restore ";
  private static final String FIRST_LINE = FIRST_WORDS + "1";
  private static final int HEAD_LINES = 4;

  RestoreRecord withLoaded(int files) {
    return new RestoreRecord(backup, files, step, layout);
  }

  RestoreRecord at(Step newStep) {
    return new RestoreRecord(backup, loaded, newStep, layout);
  }

  /** Returns the directory that opens the ledger as long as it is not proven. */
  static Path workshop(Path ledger) {
    return ledger.resolve("RESTORING.ledger");
  }

  void write(Path ledger) {
    List<String> lines = new ArrayList<>();
    lines.add(FIRST_LINE);
    lines.add(backup.hex());
    lines.add(String.valueOf(loaded));
    lines.add(step.lowerCaseName());
    lines.addAll(layout.lines());
    CheckedText.write(file(ledger), lines);
  }

  static boolean exists(Path ledger) {
    return Files.exists(file(ledger));
  }

  static Optional<RestoreRecord> read(Path ledger) {
    return CheckedText.readIfThere(file(ledger), FIRST_WORDS, FIRST_LINE, RestoreRecord::of);
  }

  private static RestoreRecord of(List<String> lines) {
    return new RestoreRecord(
        Bytes.fromHex(lines.get(1)),
        Integer.parseInt(lines.get(2)),
        Step.valueOf(lines.get(3).toUpperCase(Locale.ROOT)),
        Layout.of(lines.subList(HEAD_LINES, lines.size())));
  }

  static Path file(Path ledger) {
    return ledger.resolve(NAME);
  }
}
