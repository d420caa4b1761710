package io.ledgerkeep.benchmarks;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What two sides reached in the rounds of one run, a pair for each round: what disturbs the machine
 * for a while disturbs both sides of a pair.
 */
final class Rounds {

  private record Pair(double ours, double baseline) {

    double ratio() {
      return ours / baseline;
    }
  }

  private final List<Pair> pairs = new ArrayList<>();

  /** Returns the one round of what does not vary. */
  static Rounds once(double ours, double baseline) {
    Rounds rounds = new Rounds();
    rounds.add(ours, baseline);
    return rounds;
  }

  void add(double ours, double baseline) {
    pairs.add(new Pair(ours, baseline));
  }

  int count() {
    return pairs.size();
  }

  double ours() {
    return median(Pair::ours);
  }

  double baseline() {
    return median(Pair::baseline);
  }

  /** Returns the median of the ratios of the rounds, not the ratio of two medians. */
  double ratio() {
    return median(Pair::ratio);
  }

  /** Returns where the middle half of the ratios begins; of up to four, the lowest. */
  double lowRatio() {
    return sorted(Pair::ratio)[(pairs.size() - 1) / 4];
  }

  /** Returns where the middle half of the ratios ends; of up to four, the highest. */
  double highRatio() {
    return sorted(Pair::ratio)[pairs.size() - 1 - (pairs.size() - 1) / 4];
  }

  private double median(ToDoubleFunction<Pair> value) {
    double[] values = sorted(value);
    int middle = values.length / 2;
    return values.length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  }

  private double[] sorted(ToDoubleFunction<Pair> value) {
    double[] values = pairs.stream().mapToDouble(value).toArray();
    Arrays.sort(values);
    return values;
  }
}
