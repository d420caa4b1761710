package io.ledgerkeep.core.backup;

import io.ledgerkeep.Backup.Kind;
import io.ledgerkeep.Backup.Outcome;
import io.ledgerkeep.Backup.Plan;
import io.ledgerkeep.Backup.Report;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;

/**
 * Makes one backup: files, each proven → the registry of keys → the manifest, which makes it one.
 * Whoever calls it owns the ledger and the directory of the backups.
 */
public final class BackupJob {

  private final BackupSet set;
  private final BackupSource source;
  private final Kind kind;
  private final JobWatch watch;
  private final Executor executor;
  private final long fileBytes;
  private final Clock clock;
  private final long begin = System.nanoTime();

  /**
   * Prepares a backup.
   *
   * @param fileBytes the size of rows at which a file ends
   */
  public BackupJob(
      BackupSet set,
      BackupSource source,
      Kind kind,
      JobWatch watch,
      Executor executor,
      long fileBytes,
      Clock clock) {
    this.set = set;
    this.source = source;
    this.kind = kind;
    this.watch = watch;
    this.executor = executor;
    this.fileBytes = fileBytes;
    this.clock = clock;
  }

  /** Returns what {@link #run} would do. */
  public Plan plan() {
    BackupScope scope = scope();
    return new Plan(
        kind,
        set.nextNumber(),
        source.position().height(),
        scope.blockCount(),
        scope.stateIncluded(),
        scope.blocks().stream().mapToLong(this::bodyBytes).sum());
  }

  private long bodyBytes(HeightRange blocks) {
    long first = Math.max(blocks.first(), source.position().pivot() + 1);
    return source.bodyBytes(new HeightRange(first, blocks.last()));
  }

  /** Makes the backup, or goes on with it. */
  public Report run() {
    BackupScope scope = scope();
    set.newest().ifPresent(newest -> end(set.home(newest.head().number()))); // if killed there
    if (scope.parent().isPresent() && isAllIn(scope.parent().get())) {
      return report(Outcome.NOTHING_TO_DO, scope, scope.parent().get(), 0, 0);
    }
    int number = set.nextNumber();
    Path home = set.begin(number);
    BackupHead head =
        scope.head(number, source, clock.instant().truncatedTo(ChronoUnit.SECONDS).toString());
    try (BackupWriter writer =
        new BackupWriter(home, source, scope, head, watch, executor, fileBytes)) {
      Optional<List<BackupFile>> files = writer.write();
      if (files.isEmpty()) {
        BackupManifest none = BackupManifest.of(head, List.of(), (key, value) -> Optional.empty());
        return report(Outcome.CANCELLED, scope, none, 0, writer.keptBytes());
      }
      BackupManifest manifest = withKeys(home, head, files.get());
      FailPoint.pass("backup.complete");
      KeptFiles.removeAllBut(manifest.files(), home);
      manifest.write(home.resolve(BackupManifest.NAME));
      FailPoint.pass("backup.published");
      end(home);
      return report(Outcome.DONE, scope, manifest, scope.blockCount(), writer.keptBytes());
    }
  }

  private BackupScope scope() {
    Optional<BackupManifest> newest = set.newest();
    newest.ifPresent(this::requireThisLedger);
    if (kind == Kind.FULL) {
      return BackupScope.full(source);
    }
    newest.ifPresent(parent -> set.requireChain(parent.head().number()));
    return BackupScope.following(
        newest.orElseThrow(
            () ->
                new ConfigurationException(
                    "there is no backup that an incremental one could follow; make a full one first")),
        source);
  }

  private void requireThisLedger(BackupManifest newest) {
    BackedUpLedger theirs = newest.head().ledger();
    if (!theirs.ledgerId().equals(source.ledger().ledgerId())) {
      throw new ConflictException(
          Reason.OTHER_CHAIN,
          "the directory has backups of ledger %s (chain '%s'), and this is ledger %s (chain '%s'); choose another directory"
              .formatted(
                  theirs.ledgerId().hex(),
                  theirs.chainId(),
                  source.ledger().ledgerId().hex(),
                  source.ledger().chainId()));
    }
  }

  private boolean isAllIn(BackupManifest parent) {
    return BackupScope.isAllIn(parent, set.registry(parent), source);
  }

  /**
   * The registry has to know all that values and the manifest's seal are under, so it is copied
   * last, and again where it has changed meanwhile: the first thing that is sealed begins an epoch.
   */
  private BackupManifest withKeys(Path home, BackupHead head, List<BackupFile> files) {
    while (true) {
      Optional<Bytes> registry = source.registry().get();
      List<BackupFile> all = new ArrayList<>(files);
      registry.ifPresent(keys -> all.add(BackupFiles.writeKeys(home, keys)));
      BackupManifest manifest = BackupManifest.of(head, all, source.seal());
      if (source.registry().get().equals(registry)) {
        return manifest;
      }
    }
  }

  private static void end(Path home) {
    try {
      Files.deleteIfExists(home.resolve(BackupManifest.BEGUN));
      SmallFile.syncDirectory(home);
    } catch (IOException e) {
      throw SmallFile.failed("cannot tidy " + home, e);
    }
    FailPoint.pass("backup.done");
  }

  private Report report(
      Outcome outcome, BackupScope scope, BackupManifest of, long blocks, long keptBytes) {
    BackupHead head = of.head();
    return new Report(
        outcome,
        kind,
        head.number(),
        set.home(head.number()),
        head.position().height(),
        head.position().pivot(),
        blocks,
        scope.stateIncluded(),
        of.rows(),
        of.rawBytes(),
        of.bytes(),
        keptBytes,
        Duration.ofNanos(System.nanoTime() - begin));
  }
}
