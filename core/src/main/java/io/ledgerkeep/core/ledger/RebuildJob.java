package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Database;
import io.ledgerkeep.Rebuilder.Plan;
import io.ledgerkeep.Rebuilder.Report;
import io.ledgerkeep.Rebuilder.Request;
import io.ledgerkeep.core.chain.ChainIndexes;
import io.ledgerkeep.core.derived.DerivedStore;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.files.Directories;
import io.ledgerkeep.core.jobs.JobBook;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.ledger.LedgerOpener.PartMade;
import io.ledgerkeep.core.ledger.RebuildRecord.Step;
import io.ledgerkeep.core.rebuilding.Regeneration;
import io.ledgerkeep.core.rebuilding.ReplacedRows;
import io.ledgerkeep.core.rollback.RestOfRollBack;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes state and history anew beside the originals, which are never opened: record → replay →
 * compare with the blocks → put the indexes right → one replacement of {@code LAYOUT}, which is the
 * switch → tidy up. Before the indexes are put right the ledger is as it was, whatever happens;
 * after the switch, the next run only tidies up.
 */
final class RebuildJob {

  private static final Logger LOG = LoggerFactory.getLogger(RebuildJob.class);

  private final Settings settings;
  private final Request request;
  private final Clock clock;
  private final Path directory;
  private final JobWatch watch;
  private final long begin = System.nanoTime();
  private long replayed;
  private long replayedFromArchive;
  private long indexEntries;

  RebuildJob(Settings settings, Request request, Clock clock) {
    this.settings = settings;
    this.request = request;
    this.clock = clock;
    this.directory = settings.requiredDirectory();
    this.watch = new JobWatch(request.control(), () -> false);
  }

  Plan plan() {
    requireLedger();
    try (OwnerLock lock = OwnerLock.take(directory);
        Encryption.Keys keys = settings.encryption.open(settings.classLoader)) {
      Layout layout = Layout.read(directory);
      Optional<Plan> rollBack = rollBackJob().flatMap(job -> job.plan(layout, keys));
      if (rollBack.isPresent()) {
        return rollBack.get();
      }
      settings.requireOwnEngines(layout, RebuildRecord.MADE);
      try (BlockSide blocks = BlockSide.open(settings, layout, keys)) {
        blocks.requireArchive();
        RebuildRecord record = newRecord(layout, blocks);
        return blocks.plan(new RebuildRoom(settings, directory, blocks).needed(record));
      }
    }
  }

  Report run() {
    requireLedger();
    try (OwnerLock lock = OwnerLock.take(directory);
        Encryption.Keys keys = settings.encryption.open(settings.classLoader)) {
      Layout layout = Layout.read(directory);
      Report report =
          ClosedNotes.book(directory, keys)
              .run(
                  request.height().isPresent() ? "roll-back" : "rebuild",
                  request.height().isPresent()
                      ? Map.of("height", request.height().getAsLong())
                      : Map.of("verify", request.verifyBlocks()),
                  run -> told(run, layout, keys));
      if (!report.cancelled()) {
        keys.confirm();
      }
      return report;
    }
  }

  private Report told(JobBook.Run run, Layout layout, Encryption.Keys keys) {
    Report report =
        rollBackJob()
            .flatMap(job -> job.run(layout, keys))
            .orElseGet(() -> rebuildAll(layout, keys));
    run.ended(report.cancelled(), Map.of("height", report.height(), "blocks", report.blocks()));
    return report;
  }

  /** A height that is asked for may be below the newest. */
  private Optional<RollBackJob> rollBackJob() {
    return request.height().isPresent()
        ? Optional.of(new RollBackJob(settings, request.height().getAsLong(), clock, watch))
        : Optional.empty();
  }

  private Report rebuildAll(Layout layout, Encryption.Keys keys) {
    settings.requireOwnEngines(layout, RebuildRecord.MADE);
    return restOfAnEarlierCall(layout, keys).orElseGet(() -> rebuild(layout, keys));
  }

  private Report rebuild(Layout layout, Encryption.Keys keys) {
    Optional<RebuildRecord> record = builtRecord(layout, keys);
    if (record.isEmpty()) {
      return cancelled();
    }
    switchTo(record.get());
    return finished(record.get(), keys);
  }

