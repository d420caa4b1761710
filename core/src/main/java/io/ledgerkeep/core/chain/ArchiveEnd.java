package io.ledgerkeep.core.chain;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;

/**
 * Where the archive has to end before it is written again: what it has above was rolled back.
 *
 * @param height the lowest height that the ledger was rolled back to since
 * @param hash the hash of the block there
 */
public record ArchiveEnd(long height, Bytes hash) {

  Bytes encode() {
    return new ByteWriter(48).u64(height).sized(hash).take();
  }

  static ArchiveEnd decode(Bytes record) {
    ByteReader in = new ByteReader(record, "the record of the archive's end");
    ArchiveEnd end = new ArchiveEnd(in.u64(), in.sized());
    in.end();
    return end;
  }
}
