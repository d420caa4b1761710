package io.ledgerkeep.logback;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import io.ledgerkeep.error.ConfigurationException;
import java.util.Locale;

/** How much a line matters, from the least to the most. */
public enum LogLevel {
  /** Every step. */
  TRACE,
  /** The path taken. */
  DEBUG,
  /** What an operator may want to know. */
  INFO,
  /** What an operator should look at. */
  WARNING,
  /** What failed. */
  ERROR,
  /** What ends the node: an error with the marker {@link LedgerLogs#FATAL}. */
  FATAL;

  /**
   * Returns the level of that name, in any case; {@code warn} is one too.
   *
   * @throws ConfigurationException if there is none
   */
  public static LogLevel of(String name) {
    for (LogLevel level : values()) {
      if (level.toString().equalsIgnoreCase(name)) {
        return level;
      }
    }
    if (name.equalsIgnoreCase("warn")) {
      return WARNING;
    }
    throw new ConfigurationException(
        "level must be trace, debug, info, warning, error or fatal, not '" + name + "'");
  }

  static LogLevel of(ILoggingEvent event) {
    return switch (event.getLevel().toInt()) {
      case Level.ERROR_INT -> isFatal(event) ? FATAL : ERROR;
      case Level.WARN_INT -> WARNING;
      case Level.INFO_INT -> INFO;
      case Level.DEBUG_INT -> DEBUG;
      default -> TRACE;
    };
  }

  private static boolean isFatal(ILoggingEvent event) {
    return event.getMarkerList() != null && event.getMarkerList().contains(LedgerLogs.FATAL);
  }

  Level logback() {
    return switch (this) {
      case TRACE -> Level.TRACE;
      case DEBUG -> Level.DEBUG;
      case INFO -> Level.INFO;
      case WARNING -> Level.WARN;
      case ERROR, FATAL -> Level.ERROR;
    };
  }

  LogLevel orMore(LogLevel other) {
    return compareTo(other) < 0 ? other : this;
  }

  /** Returns the name as log lines and configurations have it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
