package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Options;
import java.util.List;

/** A ledger whose databases are on Badger, through its sidecar, against one on LevelDB. */
final class BadgerLedgerExperiment implements Experiment {

  private static final String BASELINE =
      "baseline: the same ledger on LevelDB; blocks of 1 KiB values, two threads";

  @Override
  public List<Figure> run(Setting setting) {
    TwoLedgers ledgers =
        new TwoLedgers(builder -> builder.storage("badgerdb", Options.none()), builder -> {});
    ledgers.grow(setting);
    ledgers.archiveAndRestore(setting);
    return List.of(
        figure("commit one block", "blocks/s", ledgers.commits()),
        figure("read a block", "reads/s", ledgers.reads()),
        figure("bulk import", "blocks/s", ledgers.imports()),
        figure("archive", "MB/s", ledgers.archiving()),
        figure("restore", "MB/s", ledgers.restoring()));
  }

  private static Figure figure(String work, String unit, Rounds rounds) {
    return Figure.of(work + ", Badger to LevelDB", unit, rounds, Aim.none(), BASELINE);
  }
}
