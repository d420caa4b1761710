import io.ledgerkeep.leveldb.LevelDbStorageProvider;
import io.ledgerkeep.storage.StorageEngineProvider;

/** The storage engine over LevelDB, the embedded default. */
module io.ledgerkeep.leveldb {
  requires transitive io.ledgerkeep.api;
  requires leveldbjni.all;
  requires org.slf4j;
  requires static org.jspecify;

  exports io.ledgerkeep.leveldb;

  provides StorageEngineProvider with
      LevelDbStorageProvider;
}
