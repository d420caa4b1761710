package io.ledgerkeep.cli;

import io.ledgerkeep.job.Progress;
import java.io.PrintStream;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Shows progress: a bar that is redrawn in its line on a terminal, a plain line every few seconds
 * elsewhere. For one thread.
 */
final class ProgressPrinter implements Consumer<Progress> {

  private static final long BAR_NANOS = 100_000_000L;
  private static final long LINE_NANOS = 5_000_000_000L;
  private static final int BAR_WIDTH = 30;

  private final PrintStream err;
  private final boolean terminal;
  private final LongSupplier nanoTime;
  private long shownAt;
  private int barLength;

  ProgressPrinter(PrintStream err, boolean terminal, LongSupplier nanoTime) {
    this.err = err;
    this.terminal = terminal;
    this.nanoTime = nanoTime;
    this.shownAt = nanoTime.getAsLong();
  }

  @Override
  public void accept(Progress progress) {
    long now = nanoTime.getAsLong();
    if (now - shownAt < (terminal ? BAR_NANOS : LINE_NANOS)) {
      return;
    }
    shownAt = now;
    if (terminal) {
      draw(progress);
    } else {
      err.println(line(progress));
    }
  }

  /** Ends the line of the bar, if there is one. */
  void end() {
    if (barLength > 0) {
      err.println();
      barLength = 0;
    }
  }

  private void draw(Progress progress) {
    String bar = bar(progress) + line(progress);
    err.print("\r" + bar + " ".repeat(Math.max(0, barLength - bar.length())));
    err.flush();
    barLength = bar.length();
  }

  private static String bar(Progress progress) {
    if (progress.totalBlocks() <= 0) {
      return "";
    }
    double share = Math.min(1, (double) progress.doneBlocks() / progress.totalBlocks());
    int full = (int) (share * BAR_WIDTH);
    return "[" + "#".repeat(full) + ".".repeat(BAR_WIDTH - full) + "] ";
  }

  private static String line(Progress progress) {
    boolean hasTotal = progress.totalBlocks() > 0;
    StringBuilder line = new StringBuilder(progress.phase()).append(": ");
    if (progress.doneBlocks() == 0 && progress.bytes() > 0) {
      line.append(Units.bytes(progress.bytes())); // of rows, which are no blocks
    } else {
      line.append(progress.doneBlocks());
      if (hasTotal) {
        line.append(" of ").append(progress.totalBlocks());
      }
      line.append(" blocks");
    }
    if (progress.bytes() > 0) {
      line.append(", ").append(Units.rate(progress.bytesPerSecond()));
    }
    if (hasTotal) {
      progress
          .timeLeft()
          .ifPresent(l -> line.append(", ").append(Units.duration(l)).append(" left"));
    }
    return line.toString();
  }
}
