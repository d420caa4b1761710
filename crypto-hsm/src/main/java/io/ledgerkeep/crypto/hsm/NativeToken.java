package io.ledgerkeep.crypto.hsm;

import com.sun.jna.Memory;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * A token whose library we call ourselves: for what the JVM's provider cannot do, which is
 * mechanisms of vendors, keys by their ids, tokens that make the IV, and just so many sessions as
 * were asked for.
 */
final class NativeToken implements Token {

  private static final int TOKEN_INFO_BYTES = 208;
  private static final int MAKER_AT = 32;
  private static final int MODEL_AT = 64;
  private static final int SERIAL_AT = 80;
  private static final int FLAGS_AT = 96;
  private static final int MOST_SESSIONS_AT = 104;
  private static final long FLAG_PIN_LOCKED = 0x40000;

  private final Cryptoki library;
  private final TokenRequest request;
  private final long slot;
  private final TokenInfo info;
  private final Set<Long> mechanisms;
  private final SessionPool sessions;

  private NativeToken(TokenRequest request, Cryptoki library, Slot slot) {
    this.request = request;
    this.library = library;
    this.slot = slot.number();
    this.info = slot.info(request);
    this.mechanisms = new TreeSet<>();
    for (long mechanism : library.mechanisms(slot.number())) {
      mechanisms.add(mechanism);
    }
    this.sessions = new SessionPool(library, slot.number(), info.sessions());
  }

  /**
   * Opens the token.
   *
   * @throws ConfigurationException if library or label are no good
   * @throws KeyUnavailableException if the PIN was refused before
   * @throws TokenException if there is no such token now, or it failed
   */
  static NativeToken open(TokenRequest request, Pin pin) {
    Cryptoki library = Cryptoki.of(request.library());
    Slot slot = slot(library, request);
    NativeToken token = new NativeToken(request, library, slot);
    boolean open = false;
    try {
      token.login(pin, slot);
      open = true;
      return token;
    } finally {
      if (!open) {
        token.close();
      }
    }
  }

  /** A slot and what its token tells. */
  private record Slot(
      long number, String label, String serial, String maker, long flags, long mostSessions) {

    static Slot of(Cryptoki library, long number) {
      try (Memory info = new Memory(TOKEN_INFO_BYTES)) {
        info.clear();
        library.tokenInfo(number, info);
        return new Slot(
            number,
            text(info, 0, MAKER_AT),
            text(info, SERIAL_AT, FLAGS_AT),
            (text(info, MAKER_AT, MODEL_AT) + " " + text(info, MODEL_AT, SERIAL_AT)).strip(),
            info.getLong(FLAGS_AT),
            info.getLong(MOST_SESSIONS_AT));
      }
    }

    private static String text(Memory info, int from, int until) {
      String text = new String(info.getByteArray(from, until - from), StandardCharsets.UTF_8);
      return text.replace('\0', ' ').strip();
    }

    TokenInfo info(TokenRequest request) {
      boolean limited =
          mostSessions != Cryptoki.INFINITE
              && mostSessions != Cryptoki.UNAVAILABLE
              && mostSessions < request.sessions();
      return new TokenInfo(
          Route.NATIVE.optionValue(),
          request.library().toString(),
          label,
          serial,
          maker,
          limited ? Math.max(1, (int) mostSessions) : request.sessions());
    }
  }

  private static Slot slot(Cryptoki library, TokenRequest request) {
    List<Slot> found = new ArrayList<>();
    Set<String> others = new TreeSet<>();
    for (long number : library.slots()) {
      Slot slot = Slot.of(library, number);
      boolean meant =
          slot.label().equals(request.label())
              && request.serial().map(slot.serial()::equals).orElse(true);
      if (meant) {
        found.add(slot);
      } else {
        others.add("'" + slot.label() + "' (serial " + slot.serial() + ")");
      }
    }
    if (found.size() > 1) {
      throw new ConfigurationException(
          found.size()
              + " tokens have the label '"
              + request.label()
              + "': say by option 'serial' which one is meant: "
              + String.join(", ", found.stream().map(Slot::serial).toList()));
    }
    if (found.isEmpty()) {
      throw new TokenException(
          Ckr.TOKEN_NOT_PRESENT,
          "the search of "
              + library
              + ", which has "
              + (others.isEmpty() ? "no token at all" : "only " + String.join(", ", others)));
    }
    return found.get(0);
  }

  private void login(Pin pin, Slot of) {
    try (SessionPool.Use use = sessions.borrow()) {
      pin.offer(
          request.place(),
          characters -> {
            if ((of.flags() & FLAG_PIN_LOCKED) != 0) {
              throw new TokenException(Ckr.PIN_LOCKED, "C_GetTokenInfo");
            }
            byte[] bytes = Pin.utf8(characters);
            try {
              library.login(use.session().handle(), bytes);
            } finally {
              Arrays.fill(bytes, (byte) 0);
            }
          });
      use.succeeded();
    }
  }

  @Override
  public TokenInfo info() {
    return info;
  }

  @Override
  public TokenKey find(KeyName name) {
    try (SessionPool.Use use = sessions.borrow()) {
      NativeObjects objects = new NativeObjects(library, use.session().handle());
      long[] found = name.label().map(objects::labelled).orElse(new long[0]);
      if (found.length == 0) {
        found = objects.identified(name.id());
      }
      KeyFacts facts = found.length == 1 ? objects.facts(found[0]) : null;
      use.succeeded();
      if (facts != null) {
        return new NativeKey(this, found[0], facts);
      }
      throw found.length == 0 ? missing(name) : ambiguous(name, found.length);
    }
  }

  private KeyUnavailableException missing(KeyName name) {
    return new KeyUnavailableException(
        Reason.MISSING,
        request.place()
            + " has no secret key with the CKA_LABEL or CKA_ID '"
            + name
            + "': make it there, or correct option 'key'");
  }

  private ConfigurationException ambiguous(KeyName name, int found) {
    return new ConfigurationException(
        request.place()
            + " has "
            + (found == NativeObjects.MOST ? "at least " : "")
            + found
            + " secret keys that '"
            + name
            + "' fits: name the one by its CKA_ID, as hex:...");
  }

  Cryptoki library() {
    return library;
  }

  SessionPool sessions() {
    return sessions;
  }

  Profile profile() {
    return request.profile();
  }

  /** Whether the token has the mechanism, for all that the flags stand for. */
  boolean has(long mechanism, long flags) {
    return mechanisms.contains(mechanism)
        && (library.mechanismFlags(slot, mechanism) & flags) == flags;
  }

  @Override
  public void close() {
    sessions.close();
  }

  @Override
  public String toString() {
    return "NativeToken[" + request.place() + "]";
  }
}
