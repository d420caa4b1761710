package io.ledgerkeep.crypto.hsm;

import org.jspecify.annotations.Nullable;

/** What a function of a token's library returned where it did not succeed. */
final class TokenException extends RuntimeException {

  private final long code;
  private final String function;

  /**
   * Creates the exception.
   *
   * @param code the CK_RV
   * @param function the name of the function, or of what was to be done
   */
  TokenException(long code, String function) {
    this(code, function, null);
  }

  /** Creates the exception with the failure that lies behind it. */
  TokenException(long code, String function, @Nullable Throwable cause) {
    super(Ckr.name(code) + " from " + function, cause);
    this.code = code;
    this.function = function;
  }

  long code() {
    return code;
  }

  String function() {
    return function;
  }
}
