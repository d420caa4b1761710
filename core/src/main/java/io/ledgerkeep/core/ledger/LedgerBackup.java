package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Backup;
import io.ledgerkeep.core.backup.BackupJob;
import io.ledgerkeep.core.backup.BackupSet;
import io.ledgerkeep.core.backup.BackupSource;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.core.jobs.JobLock;
import io.ledgerkeep.core.jobs.JobWatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;

/** Backs up a ledger that is open. Serves any number of threads; one backup runs at a time. */
final class LedgerBackup implements Backup {

  private static final String NAME = "backup";

  private final OpenLedger ledger;
  private final JobLock jobLock;
  private final Clock clock;

  LedgerBackup(OpenLedger ledger, JobLock jobLock, Clock clock) {
    this.ledger = ledger;
    this.jobLock = jobLock;
    this.clock = clock;
  }

  @Override
  public Plan plan(Request request) {
    requireApart(request);
    try (JobLock.Lease lease = jobLock.take(NAME);
        BackupSource source = ledger.backupSource()) {
      return job(request, source).plan();
    }
  }

  @Override
  public Report run(Request request) {
    requireApart(request);
    try (JobLock.Lease lease = jobLock.take(NAME);
        OwnerLock lock = OwnerLock.take(made(request.directory()), "the backups in");
        BackupSource source = ledger.backupSource()) {
      return job(request, source).run();
    }
  }

  private BackupJob job(Request request, BackupSource source) {
    Settings settings = ledger.parts().settings();
    return new BackupJob(
        new BackupSet(request.directory()),
        source,
        request.kind(),
        new JobWatch(request.control(), jobLock::isClosing),
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
