package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.storage.WriteBatch;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/** Opens engines that tell a test of every call before they do it, as {@code "state write"}. */
final class HookedStorage implements StorageEngineProvider {

  private final MemoryDisk disk;
  private final StorageEngine.Limits limits;

  /** What is told; a test may change it at any time. */
  volatile Consumer<String> hook = call -> {};

  HookedStorage(MemoryDisk disk, StorageEngine.Limits limits) {
    this.disk = disk;
    this.limits = limits;
  }

  /** Returns settings that lead to these engines in the world's directory. */
  Settings settings(World world) {
    Settings settings = world.settings();
    settings.engine = new Settings.ProvidedEngine(this, Options.none());
    return settings;
  }

  @Override
  public String name() {
    return "memory";
  }

  @Override
  public StorageEngine open(Path store, Options options) {
    String database = store.getParent().getFileName().toString();
    hook.accept(database + " open");
    return new Hooked(new InMemoryStorage(disk, limits).open(store, options), database);
  }

  private final class Hooked implements StorageEngine {

    private final StorageEngine behind;
    private final String database;

    private Hooked(StorageEngine behind, String database) {
      this.behind = behind;
      this.database = database;
    }

    private StorageEngine before(String call) {
      hook.accept(database + " " + call);
      return behind;
    }

    @Override
    public Optional<Bytes> get(Bytes key) {
      return before("get " + key.slice(0, 1).hex()).get(key);
    }

    @Override
    public Cursor scan(KeyRange range) {
      return before("scan").scan(range);
    }

    @Override
    public Snapshot snapshot() {
      return before("snapshot").snapshot();
    }

    @Override
    public void write(WriteBatch batch, Durability durability) {
      before("write").write(batch, durability);
    }

    @Override
    public void flush() {
      before("flush").flush();
    }

    @Override
    public void deleteRange(KeyRange range) {
      before("delete").deleteRange(range);
    }

    @Override
    public void compact(KeyRange range) {
      before("compact").compact(range);
    }

    @Override
    public Limits limits() {
      return behind.limits();
    }

    @Override
    public long sizeBytes() {
      return before("size").sizeBytes();
    }

    @Override
    public void close() {
      behind.close();
    }
  }
}
