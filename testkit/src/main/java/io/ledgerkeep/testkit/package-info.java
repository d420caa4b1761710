/** Engines that forget and fail on purpose, and the contract tests a backend extends. */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.testkit;
