package io.ledgerkeep.cli;

import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Ledgerkeep.Connection;
import io.ledgerkeep.Ledgerkeep.Maintenance;
import io.ledgerkeep.error.ConflictException;
import java.nio.file.Path;

/**
 * What looks after a ledger, in this process or in the one that has it open.
 *
 * @param ledger does what is asked
 * @param opened is closed in the end
 */
record MaintainedLedger(Maintenance ledger, AutoCloseable opened) implements AutoCloseable {

  /**
   * Reaches the process that has the ledger open.
   *
   * @throws ConflictException that it is locked, if that process serves no control socket
   */
  static MaintainedLedger elsewhere(Settings settings, ConflictException locked) {
    Connection connection;
    try {
      connection = Ledgerkeep.connect(settings.data().toAbsolutePath());
    } catch (ConflictException e) {
      locked.addSuppressed(e);
      throw locked;
    }
    requireSameArchive(settings, connection);
    return new MaintainedLedger(connection, connection);
  }

  /** The process that has the ledger open uses the archive that it was given, and no other. */
  private static void requireSameArchive(Settings settings, Connection connection) {
    String there = connection.archivePlace().orElse("");
    if (settings.hasArchive() && !absolute(Path.of(there)).equals(absolute(settings.archive()))) {
      throw CommandException.usage(
          "the process that has the ledger open archives to %s, not to %s: leave --archive out, or stop it first"
              .formatted(there.isEmpty() ? "nowhere" : there, settings.archive()));
    }
  }

  private static Path absolute(Path path) {
    return path.toAbsolutePath().normalize();
  }

  /** Returns whether another process has the ledger open. */
  boolean isElsewhere() {
    return opened instanceof Connection;
  }

  @Override
  public void close() {
    try {
      opened.close();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new AssertionError("neither of them throws anything checked", e);
    }
  }
}
