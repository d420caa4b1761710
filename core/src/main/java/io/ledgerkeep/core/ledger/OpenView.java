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
import java.util.function.Consumer;

/** All databases at one height. Serves any number of threads. */
final class OpenView implements LedgerView {

  private final long height;
  private final long pivot;
  private final StorageEngine.Snapshot blocks;
  private final DerivedView derived;
  private final BodyReader bodies;
  private final Consumer<OpenView> ended;
  private volatile boolean closed;

  OpenView(
      ChainStore chain,
      long height,
      DerivedView derived,
      ArchivedBodies archived,
      Consumer<OpenView> ended) {
    this.ended = ended;
    this.height = height;
    this.pivot = chain.mark().pivot();
    this.derived = derived;
    this.blocks = chain.snapshot();
    this.bodies = new BodyReader(chain.reader(blocks), chain, () -> height, () -> pivot, archived);
  }

  @Override
  public long height() {
    requireOpen();
    return height;
  }

  @Override
  public long archivedHeight() {
    requireOpen();
    return pivot;
  }

  @Override
  public Optional<Block> block(long at) {
    return bodies().meta(at).map(bodies()::block);
  }

  @Override
  public Optional<Block> blockByHash(Bytes hash) {
    return bodies().metaByHash(hash).map(bodies()::block);
  }

  @Override
  public Optional<Transaction> transaction(String id) {
    return bodies().transaction(id);
  }

  @Override
  public Optional<RwSet> rwSet(String id) {
    return bodies().rwSet(id);
  }

  @Override
  public Optional<BlockMeta> meta(long at) {
    return bodies().meta(at).map(MetaRow::meta);
  }

  @Override
  public Optional<BlockMeta> metaByHash(Bytes hash) {
    return bodies().metaByHash(hash).map(MetaRow::meta);
  }

  @Override
  public Optional<BlockMeta> metaOfTransaction(String id) {
    return bodies().locationOf(id).flatMap(at -> meta(at.height()));
  }

  @Override
  public Optional<Bytes> state(String namespace, Bytes key) {
    return derived().state(namespace, key);
  }

  @Override
  public CloseableIterator<StateEntry> scanState(String namespace, KeyRange range) {
    return derived().scanState(namespace, range);
  }

  @Override
  public CloseableIterator<HistoryEntry> history(String namespace, Bytes key) {
    return derived().history(namespace, key);
  }

  private BodyReader bodies() {
    requireOpen();
    return bodies;
  }

  private DerivedView derived() {
    requireOpen();
    return derived;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the view is closed");
    }
  }

  @Override
  public void close() {
    closed = true;
    ended.accept(this);
    try {
      blocks.close();
    } finally {
      derived.close();
    }
  }
}
