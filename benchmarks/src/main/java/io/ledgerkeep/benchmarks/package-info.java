/**
 * What the library costs, each figure as a ratio to the bare engine, compressor or file system
 * measured beside it in the same run. Begin with {@link io.ledgerkeep.benchmarks.Benchmarks}; what
 * the figures mean is told in {@code docs/benchmarks.md}.
 */
@NullMarked
package io.ledgerkeep.benchmarks;

import org.jspecify.annotations.NullMarked;
