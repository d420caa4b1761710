package io.ledgerkeep;

import io.ledgerkeep.error.IntegrityException;

/**
 * The node's own rule for a block: recompute its hash and roots, check its signatures. Called with
 * every block before a restore writes it, and before a rebuild takes it for good. Implementations
 * serve any number of threads.
 */
@FunctionalInterface
public interface BlockVerifier {

  /**
   * Returns if the block is what the chain agreed on.
   *
   * @throws IntegrityException if it is not; the message says which rule it breaks
   */
  void verify(Block block);
}
