package io.ledgerkeep.benchmarks;

import java.util.Locale;

/** The ratio that a figure should reach. */
record Aim(Kind kind, double bound) {

  enum Kind {
    AT_LEAST,
    AT_MOST,
    /** Told for what it is worth. */
    NONE
  }

  static Aim atLeast(double bound) {
    return new Aim(Kind.AT_LEAST, bound);
  }

  static Aim atMost(double bound) {
    return new Aim(Kind.AT_MOST, bound);
  }

  static Aim none() {
    return new Aim(Kind.NONE, 0);
  }

  /** Returns {@code yes}, {@code no} or, without an aim, a dash. */
  String verdict(double ratio) {
    return switch (kind) {
      case AT_LEAST -> ratio >= bound ? "yes" : "no";
      case AT_MOST -> ratio <= bound ? "yes" : "no";
      case NONE -> "-";
    };
  }

  @Override
  public String toString() {
    return switch (kind) {
      case AT_LEAST -> String.format(Locale.ROOT, "≥ %.2f", bound);
      case AT_MOST -> String.format(Locale.ROOT, "≤ %.2f", bound);
      case NONE -> "-";
    };
  }
}
