package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The PIN of a token: where it is fetched from each time that it is needed, and whether it may be
 * offered. One that the token refused is never offered again, since a few wrong ones lock a token.
 */
final class Pin {

  private final Supplier<char[]> source;
  private final String place;

  /** Guarded by this: the token's code for a PIN that it refused, or 0. */
  private long refused;

  /**
   * Creates the PIN.
   *
   * @param source gives a fresh array, which is wiped
   * @param place where it comes from, for messages
   */
  Pin(Supplier<char[]> source, String place) {
    this.source = source;
    this.place = place;
  }

  /**
   * Fetches the PIN, hands it to what logs in with it, and wipes it. That throws {@link
   * TokenException} with the token's code where the token refuses it.
   *
   * @throws KeyUnavailableException if a PIN was refused before; nothing is offered then
   */
  synchronized void offer(String token, Consumer<char[]> login) {
    if (refused != 0) {
      throw new KeyUnavailableException(
          Reason.WRONG,
          token
              + " refused the PIN from "
              + place
              + " before ("
              + Ckr.name(refused)
              + "), and it is not offered again, as that may lock the token: correct it, and open"
              + " anew");
    }
    char[] pin = source.get();
    try {
      login.accept(pin);
    } catch (TokenException e) {
      if (Ckr.isRefusedPin(e.code())) {
        refused = e.code();
      }
      throw e;
    } finally {
      Arrays.fill(pin, '\0');
    }
  }

  /** Returns where it comes from. */
  String place() {
    return place;
  }

  @Override
  public String toString() {
    return "Pin[" + place + "]";
  }
}
