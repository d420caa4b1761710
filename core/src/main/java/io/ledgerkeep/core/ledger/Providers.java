package io.ledgerkeep.core.ledger;

import io.ledgerkeep.error.ConfigurationException;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.function.Function;

/** Finds providers by name. Nothing is cached: the class loader of each opening decides. */
final class Providers {

  private Providers() {}

  /**
   * Returns the provider of the name.
   *
   * @throws ConfigurationException if there is none, or two of one name
   */
  static <P> P named(
      String wanted, String what, Class<P> type, Function<P, String> name, ClassLoader loader) {
    Map<String, P> found = found(what, type, name, loader);
    P provider = found.get(wanted);
    if (provider == null) {
      throw new ConfigurationException(
          "no %s named '%s'; found: %s. Is its jar on the path?"
              .formatted(
                  what, wanted, found.isEmpty() ? "none" : String.join(", ", found.keySet())));
    }
    return provider;
  }

  /** Returns all providers of a type, by name. */
  static <P> Map<String, P> found(
      String what, Class<P> type, Function<P, String> name, ClassLoader loader) {
    Map<String, P> found = new TreeMap<>();
    try {
      for (P provider : ServiceLoader.load(type, loader)) {
        P twin = found.put(name.apply(provider), provider);
        if (twin != null && !twin.getClass().equals(provider.getClass())) {
          throw new ConfigurationException(
              "two providers of %s '%s': %s and %s; keep one of them"
                  .formatted(
                      what,
                      name.apply(provider),
                      twin.getClass().getName(),
                      provider.getClass().getName()));
        }
      }
    } catch (ServiceConfigurationError e) {
      throw new ConfigurationException(
          "a provider of a " + what + " cannot be loaded: " + e.getMessage(), e);
    }
    return found;
  }
}
