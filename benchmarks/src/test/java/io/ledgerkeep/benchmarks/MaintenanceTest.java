package io.ledgerkeep.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs the experiments of the maintenance jobs on the shortest chains. */
final class MaintenanceTest {

  @TempDir Path directory;

  static Stream<String> experiments() {
    return Experiments.names().stream().filter(name -> name.startsWith("maintenance-"));
  }

  @ParameterizedTest
  @MethodSource("experiments")
  void itMeasuresOnAShortChain(String name) throws IOException {
    Path result = directory.resolve("figures.json");
    ChildProcess.runWell(
        directory.resolve("run"),
        ExperimentMain.class,
        List.of("-Xmx512m"),
        List.of(
            name, result.toString(), "--blocks", "200", "--large-blocks", "200", "--rounds", "1"));
    assertThat(FigureFile.read(result))
        .isNotEmpty()
        .allSatisfy(figure -> assertThat(figure.ratio()).isFinite().isPositive());
  }
}