  /**
   * Ends a rebuild that was switched to and not ended, if it was that of the blocks as they are.
   */
  private Optional<Report> restOfAnEarlierCall(Layout layout, Encryption.Keys keys) {
    Optional<RebuildRecord> found =
        RebuildRecord.read(directory).filter(record -> record.layout().equals(layout));
    if (found.isEmpty()) {
      return Optional.empty();
    }
    RebuildRecord record = found.get();
    boolean isOfTheseBlocks;
    try (BlockSide blocks = BlockSide.open(settings, layout, keys)) {
      blocks.requireArchive();
      isOfTheseBlocks = isOfTheseBlocks(record, blocks);
    }
    if (isOfTheseBlocks) {
      try {
        return Optional.of(finished(record, keys));
      } catch (IntegrityException e) {
        LOG.warn("what was rebuilt is damaged by now and is rebuilt again: {}", e.getMessage());
      }
    }
    keepBackup(record);
    RebuildRecord.remove(directory);
    return Optional.empty();
  }

  private void requireLedger() {
    if (!Layout.exists(directory)) {
      throw new ConfigurationException("there is no ledger in " + directory);
    }
  }

  // ------------------------------------------------------------------------------------ begin

  /** Returns the record of what is built and proven; nothing if it was cancelled before. */
  private Optional<RebuildRecord> builtRecord(Layout layout, Encryption.Keys keys) {
    Optional<RebuildRecord> found = RebuildRecord.read(directory);
    try (BlockSide blocks = BlockSide.open(settings, layout, keys)) {
      blocks.requireArchive();
      Optional<RebuildRecord> begun =
          found
              .filter(record -> record.original().equals(layout) && goesOn(record, blocks))
              .map(record -> record.withVerified(request.verifyBlocks()));
      if (begun.isEmpty()) {
        found.ifPresent(another -> throwAway(another, layout));
      }
      RebuildRecord record = begun.orElseGet(() -> newRecord(layout, blocks));
      new RebuildRoom(settings, directory, blocks).require(record);
      record.write(directory);
      FailPoint.pass("rebuild.begun");
      return build(record, layout, blocks);
    }
  }

  private RebuildRecord newRecord(Layout layout, BlockSide blocks) {
    return RebuildRecord.plan(
        directory,
        layout,
        blocks.format().ledgerId(),
        request.verifyBlocks(),
        blocks.last(),
        clock);
  }

  private boolean goesOn(RebuildRecord record, BlockSide blocks) {
    return record.step() != Step.DISCARDING
        && isOfTheseBlocks(record, blocks)
        && (record.verified() || !request.verifyBlocks());
  }

  private static boolean isOfTheseBlocks(RebuildRecord record, BlockSide blocks) {
    return record.ledgerId().equals(blocks.format().ledgerId())
        && record.last().equals(blocks.last());
  }

  // ------------------------------------------------------------------------------------ build

  private Optional<RebuildRecord> build(RebuildRecord record, Layout layout, BlockSide blocks) {
    try {
      return built(record, blocks);
    } catch (UnusableException e) {
      LOG.warn("what an earlier rebuild had begun is made anew: {}", e.getMessage());
      throwAway(record, layout);
      RebuildRecord anew = newRecord(layout, blocks);
      anew.write(directory);
      return built(anew, blocks);
    }
  }

  /** What an earlier call has begun cannot be gone on with. */
  private static final class UnusableException extends RuntimeException {
    private static final long serialVersionUID = 1;

    UnusableException(RuntimeException cause) {
      super(cause.getMessage(), cause);
    }
  }

