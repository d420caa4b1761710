package io.ledgerkeep.core.jobs;

import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import java.time.Instant;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets one maintenance job run on a ledger. Across processes the owner lock of the ledger's
 * directory sees to that. Serves any number of threads.
 */
public final class JobLock {

  private static final Logger LOG = LoggerFactory.getLogger(JobLock.class);

  private final Semaphore free = new Semaphore(1);
  private final Runnable changed;
  private volatile @Nullable Holder holder;
  private volatile boolean closing;

  /** Makes a lock that nobody has. */
  public JobLock() {
    this(() -> {});
  }

  /**
   * Makes a lock that nobody has.
   *
   * @param changed runs when a job has taken the lock, and before it gives it up
   */
  public JobLock(Runnable changed) {
    this.changed = changed;
  }

  private record Holder(String job, Instant since, Thread thread) {}

  /** Ends the job's hold on the lock. */
  public interface Lease extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Takes the lock.
   *
   * @throws ConflictException {@link Reason#JOB_RUNNING} with the job that has it
   */
  public Lease take(String job) {
    if (!free.tryAcquire()) {
      throw refused();
    }
    if (closing) { // asked only now, so that no job begins once close has waited for the last one
      free.release();
      throw refused();
    }
    holder = new Holder(job, Instant.now(), Thread.currentThread());
    AtomicBoolean held = new AtomicBoolean(true);
    Lease lease =
        () -> {
          if (held.getAndSet(false)) {
            LOG.info("{} ends", job);
            holder = null;
            try {
              changed.run();
            } finally {
              free.release();
            }
          }
        };
    try {
      LOG.info("{} begins", job);
      changed.run();
    } catch (RuntimeException | Error e) {
      lease.close();
      throw e;
    }
    return lease;
  }

  private ConflictException refused() {
    Holder other = holder;
    return new ConflictException(
        Reason.JOB_RUNNING,
        other == null
            ? closing ? "the ledger is being closed" : "another job runs on this ledger"
            : "job '%s' runs on this ledger since %s in process %s"
                .formatted(other.job(), other.since(), ProcessHandle.current().pid()));
  }

  /** Returns the name of the job that runs, or an empty text. */
  public String runningJob() {
    Holder now = holder;
    return now == null ? "" : now.job();
  }

  /** Returns whether jobs have to end. */
  public boolean isClosing() {
    return closing;
  }

  /**
   * Tells the running job to end, waits for it, and lets none begin any more.
   *
   * @throws IllegalStateException on the job's own thread, which would wait for itself
   */
  public void close() {
    Holder now = holder;
    if (now != null && now.thread() == Thread.currentThread()) {
      throw new IllegalStateException(
          "job '%s' cannot close the ledger it works on: cancel it, and close when it has ended"
              .formatted(now.job()));
    }
    closing = true;
    free.acquireUninterruptibly();
    free.release();
  }
}
