/**
 * Fakes with the behaviour of the real thing, for tests without mocks: {@link
 * io.ledgerkeep.testkit.InMemoryStorage} is an engine on a {@link io.ledgerkeep.testkit.MemoryDisk}
 * that can crash, fill up and be damaged; needs no test framework.
 */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.testkit;
