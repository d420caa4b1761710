package io.ledgerkeep.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FigureTest {

  @TempDir Path directory;

  @Test
  void figuresComeBackFromTheirFile() throws IOException {
    List<Figure> figures =
        List.of(
            Figure.of("a", "MB/s", Rounds.once(1.5, 3), Aim.atLeast(0.7), "with \"quotes\""),
            Figure.of("b", "ms", Rounds.once(1, 4), Aim.none(), ""));
    FigureFile.write(directory.resolve("figures"), figures);
    assertThat(FigureFile.read(directory.resolve("figures"))).isEqualTo(figures);
  }

  @Test
  void anAimIsMetOnItsOwnSideOnly() {
    assertThat(verdict(0.8, Aim.atLeast(0.8))).isEqualTo("yes");
    assertThat(verdict(0.79, Aim.atLeast(0.8))).isEqualTo("no");
    assertThat(verdict(1.1, Aim.atMost(1.1))).isEqualTo("yes");
    assertThat(verdict(1.2, Aim.atMost(1.1))).isEqualTo("no");
    assertThat(verdict(5, Aim.none())).isEqualTo("-");
  }

  private static String verdict(double ratio, Aim aim) {
    return Figure.of("a", "", Rounds.once(ratio, 1), aim, "").met();
  }
}
