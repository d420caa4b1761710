package io.ledgerkeep.cli.monitor;

/**
 * A number that a round found.
 *
 * @param name in Micrometer's way
 * @param unit empty where it has none
 * @param tag what tells it from others of the name; empty where there is one only
 * @param tagValue which of them it is
 * @param value the number
 */
public record Measure(String name, String unit, String tag, String tagValue, double value) {}
