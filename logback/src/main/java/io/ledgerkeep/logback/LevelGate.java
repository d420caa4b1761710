package io.ledgerkeep.logback;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;

/** Lets an appender have what is of a level or above; Logback's own filter knows no fatal. */
final class LevelGate extends Filter<ILoggingEvent> {

  private volatile LogLevel least;

  LevelGate(LogLevel least) {
    this.least = least;
  }

  void least(LogLevel level) {
    least = level;
  }

  @Override
  public FilterReply decide(ILoggingEvent event) {
    return LogLevel.of(event).compareTo(least) < 0 ? FilterReply.DENY : FilterReply.NEUTRAL;
  }
}
