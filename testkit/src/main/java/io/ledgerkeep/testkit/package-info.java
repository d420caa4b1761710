/**
 * Fakes with the behaviour of the real thing, for tests without mocks: {@link
 * io.ledgerkeep.testkit.InMemoryStorage} is an engine on a {@link io.ledgerkeep.testkit.MemoryDisk}
 * that can crash, fill up and be damaged, {@link io.ledgerkeep.testkit.SampleChain} makes the
 * blocks to fill it with, and {@link io.ledgerkeep.testkit.SampleEncryptor} seals without a
 * configuration. Needs no test framework.
 */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.testkit;
