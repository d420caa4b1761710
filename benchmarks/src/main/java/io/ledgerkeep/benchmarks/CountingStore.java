package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.ArchiveStoreProvider;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.ServiceLoader;

/** The directory store, which counts what is read. For one reading thread. */
final class CountingStore implements ArchiveStore {

  private final ArchiveStore store;
  private long reads;
  private long bytesRead;

  private CountingStore(ArchiveStore store) {
    this.store = store;
  }

  static CountingStore open(Path directory) {
    return new CountingStore(
        ServiceLoader.load(ArchiveStoreProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(provider -> provider.name().equals(Ledgers.STORE))
            .findFirst()
            .orElseThrow()
            .open(Ledgers.archiveAt(directory)));
  }

  long reads() {
    return reads;
  }

  long bytesRead() {
    return bytesRead;
  }

  @Override
  public String place() {
    return store.place();
  }

  @Override
  public void put(String name, Content content) {
    store.put(name, content);
  }

  @Override
  public OptionalLong size(String name) {
    return store.size(name);
  }

  @Override
  public Bytes get(String name, long offset, int length) {
    Bytes bytes = store.get(name, offset, length);
    reads++;
    bytesRead += bytes.size();
    return bytes;
  }

  @Override
  public List<String> list(String prefix) {
    return store.list(prefix);
  }

  @Override
  public void delete(String name) {
    store.delete(name);
  }

  @Override
  public void close() {
    store.close();
  }
}
