package io.ledgerkeep;

import java.util.List;
import java.util.Optional;

/**
 * The reads of one transaction and those of its writes that took effect. State is exactly the
 * replay of the writes in the order of the chain.
 *
 * @param txId the transaction
 * @param reads in the order given by the node
 * @param writes in the order given by the node; the later of two writes of a key holds
 */
public record RwSet(String txId, List<Read> reads, List<Write> writes) {

  /** The longest namespace and key together, in bytes. */
  public static final int MAX_KEY_BYTES = 32 << 10;

  /** The largest value, in bytes. */
  public static final int MAX_VALUE_BYTES = 64 << 20;

  /** Checks the id and copies the lists. */
  public RwSet {
    Transaction.requireId(txId);
    reads = List.copyOf(reads);
    writes = List.copyOf(writes);
  }

  /**
   * A value as a transaction saw it.
   *
   * @param namespace the contract
   * @param key the key within the namespace
   * @param value empty where the key had no value
   */
  public record Read(String namespace, Bytes key, Optional<Bytes> value) {
    /** Checks the sizes. */
    public Read {
      requireSizes(namespace, key, value);
    }
  }

  /**
   * A value as a transaction left it.
   *
   * @param namespace the contract
   * @param key the key within the namespace
   * @param value empty where the key was deleted
   */
  public record Write(String namespace, Bytes key, Optional<Bytes> value) {
    /** Checks the sizes. */
    public Write {
      requireSizes(namespace, key, value);
    }
  }

  private static void requireSizes(String namespace, Bytes key, Optional<Bytes> value) {
    long size = (long) Transaction.requireText(namespace, "namespace") + key.size();
    if (size > MAX_KEY_BYTES) {
      throw new IllegalArgumentException(
          "namespace and key have " + size + " bytes; the limit is " + MAX_KEY_BYTES);
    }
    if (value.isPresent() && value.get().size() > MAX_VALUE_BYTES) {
      throw new IllegalArgumentException(
          "the value has " + value.get().size() + " bytes; the limit is " + MAX_VALUE_BYTES);
    }
  }
}
