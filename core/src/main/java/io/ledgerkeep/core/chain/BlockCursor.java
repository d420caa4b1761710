package io.ledgerkeep.core.chain;

import io.ledgerkeep.Block;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.core.chain.ChainKeys.BodyKey;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.rows.RowReader;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.StorageEngine;
import java.util.NoSuchElementException;

/**
 * Steps through blocks in the order of heights with one scan of the bodies and one of the metas.
 * For one thread; close it.
 */
public final class BlockCursor implements CloseableIterator<BlockCursor.Found> {

  private final RowReader rows;
  private final ChainReader reader;
  private final long lastHeight;
  private final StorageEngine.Cursor metas;
  private final StorageEngine.Cursor bodies;
  private long next;

  /** Whether the scan of the bodies stands on a row that is still to be taken. */
  private boolean isOnRow;

  BlockCursor(ChainReader reader, RowReader rows, long firstHeight, long lastHeight) {
    this.reader = reader;
    this.rows = rows;
    this.lastHeight = lastHeight;
    this.next = firstHeight;
    metas = rows.scan(ChainKeys.metasFrom(firstHeight));
    try {
      bodies = rows.scan(ChainKeys.bodies(firstHeight, lastHeight));
    } catch (RuntimeException e) {
      metas.close();
      throw e;
    }
  }

  /** A block with its meta. */
  public record Found(MetaRow meta, StoredBlock block) {}

  @Override
  public boolean hasNext() {
    return next <= lastHeight;
  }

  @Override
  public Found next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    MetaRow meta = nextMeta();
    StoredBlock block = meta.meta().kind() == Block.Kind.NORMAL ? normalBody(meta) : keptBody(meta);
    next++;
    return new Found(meta, block);
  }

  private MetaRow nextMeta() {
    if (!metas.next() || !metas.key().equals(ChainKeys.meta(next))) {
      throw ChainReader.missingMeta(next);
    }
    return MetaRow.decode(rows.whole(metas.key(), metas.value()), next);
  }

  /** Takes no step beyond the body: what is wrong there is wrong with the next one. */
  private StoredBlock normalBody(MetaRow meta) {
    ChainReader.Body body = new ChainReader.Body(meta);
    while (!body.isComplete() && isOnRow()) {
      BodyKey key = BodyKey.of(bodies.key());
      if (key.height() > next) {
        break;
      }
      if (key.height() < next) {
        throw new IntegrityException(
            "the body of block %s has a row too many on the node; run ledgerkeep doctor"
                .formatted(key.height()));
      }
      body.add(key, rows.whole(bodies.key(), bodies.value()));
      isOnRow = false;
    }
    return body.block().orElseThrow(this::missing);
  }

  private boolean isOnRow() {
    if (!isOnRow) {
      isOnRow = bodies.next();
    }
    return isOnRow;
  }

  private StoredBlock keptBody(MetaRow meta) {
    return reader.block(meta).orElseThrow(this::missing);
  }

  private IntegrityException missing() {
    return new IntegrityException(
        "the body of block " + next + " is not whole on the node; run ledgerkeep doctor");
  }

  @Override
  public void close() {
    try {
      metas.close();
    } finally {
      bodies.close();
    }
  }
}
