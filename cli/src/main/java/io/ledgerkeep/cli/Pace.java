package io.ledgerkeep.cli;

import io.ledgerkeep.job.JobControl;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How fast a job may go; it shows its progress, and can be stopped. */
final class Pace {

  @Option(
      names = "--max-rate",
      paramLabel = "MB/s",
      description = "The most megabytes of blocks or rows to move in a second.")
  private @Nullable Double maxRate;

  /** Refuses what is no rate; before anything is done. */
  void check() {
    if (maxRate != null && !(maxRate * Units.MEGABYTE >= 1)) {
      throw CommandException.usage("--max-rate must be at least a byte a second");
    }
  }

  <R> R run(Console console, Function<JobControl, R> job) {
    try (JobWatch watch = JobWatch.begin(console)) {
      JobControl control = watch.control();
      return job.apply(
          maxRate == null ? control : control.atMost((long) (maxRate * Units.MEGABYTE)));
    }
  }
}
