package io.ledgerkeep.core.ledger;

import io.ledgerkeep.core.audit.AuditLine;
import io.ledgerkeep.core.audit.AuditLog;
import io.ledgerkeep.core.audit.AuditLog.Mark;
import io.ledgerkeep.core.audit.JobBook;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The audit file of a ledger that is open. The block database keeps a mark of the newest line that
 * tells of an end, so that a file that was cut, replaced or removed is noticed.
 */
final class OpenNotes implements JobBook.Notes {

  private static final Logger LOG = LoggerFactory.getLogger(OpenNotes.class);

  private final AuditLog log;
  private final ChainStore chain;
  private final ReservedRoom room;

  /** Guarded by this: the newest line that was written or found. */
  private Optional<Mark> known = Optional.empty();

  OpenNotes(AuditLog log, ChainStore chain, ReservedRoom room) {
    this.log = log;
    this.chain = chain;
    this.room = room;
  }

  /**
   * Looks whether the file has what the database knows of, before another line hides it; and marks
   * what jobs have written since that ended without opening the ledger. One that is under way opens
   * it to read.
   */
  synchronized void open() {
    try {
      known = mark();
      known.ifPresent(log::requireFollows);
      Optional<Mark> last = log.lastEnd();
      if (last.isPresent() && !last.equals(known)) {
        known = last;
        keep(last.get());
      }
    } catch (StorageException | IntegrityException e) {
      if (e instanceof StorageException s && s.isOutOfSpace()) {
        throw e; // there is room in reserve
      }
      // The chain goes on; jobs do not, and verify tells.
      LOG.error("the audit file cannot be used, so that no job will begin: {}", e.getMessage());
    }
  }

  private Optional<Mark> mark() {
    return chain.auditMark().map(Mark::decode);
  }

  @Override
  public synchronized long write(
      String level, String job, String event, Map<String, String> fields) {
    known.ifPresent(line -> room.during(() -> log.requireFollows(line)));
    Mark written = room.toGet(() -> log.append(level, job, event, fields));
    known = Optional.of(written);
    if (!event.equals(AuditLine.BEGUN)) {
      keep(written);
    }
    return written.number();
  }

  /** The mark of an older line is worth less, and nothing in reserve. */
  private void keep(Mark written) {
    try {
      chain.keepAuditMark(written.encode());
    } catch (StorageException e) {
      LOG.warn("line {} of the audit file is not marked: {}", written.number(), e.getMessage());
    }
  }

  @Override
  public List<AuditLine> newest() {
    return log.newest();
  }

  /** Returns what is wrong with the file. */
  synchronized List<String> findings() {
    return log.findings(mark());
  }
}
