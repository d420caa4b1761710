package io.ledgerkeep.core.control;

import io.ledgerkeep.Backup;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep.Maintenance;
import io.ledgerkeep.archive.Archiver;
import io.ledgerkeep.archive.Restorer;
import io.ledgerkeep.encryption.LedgerKeys;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.Optional;

/** What of the API can be called from another process, and by which names. */
final class Services {

  static final String LEDGER = "ledger";
  static final String KEYS = "keys";

  /** The interfaces, each with the method of {@link Maintenance} that gives it as its name. */
  private static final Map<String, Class<?>> INTERFACES =
      Map.of(
          LEDGER,
          Maintenance.class,
          "archiver",
          Archiver.class,
          "restorer",
          Restorer.class,
          "backup",
          Backup.class,
          "jobs",
          Ledger.Jobs.class,
          KEYS,
          LedgerKeys.class);

  private Services() {}

  /** Returns the interface of a service, if there is one of the name. */
  static Optional<Class<?>> find(String service) {
    return Optional.ofNullable(INTERFACES.get(service));
  }

  /** Returns whether a method of {@link Maintenance} gives another service. */
  static boolean givesService(Method method) {
    return method.getDeclaringClass() == Maintenance.class
        && INTERFACES.containsKey(method.getName());
  }

  /** Returns the method that a call means; no two of a service have the same name. */
  static Optional<Method> method(Class<?> service, String name, int arguments) {
    for (Method method : service.getMethods()) {
      if (method.getName().equals(name)
          && method.getParameterCount() == arguments
          && !givesService(method)
          && !java.lang.reflect.Modifier.isStatic(method.getModifiers())) {
        return Optional.of(method);
      }
    }
    return Optional.empty();
  }

  /** Returns what a call goes to. */
  static Object target(Maintenance ledger, String service) {
    return switch (service) {
      case "archiver" -> ledger.archiver();
      case "restorer" -> ledger.restorer();
      case "backup" -> ledger.backup();
      case "jobs" -> ledger.jobs();
      case KEYS ->
          ledger
              .keys()
              .orElseThrow(() -> new IllegalArgumentException("the ledger has no keys of its own"));
      default -> ledger;
    };
  }
}
