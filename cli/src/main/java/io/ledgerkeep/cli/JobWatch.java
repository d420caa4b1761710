package io.ledgerkeep.cli;

import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.Progress;
import java.time.Duration;

/** Shows the progress of one job and passes on the wish to stop it. */
final class JobWatch implements AutoCloseable {

  private final Interruption interruption;
  private final ProgressPrinter printer;
  private final long begin = System.nanoTime();

  private JobWatch(Interruption interruption, ProgressPrinter printer) {
    this.interruption = interruption;
    this.printer = printer;
  }

  /** Begins to watch; from now on Ctrl-C asks the job to stop instead of ending the process. */
  static JobWatch begin(Console console) {
    console.interruption().arm(console.err());
    ProgressPrinter printer =
        new ProgressPrinter(console.err(), console.terminal(), System::nanoTime);
    return new JobWatch(console.interruption(), printer);
  }

  JobControl control() {
    return JobControl.none().onProgress(printer).cancelledBy(this::cancelled);
  }

  boolean cancelled() {
    return interruption.requested();
  }

  /** Tells progress of work that has one phase. */
  void progress(String phase, long doneBlocks, long totalBlocks, long bytes) {
    Duration elapsed = Duration.ofNanos(System.nanoTime() - begin);
    printer.accept(new Progress(phase, doneBlocks, totalBlocks, bytes, elapsed));
  }

  /** Ends the line of the progress bar, before something else is printed. */
  void endLine() {
    printer.end();
  }

  @Override
  public void close() {
    printer.end();
  }
}
