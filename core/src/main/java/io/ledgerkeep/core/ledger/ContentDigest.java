package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.core.chain.ChainKeys;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.rows.RowReader;
import io.ledgerkeep.storage.StorageEngine;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.Set;

/**
 * A digest over all rows of a database in the order of their keys, as they read: whole, and not
 * sealed. So it is the same on every engine, however that cuts rows in pieces. What a database says
 * of itself, of its keys and of its audit file does not count.
 */
final class ContentDigest {

  /** The keys of first pieces; the others lie above. */
  static final KeyRange ROWS = KeyRange.of(Bytes.EMPTY, Bytes.wrap(new byte[] {(byte) 0x80}));

  private static final Set<Bytes> OF_NO_ACCOUNT =
      Set.of(FormatRecord.KEY, ChainKeys.record("keys"), ChainKeys.record("audit"));

  /** So often a job is told, and asked whether to go on. */
  private static final long SPAN_BYTES = 1 << 20;

  private static final int SPAN_ROWS = 256;

  private final MessageDigest digest;
  private final JobWatch watch;
  private long rows;
  private long bytes;
  private long rowsTold;
  private long bytesTold;

  ContentDigest(Digests digest, JobWatch watch) {
    this.digest = digest.newDigest();
    this.watch = watch;
  }

  /** What was read of a database. */
  record Content(Bytes digest, long rows, long bytes) {}

  /** Returns the content of a database; nothing if it was cancelled. */
  static Optional<Content> of(StorageEngine shown, int pieceBytes, Digests digest, JobWatch watch) {
    ContentDigest content = new ContentDigest(digest, watch);
    RowReader reader = RowReader.newest(shown, pieceBytes);
    try (StorageEngine.Cursor rows = reader.scan(ROWS)) {
      boolean goesOn = !watch.isCancelled();
      while (goesOn && rows.next()) {
        content.add(rows.key(), reader.whole(rows.key(), rows.value()));
        goesOn = !content.isSpanOver() || content.goesOn();
      }
      return goesOn ? Optional.of(content.take()) : Optional.empty();
    }
  }

  void add(Bytes key, Bytes row) {
    rows++;
    bytes += key.size() + (long) row.size();
    if (!OF_NO_ACCOUNT.contains(key)) {
      digest.update(
          new ByteWriter(key.size() + 20).sized(key).varint(row.size()).take().asBuffer());
      digest.update(row.asBuffer());
    }
  }

  /** Returns whether so much was added that the job is to be told. */
  boolean isSpanOver() {
    return rows - rowsTold >= SPAN_ROWS || bytes - bytesTold >= SPAN_BYTES;
  }

  /** Tells the job, and returns whether it is to go on. */
  boolean goesOn() {
    watch.advance(0, bytes - bytesTold);
    rowsTold = rows;
    bytesTold = bytes;
    return !watch.isCancelled();
  }

  Content take() {
    goesOn();
    return new Content(Bytes.wrap(digest.digest()), rows, bytes);
  }
}
