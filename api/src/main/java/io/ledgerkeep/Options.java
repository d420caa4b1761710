package io.ledgerkeep;

import io.ledgerkeep.error.ConfigurationException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Settings in text form for a provider: names and values.
 *
 * <p>Immutable. {@link #toString()} shows the names only: a value may be a secret. A provider calls
 * {@link #onlyAllow} first, so that a misspelt name is refused instead of ignored.
 */
public final class Options {

  private static final Options NONE = new Options(Map.of());

  private final Map<String, String> values;

  private Options(Map<String, String> values) {
    this.values = values;
  }

  /** Returns no settings. */
  public static Options none() {
    return NONE;
  }

  /** Returns one setting. */
  public static Options of(String name, String value) {
    return of(Map.of(name, value));
  }

  /** Returns two settings. */
  public static Options of(String name1, String value1, String name2, String value2) {
    return of(Map.of(name1, value1, name2, value2));
  }

  /** Returns the given settings. */
  public static Options of(Map<String, String> values) {
    return new Options(Map.copyOf(values));
  }

  /** Returns these settings with one more, or with one replaced. */
  public Options with(String name, String value) {
    Map<String, String> more = new TreeMap<>(values);
    more.put(name, value);
    return of(more);
  }

  /**
   * Returns these settings if they name nothing but the given names.
   *
   * @throws ConfigurationException if there is another name; the message lists the known ones
   */
  public Options onlyAllow(String... names) {
    Set<String> known = Set.of(names);
    for (String name : new TreeMap<>(values).keySet()) {
      if (!known.contains(name)) {
        throw new ConfigurationException(
            "unknown option '" + name + "'; known options: " + String.join(", ", names));
      }
    }
    return this;
  }

  /** Returns the value, or empty where the name is not set. */
  public Optional<String> text(String name) {
    return Optional.ofNullable(values.get(name));
  }

  /**
   * Returns the value.
   *
   * @throws ConfigurationException if the name is not set
   */
  public String requiredText(String name) {
    return text(name)
        .orElseThrow(() -> new ConfigurationException("option '" + name + "' is missing"));
  }

  /**
   * Returns the value as a whole number, or the default where the name is not set.
   *
   * @throws ConfigurationException if the value is no whole number from {@code min} to {@code max}
   */
  public long number(String name, long defaultValue, long min, long max) {
    Optional<String> text = text(name);
    if (text.isEmpty()) {
      return defaultValue;
    }
    try {
      long number = Long.parseLong(text.get().strip());
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException e) {
      // told below in the same words as a number out of range
    }
    throw new ConfigurationException(
        "option '" + name + "' must be a whole number from " + min + " to " + max);
  }

  /**
   * Returns the value as {@code true} or {@code false}, or the default where the name is not set.
   *
   * @throws ConfigurationException if the value is neither
   */
  public boolean flag(String name, boolean defaultValue) {
    String text = text(name).orElse(Boolean.toString(defaultValue));
    return switch (text) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new ConfigurationException("option '" + name + "' must be true or false");
    };
  }

  /** Returns the settings as a map. Values may be secrets: never print it. */
  public Map<String, String> asMap() {
    return values;
  }

  @Override
  public boolean equals(Object object) {
    return object instanceof Options other && values.equals(other.values);
  }

  @Override
  public int hashCode() {
    return values.hashCode();
  }

  @Override
  public String toString() {
    return "Options" + new TreeMap<>(values).keySet();
  }
}
