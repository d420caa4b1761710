package io.ledgerkeep.core.rows;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.StorageEngine;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads rows whole, of an engine or of a snapshot of it. Serves any number of threads. */
public final class RowReader {

  private final StorageEngine.Reader reader;
  private final int pieceBytes;

  /** Reads rows that were cut in pieces of the given size. */
  public RowReader(StorageEngine.Reader reader, int pieceBytes) {
    this.reader = reader;
    this.pieceBytes = pieceBytes;
  }

  /** Returns a reader of the newest rows of an engine. */
  public static RowReader newest(StorageEngine engine, int pieceBytes) {
    return new RowReader(
        new StorageEngine.Reader() {
          @Override
          public Optional<Bytes> get(Bytes key) {
            return engine.get(key);
          }

          @Override
          public StorageEngine.Cursor scan(KeyRange range) {
            return engine.scan(range);
          }
        },
        pieceBytes);
  }

  /** Returns the row, or empty where there is none. */
  public Optional<Bytes> get(Bytes key) {
    return reader.get(key).map(first -> whole(key, first));
  }

  /** Returns the first piece of the row, or empty where there is none. */
  public Optional<Bytes> firstPiece(Bytes key) {
    return reader.get(key);
  }

  /** Returns whether the first piece says that others follow. */
  public boolean continues(Bytes firstPiece) {
    return firstPiece.size() == pieceBytes;
  }

  /** Returns a cursor over the first pieces of the rows of the range. The caller closes it. */
  public StorageEngine.Cursor scan(KeyRange range) {
    return reader.scan(range);
  }

  /** Returns the row of which the first piece was read. */
  public Bytes whole(Bytes key, Bytes first) {
    if (!continues(first)) {
      return first;
    }
    List<Bytes> pieces = new ArrayList<>();
    pieces.add(first);
    for (Bytes last = first; continues(last); ) {
      int number = pieces.size();
      last =
          reader
              .get(PieceKeys.piece(key, number))
              .orElseThrow(
                  () -> new IntegrityException("piece " + number + " of a row is missing"));
      pieces.add(last);
    }
    return Rope.of(pieces).join();
  }
}
