package io.ledgerkeep.benchmarks;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * What stands on the command line.
 *
 * @param only the beginnings of the names of the experiments to run; none means all
 * @param setting how large and how often
 */
record Arguments(List<String> only, Setting setting) {

  static final String USAGE =
      """
      Usage: benchmarks/run [--long] [--only NAME]... [--file FILE]
                            [--blocks N] [--large-blocks N] [--rounds N]
        --long            chains of 10^6 small blocks instead of 10^5
        --only NAME       only the experiments whose names begin so; may be given again
        --file FILE       blocks in the interchange format (.gz or plain), for "stored"
        --blocks N        the length of the chain of small blocks
        --large-blocks N  the length of the chain of large transactions
        --rounds N        how often both sides are measured
      """;

  private static final long SHORT_BLOCKS = 100_000;
  private static final long LONG_BLOCKS = 1_000_000;
  private static final long LARGE_BLOCKS = 2_000;
  private static final int ROUNDS = 5;

  static Arguments parse(Collection<String> words) {
    Deque<String> left = new ArrayDeque<>(words);
    List<String> only = new ArrayList<>();
    Optional<Path> file = Optional.empty();
    long blocks = SHORT_BLOCKS;
    long largeBlocks = LARGE_BLOCKS;
    int rounds = ROUNDS;
    while (!left.isEmpty()) {
      String word = left.remove();
      switch (word) {
        case "--long" -> blocks = LONG_BLOCKS;
        case "--only" -> only.add(value(word, left));
        case "--file" -> file = Optional.of(Path.of(value(word, left)));
        case "--blocks" -> blocks = Long.parseLong(value(word, left));
        case "--large-blocks" -> largeBlocks = Long.parseLong(value(word, left));
        case "--rounds" -> rounds = Integer.parseInt(value(word, left));
        default -> throw new IllegalArgumentException("unknown argument '" + word + "'");
      }
    }
    return new Arguments(List.copyOf(only), new Setting(blocks, largeBlocks, rounds, file));
  }

  private static String value(String word, Deque<String> left) {
    if (left.isEmpty()) {
      throw new IllegalArgumentException(word + " needs a value");
    }
    return left.remove();
  }

  boolean wants(String experiment) {
    return only.isEmpty() || only.stream().anyMatch(experiment::startsWith);
  }
}
