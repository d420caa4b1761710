package io.ledgerkeep.crypto.hsm;

import java.util.EnumSet;
import java.util.Set;

/**
 * What a token says that it can do with a key; {@link SelfTest} finds out whether it is true.
 *
 * @param modes the operations there are mechanisms for
 * @param largestText how many bytes go into one call at most, tag not counted
 */
record Abilities(Set<Mode> modes, int largestText) {

  /** An operation of {@link TokenKey}. */
  enum Mode {
    GCM,
    CBC,
    ECB,
    MAC
  }

  Abilities {
    modes = modes.isEmpty() ? EnumSet.noneOf(Mode.class) : EnumSet.copyOf(modes);
    if (largestText < TokenKey.BLOCK_BYTES) {
      throw new IllegalArgumentException("a call takes at least a block, not " + largestText);
    }
  }

  boolean has(Mode mode) {
    return modes.contains(mode);
  }

  @Override
  public Set<Mode> modes() {
    return Set.copyOf(modes);
  }
}
