package io.ledgerkeep.core.doctor;

import com.google.common.collect.Range;
import com.google.common.collect.RangeSet;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Action;
import io.ledgerkeep.Ledgerkeep.Diagnosis.ArchiveCoverage;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Remedy;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Severity;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.job.JobControl;

/** Looks at the archive of a ledger: what it covers, and whether its segments are whole. */
public final class ArchiveExam {

  private static final String PART = "archive";
  private static final Remedy ANOTHER_COPY = Remedy.of(Action.REPLACE_SEGMENT);

  private final Archive archive;
  private final RangeSet<Long> covered = Ranges.none();

  /** Looks at an archive, which the caller closes. */
  public ArchiveExam(Archive archive) {
    this.archive = archive;
    archive
        .segments()
        .forEach(segment -> Ranges.add(covered, segment.firstHeight(), segment.lastHeight()));
  }

  /** Returns what the archive has. */
  public ArchiveCoverage coverage() {
    return new ArchiveCoverage(
        archive.place(),
        archive.segments().size(),
        archive.retiredSegments().size(),
        Ranges.of(covered));
  }

  /** Returns the highest height that the archive has, or -1. */
  public long lastHeight() {
    return archive.lastHeight();
  }

  /** Returns whether the archive has all the heights. */
  public boolean has(RangeSet<Long> heights) {
    return covered.enclosesAll(heights);
  }

  /** Returns the heights up to the pivot that no segment has. */
  public RangeSet<Long> gapsUpTo(long pivot) {
    RangeSet<Long> gaps = Ranges.none();
    Ranges.add(gaps, 0, pivot);
    gaps.removeAll(covered);
    return gaps;
  }

  /** Tells of gaps, and checks the segments: their structure, or all of their content. */
  public void tell(Findings findings, long pivot, boolean full, JobControl control) {
    RangeSet<Long> gaps = gapsUpTo(pivot);
    if (!gaps.isEmpty()) {
      findings.add(
          Severity.DAMAGE,
          PART,
          Ranges.named(gaps) + ": archived, and in no segment",
          Remedy.of(Action.GIVE_ARCHIVE));
    }
    if (covered.isEmpty() || !covered.intersects(Range.atLeast(0L))) {
      return;
    }
    findings.lookAt(
        PART,
        ANOTHER_COPY,
        () -> {
          Verification.Request request =
              Verification.Request.of(full ? Level.CONTENT : Level.STRUCTURE).with(control);
          archive
              .verify(request)
              .findings()
              .forEach(what -> findings.add(Severity.DAMAGE, PART, what, ANOTHER_COPY));
        });
  }
}
