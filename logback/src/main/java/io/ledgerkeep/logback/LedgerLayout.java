package io.ledgerkeep.logback;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.LayoutBase;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import org.slf4j.Marker;
import org.slf4j.event.KeyValuePair;

/**
 * Lays a log event out as {@code level|yyyy-MM-dd
 * HH:mm:ss.SSSSSS|[MODULE][MARKER]content,key=value}. The module is the package that the logger is
 * named after; markers are there where the event has them. A stack trace follows in lines that
 * begin with a tab.
 *
 * <p>Nobody forges a line by what is logged: of a line feed, any other control character and {@code
 * |} there is the code instead, such as {@code \\u000a}. So a line that does not begin with a tab
 * is an event, and has two {@code |}.
 */
public final class LedgerLayout extends LayoutBase<ILoggingEvent> {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSSSSS", Locale.ROOT)
          .withZone(ZoneId.systemDefault());

  @Override
  public String doLayout(ILoggingEvent event) {
    StringBuilder line = new StringBuilder();
    line.append(LogLevel.of(event)).append('|');
    line.append(TIME.format(event.getInstant())).append('|');
    line.append('[').append(safe(module(event.getLoggerName()))).append(']');
    List<Marker> markers = event.getMarkerList();
    if (markers != null) {
      markers.stream()
          .filter(marker -> !marker.equals(LedgerLogs.FATAL))
          .forEach(marker -> line.append('[').append(safe(marker.getName())).append(']'));
    }
    line.append(safe(event.getFormattedMessage()));
    List<KeyValuePair> pairs = event.getKeyValuePairs();
    if (pairs != null) {
      pairs.forEach(
          pair -> line.append(',').append(safe(pair.key)).append('=').append(safe(pair.value)));
    }
    line.append(System.lineSeparator());
    if (event.getThrowableProxy() != null) {
      ThrowableProxyUtil.asString(event.getThrowableProxy())
          .lines()
          .forEach(
              row -> line.append('\t').append(safe(row.strip())).append(System.lineSeparator()));
    }
    return line.toString();
  }

  private static String module(String logger) {
    String[] parts = logger.split("\\.", -1);
    String part = parts.length > 1 ? parts[parts.length - 2] : logger;
    return part.toUpperCase(Locale.ROOT);
  }

  private static String safe(Object logged) {
    String text = String.valueOf(logged);
    if (text.chars().noneMatch(LedgerLayout::isUnsafe)) {
      return text;
    }
    StringBuilder safe = new StringBuilder();
    text.chars()
        .forEach(
            c -> {
              if (isUnsafe(c)) {
                safe.append("\\u%04x".formatted(c));
              } else {
                safe.append((char) c);
              }
            });
    return safe.toString();
  }

  private static boolean isUnsafe(int c) {
    return c == '|' || Character.isISOControl(c) || c == '\u2028' || c == '\u2029';
  }
}
