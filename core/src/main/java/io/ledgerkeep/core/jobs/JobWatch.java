package io.ledgerkeep.core.jobs;

import com.google.common.util.concurrent.RateLimiter;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.Progress;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells progress, keeps to the rate and asks whether to go on. For the job's thread. */
public final class JobWatch {

  private static final Logger LOG = LoggerFactory.getLogger(JobWatch.class);

  /** A limiter hands out whole permits; a permit is so many bytes. */
  private static final int PERMIT_BYTES = 1024;

  private final JobControl control;
  private final BooleanSupplier closing;
  private final @Nullable RateLimiter limiter;
  private String phase = "";
  private long totalBlocks;
  private long doneBlocks;
  private long bytes;
  private long begin = System.nanoTime();

  /** Watches a job under the caller's control, which also ends when the ledger closes. */
  public JobWatch(JobControl control, BooleanSupplier closing) {
    this.control = control;
    this.closing = closing;
    this.limiter =
        control.maxBytesPerSecond().isPresent()
            ? RateLimiter.create(
                Math.max(1.0, (double) control.maxBytesPerSecond().getAsLong() / PERMIT_BYTES))
            : null;
  }

  /** Begins a phase. */
  public void begin(String newPhase, long blocks) {
    phase = newPhase;
    totalBlocks = blocks;
    doneBlocks = 0;
    bytes = 0;
    begin = System.nanoTime();
    LOG.atDebug().addKeyValue("blocks", blocks).log("at {}", newPhase);
    tell();
  }

  /** Notes what was dealt with; waits where that was faster than the rate allows. */
  public void advance(long blocks, long moreBytes) {
    doneBlocks += blocks;
    bytes += moreBytes;
    if (limiter != null && moreBytes > 0) {
      limiter.acquire((int) Math.min(Integer.MAX_VALUE, Math.max(1, moreBytes / PERMIT_BYTES)));
    }
    tell();
  }

  /** Returns whether the job has to end at the next safe place. */
  public boolean isCancelled() {
    return closing.getAsBoolean() || control.cancelled().getAsBoolean();
  }

  private void tell() {
    control
        .listener()
        .accept(
            new Progress(
                phase,
                doneBlocks,
                totalBlocks,
                bytes,
                Duration.ofNanos(System.nanoTime() - begin)));
  }
}
