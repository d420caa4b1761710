package io.ledgerkeep.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;

/**
 * Whether memory grows with the chain: a process imports, archives and restores a chain, another
 * one a chain that is ten times as long.
 */
final class MemoryExperiment implements Experiment {

  static final int TIMES = 10;

  /** In a shorter one the caches and buffers of a fixed size would not be full. */
  static final long SHORTER_BLOCKS = 100_000;

  static final String HEAP = "-Xmx256m";

  private final Workspace workspace = Workspace.ofThisProcess();

  @Override
  public List<Figure> run(Setting setting) throws IOException {
    long few = Math.min(setting.smallBlocks(), SHORTER_BLOCKS);
    long many = few * TIMES;
    Properties shorter = peaks(few);
    Properties longer = peaks(many);
    String what =
        Notes.format(
            "import, archive and restore of %s blocks; baseline: of %s blocks; both under %s",
            many, few, HEAP);
    return List.of(
        figure("peak heap", MemoryMain.HEAP, longer, shorter, what + "; after collections"),
        figure("peak memory of the process", MemoryMain.RSS, longer, shorter, what + "; VmHWM"),
        figure(
            "peak memory without files",
            MemoryMain.ANONYMOUS,
            longer,
            shorter,
            what + "; RssAnon: without the mapped tables, which the system takes back at will"));
  }

  private static Figure figure(
      String name, String key, Properties longer, Properties shorter, String note) {
    return Figure.of(name, "MB", rounds(key, longer, shorter), Aim.atMost(1.1), note);
  }

  /** Returns one of the peaks of the longer chain to that of the shorter one. */
  static Rounds rounds(String key, Properties longer, Properties shorter) {
    return Rounds.once(megabytes(longer, key), megabytes(shorter, key));
  }

  private static double megabytes(Properties peaks, String key) {
    return Double.parseDouble(peaks.getProperty(key)) / 1e6;
  }

  private Properties peaks(long blocks) throws IOException {
    return peaks(workspace, MemoryMain.class, blocks);
  }

  /** Returns what a process wrote down that was given so many blocks. */
  static Properties peaks(Workspace workspace, Class<?> main, long blocks) throws IOException {
    Path directory = workspace.path("blocks-" + blocks);
    Path result = workspace.path("peaks-" + blocks);
    ChildProcess.runWell(
        directory, main, List.of(HEAP), List.of(Long.toString(blocks), result.toString()));
    Workspace.remove(directory);
    Properties peaks = new Properties();
    try (var in = Files.newInputStream(result)) {
      peaks.load(in);
    }
    return peaks;
  }
}
