package io.ledgerkeep.leveldb;

import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.testkit.contract.StorageEngineContract;

final class LevelDbContractTest extends StorageEngineContract {

  @Override
  protected StorageEngineProvider provider() {
    return new LevelDbStorageProvider();
  }
}
