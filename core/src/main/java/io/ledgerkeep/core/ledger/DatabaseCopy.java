package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.ledger.ContentDigest.Content;
import io.ledgerkeep.core.rows.RowReader;
import io.ledgerkeep.core.rows.RowWriter;
import io.ledgerkeep.core.sealing.SealedEngine;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import java.util.List;
import java.util.Optional;

/**
 * Makes the rows of one database those of another, in one pass over both: what is there already is
 * passed over, what is not of the other is deleted. So it goes on wherever an earlier pass ended,
 * also when the other database has changed since. Rows are written as they lie in the other
 * database, sealed or not; only those that do not fit in one piece here are cut, and sealed, anew.
 */
final class DatabaseCopy {

  /** Where the further pieces of rows lie. */
  private static final KeyRange PIECES = KeyRange.atLeast(Bytes.wrap(new byte[] {(byte) 0x80}));

  private final Side from;
  private final Side to;
  private final JobWatch watch;
  private final RowReader rows;
  private final RowWriter asStored;
  private final RowWriter cut;
  private final ContentDigest content;

  /**
   * One of the two databases.
   *
   * @param shown the engine with values as they read
   * @param stored the engine with values as they lie there
   */
  record Side(StorageEngine shown, StorageEngine stored, FormatRecord format) {

    Bytes open(Bytes key, Bytes value) {
      return shown instanceof SealedEngine sealing ? sealing.open(key, value) : value;
    }
  }

  DatabaseCopy(Side from, Side to, Digests digest, JobWatch watch) {
    this.from = from;
    this.to = to;
    this.watch = watch;
    this.rows = RowReader.newest(from.shown(), from.format().pieceBytes());
    this.asStored = new RowWriter(to.stored(), to.format().pieceBytes(), Durability.BUFFERED);
    this.cut = new RowWriter(to.shown(), to.format().pieceBytes(), Durability.BUFFERED);
    this.content = new ContentDigest(digest, watch);
  }

  /**
   * Returns the content of the other database once it is all here, durable; nothing if cancelled.
   */
  Optional<Content> run() {
    watch.begin("copy " + from.format().database().lowerCaseName(), 0);
    if (watch.isCancelled()) {
      return Optional.empty();
    }
    to.stored().deleteRange(PIECES); // of few rows, which are cut anew in any case
    try (StorageEngine.Cursor source = from.stored().scan(ContentDigest.ROWS);
        Rest here = new Rest(to.stored().scan(ContentDigest.ROWS))) {
      while (source.next()) {
        here.deleteBefore(source.key());
        copy(source.key(), source.value(), here.valueAt(source.key()));
        if (content.isSpanOver() && !endsSpan()) {
          return Optional.empty();
        }
      }
      here.deleteAll();
    }
    asStored.write();
    to.stored().flush();
    FailPoint.pass("migrate.copied");
    return Optional.of(content.take());
  }

  private boolean endsSpan() {
    asStored.write();
    FailPoint.pass("migrate.copying");
    return content.goesOn();
  }

  private void copy(Bytes key, Bytes stored, Optional<Bytes> here) {
    Bytes first = from.open(key, stored);
    Bytes row = rows.whole(key, first);
    content.add(key, row);
    if (key.equals(FormatRecord.KEY) && !to.format().equals(from.format())) {
      to.format().write(to.shown());
    } else if (row.size() >= to.format().pieceBytes()) {
      cut.put(key, Rope.of(List.of(row)));
      cut.write();
    } else if (!here.equals(Optional.of(stored))) {
      asStored.put(key, stored);
    }
  }

  /** What there is here from an earlier pass, at the moment this one begins. */
  private final class Rest implements AutoCloseable {

    private final StorageEngine.Cursor cursor;
    private boolean isAtRow;

    Rest(StorageEngine.Cursor cursor) {
      this.cursor = cursor;
      this.isAtRow = cursor.next();
    }

    void deleteBefore(Bytes key) {
      while (isAtRow && cursor.key().compareTo(key) < 0) {
        deleteOne();
      }
    }

    void deleteAll() {
      while (isAtRow) {
        deleteOne();
      }
    }

    private void deleteOne() {
      asStored.delete(cursor.key());
      isAtRow = cursor.next();
    }

    Optional<Bytes> valueAt(Bytes key) {
      if (!isAtRow || !cursor.key().equals(key)) {
        return Optional.empty();
      }
      Bytes value = cursor.value();
      isAtRow = cursor.next();
      return Optional.of(value);
    }

    @Override
    public void close() {
      cursor.close();
    }
  }
}
