package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How long it takes to open a ledger that was closed, and one whose process was killed. */
final class OpenExperiment implements Experiment {

  private final Workspace workspace = Workspace.ofThisProcess();

  @Override
  public List<Figure> run(Setting setting) {
    long blocks = setting.smallBlocks();
    Path closed = workspace.path("closed");
    Ledgers.make(closed, Chain.SMALL, blocks, block -> {});
    Path killed = workspace.path("killed");
    int exitCode =
        ChildProcess.run(
            workspace.path("child"),
            KilledMain.class,
            List.of(),
            List.of(killed.toString(), Long.toString(blocks)));
    if (exitCode != KilledMain.EXIT_CODE) {
      throw new IllegalStateException("the process to be killed ended with " + exitCode);
    }
    return List.of(
        figure("open after a close", closed, 0, setting.rounds()),
        figure("open after a kill", killed, KilledMain.behind(killed), setting.rounds()));
  }

  private Figure figure(String name, Path ready, long behind, int rounds) {
    Rounds millis = new Rounds();
    for (int round = 0; round <= rounds; round++) {
      workspace.copy(ready, "ours");
      workspace.copy(ready, "bare");
      workspace.settle();
      Stopwatch ours = new Stopwatch();
      Stopwatch bare = new Stopwatch();
      Turns.take(
          round,
          () -> open(ours, workspace.path("ours")),
          () -> openBare(bare, workspace.path("bare")));
      boolean warm = round > 0;
      if (warm) {
        millis.add(ours.seconds() * 1e3, bare.seconds() * 1e3);
      }
      List.of("ours", "bare").forEach(workspace::remove);
    }
    return Figure.of(
        name + ", " + Chain.SMALL,
        "ms",
        millis,
        Aim.none(),
        Notes.format(
            "state and history %s blocks behind; baseline: the three stores opened bare", behind));
  }

  private static void open(Stopwatch watch, Path directory) {
    List<Ledger> opened = new ArrayList<>();
    watch.time(() -> opened.add(Ledgers.at(directory).openExisting()));
    opened.forEach(Ledger::close);
  }

  private static void openBare(Stopwatch watch, Path directory) {
    List<BareStore> stores = new ArrayList<>();
    for (Database database : Database.values()) {
      watch.time(() -> stores.add(BareStore.open(Ledgers.store(directory, database))));
    }
    stores.forEach(BareStore::close);
  }
}
