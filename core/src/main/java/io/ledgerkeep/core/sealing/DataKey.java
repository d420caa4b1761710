package io.ledgerkeep.core.sealing;

import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.encryption.LedgerKeys.State;
import java.time.Instant;
import java.util.List;

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

  private static final List<State> CODES =
      List.of(State.ACTIVE, State.READ_ONLY, State.DISABLED, State.DESTROYED);

  /** Returns what stands for the state in a registry: 1 to 4. */
  int stateCode() {
    return CODES.indexOf(state) + 1;
  }

  static State state(int code, ByteReader in) {
    if (code < 1 || code > CODES.size()) {
      throw in.damaged("there is no state " + code);
    }
    return CODES.get(code - 1);
  }

  DataKey with(State newState) {
    return new DataKey(number, suite, newState, exposed, createdAtMillis, secret);
  }

  /** Returns the key as one that somebody may know. */
  DataKey asExposed() {
    return new DataKey(number, suite, state, true, createdAtMillis, secret);
  }

  /** Returns what is left of the key once it is destroyed: that there was one. */
  DataKey destroyed() {
    Secret nothing = new Secret(new byte[Secret.BYTES]);
    return new DataKey(number, suite, State.DESTROYED, exposed, createdAtMillis, nothing);
  }

  /** Returns whether what it sealed can be opened. */
  boolean opens() {
    return state == State.ACTIVE || state == State.READ_ONLY;
  }

  /** Returns what may be shown of it. */
  LedgerKeys.DataKey shown() {
    return new LedgerKeys.DataKey(
        number, suite.name(), state, exposed, Instant.ofEpochMilli(createdAtMillis));
  }

  @Override
  public String toString() {
    return "data key %s (%s, %s)".formatted(number, suite.name(), state);
  }
}
