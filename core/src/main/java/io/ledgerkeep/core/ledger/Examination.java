package io.ledgerkeep.core.ledger;

import com.google.common.collect.RangeSet;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledgerkeep.Diagnosis;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Action;
import io.ledgerkeep.Ledgerkeep.Diagnosis.ArchiveCoverage;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Remedy;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Severity;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.archiving.Archiving;
import io.ledgerkeep.core.chain.ArchiveMark;
import io.ledgerkeep.core.chain.ChainReader;
import io.ledgerkeep.core.chain.ChainRecords;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.chain.JobRecord;
import io.ledgerkeep.core.derived.DerivedCheck;
import io.ledgerkeep.core.derived.DerivedStore;
import io.ledgerkeep.core.doctor.ArchiveExam;
import io.ledgerkeep.core.doctor.BlocksExam;
import io.ledgerkeep.core.doctor.Findings;
import io.ledgerkeep.core.doctor.Ranges;
import io.ledgerkeep.core.doctor.ReadOnlyStore;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.ledger.LedgerOpener.BlocksAlone;
import io.ledgerkeep.core.ledger.LedgerOpener.PartFound;
import io.ledgerkeep.core.rows.RowReader;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.storage.StorageEngine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One look at a ledger, part by part, on copies. For who owns the directory. */
final class Examination {

  private static final String BLOCK = "block";
  private static final String ARCHIVE = "archive";
  private static final String LEDGER = "ledger";
  private static final Remedy REBUILD = Remedy.of(Action.REBUILD).asFix();
  private static final Remedy BLOCKS = Remedy.of(Action.REPLACE_BLOCKS);

  private final Settings settings;
  private final Diagnosis.Request request;
  private final Path directory;
  private final JobWatch watch;
  private final Findings findings;
  private final Map<Database, Long> heights = new EnumMap<>(Database.class);
  private final Set<Database> there = EnumSet.noneOf(Database.class);
  private final RangeSet<Long> missing = Ranges.none();
  private @Nullable ExaminedCopy copy;

  private OptionalLong last = OptionalLong.empty();
  private OptionalLong derivedThrough = OptionalLong.empty();
  private Optional<ArchiveMark> mark = Optional.empty();
  private boolean rollsBack;
  private boolean layoutIsSure;
  private boolean blocksAreWhole;
  private boolean archiveIsWhole;
  private Optional<ArchiveCoverage> coverage = Optional.empty();
  private long checkedBlocks;
  private boolean cancelled;

  Examination(Settings settings, Diagnosis.Request request) {
    this.settings = settings;
    this.request = request;
    this.directory = settings.requiredDirectory();
    this.watch = new JobWatch(request.control(), () -> false);
    this.findings = new Findings(what -> copy == null ? what : copy.told(what));
  }

  /** Returns a list for who only wants to know what is found, not what is wrong. */
  static Findings newFindings() {
    return new Findings(what -> what);
  }

  Diagnosis run() {
    LayoutFinder finder = new LayoutFinder(settings, findings);
    Optional<Layout> layout = finder.find();
    layoutIsSure = finder.isSure();
    if (layout.isPresent()) {
      examine(layout.get());
    } else if (!findings.has(Severity.UNSEEN)) {
      tellOfNoLedger();
    }
    leaveWhatNeedsWholeBlocks();
    return new Diagnosis(
        heights,
        derivedThrough,
        mark.map(found -> OptionalLong.of(found.pivot())).orElse(OptionalLong.empty()),
        coverage,
        coherentHeight(),
        Ranges.of(missing),
        findings.all(),
        List.of(),
        checkedBlocks,
        cancelled);
  }

  private void tellOfNoLedger() {
    if (!Files.exists(directory.resolve("CREATING"))) {
      throw new ConfigurationException(
          "there is no ledger in "
              + directory
              + ": no LAYOUT, and no directory of a block database");
    }
    findings.add(
        Severity.UNFINISHED,
        "CREATING",
        "a ledger was being made here, and nothing is in it yet",
        Remedy.of(Action.CREATE));
  }

