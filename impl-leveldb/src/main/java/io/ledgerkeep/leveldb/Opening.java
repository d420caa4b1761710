package io.ledgerkeep.leveldb;

import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;

/** Opens a store: locks it, checks it, cuts a torn tail, and hands it to LevelDB. */
final class Opening {

  private final Path directory;
  private final LevelDbConfig config;
  private final Clock clock;

  private Opening(Path directory, LevelDbConfig config, Clock clock) {
    this.directory = directory;
    this.config = config;
    this.clock = clock;
  }

  /**
   * Opens the store of the directory.
   *
   * @param clock names the folder for copies of torn files
   */
  static LevelDbEngine open(Path directory, LevelDbConfig config, Clock clock) {
    NativeLibrary.load(config.nativeDirectory());
    try {
      return new Opening(directory, config, clock).open();
    } catch (IOException e) {
      throw LevelDbErrors.file("opening the LevelDB store " + directory, e);
    }
  }

  private LevelDbEngine open() throws IOException {
    if (!Files.isDirectory(directory)) {
      Files.createDirectory(directory);
    }
    StoreLock lock = StoreLock.take(directory);
    NativeStore store = null;
    LevelDbEngine engine = null;
    try {
      lock.requireNoForeignOwner();
      store = openLocked();
      StoreFiles.sync(directory);
      engine = new LevelDbEngine(store, new Writer(store, config), lock);
      return engine;
    } finally {
      if (engine == null) {
        if (store != null) {
          store.close();
        }
        lock.close();
      }
    }
  }

  private NativeStore openLocked() throws IOException {
    StoreCheck.Finding finding =
        StoreCheck.examine(directory, LogKeeper.holdBufferedOnly(directory));
    SpaceGuard.requireRoomToOpen(directory, finding);
    TornTails tails = TornTails.cut(directory, finding.tears(), clock);
    try {
      return NativeStore.open(directory, config, finding.isNew());
    } catch (IntegrityException e) {
      // A store is refused as it was found: the cut was no help.
      tails.undo();
      throw e;
    }
  }
}
