package io.ledgerkeep.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class RoundsTest {

  @Test
  void theRatioIsTheMedianOfTheRatiosOfTheRounds() {
    Rounds rounds = new Rounds();
    rounds.add(10, 10);
    rounds.add(90, 100);
    rounds.add(1, 2);
    assertThat(rounds.ratio()).isEqualTo(0.9);
    assertThat(rounds.lowRatio()).isEqualTo(0.5);
    assertThat(rounds.highRatio()).isEqualTo(1.0);
    assertThat(rounds.ours()).isEqualTo(10);
    assertThat(rounds.baseline()).isEqualTo(10);
  }

  @Test
  void theMedianOfAnEvenNumberLiesBetweenTheTwoInTheMiddle() {
    Rounds rounds = new Rounds();
    rounds.add(1, 1);
    rounds.add(2, 1);
    assertThat(rounds.ratio()).isEqualTo(1.5);
  }
}
