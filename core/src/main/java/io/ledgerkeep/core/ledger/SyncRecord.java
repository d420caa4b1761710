package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The file {@code SYNCING}: that the ledger of a new node is being made in a directory, and which.
 * Written before anything of the ledger, removed when it can be opened.
 *
 * @param genesisHash of the chain
 * @param ledgerId the identity of the ledger
 * @param layout where its databases are
 */
record SyncRecord(Bytes genesisHash, Bytes ledgerId, Layout layout) {

  static final String NAME = "SYNCING";

  private static final String FIRST_WORDS = "ledgerkeep sync ";
  private static final String FIRST_LINE = FIRST_WORDS + "1";
  private static final int HEAD_LINES = 3;

  /** Returns the directory that opens the ledger as long as it is not proven. */
  static Path workshop(Path ledger) {
    return ledger.resolve("SYNCING.ledger");
  }

  void write(Path ledger) {
    List<String> lines = new ArrayList<>();
    lines.add(FIRST_LINE);
    lines.add(genesisHash.hex());
    lines.add(ledgerId.hex());
    lines.addAll(layout.lines());
    CheckedText.write(file(ledger), lines);
  }

  static boolean exists(Path ledger) {
    return Files.exists(file(ledger));
  }

  static Optional<SyncRecord> read(Path ledger) {
    return CheckedText.readIfThere(file(ledger), FIRST_WORDS, FIRST_LINE, SyncRecord::of);
  }

  private static SyncRecord of(List<String> lines) {
    return new SyncRecord(
        Bytes.fromHex(lines.get(1)),
        Bytes.fromHex(lines.get(2)),
        Layout.of(lines.subList(HEAD_LINES, lines.size())));
  }

  static Path file(Path ledger) {
    return ledger.resolve(NAME);
  }
}
