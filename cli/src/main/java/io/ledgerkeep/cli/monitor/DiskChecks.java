package io.ledgerkeep.cli.monitor;

import io.ledgerkeep.cli.Units;
import io.ledgerkeep.cli.monitor.Machine.Room;
import io.ledgerkeep.cli.report.FileTrouble;
import io.ledgerkeep.cli.report.Finding;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/** The room on disks, and when there will be none at the rate of the last rounds. */
final class DiskChecks {

  /** How many rounds the rate is taken over, so that a compaction does not make it. */
  private static final int ROUNDS = 60;

  private final MinFree minFree;
  private final Machine machine;
  private final Map<Path, Deque<Sample>> samples = new HashMap<>();

  private record Sample(Instant at, long freeBytes) {}

  DiskChecks(MinFree minFree, Machine machine) {
    this.minFree = minFree;
    this.machine = machine;
  }

  Finding of(String name, Path directory, Instant now, Measures measures) {
    String subject = "disk " + name;
    try {
      Room room = machine.room(directory);
      measures.disk(name, room);
      String told =
          "%s of %s free%s"
              .formatted(
                  Units.bytes(room.freeBytes()),
                  Units.bytes(room.totalBytes()),
                  forecast(directory, new Sample(now, room.freeBytes())));
      return minFree.isKeptBy(room)
          ? Finding.note(subject, told)
          : Finding.warning(subject, told + "; less than " + minFree);
    } catch (IOException e) {
      return Finding.wrong(subject, FileTrouble.of(e));
    }
  }

  /** Returns when the disk will be full, if it has been filling up. */
  private String forecast(Path directory, Sample last) {
    Deque<Sample> seen = samples.computeIfAbsent(directory, path -> new ArrayDeque<>());
    seen.addLast(last);
    if (seen.size() > ROUNDS) {
      seen.removeFirst();
    }
    Sample first = seen.getFirst();
    long taken = first.freeBytes() - last.freeBytes();
    double seconds = Duration.between(first.at(), last.at()).toMillis() / 1000.0;
    if (taken <= 0 || seconds <= 0) {
      return "";
    }
    double rate = taken / seconds;
    return ", full in %s at %s"
        .formatted(
            Units.duration(Duration.ofSeconds((long) (last.freeBytes() / rate))),
            Units.rate((long) rate));
  }
}
