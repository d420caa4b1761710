package io.ledgerkeep.crypto.hsm;

import org.jspecify.annotations.Nullable;

/**
 * This way to the token cannot do what is asked; the other may. Says so in words that fit after
 * "because".
 */
final class RouteException extends RuntimeException {

  RouteException(String message) {
    super(message);
  }

  RouteException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
