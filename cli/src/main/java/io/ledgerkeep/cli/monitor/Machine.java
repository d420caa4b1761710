package io.ledgerkeep.cli.monitor;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** What the monitor asks the system it runs on. */
public interface Machine {

  /** Returns the time. */
  Instant now();

  /** Waits. */
  void pause(Duration duration) throws InterruptedException;

  /** Returns the process with the id, if one is alive. */
  Optional<Running> process(long pid);

  /**
   * Returns the room on the disk of a directory.
   *
   * @throws IOException if the directory is not there, or does not tell
   */
  Room room(Path directory) throws IOException;

  /**
   * Connects to a socket and hangs up.
   *
   * @param address {@code unix:PATH} or {@code HOST:PORT}
   * @throws IOException if nobody listens there
   */
  void connect(String address) throws IOException;

  /**
   * A process that is alive; what is empty is not known here.
   *
   * @param started when it was started
   * @param cpu the time it used on all cores together
   * @param memoryBytes what it has in memory
   * @param readBytes what it read from disks
   * @param writtenBytes what it wrote to disks
   * @param children the arguments of the processes it started; none of one that does not tell
   */
  record Running(
      Optional<Instant> started,
      Optional<Duration> cpu,
      OptionalLong memoryBytes,
      OptionalLong readBytes,
      OptionalLong writtenBytes,
      List<List<String>> children) {

    /** Copies the list. */
    public Running {
      children = children.stream().map(List::copyOf).toList();
    }
  }

  /**
   * The room on a disk.
   *
   * @param totalBytes all there is
   * @param freeBytes what this user can still write
   */
  record Room(long totalBytes, long freeBytes) {}
}
