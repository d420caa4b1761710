package io.ledgerkeep.benchmarks;

import java.io.IOException;
import java.util.List;
import java.util.Properties;

/**
 * Whether the memory that backup, rebuild and roll back take grows with the chain: a process does
 * the three on the chain, another one on the tenth of it.
 */
final class MaintenanceMemoryExperiment implements Experiment {

  private static final List<String> JOBS =
      List.of(
          MaintenanceMemoryMain.BACKUP,
          MaintenanceMemoryMain.REBUILD,
          MaintenanceMemoryMain.ROLL_BACK);

  private final Workspace workspace = Workspace.ofThisProcess();

  @Override
  public List<Figure> run(Setting setting) throws IOException {
    long many = setting.smallBlocks();
    long few = many / MemoryExperiment.TIMES;
    Properties shorter = MemoryExperiment.peaks(workspace, MaintenanceMemoryMain.class, few);
    Properties longer = MemoryExperiment.peaks(workspace, MaintenanceMemoryMain.class, many);
    Aim aim = few >= MemoryExperiment.SHORTER_BLOCKS ? Aim.atMost(1.1) : Aim.none();
    return JOBS.stream().map(job -> figure(job, longer, shorter, aim, note(many, few))).toList();
  }

  private static Figure figure(
      String job, Properties longer, Properties shorter, Aim aim, String note) {
    Rounds anonymous = MemoryExperiment.rounds(job + MemoryMain.ANONYMOUS, longer, shorter);
    return Figure.of(
        "peak heap of " + job.replace('-', ' '),
        "MB",
        MemoryExperiment.rounds(job + MemoryMain.HEAP, longer, shorter),
        aim,
        note
            + Notes.format("; RssAnon %.0f MB to %.0f MB", anonymous.ours(), anonymous.baseline()));
  }

  private static String note(long many, long few) {
    return Notes.format(
        "of a ledger of %s blocks; baseline: of %s blocks; both under %s; after collections",
        many, few, MemoryExperiment.HEAP);
  }
}
