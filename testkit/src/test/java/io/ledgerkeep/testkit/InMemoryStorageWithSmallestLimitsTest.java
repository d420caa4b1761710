package io.ledgerkeep.testkit;

import io.ledgerkeep.storage.StorageEngine;

/** The in-memory engine keeps every rule of an engine, with the smallest limits too. */
final class InMemoryStorageWithSmallestLimitsTest extends InMemoryStorageTest {

  @Override
  StorageEngine.Limits limits() {
    return InMemoryStorage.SMALLEST_LIMITS;
  }
}