  private void examine(Layout layout) {
    try (ExaminedCopy copies = ExaminedCopy.begin(settings, layout)) {
      copy = copies;
      for (Database database : Database.values()) {
        take(database, layout);
      }
      copies.takeRollBack();
      try (ArchiveOnly archive = openStore()) {
        examine(copies, archive);
      }
      new LedgerFiles(directory, layout, layoutIsSure, findings).look(rollsBack);
      FailPoint.pass("examine.looked");
    }
  }

  private void take(Database database, Layout layout) {
    String part = database.lowerCaseName();
    Remedy remedy = database == Database.BLOCK ? BLOCKS : REBUILD;
    Optional<Boolean> taken = findings.look(part, remedy, () -> copy().take(database));
    if (taken.orElse(false)) {
      there.add(database);
    } else if (taken.isPresent()) {
      findings.add(
          Severity.DAMAGE,
          part,
          "the %s database in %s is gone"
              .formatted(part, directory.resolve(layout.place(database).directory())),
          remedy);
    }
  }

  private ExaminedCopy copy() {
    return Objects.requireNonNull(copy);
  }

  /** The store of the archive, if there is one, for reading only. */
  private record ArchiveOnly(@Nullable ArchiveStore original, boolean isOurs)
      implements AutoCloseable {

    @Nullable ArchiveStore store() {
      return original == null ? null : new ReadOnlyStore(original);
    }

    @Override
    public void close() {
      if (original != null && isOurs) {
        original.close();
      }
    }
  }

  private ArchiveOnly openStore() {
    Settings.StoreChoice choice = settings.store;
    if (choice == null) {
      return new ArchiveOnly(null, false);
    }
    Optional<ArchiveStore> store =
        findings.look(
            ARCHIVE, Remedy.of(Action.GIVE_ARCHIVE), () -> choice.open(settings.classLoader));
    return new ArchiveOnly(store.orElse(null), choice.isOurs());
  }

  private void examine(ExaminedCopy copies, ArchiveOnly archive) {
    Settings opening = copies.settings(archive.store());
    try (Encryption.Keys keys = keys()) {
      if (there.contains(Database.BLOCK) && readRecords(opening, keys)) {
        lookAtBlocks(opening, keys);
      } else {
        lookWithoutBlocks(opening, keys);
      }
      lookAtWhole(opening, keys);
    }
  }

  /** Without the key much can be told still: heights are in plain. */
  private Encryption.Keys keys() {
    try {
      return settings.encryption.open(settings.classLoader);
    } catch (KeyUnavailableException e) {
      findings.add("keys", Remedy.of(Action.GIVE_KEY), e);
      return Encryption.NONE.open(settings.classLoader);
    }
  }

  // ------------------------------------------------------------------------------------ records

  /** Reads the records of the block database one by one; returns whether it could be opened. */
  private boolean readRecords(Settings opening, Encryption.Keys keys) {
    return withResources(
        resources -> {
          Optional<BlocksAlone> blocks =
              findings.look(
                  BLOCK,
                  BLOCKS,
                  () -> new LedgerOpener(opening).openBlocks(copy().layout(), resources, keys));
          blocks.ifPresent(alone -> readRecords(new ChainRecords(alone.engine())));
          return blocks.isPresent();
        });
  }

  private void readRecords(ChainRecords records) {
    Optional<OptionalLong> recorded = findings.look(BLOCK, BLOCKS, records::last);
    RangeSet<Long> metas = findings.look(BLOCK, BLOCKS, records::metas).orElseGet(Ranges::none);
    last = recorded.orElse(OptionalLong.empty());
    if (last.isEmpty() && !metas.isEmpty()) {
      findings.add(
          Severity.DAMAGE, BLOCK, "there are blocks, and no record of the last height", BLOCKS);
      last = OptionalLong.of(metas.span().upperEndpoint() - 1);
    }
    heights.put(Database.BLOCK, last.orElse(-1));
    derivedThrough =
        findings.look(BLOCK, BLOCKS, records::derivedThrough).orElse(OptionalLong.empty());
    mark = findings.look(BLOCK, BLOCKS, records::mark);
    mark.ifPresent(this::lookAtPivot);
    if (findings.look(BLOCK, BLOCKS, () -> records.hasRowsAbove(last.orElse(-1))).orElse(false)) {
      findings.add(
          Severity.UNFINISHED,
          BLOCK,
          "there are rows above the last height, which an unfinished commit left; nobody sees them, and any opening removes them",
          Remedy.of(Action.OPEN).asFix());
    }
    lookAtJobs(records);
  }

