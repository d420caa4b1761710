/** The measures of an open ledger, for Micrometer. */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.metrics;
