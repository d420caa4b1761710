package io.ledgerkeep.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * The main class of the process that runs one experiment: its name, the file for its figures, then
 * the words of the setting.
 */
final class ExperimentMain {

  private ExperimentMain() {}

  public static void main(String[] arguments) throws IOException {
    List<String> words = Arrays.asList(arguments);
    Experiment experiment = Experiments.named(words.get(0)).orElseThrow();
    Setting setting = Setting.parse(words.subList(2, words.size()));
    FigureFile.write(Path.of(words.get(1)), experiment.run(setting));
  }
}
