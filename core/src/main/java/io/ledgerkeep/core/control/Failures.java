package io.ledgerkeep.core.control;

import io.ledgerkeep.error.ArchivedException;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Tells an exception of the API to another process, which throws the like of it. */
final class Failures {

  private Failures() {}

  static Map<String, @Nullable Object> tree(Throwable thrown) {
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    tree.put("type", thrown.getClass().getSimpleName());
    tree.put("message", thrown.getMessage());
    if (thrown instanceof ConflictException e) {
      tree.put("reason", e.reason().name());
    } else if (thrown instanceof KeyUnavailableException e) {
      tree.put("reason", e.reason().name());
    } else if (thrown instanceof StorageException e) {
      tree.put(
          "reason",
          (e.isOutOfSpace()
                  ? StorageException.Kind.OUT_OF_SPACE
                  : e.isRetryable() ? StorageException.Kind.RETRYABLE : StorageException.Kind.FATAL)
              .name());
    } else if (thrown instanceof ArchivedException e) {
      tree.put("reason", e.subject().name());
      tree.put("height", e.height());
      tree.put("place", e.place());
    }
    return tree;
  }

  static RuntimeException exception(Map<?, ?> tree) {
    String message = text(tree, "message");
    String reason = text(tree, "reason");
    return switch (text(tree, "type")) {
      case "ConfigurationException" -> new ConfigurationException(message);
      case "ConflictException" ->
          new ConflictException(ConflictException.Reason.valueOf(reason), message);
      case "IntegrityException" -> new IntegrityException(message);
      case "KeyUnavailableException" ->
          new KeyUnavailableException(KeyUnavailableException.Reason.valueOf(reason), message);
      case "StorageException" ->
          new StorageException(StorageException.Kind.valueOf(reason), message);
      case "ArchivedException" ->
          new ArchivedException(
              ArchivedException.Subject.valueOf(reason),
              tree.get("height") instanceof Long height ? height : 0,
              text(tree, "place"));
      case "UnsupportedFormatException" -> new UnsupportedFormatException(message);
      case "IllegalArgumentException" -> new IllegalArgumentException(message);
      default ->
          new StorageException(
              StorageException.Kind.FATAL,
              "the process that has the ledger open failed: %s: %s"
                  .formatted(text(tree, "type"), message));
    };
  }

  /** Returns whether the exception is one that the API tells, and not a fault. */
  static boolean isTold(Throwable thrown) {
    return thrown instanceof LedgerkeepException || thrown instanceof IllegalArgumentException;
  }

  private static String text(Map<?, ?> tree, String name) {
    return tree.get(name) instanceof String text ? text : "";
  }
}
