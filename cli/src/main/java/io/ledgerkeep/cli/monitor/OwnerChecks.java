package io.ledgerkeep.cli.monitor;

import io.ledgerkeep.cli.Units;
import io.ledgerkeep.cli.report.Finding;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What the status of the owner tells: whether it lives, and how its heights stand. */
final class OwnerChecks {

  static final String OWNER = "owner";
  private static final String COHERENCE = "coherence";
  private static final String HEIGHT = "height";

  /** Systems tell the start of a process by a clock that may have been set since. */
  private static final Duration CLOCK_SLACK = Duration.ofMinutes(1);

  private final Monitor.Request request;
  private long seenHeight = Long.MIN_VALUE;
  private Instant movedAt = Instant.MIN;

  OwnerChecks(Monitor.Request request) {
    this.request = request;
  }

  /** Returns the process that has the ledger open, if it does and lives. */
  static Optional<Machine.Running> process(OwnerStatus status, Machine machine) {
    return status.open()
        ? machine.process(status.pid()).filter(found -> mayBeOwner(found, status))
        : Optional.empty();
  }

  /** A process that began after the ledger was opened has the pid of one that is gone. */
  private static boolean mayBeOwner(Machine.Running process, OwnerStatus status) {
    Instant latest = status.since().plus(CLOCK_SLACK);
    return process.started().filter(latest::isBefore).isEmpty();
  }

  List<Finding> of(OwnerStatus status, boolean isAlive, Instant now) {
    List<Finding> findings = new ArrayList<>();
    findings.add(owner(status, isAlive));
    findings.add(height(status, isAlive, now));
    if (!request.peerHeights().isEmpty()) {
      findings.add(lag(status));
    }
    findings.add(coherence(status));
    findings.add(job(status));
    return findings;
  }

  private static Finding owner(OwnerStatus status, boolean isAlive) {
    if (!status.open()) {
      return Finding.warning(
          OWNER,
          "nobody has the ledger open: pid %s closed it at %s"
              .formatted(status.pid(), status.written()));
    }
    return isAlive
        ? Finding.note(
            OWNER, "pid %s has the ledger open since %s".formatted(status.pid(), status.since()))
        : Finding.wrong(
            OWNER,
            "pid %s had the ledger open since %s and is gone without closing it: start the node again"
                .formatted(status.pid(), status.since()));
  }

  private Finding height(OwnerStatus status, boolean isAlive, Instant now) {
    if (status.height() != seenHeight) {
      movedAt = seenHeight == Long.MIN_VALUE ? status.written() : now;
      seenHeight = status.height();
    }
    if (!isAlive) {
      return Finding.note(HEIGHT, "%s, as of %s".formatted(status.height(), status.written()));
    }
    Duration silence = Duration.between(movedAt, now);
    String told =
        "%s, for %s%s"
            .formatted(
                status.height(),
                silence.isNegative() ? "0 s" : Units.duration(silence),
                behind(status) > 0 ? "; peers are at " + highestPeer() : "");
    if (request.maxSilence().filter(most -> silence.compareTo(most) > 0).isEmpty()) {
      return Finding.note(HEIGHT, told);
    }
    String stands = "stands still at " + told;
    return behind(status) > 0 ? Finding.wrong(HEIGHT, stands) : Finding.warning(HEIGHT, stands);
  }

  private Finding lag(OwnerStatus status) {
    long behind = behind(status);
    String told =
        behind <= 0
            ? "none: peers are at " + highestPeer()
            : "%s behind peers at %s".formatted(Units.blocks(behind), highestPeer());
    return behind > request.maxLag()
        ? Finding.wrong("lag", told + ", more than " + request.maxLag())
        : Finding.note("lag", told);
  }

  /** Returns how many blocks are missing to the highest peer. */
  long behind(OwnerStatus status) {
    return request.peerHeights().isEmpty() ? 0 : highestPeer() - status.height();
  }

  private long highestPeer() {
    return request.peerHeights().stream().mapToLong(Long::longValue).max().orElse(-1);
  }

  private static Finding coherence(OwnerStatus status) {
    String told =
        "height %s, state and history durable through %s, archived through %s of %s"
            .formatted(
                status.height(),
                status.derivedThrough(),
                status.archivedHeight(),
                status.highestArchivableHeight());
    boolean fits =
        status.derivedThrough() <= status.height()
            && status.archivedHeight() <= Math.max(status.height(), 0);
    return fits
        ? Finding.note(COHERENCE, told)
        : Finding.wrong(COHERENCE, told + ": neither may be above the height; run doctor");
  }

  private static Finding job(OwnerStatus status) {
    if (status.isJobInterrupted()) {
      return Finding.warning("job", status.job() + ": run it again");
    }
    return Finding.note(
        "job", status.job().isEmpty() ? "none" : status.job() + ", as of " + status.written());
  }
}
