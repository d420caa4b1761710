package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Block;
import io.ledgerkeep.benchmarks.SideBySide.Written;
import java.util.List;

/** How many blocks a second are imported in bulk on top of a chain. */
final class ImportExperiment implements Experiment {

  private final Chain chain;

  ImportExperiment(Chain chain) {
    this.chain = chain;
  }

  @Override
  public List<Figure> run(Setting setting) {
    Workspace workspace = Workspace.ofThisProcess();
    Rounds rate = new Rounds();
    Rounds cpu = new Rounds();
    Rounds thread = new Rounds();
    long perRound = chain.length(setting) / (2L * setting.rounds());
    try (SideBySide sides = new SideBySide(workspace, chain)) {
      sides.grow(chain.length(setting) - perRound * setting.rounds());
      for (int round = 0; round < setting.rounds(); round++) {
        List<Block> blocks = sides.next(perRound);
        List<Written> batches = sides.recordTogether(blocks);
        Stopwatch ours = new Stopwatch();
        Stopwatch bare = new Stopwatch();
        Turns.take(
            round,
            () -> time(workspace, ours, () -> sides.ours().commitAll(blocks)),
            () -> time(workspace, bare, () -> sides.replay(batches)));
        rate.add(perRound / ours.seconds(), perRound / bare.seconds());
        cpu.add(ours.cpuSeconds(), bare.cpuSeconds());
        thread.add(ours.threadSeconds(), bare.threadSeconds());
      }
    }
    return List.of(
        Figure.of(
            "bulk import, " + chain,
            "blocks/s",
            rate,
            Aim.atLeast(0.8),
            Notes.format(
                "baseline: the same batches on three bare stores, those of the block database"
                    + " synced; %s blocks a round on top of the rest; %s",
                perRound, Notes.cpu(thread, cpu))));
  }

  private static void time(Workspace workspace, Stopwatch watch, Runnable work) {
    workspace.settle();
    watch.time(work);
  }
}
