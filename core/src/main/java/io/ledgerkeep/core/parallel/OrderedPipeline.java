package io.ledgerkeep.core.parallel;

import com.google.common.base.Throwables;
import com.google.common.util.concurrent.Uninterruptibles;
import io.ledgerkeep.error.StorageException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Runs tasks on an executor and gives their results back in the order of the tasks.
 *
 * <p>For one thread, which submits and takes. Only so many tasks, of so many bytes, are under way
 * at a time: ask {@link #isFull()} before submitting. A result that is wanted before any thread of
 * the executor came to its task is computed by the calling thread, so an executor that is busy, or
 * of which the caller holds the last thread, slows the work and never stops it; one that runs tasks
 * directly, or refuses them, makes everything run inline.
 *
 * <p>The first failure comes out of {@link #take()}; tasks not begun are dropped then, and none is
 * running any more when it comes out. {@link #close()} does the same without a failure.
 *
 * @param <R> what a task returns
 */
public final class OrderedPipeline<R> implements AutoCloseable {

  /** Computes one result. */
  @FunctionalInterface
  public interface Task<R> {

    /** Returns the result. */
    R run();
  }

  private static final int TASKS_PER_CORE = 2;
  private static final long MAX_BYTES = 32L << 20;

  private final Executor executor;
  private final int maxTasks;
  private final long maxBytes;
  private final Deque<Pending<R>> pending = new ArrayDeque<>();
  private long pendingBytes;
  private boolean closed;

  /** Creates a pipeline that keeps all cores busy, within 32 MiB. */
  public OrderedPipeline(Executor executor) {
    this(executor, TASKS_PER_CORE * Runtime.getRuntime().availableProcessors(), MAX_BYTES);
  }

  /**
   * Creates a pipeline.
   *
   * @param maxTasks the most tasks under way
   * @param maxBytes the most bytes under way, as the tasks declare them; one task may exceed it
   */
  public OrderedPipeline(Executor executor, int maxTasks, long maxBytes) {
    this.executor = executor;
    this.maxTasks = maxTasks;
    this.maxBytes = maxBytes;
  }

  /** Returns whether a result should be taken before another task is submitted. */
  public boolean isFull() {
    return pending.size() >= maxTasks || pendingBytes >= maxBytes;
  }

  /** Returns whether no result is left to take. */
  public boolean isEmpty() {
    return pending.isEmpty();
  }

  /** Hands a task of the given size to the executor. */
  public void submit(long bytes, Task<R> task) {
    if (closed) {
      throw new IllegalStateException("the pipeline is closed");
    }
    Pending<R> next = new Pending<>(bytes, task);
    pending.add(next);
    pendingBytes += bytes;
    try {
      executor.execute(next);
    } catch (RejectedExecutionException e) {
      next.run();
    }
  }

  /**
   * Returns the result of the oldest task, waiting for it where need be.
   *
   * @throws StorageException if the thread is interrupted while it waits; the interrupt flag is set
   */
  public R take() {
    Pending<R> oldest = runOldest();
    try {
      oldest.ended.await();
    } catch (InterruptedException e) {
      oldest.awaitEnd();
      close();
      Thread.currentThread().interrupt();
      throw new StorageException(
          StorageException.Kind.RETRYABLE, "the thread was interrupted; call again", e);
    }
    return resultOf(oldest);
  }

  /** Returns the result of the oldest task as {@link #take()}, also on an interrupted thread. */
  public R takeUninterruptibly() {
    Pending<R> oldest = runOldest();
    oldest.awaitEnd();
    return resultOf(oldest);
  }

  private Pending<R> runOldest() {
    Pending<R> oldest = pending.remove();
    pendingBytes -= oldest.bytes;
    oldest.run();
    return oldest;
  }

  private R resultOf(Pending<R> ended) {
    try {
      return ended.result();
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /** Drops the tasks not begun and waits for those that run; closing twice does nothing. */
  @Override
  public void close() {
    closed = true;
    pending.forEach(Pending::drop);
    pending.forEach(Pending::awaitEnd);
    pending.clear();
    pendingBytes = 0;
  }

  /** A task that is run once, by whoever comes first. */
  private static final class Pending<R> implements Runnable {

    private final long bytes;
    private final AtomicReference<@Nullable Task<R>> task;
    private final CountDownLatch ended = new CountDownLatch(1);
    // Written before the latch opens, read after it.
    private @Nullable R result;
    private @Nullable Throwable failure;

    Pending(long bytes, Task<R> task) {
      this.bytes = bytes;
      this.task = new AtomicReference<>(task);
    }

    @Override
    public void run() {
      Task<R> mine = task.getAndSet(null);
      if (mine == null) {
        return;
      }
      try {
        result = mine.run();
      } catch (Throwable e) {
        failure = e;
      } finally {
        ended.countDown();
      }
    }

    void drop() {
      if (task.getAndSet(null) != null) {
        ended.countDown();
      }
    }

    R result() {
      if (failure != null) {
        Throwables.throwIfUnchecked(failure);
        throw new AssertionError("a task throws nothing checked", failure);
      }
      return Objects.requireNonNull(result, "a task returns something");
    }

    void awaitEnd() {
      Uninterruptibles.awaitUninterruptibly(ended);
    }
  }
}
