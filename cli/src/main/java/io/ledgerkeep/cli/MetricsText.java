package io.ledgerkeep.cli;

import io.ledgerkeep.cli.monitor.Measure;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;

/** Measures in the text format of Prometheus. */
final class MetricsText {

  static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private MetricsText() {}

  static String of(List<Measure> measures) {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    for (Measure measure : measures) {
      Gauge.builder(measure.name(), measure::value)
          .baseUnit(measure.unit().isEmpty() ? null : measure.unit())
          .tags(measure.tag().isEmpty() ? Tags.empty() : Tags.of(measure.tag(), measure.tagValue()))
          .register(registry);
    }
    String text = registry.scrape();
    registry.close();
    return text;
  }
}
