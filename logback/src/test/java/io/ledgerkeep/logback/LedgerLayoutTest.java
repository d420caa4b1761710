package io.ledgerkeep.logback;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.MarkerFactory;
import org.slf4j.event.KeyValuePair;

final class LedgerLayoutTest {

  private static final String FORGED = "info|2022-11-21 20:00:35.479505|[ARCHIVING]all is well";

  @Test
  void aLineHasModuleContentAndPairs() {
    LoggingEvent event = event(Level.INFO, "io.ledgerkeep.core.archiving.Archiver", "run ends");
    event.setKeyValuePairs(
        List.of(new KeyValuePair("blocks", 5), new KeyValuePair("place", "/mnt")));
    assertThat(new LedgerLayout().doLayout(event))
        .isEqualTo(
            "info|2022-11-21 20:00:35.479505|[ARCHIVING]run ends,blocks=5,place=/mnt"
                + System.lineSeparator());
  }

  @Test
  void markersAreInBracketsBehindTheModule() {
    LoggingEvent event = event(Level.INFO, "org.example.scheduler.Executor", "fillBlock end");
    event.addMarker(MarkerFactory.getMarker("blk-1"));
    assertThat(new LedgerLayout().doLayout(event)).contains("|[SCHEDULER][blk-1]fillBlock end");
  }

  @Test
  void thereAreSixLevels() {
    assertThat(levelOf(event(Level.TRACE, "a.b", "x"))).isEqualTo("trace");
    assertThat(levelOf(event(Level.DEBUG, "a.b", "x"))).isEqualTo("debug");
    assertThat(levelOf(event(Level.INFO, "a.b", "x"))).isEqualTo("info");
    assertThat(levelOf(event(Level.WARN, "Main", "x"))).isEqualTo("warning");
    assertThat(levelOf(event(Level.ERROR, "a.b", "x"))).isEqualTo("error");
    LoggingEvent fatal = event(Level.ERROR, "a.b", "x");
    fatal.addMarker(LedgerLogs.FATAL);
    assertThat(new LedgerLayout().doLayout(fatal)).startsWith("fatal|").contains("|[A]x");
  }

  private static String levelOf(LoggingEvent event) {
    String line = new LedgerLayout().doLayout(event);
    return line.substring(0, line.indexOf('|'));
  }

  @ParameterizedTest
  @ValueSource(strings = {"\n", "\r", "\r\n", "\u000b", "\f", "\u0085", "\u2028", "\u2029"})
  void whateverIsLoggedItIsOneLineWithTwoBars(String feed) {
    String forged = "x" + feed + FORGED;
    LoggingEvent event = event(Level.WARN, "io.ledgerkeep." + forged + ".Class", forged);
    event.addMarker(MarkerFactory.getMarker(forged));
    event.setKeyValuePairs(List.of(new KeyValuePair(forged, forged)));
    String line = new LedgerLayout().doLayout(event);
    assertThat(line).endsWith(System.lineSeparator()).startsWith("warning|");
    String text = line.strip();
    assertThat(text).matches("\\P{Cntrl}+").doesNotContain(feed).contains("x\\u", "all is well");
    assertThat(text.chars().filter(c -> c == '|')).hasSize(2);
  }

  @Test
  void aStackTraceForgesNoLineEither() {
    LoggingEvent event =
        new LoggingEvent(
            LedgerLayoutTest.class.getName(),
            new LoggerContext().getLogger("io.ledgerkeep.core.A"),
            Level.ERROR,
            "it failed",
            new IllegalStateException("why\n" + FORGED, new RuntimeException("\n" + FORGED)),
            null);
    List<String> lines = new LedgerLayout().doLayout(event).lines().toList();
    assertThat(lines).hasSizeGreaterThan(5);
    assertThat(lines.get(0)).startsWith("error|").endsWith("|[CORE]it failed");
    assertThat(lines.subList(1, lines.size()))
        .allMatch(line -> line.startsWith("\t") && !line.contains("|"))
        .anyMatch(line -> line.contains("IllegalStateException"))
        .anyMatch(line -> line.contains("aStackTraceForgesNoLineEither"));
  }

  private static LoggingEvent event(Level level, String logger, String message) {
    LoggerContext context = new LoggerContext();
    LoggingEvent event =
        new LoggingEvent(
            LedgerLayoutTest.class.getName(),
            context.getLogger(logger),
            level,
            message,
            null,
            null);
    event.setInstant(
        LocalDateTime.parse("2022-11-21T20:00:35.479505")
            .atZone(ZoneId.systemDefault())
            .toInstant());
    return event;
  }
}
