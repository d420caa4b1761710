package io.ledgerkeep.badger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.badger.proto.CloseSnapshotRequest;
import io.ledgerkeep.badger.proto.EngineGrpc;
import io.ledgerkeep.badger.proto.GetRequest;
import io.ledgerkeep.badger.proto.StoreRef;
import io.ledgerkeep.storage.StorageEngine;
import java.util.List;
import java.util.Optional;

/**
 * A snapshot that the sidecar keeps. It ends with the lease that it was opened under: when the
 * sidecar went away meanwhile, reads fail, and a new snapshot has to be opened.
 */
final class BadgerSnapshot implements StorageEngine.Snapshot {

  private final BadgerEngine engine;
  private final Calls calls;
  private final StoreRef ref;
  private final String id;
  private final Children.Handle handle = new Children.Handle();
  private final Runnable ending;
  private volatile boolean closed;

  BadgerSnapshot(BadgerEngine engine, Calls calls, Children children, StoreRef ref, String id) {
    this.engine = engine;
    this.calls = calls;
    this.ref = ref;
    this.id = id;
    this.ending = children.add(handle, () -> end(calls, ref, id));
  }

  private static void end(Calls calls, StoreRef ref, String id) {
    calls.tell(
        EngineGrpc.getCloseSnapshotMethod(),
        CloseSnapshotRequest.newBuilder().setRef(ref).setSnapshot(id).build());
  }

  @Override
  public Optional<Bytes> get(Bytes key) {
    requireOpen();
    if (key.isEmpty()) {
      return Optional.empty();
    }
    GetRequest request =
        GetRequest.newBuilder()
            .setRef(ref)
            .setKey(BadgerEngine.wrapped(key))
            .setSnapshot(id)
            .build();
    return BadgerEngine.value(
        calls.underLease(
            "reading a snapshot of", () -> calls.attempt(EngineGrpc.getGetMethod(), request)));
  }

  @Override
  public List<Optional<Bytes>> getAll(List<Bytes> keys) {
    requireOpen();
    return MultiGet.all(
        keys,
        request ->
            calls.underLease(
                "reading a snapshot of",
                () ->
                    calls.attempt(
                        EngineGrpc.getMultiGetMethod(),
                        request.setRef(ref).setSnapshot(id).build())));
  }

  @Override
  public StorageEngine.Cursor scan(KeyRange range) {
    requireOpen();
    return engine.scan(range, ref, id);
  }

  private void requireOpen() {
    calls.requireOpen();
    if (closed) {
      throw new IllegalStateException("the snapshot is closed");
    }
  }

  @Override
  public void close() {
    closed = true;
    ending.run();
  }
}
