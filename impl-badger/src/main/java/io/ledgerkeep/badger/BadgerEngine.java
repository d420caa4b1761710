package io.ledgerkeep.badger;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.badger.proto.DeleteRangeRequest;
import io.ledgerkeep.badger.proto.EngineGrpc;
import io.ledgerkeep.badger.proto.GetRequest;
import io.ledgerkeep.badger.proto.GetResponse;
import io.ledgerkeep.badger.proto.Mutation;
import io.ledgerkeep.badger.proto.OpenSnapshotRequest;
import io.ledgerkeep.badger.proto.ReclaimRequest;
import io.ledgerkeep.badger.proto.ScanRequest;
import io.ledgerkeep.badger.proto.ScanResponse;
import io.ledgerkeep.badger.proto.SizeRequest;
import io.ledgerkeep.badger.proto.StoreRef;
import io.ledgerkeep.badger.proto.SyncRequest;
import io.ledgerkeep.badger.proto.WriteRequest;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A store of Badger, reached through a sidecar.
 *
 * <p>Every write is durable when it returns, a {@link StorageEngine.Durability#BUFFERED} one as
 * well: the sidecar syncs each.
 */
final class BadgerEngine implements StorageEngine {

  /** A snapshot ends with the lease in any case; until then only its owner may end it. */
  private static final long SNAPSHOT_MILLIS = Duration.ofDays(7).toMillis();

  private final Sidecar sidecar;
  private final Lease lease;
  private final Calls calls;
  private final Limits limits;
  private final Children children = new Children();

  /** Held while a write is under way: the sidecar tells a repeated one by its number. */
  private final ReentrantLock writing = new ReentrantLock();

  // Guarded by writing. No owner has written before it opened the store.
  private long sequence;

  private boolean closed;

  BadgerEngine(
      Sidecar sidecar, Lease lease, BadgerConfig config, io.ledgerkeep.badger.proto.Limits limits) {
    this.sidecar = sidecar;
    this.lease = lease;
    this.calls = new Calls(sidecar, lease, config);
    this.limits =
        new Limits(
            limits.getMaxKeyBytes(),
            limits.getMaxValueBytes(),
            limits.getMaxBatchBytes(),
            limits.getMaxBatchCount());
  }

  @Override
  public Optional<Bytes> get(Bytes key) {
    calls.requireOpen();
    if (key.isEmpty()) {
      return Optional.empty();
    }
    ByteString wrapped = wrapped(key);
    return value(
        calls.call(
            "reading",
            EngineGrpc.getGetMethod(),
            ref -> GetRequest.newBuilder().setRef(ref).setKey(wrapped).build()));
  }

  @Override
  public List<Optional<Bytes>> getAll(List<Bytes> keys) {
    calls.requireOpen();
    return MultiGet.all(
        keys,
        request ->
            calls.call(
                "reading", EngineGrpc.getMultiGetMethod(), ref -> request.setRef(ref).build()));
  }

  /** Returns the bytes as the messages have them, without a copy. */
  static ByteString wrapped(Bytes bytes) {
    return UnsafeByteOperations.unsafeWrap(bytes.asBuffer());
  }

  static Optional<Bytes> value(GetResponse response) {
    return response.hasValue()
        ? Optional.of(Bytes.wrap(response.getValue().toByteArray()))
        : Optional.empty();
  }

  @Override
  public Cursor scan(KeyRange range) {
    calls.requireOpen();
    if (isEmpty(range)) {
      return BadgerCursor.empty(calls);
    }
    return calls.again("scanning", ref -> cursor(range, ref, ""));
  }

  /** Returns a cursor of a snapshot. */
  Cursor scan(KeyRange range, StoreRef ref, String snapshot) {
    calls.requireOpen();
    return isEmpty(range)
        ? BadgerCursor.empty(calls)
        : calls.underLease("scanning a snapshot of", () -> cursor(range, ref, snapshot));
  }

  private BadgerCursor cursor(KeyRange range, StoreRef ref, String snapshot) {
    Exchange<ScanRequest, ScanResponse> exchange =
        calls.stream(
            EngineGrpc.getScanMethod(),
            ScanRequest.newBuilder()
                .setRef(ref)
                .setFirstKey(wrapped(range.from()))
                .setEndKey(wrapped(range.until().orElse(Bytes.EMPTY)))
                .setSnapshot(snapshot)
                .build());
    return BadgerCursor.of(calls, exchange, children);
  }

  /** The sidecar would take an end without bytes for none. */
  private static boolean isEmpty(KeyRange range) {
    return range.until().filter(range.from()::equals).isPresent();
  }

  @Override
  public Snapshot snapshot() {
    return calls.again("taking a snapshot of", this::snapshot);
  }

  private BadgerSnapshot snapshot(StoreRef ref) {
    String id =
        calls
            .attempt(
                EngineGrpc.getOpenSnapshotMethod(),
                OpenSnapshotRequest.newBuilder()
                    .setRef(ref)
                    .setTimeToLiveMillis(SNAPSHOT_MILLIS)
                    .build())
            .getSnapshot();
    return new BadgerSnapshot(this, calls, children, ref, id);
  }

  @Override
  public void write(WriteBatch batch, Durability durability) {
    calls.requireOpen();
    limits.check(batch);
    if (batch.isEmpty()) {
      return;
    }
    WriteRequest.Builder request = request(batch);
    writing.lock();
    try {
      sequence++;
      request.setSequence(sequence);
      calls.call("writing to", EngineGrpc.getWriteMethod(), ref -> request.setRef(ref).build());
    } catch (RuntimeException e) {
      if (Calls.leavesDoubt(e)) {
        // It may still be under way: no read may miss it that another would find later.
        lease.drop();
      }
      throw e;
    } finally {
      writing.unlock();
    }
  }

  private static WriteRequest.Builder request(WriteBatch batch) {
    WriteRequest.Builder request = WriteRequest.newBuilder();
    batch.forEach(
        new WriteBatch.Visitor() {
          @Override
          public void put(Bytes key, Bytes value) {
            request.addMutations(
                Mutation.newBuilder().setKey(wrapped(key)).setValue(wrapped(value)));
          }

          @Override
          public void delete(Bytes key) {
            request.addMutations(Mutation.newBuilder().setKey(wrapped(key)));
          }
        });
    return request;
  }

  @Override
  public void flush() {
    calls.call(
        "syncing", EngineGrpc.getSyncMethod(), ref -> SyncRequest.newBuilder().setRef(ref).build());
  }

  @Override
  public void deleteRange(KeyRange range) {
    calls.requireOpen();
    if (isEmpty(range)) {
      return;
    }
    calls.longCall(
        "deleting from",
        EngineGrpc.getDeleteRangeMethod(),
        ref ->
            DeleteRangeRequest.newBuilder()
                .setRef(ref)
                .setFirstKey(wrapped(range.from()))
                .setEndKey(wrapped(range.until().orElse(Bytes.EMPTY)))
                .build());
  }

  /** Badger gives back the space of all ranges at once. */
  @Override
  public void compact(KeyRange range) {
    calls.requireOpen();
    if (isEmpty(range)) {
      return;
    }
    calls.longCall(
        "compacting",
        EngineGrpc.getReclaimMethod(),
        ref -> ReclaimRequest.newBuilder().setRef(ref).build());
  }

  @Override
  public Limits limits() {
    calls.requireOpen();
    return limits;
  }

  @Override
  public long sizeBytes() {
    return calls
        .call(
            "measuring",
            EngineGrpc.getSizeMethod(),
            ref -> SizeRequest.newBuilder().setRef(ref).build())
        .getBytes();
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    calls.close();
    children.close();
    lease.close();
    sidecar.release();
  }
}
