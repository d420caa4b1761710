package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;

final class SeedLayoutTest {

  @Test
  void aLineHasTheSeedsForm() {
    LoggingEvent event = event(Level.INFO, "io.ledgerkeep.core.archiving.Archiver", "run ends");
    event.setKeyValuePairs(
        List.of(new KeyValuePair("blocks", 5), new KeyValuePair("place", "/mnt")));
    assertThat(new SeedLayout().doLayout(event))
        .isEqualTo(
            "info|2022-11-21 20:00:35.479505|[ARCHIVING]run ends,blocks=5,place=/mnt"
                + System.lineSeparator());
  }

  @Test
  void levelsAreNamedAsInTheSeed() {
    assertThat(new SeedLayout().doLayout(event(Level.WARN, "Main", "x")))
        .startsWith("warning|")
        .contains("|[MAIN]x");
    assertThat(new SeedLayout().doLayout(event(Level.ERROR, "a.b", "x"))).startsWith("error|");
  }

  private static LoggingEvent event(Level level, String logger, String message) {
    LoggerContext context = new LoggerContext();
    LoggingEvent event =
        new LoggingEvent(
            SeedLayoutTest.class.getName(), context.getLogger(logger), level, message, null, null);
    event.setInstant(
        LocalDateTime.parse("2022-11-21T20:00:35.479505")
            .atZone(ZoneId.systemDefault())
            .toInstant());
    return event;
  }
}
