package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Block;
import io.ledgerkeep.benchmarks.SideBySide.Written;
import java.util.ArrayList;
import java.util.List;

/** How many blocks a second are committed one by one, each durable, at the end of a chain. */
final class CommitExperiment implements Experiment {

  /** Both sides take turns within a round, so that a slow second of the disk meets both. */
  private static final int TURNS = 10;

  private final Chain chain;

  CommitExperiment(Chain chain) {
    this.chain = chain;
  }

  @Override
  public List<Figure> run(Setting setting) {
    Workspace workspace = Workspace.ofThisProcess();
    Rounds rate = new Rounds();
    Rounds cpu = new Rounds();
    Rounds thread = new Rounds();
    try (SideBySide sides = new SideBySide(workspace, chain)) {
      int warmUp = 1;
      sides.grow(chain.length(setting));
      for (int round = -warmUp; round < setting.rounds(); round++) {
        Stopwatch ours = new Stopwatch();
        Stopwatch bare = new Stopwatch();
        round(workspace, sides, ours, bare);
        if (round >= 0) {
          rate.add(chain.commitsPerRound / ours.seconds(), chain.commitsPerRound / bare.seconds());
          cpu.add(ours.cpuSeconds(), bare.cpuSeconds());
          thread.add(ours.threadSeconds(), bare.threadSeconds());
        }
      }
    }
    return List.of(
        Figure.of(
            "commit one block, " + chain,
            "blocks/s",
            rate,
            Aim.atLeast(0.8),
            "baseline: the same batches on three bare stores, those of the block database synced; "
                + Notes.cpu(thread, cpu)));
  }

  private void round(Workspace workspace, SideBySide sides, Stopwatch ours, Stopwatch bare) {
    int perTurn = chain.commitsPerRound / TURNS;
    List<List<Block>> blocks = new ArrayList<>();
    List<List<Written>> batches = new ArrayList<>();
    for (int turn = 0; turn < TURNS; turn++) {
      blocks.add(sides.next(perTurn));
      batches.add(sides.recordOneByOne(blocks.get(turn)));
    }
    workspace.settle();
    for (int turn = 0; turn < TURNS; turn++) {
      List<Block> turnBlocks = blocks.get(turn);
      List<Written> turnBatches = batches.get(turn);
      Turns.take(
          turn,
          () -> ours.time(() -> turnBlocks.forEach(sides.ours()::commit)),
          () -> bare.time(() -> sides.replay(turnBatches)));
    }
  }
}
