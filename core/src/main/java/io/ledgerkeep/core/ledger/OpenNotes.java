package io.ledgerkeep.core.ledger;

import io.ledgerkeep.core.audit.AuditLine;
import io.ledgerkeep.core.audit.AuditLog;
import io.ledgerkeep.core.audit.AuditLog.Mark;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.jobs.JobBook;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The audit file of a ledger that is open. The block database keeps a mark of the newest line that
 * tells of an end, so that a file that was cut, replaced or removed is noticed.
 */
final class OpenNotes implements JobBook.Notes {

  private final AuditLog log;
  private final ChainStore chain;
  private final ReservedRoom room;

  OpenNotes(AuditLog log, ChainStore chain, ReservedRoom room) {
    this.log = log;
    this.chain = chain;
    this.room = room;
  }

  /** Looks whether the file has what the database knows of, before another line hides it. */
  void open() {
    mark().ifPresent(log::requireFollows);
  }

  private Optional<Mark> mark() {
    return chain.auditMark().map(Mark::decode);
  }

  @Override
  public synchronized long write(
      String level, String job, String event, Map<String, String> fields) {
    Mark written = room.toGet(() -> log.append(level, job, event, fields));
    if (!event.equals(AuditLine.BEGUN)) {
      room.during(() -> chain.keepAuditMark(written.encode()));
    }
    return written.number();
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
