package io.ledgerkeep.benchmarks;

import java.io.IOException;
import java.util.List;

/** One question to the library, asked in a process of its own. */
@FunctionalInterface
interface Experiment {

  /** Measures and returns the rows for the table. */
  List<Figure> run(Setting setting) throws IOException;
}
