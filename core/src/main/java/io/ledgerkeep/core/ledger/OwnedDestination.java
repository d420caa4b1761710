package io.ledgerkeep.core.ledger;

import io.ledgerkeep.core.files.SmallFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The directory that a ledger is brought to, which is made and owned for that time. */
record OwnedDestination(Optional<OwnerLock> lock) implements AutoCloseable {

  static OwnedDestination of(MigrationRecord record, Path ledger) {
    if (!record.isElsewhere()) {
      return new OwnedDestination(Optional.empty());
    }
    Path destination = record.destination(ledger);
    try {
      Files.createDirectories(destination);
    } catch (IOException e) {
      throw SmallFile.failed("cannot make the directory " + destination, e);
    }
    return new OwnedDestination(Optional.of(OwnerLock.take(destination)));
  }

  @Override
  public void close() {
    lock.ifPresent(OwnerLock::close);
  }
}
