package io.ledgerkeep.badger;

import io.grpc.StatusRuntimeException;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.badger.proto.Entry;
import io.ledgerkeep.badger.proto.ScanRequest;
import io.ledgerkeep.badger.proto.ScanResponse;
import io.ledgerkeep.storage.StorageEngine;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A cursor over the stream of a scan. The sidecar is never more than two messages ahead of it. */
final class BadgerCursor implements StorageEngine.Cursor {

  private final Calls calls;
  private final @Nullable Exchange<ScanRequest, ScanResponse> exchange;
  private final Children.Handle handle = new Children.Handle();
  private final Runnable ending;

  // All below is guarded by this: a cursor torn between two threads must not do harm.
  private List<Entry> entries = List.of();
  private int at = -1;
  private boolean ended;
  private boolean closed;

  private BadgerCursor(
      Calls calls,
      @Nullable Exchange<ScanRequest, ScanResponse> exchange,
      @Nullable Children children) {
    this.calls = calls;
    this.exchange = exchange;
    this.ending =
        exchange == null || children == null
            ? () -> {}
            : children.add(handle, () -> exchange.cancel("the cursor was closed"));
  }

  /** Returns a cursor over the answers of the exchange. */
  static BadgerCursor of(
      Calls calls, Exchange<ScanRequest, ScanResponse> exchange, Children children) {
    return new BadgerCursor(calls, exchange, children);
  }

  /** Returns a cursor over nothing. */
  static BadgerCursor empty(Calls calls) {
    return new BadgerCursor(calls, null, null);
  }

  @Override
  public synchronized boolean next() {
    requireOpen();
    at++;
    while (!ended && at >= entries.size()) {
      load();
    }
    return !ended;
  }

  private void load() {
    Optional<ScanResponse> next = Optional.empty();
    try {
      if (exchange != null) {
        next = exchange.take(calls.deadline());
      }
    } catch (StatusRuntimeException e) {
      ended = true;
      throw calls.failed("scanning", e);
    }
    ended = next.isEmpty();
    entries = next.map(ScanResponse::getEntriesList).orElse(List.of());
    at = 0;
  }

  @Override
  public synchronized Bytes key() {
    return Bytes.wrap(entry().getKey().toByteArray());
  }

  @Override
  public synchronized Bytes value() {
    return Bytes.wrap(entry().getValue().toByteArray());
  }

  private Entry entry() {
    requireOpen();
    if (ended || at < 0) {
      throw new IllegalStateException("the cursor is at no key");
    }
    return entries.get(at);
  }

  private void requireOpen() {
    calls.requireOpen();
    if (closed) {
      throw new IllegalStateException("the cursor is closed");
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    entries = List.of();
    ending.run();
  }
}
