package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Options;
import org.iq80.leveldb.CompressionType;

/** The settings of LevelDB, told to the ledger and to the bare store in the same words. */
final class EngineSettings {

  static final String ENGINE = "leveldb";

  private static final int WRITE_BUFFER_BYTES = 16 << 20;
  private static final int CACHE_BYTES = 32 << 20;
  private static final int BLOCK_BYTES = 4 << 10;
  private static final int MAX_OPEN_FILES = 1000;

  private EngineSettings() {}

  static Options ofLedger() {
    return Options.none()
        .with("write-buffer-bytes", Integer.toString(WRITE_BUFFER_BYTES))
        .with("cache-bytes", Integer.toString(CACHE_BYTES))
        .with("block-bytes", Integer.toString(BLOCK_BYTES))
        .with("max-open-files", Integer.toString(MAX_OPEN_FILES))
        .with("compression", "none");
  }

  static org.iq80.leveldb.Options ofBareStore() {
    return new org.iq80.leveldb.Options()
        .createIfMissing(true)
        .paranoidChecks(true)
        .writeBufferSize(WRITE_BUFFER_BYTES)
        .cacheSize(CACHE_BYTES)
        .blockSize(BLOCK_BYTES)
        .maxOpenFiles(MAX_OPEN_FILES)
        .compressionType(CompressionType.NONE);
  }
}
