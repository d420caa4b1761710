package io.ledgerkeep.cli;

import com.google.common.hash.Hashing;
import com.google.common.hash.HashingOutputStream;
import com.google.common.io.CountingOutputStream;
import io.ledgerkeep.Block;
import io.ledgerkeep.BlockReader;
import io.ledgerkeep.cli.interchange.BlockLinesWriter;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.io.OutputStream;

/** Writes a range of blocks as lines of the interchange format. */
final class Exporter {

  private final BlockReader source;
  private final JobWatch watch;

  Exporter(BlockReader source, JobWatch watch) {
    this.source = source;
    this.watch = watch;
  }

  /**
   * What was exported.
   *
   * @param blocks their number
   * @param bytes the size of their text before compression
   * @param sha256 the digest of that text, in hexadecimal digits
   */
  record Report(long blocks, long bytes, String sha256) {}

  /**
   * Writes the blocks, both ends included, and flushes the stream; the caller closes it.
   *
   * @throws CommandException when interrupted
   */
  Report write(long firstHeight, long lastHeight, OutputStream out) throws IOException {
    CountingOutputStream counted = new CountingOutputStream(out);
    HashingOutputStream hashed = new HashingOutputStream(Hashing.sha256(), counted);
    BlockLinesWriter writer = new BlockLinesWriter(hashed);
    long total = lastHeight - firstHeight + 1;
    JobWatch.Phase phase = watch.phase("export", total);
    for (long height = firstHeight; height <= lastHeight; height++) {
      if (watch.cancelled()) {
        throw CommandException.interrupted("stopped before height " + height);
      }
      writer.write(block(height));
      phase.reached(height - firstHeight + 1, counted.getCount());
    }
    writer.flush();
    return new Report(total, counted.getCount(), hashed.hash().toString());
  }

  private Block block(long height) {
    return source
        .block(height)
        .orElseThrow(
            () -> new IntegrityException("there is no block at height " + height + " any more"));
  }
}
