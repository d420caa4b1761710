package io.ledgerkeep.crypto.hsm;

import java.security.GeneralSecurityException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.crypto.AEADBadTagException;
import javax.security.auth.login.LoginException;

/**
 * Finds out what a token answered, from what SunPKCS11 throws: the code is in the message of an
 * exception of a class that is not exported, somewhere among the causes. The types around it tell
 * little: a lost device may come as an invalid key, and as a text that was changed.
 */
final class SunErrors {

  private static final String CODE_CLASS = "PKCS11Exception";
  private static final Pattern CODE = Pattern.compile("(CKR_\\w+)|0x([0-9a-fA-F]{1,16}).*");

  private SunErrors() {}

  /** Returns what the token answered, with the failure as its cause. */
  static TokenException of(Throwable failure, String function) {
    if (failure instanceof TokenException known) {
      return known;
    }
    return new TokenException(code(failure), function, failure);
  }

  static boolean hasCode(Throwable failure) {
    return told(failure).isPresent();
  }

  private static Stream<Throwable> causes(Throwable failure) {
    return Stream.iterate(failure, cause -> cause != null, Throwable::getCause);
  }

  private static Optional<Long> told(Throwable failure) {
    return causes(failure)
        .filter(cause -> cause.getClass().getSimpleName().equals(CODE_CLASS))
        .map(cause -> parse(String.valueOf(cause.getMessage())))
        .findFirst();
  }

  private static long parse(String message) {
    Matcher matcher = CODE.matcher(message);
    if (!matcher.lookingAt()) {
      return Ckr.GENERAL_ERROR;
    }
    String name = matcher.group(1);
    return name != null ? Ckr.code(name) : Long.parseUnsignedLong(matcher.group(2), 16);
  }

  private static long code(Throwable failure) {
    return told(failure).orElseGet(() -> ofOwn(failure));
  }

  /** Returns the code that fits best to a failure of the provider itself. */
  private static long ofOwn(Throwable failure) {
    String message = innermost(failure);
    if (message.contains("No more sessions") || message.contains("Could not obtain session")) {
      return Ckr.SESSION_COUNT;
    }
    if (message.contains("Token has been removed") || message.contains("No token present")) {
      return Ckr.TOKEN_NOT_PRESENT;
    }
    if (failure instanceof AEADBadTagException) {
      return Ckr.ENCRYPTED_DATA_INVALID;
    }
    return failure instanceof GeneralSecurityException && !(failure instanceof LoginException)
        ? Ckr.FUNCTION_FAILED
        : Ckr.GENERAL_ERROR;
  }

  /** Returns what the last cause says, which is the most to the point. */
  static String innermost(Throwable failure) {
    Throwable last = causes(failure).reduce(failure, (before, cause) -> cause);
    return last.getMessage() != null ? last.getMessage() : last.getClass().getSimpleName();
  }
}
