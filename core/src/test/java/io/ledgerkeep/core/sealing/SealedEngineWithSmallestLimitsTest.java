package io.ledgerkeep.core.sealing;

import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.testkit.InMemoryStorage;

/** So it does over an engine with the smallest limits. */
final class SealedEngineWithSmallestLimitsTest extends SealedEngineTest {

  @Override
  StorageEngine.Limits limits() {
    return InMemoryStorage.SMALLEST_LIMITS;
  }
}
