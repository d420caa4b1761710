package io.ledgerkeep.benchmarks;

/** Lets two sides take turns in going first. */
final class Turns {

  private Turns() {}

  static void take(int turn, Runnable ours, Runnable baseline) {
    if (Math.floorMod(turn, 2) == 0) {
      ours.run();
      baseline.run();
    } else {
      baseline.run();
      ours.run();
    }
  }
}
