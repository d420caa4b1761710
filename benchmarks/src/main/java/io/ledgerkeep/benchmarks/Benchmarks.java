package io.ledgerkeep.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The main class: runs the experiments one after the other, each in a process of its own, and
 * writes {@code results/table.md} and {@code results/table.json}. What they write lies below the
 * build directory and is removed.
 */
public final class Benchmarks {

  /** Names the directory of the module. */
  private static final String HOME = "benchmarks.home";

  private static final List<String> JVM = List.of("-Xmx3g");

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
    Path home = Path.of(System.getProperty(HOME, "benchmarks")).toAbsolutePath();
    System.exit(new Benchmarks(home).run(arguments, words) ? 0 : 1);
  }

  private boolean run(Arguments arguments, String[] words) throws IOException {
    List<Figure> figures = new ArrayList<>();
    boolean allRan = true;
    Table table = new Table(arguments, words);
    for (String name : Experiments.names()) {
      if (arguments.wants(name)) {
        System.err.println("benchmarks: " + name);
        List<Figure> found = run(name, arguments.setting());
        allRan &= !found.isEmpty() || name.equals("stored");
        found.forEach(figure -> System.err.println("  " + Table.line(figure)));
        figures.addAll(found);
        table.write(home.resolve("results"), figures);
      }
    }
    return allRan;
  }

  /** Returns no figures where the experiment failed; why was told by its process. */
  private List<Figure> run(String name, Setting setting) throws IOException {
    Path result = data.resolve("figures.json");
    List<String> arguments = new ArrayList<>(List.of(name, result.toString()));
    arguments.addAll(setting.words());
    try {
      int exitCode = ChildProcess.run(data.resolve(name), ExperimentMain.class, JVM, arguments);
      return exitCode == 0 ? FigureFile.read(result) : List.of();
    } finally {
      Workspace.remove(data);
    }
  }
}