  private void lookAtPivot(ArchiveMark found) {
    if (found.pivot() > Math.max(last.orElse(-1), 0)) {
      findings.add(
          Severity.DAMAGE,
          BLOCK,
          "the archived height %s is above the last height %s"
              .formatted(found.pivot(), last.orElse(-1)),
          BLOCKS);
    }
  }

  private void lookAtJobs(ChainRecords records) {
    Optional<JobRecord> job = findings.look(BLOCK, BLOCKS, records::job).flatMap(any -> any);
    job.ifPresent(this::tellOfJob);
    long pivot = pivot();
    if (job.isEmpty()
        && findings.look(BLOCK, BLOCKS, () -> records.hasBodiesUpTo(pivot)).orElse(false)) {
      findings.note(
          BLOCK,
          "there are bodies at or below the archived height %s that nobody sees; they take room until these heights are restored and archived again"
              .formatted(pivot));
    }
    findings
        .look(BLOCK, BLOCKS, records::rollBack)
        .flatMap(any -> any)
        .ifPresent(
            record -> {
              rollsBack = true;
              findings.add(
                  Severity.UNFINISHED,
                  BLOCK,
                  "a roll back from height %s to %s is committed and not finished; any opening finishes it"
                      .formatted(record.heightBefore(), record.height()),
                  Remedy.of(Action.OPEN).asFix());
            });
  }

  private void tellOfJob(JobRecord job) {
    Remedy remedy =
        switch (job.step()) {
          case WRITE, DELETE -> Remedy.of(Action.ARCHIVE).upTo(job.lastHeight());
          case RESTORE -> Remedy.of(Action.RESTORE).upTo(Math.max(1, job.firstHeight()));
          case REPLACE -> Remedy.of(Action.REENCRYPT);
        };
    findings.add(
        Severity.UNFINISHED,
        BLOCK,
        "the job %s was interrupted, heights %s to %s"
            .formatted(job.step().job(), job.firstHeight(), job.lastHeight()),
        settings.store == null && !job.attempt().isEmpty() ? remedy : remedy.asFix());
  }

  private long pivot() {
    return mark.map(ArchiveMark::pivot).orElse(0L);
  }

  // ------------------------------------------------------------------------------------ blocks

  private void lookAtBlocks(Settings opening, Encryption.Keys keys) {
    Layout layout = copy().layout();
    Optional<BlockSide> side =
        findings.look(BLOCK, BLOCKS, () -> BlockSide.open(opening, layout, keys));
    if (side.isPresent()) {
      try (BlockSide blocks = side.get()) {
        ChainStore chain = blocks.site().chain();
        lookAtBlocks(
            opening,
            new Opened(blocks.engine(), blocks.format(), blocks.sealedBy(), Optional.of(chain)),
            Optional.of(blocks.archiving()));
      }
    } else {
      withResources(
          resources -> {
            BlocksAlone alone = new LedgerOpener(opening).openBlocks(layout, resources, keys);
            lookAtBlocks(
                opening,
                new Opened(alone.engine(), alone.format(), alone.by(), Optional.empty()),
                Optional.empty());
            return true;
          });
    }
  }

  /** The block database as it was opened; without its chain where that is too damaged. */
  private record Opened(
      StorageEngine engine,
      FormatRecord format,
      Optional<Encryption.Sealed> by,
      Optional<ChainStore> chain) {}

