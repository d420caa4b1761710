package io.ledgerkeep.benchmarks;

import java.util.Locale;

/** The words beside the figures. */
final class Notes {

  private Notes() {}

  static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  /** Tells how much processor time ours takes to that of the baseline. */
  static String cpu(Rounds threadSeconds, Rounds cpuSeconds) {
    return format(
        "processor time of the thread x %.2f, of the process x %.2f",
        threadSeconds.ratio(), cpuSeconds.ratio());
  }
}