  private Optional<RebuildRecord> built(RebuildRecord record, BlockSide blocks) {
    Resources resources = new Resources();
    try {
      Optional<RebuildRecord> built = built(record, blocks, resources);
      resources.close();
      return built;
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  private Optional<RebuildRecord> built(
      RebuildRecord record, BlockSide blocks, Resources resources) {
    boolean isNew =
        record.step() == Step.BUILDING && record.homes(directory).stream().noneMatch(Files::exists);
    DerivedStore derived;
    ReplacedRows replaced;
    try {
      derived = openMade(record, blocks, resources);
      replaced = ReplacedRows.open(record.replacedRows(directory));
      resources.add(replaced);
      requireWholeIfProven(record, derived);
    } catch (IntegrityException e) {
      throw isNew ? e : new UnusableException(e);
    }
    FailPoint.pass("rebuild.created");
    Regeneration regeneration =
        new Regeneration(
            blocks.site(),
            blocks.archiving(),
            derived,
            new ChainIndexes(blocks.form()),
            replaced,
            record.verified(),
            record.scratch(directory),
            watch);
    resources.add(regeneration);
    RebuildRecord proven = record;
    if (record.step() == Step.BUILDING) {
      boolean complete = replay(regeneration) && isEqual(regeneration, record, resources);
      replayed += regeneration.blocks();
      replayedFromArchive += regeneration.archivedBlocks();
      if (!complete) {
        return Optional.empty();
      }
      proven = record.at(Step.CORRECTING);
      proven.write(directory);
      FailPoint.pass("rebuild.proven");
    }
    regeneration.correct();
    RestOfRollBack.endAsItIs(directory, blocks.engine()); // all that was left of it is made anew
    FailPoint.pass("rebuild.righted");
    if (!replaced.isEmpty()) {
      blocks.renewFilter();
    }
    indexEntries = replaced.entries();
    return Optional.of(proven);
  }

  private DerivedStore openMade(RebuildRecord record, BlockSide blocks, Resources resources) {
    PartMade state = blocks.openMade(Database.STATE, record.place(Database.STATE), resources);
    PartMade history = blocks.openMade(Database.HISTORY, record.place(Database.HISTORY), resources);
    return new DerivedStore(
        state.engine(), state.pieceBytes(), history.engine(), history.pieceBytes());
  }

  /** Somebody may have removed what was proven. */
  private static void requireWholeIfProven(RebuildRecord record, DerivedStore derived) {
    long last = record.last().height();
    if (record.step() != Step.BUILDING
        && (derived.stateHeight() != last || derived.historyHeight() != last)) {
      throw new IntegrityException("state or history as they were built are not there any more");
    }
  }

  private boolean replay(Regeneration regeneration) {
    try {
      boolean complete = regeneration.replay();
      FailPoint.pass("rebuild.replayed");
      return complete;
    } catch (IntegrityException e) {
      throw new IntegrityException(
          "the ledger in %s cannot be rebuilt, nothing of it was changed; the first bad block is %s"
              .formatted(directory, e.getMessage()),
          e);
    }
  }

  private boolean isEqual(Regeneration regeneration, RebuildRecord record, Resources resources) {
    try {
      boolean complete = regeneration.compare();
      FailPoint.pass("rebuild.compared");
      return complete;
    } catch (IntegrityException e) {
      resources.close();
      throwAway(record, record.original());
      throw new IntegrityException(
          "what was built for the ledger in %s does not fit its blocks and was thrown away; nothing was switched. Run this again; if that does not help, look after the disk: %s"
              .formatted(directory, e.getMessage()),
          e);
    }
  }

  // ------------------------------------------------------------------------------------ the switch

  /** The commit point: from here on state and history are what was built. */
  private void switchTo(RebuildRecord record) {
    Beside.sync(record.homes(directory));
    FailPoint.pass("rebuild.durable");
    record.layout().write(directory);
    FailPoint.pass("rebuild.switched");
  }

  /** What the switch leaves to do, as often as it takes. */
  private Report finished(RebuildRecord record, Encryption.Keys keys) {
    keepBackup(record);
    FailPoint.pass("rebuild.kept");
    try (OpenLedger ledger = new LedgerOpener(opening()).openOwned(keys)) {
      if (ledger.height() != record.last().height()) {
        throw new AssertionError("the ledger is owned, and is at height " + ledger.height());
      }
    }
    FailPoint.pass("rebuild.opened");
    RebuildRecord.remove(directory);
    FailPoint.pass("rebuild.done");
    return report(
        record.last().height(),
        Optional.of(record.backup(directory)),
        record.originals(directory),
        false);
  }

  private Settings opening() {
    Settings opening = settings.copy();
    opening.unarchivedBlocks = null;
    return opening;
  }

  /** With it instead of LAYOUT the ledger has its originals again. */
  private void keepBackup(RebuildRecord record) {
    Beside.keep(record.original(), directory, record.backup(directory), Layout.BEFORE);
  }

  private Report cancelled() {
    return report(-1, Optional.empty(), List.of(), true);
  }

  private Report report(
      long height, Optional<Path> backup, List<Path> originals, boolean isCancelled) {
    return new Report(
        height,
        replayed,
        replayedFromArchive,
        indexEntries,
        backup,
        originals,
        isCancelled,
        Duration.ofNanos(System.nanoTime() - begin),
        Optional.empty());
  }

  // ------------------------------------------------------------------------------------ throw away

  /**
   * Removes what an earlier rebuild has built, unless the ledger or its originals are there. Rows
   * that were saved are kept if any of them may have been replaced.
   */
  private void throwAway(RebuildRecord record, Layout live) {
    if (record.step() == Step.CORRECTING) {
      record.at(Step.DISCARDING).write(directory); // what is left of it is not proven any more
    }
    for (Database database : RebuildRecord.MADE) {
      Layout.Place place = record.place(database);
      if (!live.databases().containsValue(place)
          && !record.original().databases().containsValue(place)) {
        Directories.delete(directory.resolve(place.directory()));
      }
    }
    FailPoint.pass("rebuild.removing");
    if (record.step() == Step.BUILDING) {
      Directories.delete(record.backup(directory));
    }
    RebuildRecord.remove(directory);
  }
}
