package io.ledgerkeep.benchmarks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How large and how often.
 *
 * @param smallBlocks the length of the chain of small blocks
 * @param largeBlocks the length of the chain of large transactions
 * @param rounds how often both sides are measured
 * @param file blocks in the interchange format
 */
record Setting(long smallBlocks, long largeBlocks, int rounds, Optional<Path> file) {

  private static final long MIN_BLOCKS = 200;

  Setting {
    if (smallBlocks < MIN_BLOCKS || largeBlocks < MIN_BLOCKS || rounds < 1) {
      throw new IllegalArgumentException(
          "at least " + MIN_BLOCKS + " blocks and 1 round are needed");
    }
  }

  /** Returns the words from which {@link #parse} makes the same setting. */
  List<String> words() {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("--blocks", Long.toString(smallBlocks)));
    words.addAll(List.of("--large-blocks", Long.toString(largeBlocks)));
    words.addAll(List.of("--rounds", Integer.toString(rounds)));
    file.ifPresent(path -> words.addAll(List.of("--file", path.toString())));
    return words;
  }

  static Setting parse(List<String> words) {
    return Arguments.parse(words).setting();
  }
}
