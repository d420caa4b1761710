package io.ledgerkeep.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page lists what there is. */
final class MetricsPageTest {

  private static final Path PAGE = Path.of("..", "docs", "metrics.md");
  private static final int SHOWN_BY = 3;

  @TempDir private Path directory;

  @Test
  void theTableHasEveryMeasureOfANode() throws IOException {
    List<List<String>> rows = new ArrayList<>();
    for (String line : Files.readAllLines(PAGE)) {
      List<String> cells =
          new ArrayList<>(Arrays.stream(line.split("\\|", -1)).map(String::strip).toList());
      if (line.startsWith("| `" + Measure.PREFIX)) {
        assertThat(cells).as(line).hasSize(7);
        cells.remove(cells.size() - 1);
        cells.remove(0);
        if (cells.remove(SHOWN_BY).contains("node")) {
          rows.add(cells);
        }
      }
    }
    assertThat(rows)
        .containsExactlyElementsOf(Stream.of(Measure.values()).map(Measure::cells).toList());
  }

  /** So that none of them is listed and never bound. */
  @Test
  void everyMeasureIsBoundWithItsUnitAndMeaning() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    try (Ledger ledger =
        Ledgerkeep.builder()
            .directory(directory)
            .storage(new InMemoryStorage(new MemoryDisk()), Options.none())
            .open()) {
      LedgerMetrics.of(ledger).withDisk("ledger", directory).bindTo(registry);
    }
    TreeSet<String> bound = new TreeSet<>();
    for (Meter meter : registry.getMeters()) {
      Meter.Id id = meter.getId();
      bound.add(
          "%s %s %s"
              .formatted(
                  id.getName(), Objects.toString(id.getBaseUnit(), ""), id.getDescription()));
    }
    assertThat(bound)
        .containsExactlyInAnyOrderElementsOf(
            Stream.of(Measure.values())
                .map(any -> "%s %s %s".formatted(any.id, any.unit, any.meaning))
                .toList());
  }
}
