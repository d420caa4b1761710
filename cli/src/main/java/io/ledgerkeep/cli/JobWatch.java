package io.ledgerkeep.cli;

import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.Progress;
import java.time.Duration;

/** Shows the progress of one job and passes on the wish to stop it. */
final class JobWatch implements AutoCloseable {

  private final Interruption interruption;
  private final ProgressPrinter printer;

  private JobWatch(Interruption interruption, ProgressPrinter printer) {
    this.interruption = interruption;
    this.printer = printer;
  }

  /** Begins to watch; from now on Ctrl-C asks the job to stop instead of ending the process. */
  static JobWatch begin(Console console) {
    console.interruption().arm(console);
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

  /** Begins a piece of work of our own; a total of 0 means that it is not known. */
  Phase phase(String name, long totalBlocks) {
    long begin = System.nanoTime();
    return (doneBlocks, bytes) -> {
      Duration elapsed = Duration.ofNanos(System.nanoTime() - begin);
      printer.accept(new Progress(name, doneBlocks, totalBlocks, bytes, elapsed));
    };
  }

  /** Is told how far a piece of work has come. */
  interface Phase {
    void reached(long doneBlocks, long bytes);
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
