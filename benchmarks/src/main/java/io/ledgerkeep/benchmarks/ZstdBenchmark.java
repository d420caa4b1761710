package io.ledgerkeep.benchmarks;

import com.github.luben.zstd.Zstd;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Bare compression: the yardstick of archiving. */
@State(Scope.Thread)
public class ZstdBenchmark {
  private final byte[] block = new byte[64 * 1024];

  /**
   * Compresses one block.
   *
   * @return the compressed bytes
   */
  @Benchmark
  public byte[] compressOneBlock() {
    return Zstd.compress(block);
  }
}
