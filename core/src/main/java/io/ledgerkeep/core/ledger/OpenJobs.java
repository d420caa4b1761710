package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Backup;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.core.audit.JobBook;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.job.JobControl;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The jobs of a ledger that is open. */
final class OpenJobs implements Ledger.Jobs {

  private final OpenLedger ledger;
  private final JobBook book;

  OpenJobs(OpenLedger ledger, JobBook book) {
    this.ledger = ledger;
    this.book = book;
  }

  @Override
  public List<Job> list() {
    return book.list();
  }

  @Override
  public List<Total> totals() {
    return book.totals();
  }

  @Override
  public boolean cancel(long number) {
    return book.cancel(number);
  }

  @Override
  public Job resume(long number, JobControl control) {
    Job job = required(number);
    if (job.state() == State.RUNNING || job.state() == State.DONE) {
      throw new ConflictException(
          Reason.EXISTS,
          "job %s (%s) is %s: there is nothing to go on with"
              .formatted(number, job.name(), job.state().name().toLowerCase(Locale.ROOT)));
    }
    List<String> findings = ledger.auditFindings();
    if (!findings.isEmpty()) {
      throw new IntegrityException(
          "what the job was asked to do may have been changed; ask for it anew: "
              + findings.get(0));
    }
    runAgain(job, control);
    return list().stream()
        .filter(later -> later.number() > number && later.name().equals(job.name()))
        .findFirst()
        .orElse(job);
  }

  private Job required(long number) {
    return list().stream()
        .filter(job -> job.number() == number)
        .findFirst()
        .orElseThrow(
            () ->
                new ConflictException(
                    Reason.EXISTS,
                    "there is no job %s among those that are known".formatted(number)));
  }

  private void runAgain(Job job, JobControl control) {
    Map<String, String> range = book.rangeOf(job.number());
    switch (job.name()) {
      case "archive" -> {
        ArchiveRequest request = ArchiveRequest.upTo(Long.parseLong(range.getOrDefault("to", "0")));
        boolean whole = Boolean.parseBoolean(range.get("whole-segments"));
        ledger.archiver().archive((whole ? request.ofWholeSegments() : request).with(control));
      }
      case "restore" ->
          ledger
              .restorer()
              .restore(
                  RestoreRequest.downTo(Long.parseLong(range.getOrDefault("down-to", "0")))
                      .with(control));
      case "backup" -> {
        Path directory = Path.of(range.getOrDefault("directory", ""));
        Backup.Kind kind =
            Backup.Kind.valueOf(range.getOrDefault("kind", "full").toUpperCase(Locale.ROOT));
        ledger.backup().run(new Backup.Request(directory, kind, control));
      }
      case OpenKeys.REENCRYPT -> ledger.keys().orElseThrow().reencrypt(control);
      default ->
          throw new ConflictException(
              Reason.EXISTS,
              "job %s is a '%s', which goes on when the same is asked for again, with what it needs (ledgerkeep %s)"
                  .formatted(job.number(), job.name(), command(job.name())));
    }
  }

  /** Returns the command that runs a job of the name. */
  private static String command(String job) {
    return switch (job) {
      case "rebuild", "roll-back" -> "rebuild-dbs";
      case "migrate", "doctor", "sync", "restore-backup", "verify" -> job;
      default -> "tde " + job;
    };
  }
}
