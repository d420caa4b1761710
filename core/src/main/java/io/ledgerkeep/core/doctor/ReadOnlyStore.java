package io.ledgerkeep.core.doctor;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.error.StorageException;
import java.util.List;
import java.util.OptionalLong;

/** The store of an archive that is only looked at: whatever would change it is refused. */
public final class ReadOnlyStore implements ArchiveStore {

  private final ArchiveStore store;

  /** Looks at a store, which the caller closes. */
  public ReadOnlyStore(ArchiveStore store) {
    this.store = store;
  }

  @Override
  public String place() {
    return store.place();
  }

  @Override
  public void put(String name, Content content) {
    throw refused();
  }

  @Override
  public OptionalLong size(String name) {
    return store.size(name);
  }

  @Override
  public Bytes get(String name, long offset, int length) {
    return store.get(name, offset, length);
  }

  @Override
  public List<String> list(String prefix) {
    return store.list(prefix);
  }

  @Override
  public void delete(String name) {
    throw refused();
  }

  private StorageException refused() {
    return new StorageException(
        StorageException.Kind.FATAL, "the archive in " + place() + " is only looked at");
  }

  @Override
  public void close() {}
}
