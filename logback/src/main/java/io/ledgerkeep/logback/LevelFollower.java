package io.ledgerkeep.logback;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import io.ledgerkeep.error.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/**
 * Looks now and then, when something is logged or would be at another level, whether the file that
 * holds the level has changed. Decides about no event.
 */
final class LevelFollower extends TurboFilter {

  private static final org.slf4j.Logger LOG = LoggerFactory.getLogger(LevelFollower.class);

  private final Path file;
  private final LedgerLogs.LevelReader reader;
  private final long nanosBetween;
  private final LedgerLogs logs;
  private final LongSupplier nanoTime;
  private final AtomicLong last;
  private volatile String seen;

  LevelFollower(
      Path file,
      LedgerLogs.LevelReader reader,
      Duration every,
      LedgerLogs logs,
      LongSupplier nanoTime) {
    this.file = file;
    this.reader = reader;
    this.nanosBetween = every.toNanos();
    this.logs = logs;
    this.nanoTime = nanoTime;
    this.last = new AtomicLong(nanoTime.getAsLong());
    this.seen = stamp();
  }

  @Override
  public FilterReply decide(
      @Nullable Marker marker,
      Logger logger,
      Level level,
      @Nullable String format,
      Object @Nullable [] params,
      @Nullable Throwable thrown) {
    long now = nanoTime.getAsLong();
    long before = last.get();
    // Who wins has it to do; what is logged meanwhile, by that too, passes by.
    if (now - before >= nanosBetween && last.compareAndSet(before, now)) {
      look();
    }
    return FilterReply.NEUTRAL;
  }

  private void look() {
    String stamp = stamp();
    if (stamp.equals(seen)) {
      return;
    }
    seen = stamp;
    try {
      logs.level(reader.read(file));
    } catch (IOException e) {
      LOG.warn("the level of the log stays {}: {}", logs.level(), e.toString());
    } catch (ConfigurationException e) {
      LOG.warn("the level of the log stays {}: {}", logs.level(), e.getMessage());
    }
  }

  /** Tells one content from another without reading it. */
  private String stamp() {
    try {
      return Files.getLastModifiedTime(file) + " " + Files.size(file);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
