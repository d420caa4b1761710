package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.LedgerView;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.core.archiving.ArchivedBodies;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.derived.DerivedStore.DerivedView;
import io.ledgerkeep.storage.StorageEngine;
import java.util.Optional;

/** All databases at one height. Serves any number of threads. */
final class OpenView implements LedgerView {

  private final long height;
  private final long pivot;
  private final StorageEngine.Snapshot blocks;
  private final DerivedView derived;
  private final BodyReader bodies;

  OpenView(ChainStore chain, long height, DerivedView derived, ArchivedBodies archived) {
    this.height = height;
    this.pivot = chain.mark().pivot();
    this.derived = derived;
    this.blocks = chain.snapshot();
    this.bodies = new BodyReader(chain.reader(blocks), chain, () -> height, () -> pivot, archived);
  }

  @Override
  public long height() {
    return height;
  }

  @Override
  public long archivedHeight() {
    return pivot;
  }

  @Override
  public Optional<Block> block(long at) {
    return bodies.meta(at).map(bodies::block);
  }

  @Override
  public Optional<Block> blockByHash(Bytes hash) {
    return bodies.metaByHash(hash).map(bodies::block);
  }

  @Override
  public Optional<Transaction> transaction(String id) {
    return bodies.transaction(id);
  }

  @Override
  public Optional<RwSet> rwSet(String id) {
    return bodies.rwSet(id);
  }

  @Override
  public Optional<BlockMeta> meta(long at) {
    return bodies.meta(at).map(MetaRow::meta);
  }

  @Override
  public Optional<BlockMeta> metaByHash(Bytes hash) {
    return bodies.metaByHash(hash).map(MetaRow::meta);
  }

  @Override
  public Optional<BlockMeta> metaOfTransaction(String id) {
    return bodies.locationOf(id).flatMap(at -> meta(at.height()));
  }

  @Override
  public Optional<Bytes> state(String namespace, Bytes key) {
    return derived.state(namespace, key);
  }

  @Override
  public CloseableIterator<StateEntry> scanState(String namespace, KeyRange range) {
    return derived.scanState(namespace, range);
  }

  @Override
  public CloseableIterator<HistoryEntry> history(String namespace, Bytes key) {
    return derived.history(namespace, key);
  }

  @Override
  public void close() {
    try {
      blocks.close();
    } finally {
      derived.close();
    }
  }
}
