package io.ledgerkeep.core.sealing;

import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.error.ConfigurationException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The cipher suites at hand: data sealed under any of them can be read. */
public final class Suites {

  private final Map<Integer, CipherSuite> byId = new TreeMap<>();

  /** Collects the suites of the providers. */
  public Suites(Iterable<EncryptorProvider> providers) {
    for (EncryptorProvider provider : providers) {
      for (CipherSuite suite : provider.suites()) {
        CipherSuite twin = byId.putIfAbsent(suite.id(), suite);
        if (twin != null && !twin.getClass().equals(suite.getClass())) {
          throw new ConfigurationException(
              "two cipher suites have the number %s: %s and %s; keep one of them"
                  .formatted(suite.id(), twin.name(), suite.name()));
        }
      }
    }
  }

  /** Returns whether a suite has the number. */
  boolean has(int id) {
    return byId.containsKey(id);
  }

  /** Returns all suites. */
  List<CipherSuite> all() {
    return List.copyOf(byId.values());
  }

  /** Returns the suite that a stored number means. */
  CipherSuite of(int id) {
    CipherSuite suite = byId.get(id);
    if (suite == null) {
      throw new ConfigurationException(
          "the data are sealed with cipher suite %s, which is not at hand; found: %s. Is its jar on the path?"
              .formatted(id, names()));
    }
    return suite;
  }

  /** Returns the suite of the name. */
  CipherSuite named(String name) {
    return byId.values().stream()
        .filter(suite -> suite.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new ConfigurationException(
                    "no cipher suite is named '%s'; found: %s".formatted(name, names())));
  }

  private List<String> names() {
    return byId.values().stream().map(CipherSuite::name).toList();
  }
}
