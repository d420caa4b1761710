package io.ledgerkeep.core.chain;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;

/**
 * A roll back that is past its commit point, and not finished.
 *
 * @param heightBefore the last height before
 * @param height the last height since
 * @param pivotBefore the pivot before
 * @param stamp when it began, and part of the name of its backup
 * @param changes the SHA-256 digest of the file that says how state, history and index change
 */
public record RollBackRecord(
    long heightBefore, long height, long pivotBefore, String stamp, Bytes changes) {

  Bytes encode() {
    return new ByteWriter(96)
        .u64(heightBefore)
        .u64(height)
        .u64(pivotBefore)
        .text(stamp)
        .sized(changes)
        .take();
  }

  static RollBackRecord decode(Bytes record) {
    ByteReader in = new ByteReader(record, "the record of a roll back");
    RollBackRecord rollBack =
        new RollBackRecord(in.u64(), in.u64(), in.u64(), in.text(), in.sized());
    in.end();
    return rollBack;
  }
}
