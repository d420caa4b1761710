package io.ledgerkeep.core.sealing;

import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.encryption.CipherSuite;

/**
 * A key that values are sealed under, by way of the epochs derived from it.
 *
 * @param number counted from 1 within its registry
 * @param state what it may be used for
 * @param exposed whether somebody may know it
 * @param secret what the epochs are derived from; the registry wipes it
 */
record DataKey(
    int number,
    CipherSuite suite,
    State state,
    boolean exposed,
    long createdAtMillis,
    Secret secret) {

  /** What a key may be used for. */
  enum State {
    /** To seal and to open. */
    ACTIVE(1),
    /** To open what was sealed before. */
    READ_ONLY(2),
    /** For nothing, until it is enabled again. */
    DISABLED(3),
    /** For nothing, for ever: its secret is gone. */
    DESTROYED(4);

    private final int code;

    State(int code) {
      this.code = code;
    }

    int code() {
      return code;
    }

    static State of(int code, ByteReader in) {
      for (State state : values()) {
        if (state.code == code) {
          return state;
        }
      }
      throw in.damaged("there is no state " + code);
    }
  }

  @Override
  public String toString() {
    return "data key %s (%s, %s)".formatted(number, suite.name(), state);
  }
}
