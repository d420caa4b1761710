package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Backup;
import io.ledgerkeep.core.backup.BackupJob;
import io.ledgerkeep.core.backup.BackupSet;
import io.ledgerkeep.core.backup.BackupSource;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.core.jobs.JobBook;
import io.ledgerkeep.core.jobs.JobLock;
import io.ledgerkeep.core.jobs.JobWatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Locale;
import java.util.Map;

/** Backs up a ledger that is open. Serves any number of threads; one backup runs at a time. */
final class LedgerBackup implements Backup {

  private static final String NAME = "backup";

  private final OpenLedger ledger;
  private final JobBook jobs;
  private final Clock clock;

  LedgerBackup(OpenLedger ledger, JobBook jobs, Clock clock) {
    this.ledger = ledger;
    this.jobs = jobs;
    this.clock = clock;
  }

  @Override
  public Plan plan(Request request) {
    requireApart(request);
    try (JobLock.Lease lease = jobs.lock().take(NAME);
        BackupSource source = ledger.backupSource()) {
      return job(request, source, new JobWatch(request.control(), jobs.lock()::isClosing)).plan();
    }
  }

  @Override
  public Report run(Request request) {
    requireApart(request);
    return jobs.run(
        NAME,
        Map.of(
            "directory",
            request.directory(),
            "kind",
            request.kind().name().toLowerCase(Locale.ROOT)),
        run -> made(request, run));
  }

  private Report made(Request request, JobBook.Run run) {
    try (OwnerLock lock = OwnerLock.take(made(request.directory()), "the backups in");
        BackupSource source = ledger.backupSource()) {
      Report report = job(request, source, run.watch(request.control())).run();
      run.ended(
          report.outcome() == Outcome.CANCELLED,
          Map.of("backup", report.number(), "height", report.height(), "bytes", report.bytes()));
      return report;
    }
  }

  private BackupJob job(Request request, BackupSource source, JobWatch watch) {
    Settings settings = ledger.parts().settings();
    return new BackupJob(
        new BackupSet(request.directory()),
        source,
        request.kind(),
        watch,
        settings.executor,
        settings.backupFileBytes,
        clock);
  }

  private void requireApart(Request request) {
    FreshPlace.requireApart(ledger.parts().directory(), request.directory(), "the backups");
  }

  private static Path made(Path directory) {
    try {
      Files.createDirectories(directory);
      SmallFile.syncDirectory(directory.toAbsolutePath().resolve("..").normalize());
      return directory;
    } catch (IOException e) {
      throw SmallFile.failed("cannot make the directory " + directory, e);
    }
  }
}
