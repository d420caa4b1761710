/**
 * What a backend has to pass: extend {@link io.ledgerkeep.testkit.contract.StorageEngineContract},
 * or another of the contracts, and say how the backend is opened. Each test is named after the
 * numbered rule that it checks. Needs JUnit and AssertJ.
 */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.testkit.contract;
