package io.ledgerkeep.badger;

import io.grpc.CallOptions;
import io.grpc.StatusRuntimeException;
import io.ledgerkeep.badger.proto.CloseRequest;
import io.ledgerkeep.badger.proto.EngineGrpc;
import io.ledgerkeep.badger.proto.HoldEvent;
import io.ledgerkeep.badger.proto.HoldRequest;
import io.ledgerkeep.badger.proto.StoreRef;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The right to one store, for as long as the engine is open. It is kept up by a call that stays
 * open; where that breaks, the next use takes the store up anew, under the same owner's id.
 */
final class Lease {

  private static final Logger LOG = LoggerFactory.getLogger(Lease.class);

  /** Opening a store reads back what a crash left in its logs. */
  private static final Duration OPENING = Duration.ofMinutes(10);

  private static final Duration CLOSING = Duration.ofMinutes(2);

  /** What calls name the store by, and the call that keeps it. */
  private record Held(StoreRef ref, Exchange<HoldRequest, HoldEvent> exchange) {}

  private final Sidecar sidecar;
  private final String store;
  private final String ownerId = UUID.randomUUID().toString();

  // Changed under the monitor of this only.
  private volatile @Nullable Held held;
  private volatile boolean closed;

  Lease(Sidecar sidecar, String store) {
    this.sidecar = sidecar;
    this.store = store;
  }

  String store() {
    return store;
  }

  /**
   * Takes the store for the first time.
   *
   * @param mustExist whether a store that is absent is refused rather than made
   */
  synchronized HoldEvent hold(boolean mustExist) {
    return hold(mustExist, false);
  }

  private HoldEvent hold(boolean mustExist, boolean resume) {
    HoldRequest request =
        HoldRequest.newBuilder()
            .setStore(store)
            .setOwnerId(ownerId)
            .setOwnerName(ownerName())
            .setOwnerProcess(ProcessHandle.current().pid())
            .setExistingOnly(mustExist)
            .setResume(resume)
            .build();
    Exchange<HoldRequest, HoldEvent> exchange =
        Exchange.start(
            sidecar.channel(), EngineGrpc.getHoldMethod(), CallOptions.DEFAULT, request, () -> {});
    HoldEvent event = exchange.take(OPENING).orElseThrow(() -> new AssertionError("no lease"));
    held =
        new Held(
            StoreRef.newBuilder().setStore(store).setLease(event.getLease()).build(), exchange);
    return event;
  }

  /** Returns what calls name the store by; takes the store anew if the lease was lost. */
  StoreRef ref() {
    Held now = held;
    return now != null ? now.ref() : newRef();
  }

  private synchronized StoreRef newRef() {
    if (closed) {
      throw new IllegalStateException("the store is closed");
    }
    if (held == null) {
      hold(true, true);
    }
    return Objects.requireNonNull(held).ref();
  }

  /** Forgets the lease, unless it was replaced already: the next use takes the store anew. */
  synchronized void lost(StoreRef ref) {
    if (held != null && held.ref().equals(ref)) {
      drop();
    }
  }

  /**
   * Forgets the lease. When the store was taken anew, no call made under the old one changes
   * anything any more.
   */
  synchronized void drop() {
    Held dropped = held;
    held = null;
    if (dropped != null) {
      dropped.exchange().cancel("the lease is taken anew");
    }
  }

  /** Gives the store back. What was written is durable, whether the sidecar answers or not. */
  synchronized void close() {
    closed = true;
    Held last = held;
    held = null;
    if (last == null) {
      return;
    }
    try {
      Exchange.unary(
          sidecar.channel(),
          EngineGrpc.getCloseMethod(),
          CallOptions.DEFAULT.withDeadlineAfter(CLOSING.toMillis(), TimeUnit.MILLISECONDS),
          CloseRequest.newBuilder().setRef(last.ref()).build());
    } catch (StatusRuntimeException e) {
      LOG.debug("{} did not close the store {}", sidecar.where(), store, e);
    } finally {
      last.exchange().cancel("the store was closed");
    }
  }

  private static String ownerName() {
    return "ledgerkeep on " + hostName();
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "a host without a name";
    }
  }
}
