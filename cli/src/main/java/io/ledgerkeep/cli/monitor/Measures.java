package io.ledgerkeep.cli.monitor;

import io.ledgerkeep.cli.monitor.Machine.Room;
import io.ledgerkeep.cli.monitor.Machine.Running;
import io.ledgerkeep.cli.monitor.OwnerStatus.Ended;
import io.ledgerkeep.cli.monitor.OwnerStatus.JobNews;
import io.ledgerkeep.cli.report.Finding;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;

/** What a round finds in numbers, as {@code docs/metrics.md} lists it. */
final class Measures {

  private static final String BYTES = "bytes";
  private static final String BLOCKS = "blocks";
  private static final String SECONDS = "seconds";
  private static final String NO_UNIT = "";
  private static final double MILLIS = 1000;

  /** The names that a node gives to ended jobs, too, but {@code other}. */
  private static final Set<String> JOBS =
      Set.of("archive", "restore", "backup", "verify", "reencrypt");

  private final List<Measure> taken = new ArrayList<>();

  List<Measure> taken() {
    return List.copyOf(taken);
  }

  private void take(String name, String unit, Number value) {
    take(name, unit, Map.of(), value, OptionalLong.empty());
  }

  private void take(String name, String unit, String tag, String tagValue, Number value) {
    take(name, unit, Map.of(tag, tagValue), value, OptionalLong.empty());
  }

  private void take(
      String name, String unit, Map<String, String> tags, Number value, OptionalLong count) {
    taken.add(new Measure("ledgerkeep." + name, unit, tags, value.doubleValue(), count));
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / MILLIS;
  }

  private static int flag(boolean is) {
    return is ? 1 : 0;
  }

  void status(OwnerStatus status, boolean isAlive, Instant now) {
    take("owner.up", NO_UNIT, flag(isAlive));
    take("status.age", SECONDS, seconds(Duration.between(status.written(), now)));
    take("height", BLOCKS, status.height());
    take("height.archived", BLOCKS, status.archivedHeight());
    take("derived.lag", BLOCKS, status.height() - status.derivedThrough());
    take(
        "archive.lag",
        BLOCKS,
        Math.max(0, status.highestArchivableHeight() - status.archivedHeight()));
    status
        .bytesOnDisk()
        .forEach((name, size) -> take("database.size", BYTES, "database", name, size));
    take("job.running", NO_UNIT, flag(isAlive && status.isJobRunning()));
    jobs(status.jobs(), isAlive, now);
    take("encryption.enabled", NO_UNIT, flag(!status.encryption().isEmpty()));
    status
        .keyBudget()
        .ifPresent(
            budget -> {
              take("key.budget.values", "values", budget.values());
              take("key.budget.bytes", BYTES, budget.bytes());
              take("key.budget.time", SECONDS, seconds(Duration.between(now, budget.until())));
            });
    status.deviceCalls().ifPresent(calls -> take("key.device.calls", "calls", calls.left()));
  }

  private void jobs(JobNews jobs, boolean isAlive, Instant now) {
    if (isAlive) {
      jobs.done().ifPresent(done -> take("job.progress", NO_UNIT, done));
    }
    jobs.lastBackup()
        .ifPresent(at -> take("backup.age", SECONDS, seconds(Duration.between(at, now))));
    jobs.lastVerification()
        .ifPresent(at -> take("verify.age", SECONDS, seconds(Duration.between(at, now))));
    jobs.ended().stream()
        .collect(Collectors.groupingBy(Measures::tags))
        .forEach(
            (tags, ended) ->
                take(
                    "job.ended",
                    SECONDS,
                    tags,
                    ended.stream().mapToLong(Ended::millis).sum() / MILLIS,
                    OptionalLong.of(ended.stream().mapToLong(Ended::count).sum())));
  }

  private static Map<String, String> tags(Ended ended) {
    return Map.of(
        "job", JOBS.contains(ended.job()) ? ended.job() : "other", "state", ended.state());
  }

  /** What the segments of the archive take. */
  void archive(long bytes, long segments) {
    take("archive.size", BYTES, bytes);
    take("archive.segments", "segments", segments);
  }

  void peers(long behind) {
    take("peer.lag", BLOCKS, behind);
  }

  void load(Running process) {
    process.cpu().ifPresent(cpu -> take("owner.cpu", SECONDS, seconds(cpu)));
    bytes("owner.memory", process.memoryBytes());
    bytes("owner.read", process.readBytes());
    bytes("owner.written", process.writtenBytes());
  }

  private void bytes(String name, OptionalLong bytes) {
    bytes.ifPresent(known -> take(name, BYTES, known));
  }

  void disk(String name, Room room) {
    take("disk.free", BYTES, "disk", name, room.freeBytes());
    take("disk.total", BYTES, "disk", name, room.totalBytes());
  }

  void sidecar(boolean isUp) {
    take("sidecar.up", NO_UNIT, flag(isUp));
  }

  void certificate(String name, long daysLeft) {
    take("certificate.left", "days", "certificate", name, daysLeft);
  }

  /** The worst of a subject counts: a certificate may have several. */
  void findings(Collection<Finding> findings) {
    findings.stream()
        .map(Finding::subject)
        .distinct()
        .forEach(
            subject ->
                take(
                    "finding",
                    NO_UNIT,
                    "subject",
                    subject,
                    rank(
                        Finding.worst(
                            findings.stream()
                                .filter(finding -> finding.subject().equals(subject))
                                .toList()))));
  }

  private static int rank(Finding.Severity severity) {
    return switch (severity) {
      case NOTE -> 0;
      case WARNING -> 1;
      case WRONG -> 2;
    };
  }
}
