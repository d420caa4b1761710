package io.ledgerkeep.badger;

import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.ledgerkeep.badger.proto.StoreRef;
import io.ledgerkeep.error.StorageException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;

/** The calls of one store: within a time, and again where the sidecar went away meanwhile. */
final class Calls {

  private final Sidecar sidecar;
  private final Lease lease;
  private final BadgerConfig config;
  private volatile boolean closed;

  Calls(Sidecar sidecar, Lease lease, BadgerConfig config) {
    this.sidecar = sidecar;
    this.lease = lease;
    this.config = config;
  }

  /** How long one message of an answer may take. */
  Duration deadline() {
    return config.deadline();
  }

  /** Ends all waiting for a sidecar; every later call is refused. */
  void close() {
    closed = true;
  }

  void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the store is closed");
    }
  }

  /** Makes a call that may be repeated, within the deadline. */
  <Q, R> R call(String action, MethodDescriptor<Q, R> method, Function<StoreRef, Q> request) {
    return again(action, ref -> once(method, options(), request.apply(ref)));
  }

  /**
   * Makes a call that may be repeated and may take long; a sidecar that is gone ends it as well.
   */
  <Q, R> R longCall(String action, MethodDescriptor<Q, R> method, Function<StoreRef, Q> request) {
    return again(action, ref -> once(method, CallOptions.DEFAULT, request.apply(ref)));
  }

  /** Makes calls under a lease that must not be replaced; waits only for a sidecar that is busy. */
  <T> T underLease(String action, Supplier<T> attempt) {
    Pauses pauses = new Pauses(config.patience());
    while (true) {
      requireOpen();
      try {
        return attempt.get();
      } catch (StatusRuntimeException e) {
        if (closed || !BadgerErrors.isBusy(e) || !pauses.pause()) {
          throw failed(action, e);
        }
      }
    }
  }

  /** Makes a call once, as a part of {@link #again}. */
  <Q, R> R attempt(MethodDescriptor<Q, R> method, Q request) {
    return once(method, options(), request);
  }

  /** Begins a call that is answered by a stream; returns once the sidecar has begun to answer. */
  <Q, R> Exchange<Q, R> stream(MethodDescriptor<Q, R> method, Q request) {
    Exchange<Q, R> exchange = start(method, CallOptions.DEFAULT, request);
    exchange.awaitBegin();
    return exchange;
  }

  /** Sends a request whose answer nobody waits for. */
  <Q, R> void tell(MethodDescriptor<Q, R> method, Q request) {
    start(method, options(), request);
  }

  private <Q, R> Exchange<Q, R> start(
      MethodDescriptor<Q, R> method, CallOptions options, Q request) {
    return Exchange.start(sidecar.channel(), method, options, request, () -> {});
  }

  private <Q, R> R once(MethodDescriptor<Q, R> method, CallOptions options, Q request) {
    return Exchange.unary(sidecar.channel(), method, options, request);
  }

  private CallOptions options() {
    return CallOptions.DEFAULT.withDeadlineAfter(
        config.deadline().toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Tries until it succeeds, fails for good, or has failed for longer than one has patience. */
  <T> T again(String action, Function<StoreRef, T> attempt) {
    Pauses pauses = new Pauses(config.patience());
    while (true) {
      requireOpen();
      try {
        StoreRef ref = lease.ref();
        try {
          return attempt.apply(ref);
        } catch (StatusRuntimeException e) {
          if (BadgerErrors.mayPass(e) && !BadgerErrors.isBusy(e)) {
            lease.lost(ref);
          }
          throw e;
        }
      } catch (StatusRuntimeException e) {
        if (closed || !BadgerErrors.mayPass(e) || !pauses.pause()) {
          throw failed(action, e);
        }
        sidecar.revive();
      }
    }
  }

  /** Returns what to throw; what a close cut off was closed, and did not fail. */
  RuntimeException failed(String action, StatusRuntimeException e) {
    if (closed) {
      return new IllegalStateException("the store is closed", e);
    }
    return BadgerErrors.translated(
        action + " the Badger store " + lease.store(), sidecar.where(), e);
  }

  /** Whether the failure leaves open what became of the call. */
  static boolean leavesDoubt(RuntimeException e) {
    return !(e instanceof IllegalArgumentException)
        && !(e instanceof StorageException storage && storage.isOutOfSpace());
  }
}