  private void lookAtBlocks(Settings opening, Opened opened, Optional<Archiving> archiving) {
    withResources(
        resources -> {
          Optional<DerivedCheck> check = lookAtDerived(opening, opened, resources);
          BlocksExam exam = exam(opened, check);
          exam.run();
          checkedBlocks = exam.checkedBlocks();
          cancelled = exam.isCancelled();
          missing.addAll(exam.lost());
          Optional<ArchiveExam> archive = lookAtArchive(opening, archiving);
          blocksAreWhole = exam.lost().isEmpty() && opened.chain().isPresent();
          exam.tell(findings, forBlocks(exam, archive), REBUILD, forFilter());
          return true;
        });
  }

  private BlocksExam exam(Opened opened, Optional<DerivedCheck> check) {
    return new BlocksExam(
        new ChainReader(RowReader.newest(opened.engine(), opened.format().pieceBytes())),
        new BlocksExam.Subject(
            opened.format().digest(),
            last.orElse(-1),
            pivot(),
            request.full(),
            id -> opened.chain().map(chain -> chain.mightKnow(id)).orElse(true),
            block -> check.ifPresent(comparison -> comparison.check(block))),
        watch);
  }

  /** What an earlier archive run wrote down, and was restored since, is not lost. */
  private Remedy forBlocks(BlocksExam exam, Optional<ArchiveExam> archive) {
    return exam.areBodiesOnly()
            && !missing.isEmpty()
            && archive.filter(found -> found.has(missing)).isPresent()
        ? Remedy.of(Action.REPLACE_BLOCKS_FROM_ARCHIVE).upTo(archive.get().lastHeight())
        : replaceBlocks();
  }

  private Remedy replaceBlocks() {
    OptionalLong coherent = coherentHeight();
    return coherent.isPresent() ? BLOCKS.upTo(coherent.getAsLong()) : BLOCKS;
  }

  private Remedy forFilter() {
    return Remedy.of(Action.REMOVE)
        .on(List.of(Path.of(copy().told(copy().copyOf(Database.BLOCK).resolve("ids").toString()))))
        .asFix();
  }

  private OptionalLong coherentHeight() {
    if (last.isEmpty()) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(
        missing.isEmpty()
            ? last.getAsLong()
            : Math.min(last.getAsLong(), missing.span().lowerEndpoint() - 1));
  }

  // ------------------------------------------------------------------------------------ derived

  /** Returns what compares blocks with state and history, where both are at the last height. */
  private Optional<DerivedCheck> lookAtDerived(
      Settings opening, Opened opened, Resources resources) {
    Optional<PartFound> state = lookAtDerived(Database.STATE, opening, opened, resources);
    Optional<PartFound> history = lookAtDerived(Database.HISTORY, opening, opened, resources);
    if (derivedThrough.orElse(-1) < last.orElse(-1)) {
      findings.add(
          Severity.UNFINISHED,
          "state and history",
          "state and history are known to be durable up to height %s of %s, as the ledger was not closed; any opening makes them up to date"
              .formatted(derivedThrough.orElse(-1), last.orElse(-1)),
          Remedy.of(Action.OPEN).asFix());
      return Optional.empty();
    }
    if (state.isEmpty()
        || history.isEmpty()
        || !isAtLast(Database.STATE)
        || !isAtLast(Database.HISTORY)) {
      return Optional.empty();
    }
    DerivedCheck check =
        new DerivedStore(
                state.get().engine(),
                state.get().format().pieceBytes(),
                history.get().engine(),
                history.get().format().pieceBytes())
            .newCheck();
    resources.add(check);
    return Optional.of(check);
  }

  private boolean isAtLast(Database database) {
    return Objects.equals(heights.get(database), last.orElse(-1));
  }

  private Optional<PartFound> lookAtDerived(
      Database database, Settings opening, Opened opened, Resources resources) {
    if (!there.contains(database)) {
      return Optional.empty();
    }
    String part = database.lowerCaseName();
    Optional<PartFound> found =
        findings.look(
            part,
            REBUILD,
            () ->
                new LedgerOpener(opening)
                    .openPart(database, copy().layout(), opened.by(), resources));
    found.ifPresent(
        open -> {
          if (!open.format().ledgerId().equals(opened.format().ledgerId())) {
            findings.add(
                Severity.DAMAGE,
                part,
                "the %s database belongs to ledger %s, the block database to %s"
                    .formatted(
                        part, open.format().ledgerId().hex(), opened.format().ledgerId().hex()),
                REBUILD);
          }
          findings
              .look(part, REBUILD, () -> DerivedStore.height(open.engine()))
              .ifPresent(height -> lookAtHeight(database, height));
        });
    return found;
  }

