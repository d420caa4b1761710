package io.ledgerkeep.badger;

import com.google.common.util.concurrent.Uninterruptibles;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * One call of the sidecar: a request, and the messages that answer it. The sidecar sends one
 * message ahead of what was taken, and waits.
 *
 * <p>Waiting is not ended by an interrupt: a write that was given up half way would leave its
 * writer in doubt, and LevelDB, the other engine, cannot be interrupted either.
 *
 * @param <Q> the request
 * @param <R> the messages of the answer
 */
final class Exchange<Q, R> extends ClientCall.Listener<R> {

  /** What arrives: messages, and how the call ended, last. */
  private sealed interface Event<R> {
    record Message<R>(R message) implements Event<R> {}

    record End<R>(Status status, Metadata trailers) implements Event<R> {}
  }

  private final ClientCall<Q, R> call;
  private final Runnable whenEnded;
  private final BlockingQueue<Event<R>> events = new LinkedBlockingQueue<>();
  private final CountDownLatch begun = new CountDownLatch(1);

  private Exchange(ClientCall<Q, R> call, Runnable whenEnded) {
    this.call = call;
    this.whenEnded = whenEnded;
  }

  /**
   * Sends the request. The action is run once the call has ended, on a thread that must not wait.
   */
  static <Q, R> Exchange<Q, R> start(
      Channel channel,
      MethodDescriptor<Q, R> method,
      CallOptions options,
      Q request,
      Runnable whenEnded) {
    Exchange<Q, R> exchange = new Exchange<>(channel.newCall(method, options), whenEnded);
    onConnection(
        () -> {
          exchange.call.start(exchange, new Metadata());
          exchange.call.request(2);
          exchange.call.sendMessage(request);
          exchange.call.halfClose();
        });
    return exchange;
  }

  /** The thread of the connection may have ended, as somebody closed it: then nothing will come. */
  private static void onConnection(Runnable step) {
    try {
      step.run();
    } catch (RejectedExecutionException e) {
      throw Status.UNAVAILABLE
          .withDescription("the connection was closed")
          .withCause(e)
          .asRuntimeException();
    }
  }

  /**
   * Makes a call that is answered by one message.
   *
   * @throws io.grpc.StatusRuntimeException if it fails
   */
  static <Q, R> R unary(
      Channel channel, MethodDescriptor<Q, R> method, CallOptions options, Q request) {
    Exchange<Q, R> exchange = start(channel, method, options, request, () -> {});
    R answer =
        exchange
            .take(Duration.ofDays(1))
            .orElseThrow(() -> Status.INTERNAL.withDescription("no answer").asRuntimeException());
    exchange.take(Duration.ofDays(1));
    return answer;
  }

  /**
   * Waits until the sidecar has begun to answer.
   *
   * @throws io.grpc.StatusRuntimeException if it refused
   */
  void awaitBegin() {
    Uninterruptibles.awaitUninterruptibly(begun);
    if (events.peek() instanceof Event.End<R> end && !end.status().isOk()) {
      throw end.status().asRuntimeException(end.trailers());
    }
  }

  /**
   * Waits for the next message; returns empty once there is none.
   *
   * @throws io.grpc.StatusRuntimeException if the call failed, or nothing came in time
   */
  Optional<R> take(Duration patience) {
    Event<R> event = poll(patience.toNanos());
    if (event instanceof Event.End<R> end) {
      events.add(end); // for whoever asks again
      if (!end.status().isOk()) {
        throw end.status().asRuntimeException(end.trailers());
      }
      return Optional.empty();
    }
    onConnection(() -> call.request(1));
    return Optional.of(((Event.Message<R>) event).message());
  }

  private Event<R> poll(long nanos) {
    boolean interrupted = false;
    try {
      long end = System.nanoTime() + nanos;
      while (true) {
        try {
          Event<R> event = events.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
          if (event != null) {
            return event;
          }
          cancel("nothing came in time");
          throw Status.DEADLINE_EXCEEDED
              .withDescription("nothing came for " + TimeUnit.NANOSECONDS.toSeconds(nanos) + " s")
              .asRuntimeException();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Ends the call. */
  void cancel(String why) {
    try {
      call.cancel(why, null);
    } catch (RejectedExecutionException e) {
      // The thread of the connection has ended, and every call with it.
    }
  }

  @Override
  public void onHeaders(Metadata headers) {
    begun.countDown();
  }

  @Override
  public void onMessage(R message) {
    events.add(new Event.Message<>(message));
    begun.countDown();
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    events.add(new Event.End<>(status, trailers));
    begun.countDown();
    whenEnded.run();
  }
}
