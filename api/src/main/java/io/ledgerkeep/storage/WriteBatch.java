package io.ledgerkeep.storage;

import io.ledgerkeep.Bytes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Puts and deletes that an engine applies as one, in the order given: the later of two mutations of
 * a key holds. Collected by one thread; not changed any more once it was handed to an engine.
 */
public final class WriteBatch {

  /** What an engine does with each mutation. */
  public interface Visitor {

    /** Puts the value at the key. */
    void put(Bytes key, Bytes value);

    /** Deletes the key; it need not exist. */
    void delete(Bytes key);
  }

  private record Mutation(Bytes key, Optional<Bytes> value) {}

  private final List<Mutation> mutations = new ArrayList<>();
  private long bytes;

  /** Creates an empty batch. */
  public WriteBatch() {}

  /** Adds a put. */
  public WriteBatch put(Bytes key, Bytes value) {
    mutations.add(new Mutation(key, Optional.of(value)));
    bytes += (long) key.size() + value.size();
    return this;
  }

  /** Adds a delete; the key need not exist. */
  public WriteBatch delete(Bytes key) {
    mutations.add(new Mutation(key, Optional.empty()));
    bytes += key.size();
    return this;
  }

  /** Shows every mutation to the visitor, in order. */
  public void forEach(Visitor visitor) {
    for (Mutation mutation : mutations) {
      if (mutation.value().isPresent()) {
        visitor.put(mutation.key(), mutation.value().get());
      } else {
        visitor.delete(mutation.key());
      }
    }
  }

  /** Returns the sum of the sizes of all keys and values, in bytes. */
  public long bytes() {
    return bytes;
  }

  /** Returns the number of mutations. */
  public int size() {
    return mutations.size();
  }

  /** Returns whether there are no mutations. */
  public boolean isEmpty() {
    return mutations.isEmpty();
  }
}
