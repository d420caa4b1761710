package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Database;
import io.ledgerkeep.core.audit.AuditLine;
import io.ledgerkeep.core.audit.AuditLog;
import io.ledgerkeep.core.audit.JobBook;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.sealing.Keyring;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.StorageException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The audit file of a ledger that a job works on without opening it as a whole. The file is looked
 * up for each line: a job may bring the ledger to another place, or under other keys.
 */
final class ClosedNotes implements JobBook.Notes {

  private static final Logger LOG = LoggerFactory.getLogger(ClosedNotes.class);

  private final Supplier<Path> directory;
  private final Encryption.Keys keys;

  private ClosedNotes(Supplier<Path> directory, Encryption.Keys keys) {
    this.directory = directory;
    this.keys = keys;
  }

  /** Returns a book of jobs that writes into the audit file of the ledger in a directory. */
  static JobBook book(Path directory, Encryption.Keys keys) {
    return new JobBook(() -> {}, () -> {}, new ClosedNotes(() -> directory, keys));
  }

  /** Returns the same where the ledger may be somewhere else when a line is written. */
  static JobBook book(Supplier<Path> directory, Encryption.Keys keys) {
    return new JobBook(() -> {}, () -> {}, new ClosedNotes(directory, keys));
  }

  /** Writes that a ledger was made, by a job that had nowhere to write that it began. */
  static void noteMade(Path directory, Encryption.Keys keys, String job, Map<String, ?> result) {
    Map<String, String> fields = new LinkedHashMap<>();
    fields.put(AuditLine.BY, JobBook.caller());
    result.forEach((name, value) -> fields.put(name, value.toString()));
    new ClosedNotes(() -> directory, keys).write("info", job, "done", fields);
  }

  /** Where the file or its key cannot be told, the job cannot be done either, and says why. */
  @Override
  public long write(String level, String job, String event, Map<String, String> fields) {
    try {
      Path ledger = directory.get();
      Path home = Beside.home(ledger, Layout.read(ledger).place(Database.BLOCK));
      return Files.isDirectory(home) ? write(home, level, job, event, fields) : 0;
    } catch (StorageException e) {
      throw e;
    } catch (LedgerkeepException e) {
      LOG.warn("job '{}' ({}) is not in the audit file: {}", job, event, e.getMessage());
      return 0;
    }
  }

  private long write(
      Path home, String level, String job, String event, Map<String, String> fields) {
    if (Keyring.head(home).isEmpty()) {
      return append(home, ArchiveKeys.NONE, level, job, event, fields);
    }
    List<Encryption.Sealed> sealed = keys.open(home);
    try {
      return append(home, sealed.get(0).archiveKeys(), level, job, event, fields);
    } finally {
      sealed.stream().filter(Encryption.Sealed::isOurs).forEach(by -> by.encryptor().close());
    }
  }

  private static long append(
      Path home,
      ArchiveKeys by,
      String level,
      String job,
      String event,
      Map<String, String> fields) {
    AuditLog log = new AuditLog(home, by, Clock.systemUTC());
    Map<String, String> told = new LinkedHashMap<>(fields);
    if (log.newest().stream().noneMatch(line -> isBegin(line, job, fields))) {
      told.remove(AuditLine.OF); // a ledger under other keys has another file
    }
    return log.append(level, job, event, told).number();
  }

  private static boolean isBegin(AuditLine line, String job, Map<String, String> end) {
    return line.event().equals(AuditLine.BEGUN)
        && line.job().equals(job)
        && Long.toString(line.number()).equals(end.get(AuditLine.OF));
  }

  @Override
  public List<AuditLine> newest() {
    return List.of();
  }
}
