package io.ledgerkeep.core.chain;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;

/**
 * The pivot, and the manifest entry of the archive that was the newest when it was last raised: no
 * job trusts an archive that does not hold this entry.
 *
 * @param pivot the highest archived height that is no config block, or 0
 * @param sequence the number of the manifest entry, or -1 if none was ever recorded
 * @param digest the digest of the manifest entry, or empty
 */
public record ArchiveMark(long pivot, long sequence, Bytes digest) {

  /** The mark of a ledger that never archived. */
  public static final ArchiveMark NONE = new ArchiveMark(0, -1, Bytes.EMPTY);

  /** Returns the same mark with another pivot. */
  public ArchiveMark withPivot(long newPivot) {
    return new ArchiveMark(newPivot, sequence, digest);
  }

  Bytes encode() {
    return new ByteWriter(64).u64(pivot).u64(sequence).sized(digest).take();
  }

  static ArchiveMark decode(Bytes record) {
    ByteReader in = new ByteReader(record, "the record of the pivot");
    ArchiveMark mark = new ArchiveMark(in.u64(), in.u64(), in.sized());
    in.end();
    return mark;
  }
}