  private void lookAtHeight(Database database, long height) {
    heights.put(database, height);
    String part = database.lowerCaseName();
    if (rollsBack) {
      return; // it is at the height before until that is finished
    }
    if (height > last.orElse(-1)) {
      findings.add(
          Severity.DAMAGE,
          part,
          "the %s database is at height %s, above the block database at %s: one of them is another copy. If it is the block database, put the newer one back; what follows makes state and history fit the blocks that are there"
              .formatted(part, height, last.orElse(-1)),
          Remedy.of(Action.REBUILD));
    } else if (height < derivedThrough.orElse(-1)) {
      findings.add(
          Severity.DAMAGE,
          part,
          "the %s database is at height %s, and was at %s: it is an older copy"
              .formatted(part, height, derivedThrough.orElse(-1)),
          REBUILD);
    }
  }

  // ------------------------------------------------------------------------------------ archive

  private Optional<ArchiveExam> lookAtArchive(Settings opening, Optional<Archiving> archiving) {
    boolean isNeeded = pivot() > 0;
    if (opening.store == null) {
      if (isNeeded && !findings.has(Severity.UNSEEN, ARCHIVE)) {
        findings.add(
            Severity.UNSEEN,
            ARCHIVE,
            "the bodies of normal blocks up to height %s are in the archive, which was not given"
                .formatted(pivot()),
            Remedy.of(Action.GIVE_ARCHIVE));
      }
      return Optional.empty();
    }
    if (archiving.isEmpty() || (!isNeeded && mark.orElse(ArchiveMark.NONE).sequence() < 0)) {
      return Optional.empty();
    }
    Findings seen = isNeeded ? findings : newFindings(); // else it may be gone
    return seen.look(ARCHIVE, Remedy.of(Action.GIVE_ARCHIVE), () -> archiving.get().archive())
        .map(archive -> lookAt(archive, isNeeded));
  }

  private ArchiveExam lookAt(Archive archive, boolean isNeeded) {
    ArchiveExam exam = new ArchiveExam(archive);
    coverage = Optional.of(exam.coverage());
    if (isNeeded) {
      missing.addAll(exam.gapsUpTo(pivot()));
    }
    exam.tell(findings, isNeeded ? pivot() : -1, request.full(), request.control());
    archiveIsWhole = !findings.has(Severity.DAMAGE, ARCHIVE);
    return exam;
  }

  // ------------------------------------------------------------------------------------ in part

  /** Says what can be said without the values of the block database. */
  private void lookWithoutBlocks(Settings opening, Encryption.Keys keys) {
    withResources(
        resources -> {
          if (there.contains(Database.BLOCK)) {
            lookAtBareBlocks(opening, resources);
          }
          findings
              .look(
                  "keys",
                  Remedy.of(Action.PUT_BACK),
                  () ->
                      new LedgerOpener(opening)
                          .sealedBy(keys, copy().copyOf(Database.BLOCK), resources))
              .ifPresent(by -> lookAtDerivedAlone(opening, by, resources));
          return true;
        });
  }

  private void lookAtBareBlocks(Settings opening, Resources resources) {
    findings
        .look(
            BLOCK,
            BLOCKS,
            () -> new LedgerOpener(opening).openBare(Database.BLOCK, copy().layout(), resources))
        .flatMap(bare -> findings.look(BLOCK, BLOCKS, () -> new ChainRecords(bare).metas()))
        .ifPresent(this::tellOfMetas);
  }

