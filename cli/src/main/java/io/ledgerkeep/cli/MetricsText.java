package io.ledgerkeep.cli;

import io.ledgerkeep.cli.monitor.Measure;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tag;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Measures in the text format of Prometheus. */
final class MetricsText {

  static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private MetricsText() {}

  static String of(List<Measure> measures) {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    for (Measure measure : measures) {
      List<Tag> tags =
          measure.tags().entrySet().stream()
              .map(tag -> Tag.of(tag.getKey(), tag.getValue()))
              .toList();
      if (measure.count().isPresent()) {
        FunctionTimer.builder(
                measure.name(),
                measure,
                of -> of.count().orElseThrow(),
                Measure::value,
                TimeUnit.SECONDS)
            .tags(tags)
            .register(registry);
      } else {
        Gauge.builder(measure.name(), measure::value)
            .baseUnit(measure.unit().isEmpty() ? null : measure.unit())
            .tags(tags)
            .register(registry);
      }
    }
    String text = registry.scrape();
    registry.close();
    return text;
  }
}
