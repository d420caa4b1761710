package io.ledgerkeep.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The main class: runs the experiments one after the other, each in a process of its own, and
 * writes {@code results/table.md} and {@code results/table.json}. What they write lies below the
 * build directory and is removed.
 */
public final class Benchmarks {

  /** Names the directory of the module. */
  private static final String HOME = "benchmarks.home";

  private final Path home;
  private final Path data;

  private Benchmarks(Path home) {
    this.home = home;
    this.data = home.resolve("target").resolve("data-" + ProcessHandle.current().pid());
  }

  /** Runs what the arguments ask for; exits with 2 where they are wrong, with 1 on a failure. */
  public static void main(String[] words) throws IOException {
    Arguments arguments;
    try {
      arguments = Arguments.parse(Arrays.asList(words));
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.err.print(Arguments.USAGE);
      System.exit(2);
      return;
    }
    System.exit(new Benchmarks(home()).run(arguments, words) ? 0 : 1);
  }

  /** Returns the directory of the module, also in the process of an experiment. */
  static Path home() {
    return Path.of(System.getProperty(HOME, "benchmarks")).toAbsolutePath();
  }

  private boolean run(Arguments arguments, String[] words) throws IOException {
    List<Figure> figures = new ArrayList<>();
    boolean allRan = true;
    Table table = new Table(arguments, words);
    for (String name : Experiments.names()) {
      if (arguments.wants(name)) {
        System.err.println("benchmarks: " + name);
        Optional<List<Figure>> ran = run(name, arguments.setting());
        allRan &= ran.isPresent();
        List<Figure> found = ran.orElse(List.of());
        found.forEach(figure -> System.err.println("  " + Table.line(figure)));
        figures.addAll(found);
        table.write(home.resolve("results"), figures);
      }
    }
    return allRan;
  }

  /** Returns nothing where the experiment failed; why was told by its process. */
  private Optional<List<Figure>> run(String name, Setting setting) throws IOException {
    Path result = data.resolve("figures.json");
    List<String> jvm = List.of("-Xmx3g", "-D" + HOME + "=" + home);
    List<String> arguments = new ArrayList<>(List.of(name, result.toString()));
    arguments.addAll(setting.words());
    try {
      int exitCode = ChildProcess.run(data.resolve(name), ExperimentMain.class, jvm, arguments);
      return exitCode == 0 ? Optional.of(FigureFile.read(result)) : Optional.empty();
    } finally {
      Workspace.remove(data);
    }
  }
}
