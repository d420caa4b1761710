package io.ledgerkeep.core.archiving;

import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.Archiver;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Restorer;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.derived.DerivedCheck;
import io.ledgerkeep.core.jobs.JobBook;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.JobPlan;
import io.ledgerkeep.job.JobReport;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongSupplier;

/** All that a ledger has to do with its archive. Serves any number of threads. */
public final class Archiving {

  private final Site site;
  private final ArchiveLink link;
  private final ArchivedBodies bodies;

  /** Links the ledger to its archive, if it has one. */
  public Archiving(Site site, boolean readThrough) {
    this.site = site;
    this.link = new ArchiveLink(site);
    this.bodies =
        readThrough && site.store().isPresent()
            ? new ReadThrough(site, link)
            : ArchivedBodies.refused(place().orElse(""));
  }

  /** Returns where archived bodies are read from, or what refuses them. */
  public ArchivedBodies bodies() {
    return bodies;
  }

  /** Returns where the archive is. */
  public Optional<String> place() {
    return site.store().map(ArchiveStore::place);
  }

  /** Returns the highest height that an archive run may reach now, or 0. */
  public long highestArchivableHeight() {
    return site.chain().last() < 0 ? 0 : site.chain().reader().highestNormal(site.highestTarget());
  }

  /** Returns the archive of the ledger, read on its own. */
  public Archive archive() {
    return link.archive();
  }

  /** Returns the blocks from one height to another, wherever their bodies are. */
  public AllBlocks blocks(long firstHeight, long lastHeight) {
    return new AllBlocks(site, link, firstHeight, lastHeight);
  }

  /** Returns a read/write set of a block, wherever its body is. */
  public RwSet rwSet(long height, int ordinal, String txId) {
    BlockMeta meta = site.chain().reader().requiredMeta(height).meta();
    return site.chain().isArchived(meta)
        ? new ReadThrough(site, link).rwSet(meta, ordinal, txId)
        : site.chain()
            .reader()
            .rwSetRow(meta, ordinal)
            .map(row -> StoredBlock.rwSet(txId, row))
            .orElseThrow(
                () ->
                    new IntegrityException(
                        "the body of block " + height + " is not whole on the node"));
  }

  // ------------------------------------------------------------------------------------ roll back

  /** Finishes or discards what an interrupted job left. */
  public void settle() {
    Leftovers.settle(site, link);
  }

  /** Begins a backup of the blocks from a height on. */
  public BranchBackup backUp(ArchiveStore to, long firstHeight, JobWatch watch) {
    return new BranchBackup(site, link, to, firstHeight, watch);
  }

  /**
   * Puts the bodies of a range at or below the pivot back, and leaves them invisible. Returns
   * whether all of them are there; else it was cancelled.
   */
  public boolean putBack(long firstHeight, long lastHeight, JobWatch watch) {
    return new RestoreJob(site, link, watch).putBack(firstHeight, lastHeight);
  }

  /** Ends the archive where the ledger was rolled back to, if there is an archive. */
  public void endFormerBranch() {
    if (site.store().isPresent()) {
      link.toWriteOn();
    }
  }

  // ------------------------------------------------------------------------------------ jobs

  /**
   * Returns the archiver of the ledger.
   *
   * @param usableBytes how much is free on the disk of the block database
   */
  public Archiver archiver(LongSupplier usableBytes) {
    return new Archiver() {
      @Override
      public JobPlan plan(ArchiveRequest request) {
        return archiveJob(request, watch(request.control())).plan(request.lastHeight());
      }

      @Override
      public OptionalLong due(Policy policy) {
        return new DueHeight(site, usableBytes, Clock.systemUTC())
            .of(policy, highestArchivableHeight());
      }

      @Override
      public JobReport archive(ArchiveRequest request) {
        return site.jobs()
            .run(
                ArchiveJob.NAME,
                Map.of("to", request.lastHeight(), "whole-segments", request.wholeSegments()),
                run ->
                    told(
                        run,
                        archiveJob(request, run.watch(request.control()))
                            .run(request.lastHeight())));
      }
    };
  }

  /** Returns the restorer of the ledger. */
  public Restorer restorer() {
    return new Restorer() {
      @Override
      public JobPlan plan(RestoreRequest request) {
        return new RestoreJob(site, link, watch(request.control())).plan(request.firstHeight());
      }

      @Override
      public JobReport restore(RestoreRequest request) {
        return site.jobs()
            .run(
                RestoreJob.NAME,
                Map.of("down-to", request.firstHeight()),
                run ->
                    told(
                        run,
                        new RestoreJob(site, link, run.watch(request.control()))
                            .run(request.firstHeight())));
      }
    };
  }

  /**
   * Requires that the objects of keys can follow the registry, where the ledger ever had an
   * archive: else who has a former key would go on opening it. That of a ledger that has all bodies
   * itself may be gone; then an empty place will do.
   *
   * @throws ConfigurationException if no archive store is there
   * @throws ConflictException if what is there is not the archive last written
   */
  public void requireForKeys() {
    if (site.chain().mark().sequence() >= 0) {
      site.requiredStore();
    }
    if (site.chain().mark().pivot() > 0) {
      link.archive();
    }
  }

  /**
   * Returns the numbers of the archive keys that segments are under; of an archive that is given.
   */
  public Set<Integer> segmentKeys() {
    return link.segmentKeys();
  }

  /**
   * Makes the objects of keys in the archive what the registry says: those of keys and holders that
   * are new are there, those of former holders are not. Needs no master key.
   *
   * @return whether there is an archive
   * @throws ConflictException if there should be one, and what is there is not the one last written
   */
  public boolean reconcileKeys() {
    return link.reconcileKeys();
  }

  /** Returns what is wrong with the objects of keys in the archive, as {@link #verify} finds it. */
  public List<String> keyFindings() {
    return link.archive().keyFindings();
  }

  /**
   * Seals all segments of the archive that are not under its newest key anew, while the node
   * commits and reads. For who holds the lock of jobs.
   */
  public ReencryptReport reencryptSegments(JobWatch watch) {
    return new ReencryptJob(site, link, watch).run();
  }

  /**
   * Checks the ledger and, as far as it can be reached, its archive; at level LEDGER also what was
   * derived of the blocks up to the height.
   */
  public Verification verify(
      Verification.Request request, long height, DerivedCheck derived, JobWatch watch) {
    return new LedgerCheck(site, link, request, derived, watch).run(height);
  }

  private ArchiveJob archiveJob(ArchiveRequest request, JobWatch watch) {
    return new ArchiveJob(site, link, request.wholeSegments(), watch);
  }

  private static JobReport told(JobBook.Run run, JobReport report) {
    run.ended(
        report.cancelled(),
        Map.of(
            "blocks",
            report.blocks(),
            "bytes",
            report.bytesMoved(),
            "archived-height",
            report.archivedHeightAfter()));
    return report;
  }

  private JobWatch watch(JobControl control) {
    return new JobWatch(control, site.jobs().lock()::isClosing);
  }
}
