/** What it costs, each figure a ratio within one run. */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.benchmarks;
