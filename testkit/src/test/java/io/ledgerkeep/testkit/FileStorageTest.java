package io.ledgerkeep.testkit;

import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.testkit.contract.StorageEngineContract;

/** An engine passes the contract that can play nothing but a second process. */
class FileStorageTest extends StorageEngineContract {

  @Override
  protected StorageEngineProvider provider() {
    return new FileStorage();
  }
}
