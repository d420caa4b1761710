package io.ledgerkeep.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.LayoutBase;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import org.slf4j.event.KeyValuePair;

/**
 * Lays a log event out as {@code level|yyyy-MM-dd HH:mm:ss.SSSSSS|[MODULE]content,key=value}. The
 * module is the package that the logger is named after.
 */
public final class SeedLayout extends LayoutBase<ILoggingEvent> {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSSSSS", Locale.ROOT)
          .withZone(ZoneId.systemDefault());

  @Override
  public String doLayout(ILoggingEvent event) {
    StringBuilder line = new StringBuilder();
    line.append(level(event.getLevel())).append('|');
    line.append(TIME.format(event.getInstant())).append('|');
    line.append('[').append(module(event.getLoggerName())).append(']');
    line.append(event.getFormattedMessage());
    List<KeyValuePair> pairs = event.getKeyValuePairs();
    if (pairs != null) {
      pairs.forEach(pair -> line.append(',').append(pair.key).append('=').append(pair.value));
    }
    line.append(System.lineSeparator());
    if (event.getThrowableProxy() != null) {
      line.append(ThrowableProxyUtil.asString(event.getThrowableProxy()));
    }
    return line.toString();
  }

  private static String level(Level level) {
    return level == Level.WARN ? "warning" : level.toString().toLowerCase(Locale.ROOT);
  }

  private static String module(String logger) {
    String[] parts = logger.split("\\.", -1);
    String part = parts.length > 1 ? parts[parts.length - 2] : logger;
    return part.toUpperCase(Locale.ROOT);
  }
}
