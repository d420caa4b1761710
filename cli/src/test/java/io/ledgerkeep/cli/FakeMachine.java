package io.ledgerkeep.cli;

import io.ledgerkeep.cli.monitor.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** A machine of which everything is set by the test; its clock goes on only in a pause. */
final class FakeMachine implements Machine {

  static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  Instant now = START;
  Room room = new Room(1_000_000, 500_000);
  final Map<Long, Running> processes = new HashMap<>();
  final Set<String> listening = new HashSet<>();
  Runnable afterPause = () -> {};

  /** Lets a process run that was started then, and used that much of everything. */
  void run(long pid, Instant started, long used) {
    run(pid, started, used, List.of());
  }

  /** The same of one that started others, with these arguments. */
  void run(long pid, Instant started, long used, List<List<String>> children) {
    OptionalLong bytes = OptionalLong.of(used * 1000);
    processes.put(
        pid,
        new Running(
            Optional.of(started),
            Optional.of(Duration.ofSeconds(used)),
            bytes,
            bytes,
            bytes,
            children));
  }

  @Override
  public Instant now() {
    return now;
  }

  @Override
  public void pause(Duration duration) {
    now = now.plus(duration);
    afterPause.run();
  }

  @Override
  public Optional<Running> process(long pid) {
    return Optional.ofNullable(processes.get(pid));
  }

  @Override
  public Room room(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      throw new IOException("there is no directory " + directory);
    }
    return room;
  }

  @Override
  public void connect(String address) throws IOException {
    if (!listening.contains(address)) {
      throw new IOException("refused");
    }
  }
}
