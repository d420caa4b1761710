package io.ledgerkeep.core.sealing;

import io.ledgerkeep.storage.StorageEngine;

/** So it does over an engine with the smallest limits. */
final class SealedEngineWithSmallestLimitsTest extends SealedEngineTest {

  @Override
  StorageEngine.Limits limits() {
    return Keys.SMALLEST_LIMITS;
  }
}
