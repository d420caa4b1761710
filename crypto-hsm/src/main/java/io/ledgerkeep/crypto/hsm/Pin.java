package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
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

  /** A token locks after three wrong ones, or more. */
  private static final int MOST_UNCLEAR = 2;

  /** Guarded by this: the token's code for a PIN that it refused, or 0. */
  private long refused;

  /**
   * Guarded by this: how many logins in a row ended so that nobody knows whether it was the PIN.
   */
  private int unclear;

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
              + " before, as far as it tells ("
              + Ckr.name(refused)
              + "), and it is not offered again, as that may lock the token: correct it, and open"
              + " anew");
    }
    char[] pin = source.get();
    try {
      login.accept(pin);
      unclear = 0;
    } catch (TokenException e) {
      unclear += Ckr.isUnclearLogin(e.code()) ? 1 : 0;
      if (Ckr.mayRefusePin(e.code()) || unclear == MOST_UNCLEAR) {
        refused = e.code();
      }
      throw e;
    } finally {
      Arrays.fill(pin, '\0');
    }
  }

  /** Returns the bytes that a token takes for a PIN; they are the caller's to wipe. */
  static byte[] utf8(char[] pin) {
    byte[] room = new byte[3 * pin.length];
    ByteBuffer encoded = ByteBuffer.wrap(room);
    CoderResult result =
        StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(pin), encoded, true);
    byte[] bytes = Arrays.copyOf(room, encoded.position());
    Arrays.fill(room, (byte) 0);
    if (result.isError()) {
      Arrays.fill(bytes, (byte) 0);
      throw new ConfigurationException("the PIN of the token is no text: half a character");
    }
    return bytes;
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
