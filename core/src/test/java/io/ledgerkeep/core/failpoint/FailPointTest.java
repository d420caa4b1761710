package io.ledgerkeep.core.failpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class FailPointTest {

  /** Comes by the places in turn; ends with 7 if nothing halts it. */
  public static void main(String[] arguments) {
    for (int round = 1; round <= 3; round++) {
      FailPoint.pass("first");
      FailPoint.pass("second");
      if (Integer.parseInt(arguments[0]) == round) {
        System.exit(7);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "first, 1, 137",
    "second, 1, 137",
    "second:2, 1, 7",
    "second:2, 2, 137",
    "first:3, 2, 7",
    "first:3, 3, 137",
    "third, 3, 7",
    "firs, 3, 7"
  })
  void theProcessHaltsAtTheWantedPlaceAndNowhereElse(String wanted, int rounds, int status)
      throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Dledgerkeep.failpoint=" + wanted,
                "-cp",
                System.getProperty("java.class.path"),
                FailPointTest.class.getName(),
                Integer.toString(rounds))
            .inheritIO()
            .start();
    assertThat(process.waitFor()).isEqualTo(status);
  }

  @Test
  void withoutThePropertyNothingHappens() {
    FailPoint.pass("anything");
  }
}
