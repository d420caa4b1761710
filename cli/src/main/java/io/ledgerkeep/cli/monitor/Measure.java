package io.ledgerkeep.cli.monitor;

import java.util.Map;
import java.util.OptionalLong;

/**
 * A number that a round found.
 *
 * @param name in Micrometer's way
 * @param unit empty where it has none
 * @param tags what tells it from others of the name
 * @param value the number; of what took time, all of it together
 * @param count how often something took it; empty for what is no duration of things that ended
 */
public record Measure(
    String name, String unit, Map<String, String> tags, double value, OptionalLong count) {

  /** Copies the tags. */
  public Measure {
    tags = Map.copyOf(tags);
  }
}