  private void lookAtDerivedAlone(
      Settings opening, Optional<Encryption.Sealed> by, Resources resources) {
    for (Database database : List.of(Database.STATE, Database.HISTORY)) {
      if (there.contains(database)) {
        String part = database.lowerCaseName();
        findings
            .look(
                part,
                REBUILD,
                () ->
                    DerivedStore.height(
                        new LedgerOpener(opening)
                            .openPart(database, copy().layout(), by, resources)
                            .engine()))
            .ifPresent(height -> heights.put(database, height));
      }
    }
  }

  private void tellOfMetas(RangeSet<Long> metas) {
    if (metas.isEmpty()) {
      return;
    }
    findings.note(BLOCK, "by their keys alone, there are the metas of " + Ranges.named(metas));
    long highest = metas.span().upperEndpoint() - 1;
    heights.put(Database.BLOCK, highest);
    RangeSet<Long> gaps = Ranges.none();
    Ranges.add(gaps, 0, highest);
    gaps.removeAll(metas);
    if (!gaps.isEmpty()) {
      missing.addAll(gaps);
      findings.add(Severity.DAMAGE, BLOCK, Ranges.named(gaps) + ": the meta is missing", BLOCKS);
    }
  }

  // ------------------------------------------------------------------------------------ whole

  /** Opens the copy as any opening would: what no part showed by itself shows now. */
  private void lookAtWhole(Settings opening, Encryption.Keys keys) {
    if (there.size() < Database.values().length || cancelled) {
      return;
    }
    copy().complete();
    Findings seen = newFindings();
    Optional<OpenLedger> opened =
        seen.look(LEDGER, REBUILD, () -> new LedgerOpener(opening).openOwned(keys));
    if (opened.isPresent()) {
      try (OpenLedger ledger = opened.get()) {
        if (request.full()) {
          verify(ledger);
        }
      } catch (RuntimeException e) {
        findings.add(LEDGER, BLOCKS, e);
      }
      return;
    }
    boolean isExplained = findings.has(Severity.DAMAGE) || findings.has(Severity.UNSEEN);
    seen.all()
        .forEach(
            finding ->
                findings.add(
                    isExplained ? Severity.NOTE : finding.severity(),
                    LEDGER,
                    "it does not open: " + finding.what(),
                    isExplained
                        ? Remedy.of(Action.NOTHING)
                        : blocksAreWhole ? finding.remedy() : replaceBlocks()));
  }

  /** What is archived, and what is in state and history beside what the blocks account for. */
  private void verify(OpenLedger ledger) {
    if (findings.has(Severity.DAMAGE)) {
      return;
    }
    Verification result =
        ledger.check(Verification.Request.of(Level.LEDGER).with(request.control()));
    cancelled |= result.cancelled();
    result.findings().forEach(what -> findings.add(Severity.DAMAGE, LEDGER, what, remedyOf(what)));
    ledger.auditFindings().forEach(what -> findings.note("audit file", copy().told(what)));
  }

  /** The blocks on the node are known to be whole: what is wrong is derived, or archived. */
  private static Remedy remedyOf(String what) {
    return what.contains("state") || what.contains("history") || what.contains("index")
        ? REBUILD
        : Remedy.of(Action.REPLACE_SEGMENT);
  }

  // ------------------------------------------------------------------------------------ the end

  /** Nothing is begun by itself on blocks that are not known to be whole. */
  private void leaveWhatNeedsWholeBlocks() {
    boolean isArchiveThere = pivot() == 0 || archiveIsWhole;
    if (!blocksAreWhole || !isArchiveThere || !layoutIsSure) {
      findings.leaveToTheOperator(Action.REBUILD);
    }
    if (!blocksAreWhole || !layoutIsSure) {
      List.of(Action.OPEN, Action.ARCHIVE, Action.RESTORE, Action.REENCRYPT, Action.WRITE_LAYOUT)
          .forEach(findings::leaveToTheOperator);
    }
  }

  private interface With<T> {
    T run(Resources resources);
  }

  private static <T> T withResources(With<T> action) {
    Resources resources = new Resources();
    T result;
    try {
      result = action.run(resources);
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
    resources.close();
    return result;
  }
}
