package io.ledgerkeep.crypto.hsm;

import java.security.AuthProvider;
import java.util.Arrays;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import javax.security.auth.callback.PasswordCallback;
import javax.security.auth.login.LoginException;

/** Logs in to a token through SunPKCS11. */
final class SunLogin {

  private final AuthProvider provider;

  SunLogin(AuthProvider provider) {
    this.provider = provider;
  }

  /** Says that the PIN was asked for: nobody is logged in. */
  private static final class Asked extends RuntimeException {
    Asked() {
      super("asked for the PIN", null, false, false);
    }
  }

  /**
   * Whether the token wants a PIN now. The provider asks for one only if nobody is logged in, so it
   * is let ask, and not answered.
   */
  boolean isNeeded() {
    try {
      login(
          callback -> {
            throw new Asked();
          });
      return false;
    } catch (LoginException e) {
      if (e.getCause() instanceof Asked) {
        return true;
      }
      throw SunErrors.of(e, "C_Login");
    }
  }

  /**
   * Logs in.
   *
   * @throws TokenException with PIN_LOCKED, and without an attempt, if the token says so already;
   *     else with the code of C_Login
   */
  void run(char[] pin, boolean locked) {
    if (locked) {
      throw new TokenException(Ckr.PIN_LOCKED, "C_GetTokenInfo");
    }
    char[] bytes = bytesAsCharacters(pin);
    try {
      login(callback -> callback.setPassword(bytes));
    } catch (LoginException e) {
      throw SunErrors.of(e, "C_Login");
    } finally {
      Arrays.fill(bytes, '\0');
    }
  }

  private interface Answer {
    void to(PasswordCallback callback);
  }

  private void login(Answer answer) throws LoginException {
    CallbackHandler handler =
        callbacks -> {
          for (Callback callback : callbacks) {
            if (callback instanceof PasswordCallback password) {
              answer.to(password);
            }
          }
        };
    try {
      provider.login(null, handler);
    } catch (RuntimeException e) {
      throw SunErrors.of(e, "C_Login");
    }
  }

  /** The provider passes the lower half of each character, where the token wants UTF-8. */
  private static char[] bytesAsCharacters(char[] pin) {
    byte[] bytes = Pin.utf8(pin);
    char[] characters = new char[bytes.length];
    for (int i = 0; i < characters.length; i++) {
      characters[i] = (char) (bytes[i] & 0xFF);
    }
    Arrays.fill(bytes, (byte) 0);
    return characters;
  }
}
