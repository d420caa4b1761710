package io.ledgerkeep.logback;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.rolling.SizeAndTimeBasedFileNamingAndTriggeringPolicy;
import ch.qos.logback.core.rolling.helper.ArchiveRemover;
import ch.qos.logback.core.rolling.helper.FileNamePattern;
import ch.qos.logback.core.rolling.helper.RollingCalendar;
import ch.qos.logback.core.rolling.helper.SizeAndTimeBasedArchiveRemover;
import java.time.Instant;
import java.util.Objects;

/**
 * Ends files by size and day as Logback does, and repairs how it removes them. It does so on
 * several threads that set one calendar to the day they look at. Two at once can meet the files of
 * today under another day too, count them twice, and remove them all for being too large together.
 */
final class SizeAndDay extends SizeAndTimeBasedFileNamingAndTriggeringPolicy<ILoggingEvent> {

  private final String pattern;
  private final String patternUncompressed;

  SizeAndDay(String pattern, String patternUncompressed) {
    this.pattern = pattern;
    this.patternUncompressed = patternUncompressed;
  }

  @Override
  protected ArchiveRemover createArchiveRemover() {
    FileNamePattern files = new FileNamePattern(pattern, context);
    return new SizeAndTimeBasedArchiveRemover(
        files,
        new FileNamePattern(patternUncompressed, context),
        new OneAtATime(
            Objects.requireNonNull(files.getPrimaryDateTokenConverter()).getDatePattern()));
  }

  private static final class OneAtATime extends RollingCalendar {

    OneAtATime(String datePattern) {
      super(datePattern);
    }

    @Override
    public synchronized Instant getEndOfNextNthPeriod(Instant now, int periods) {
      return super.getEndOfNextNthPeriod(now, periods);
    }
  }
}
