package io.ledgerkeep.crypto.hsm;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Instances of SunPKCS11 that nobody uses, one per token at most. Each holds up to five sessions
 * that nothing closes but its collection; a token that permits few would have none left for the
 * next instance.
 */
final class SunSpares {

  private static final Map<Place, SunSlot> SPARES = new ConcurrentHashMap<>();

  private static final String RANDOM = "PKCS11";

  private SunSpares() {}

  private record Place(Path library, String label, Optional<String> serial) {
    static Place of(TokenRequest request) {
      return new Place(request.library(), request.label(), request.serial());
    }
  }

  static void put(TokenRequest request, SunSlot slot) {
    SPARES.put(Place.of(request), slot);
  }

  /**
   * Takes the instance for the token, if there is one, and its sessions are not known to be dead.
   */
  static Optional<SunSlot> take(TokenRequest request) {
    return Optional.ofNullable(SPARES.remove(Place.of(request))).filter(SunSpares::mayLive);
  }

  /**
   * Asks for something that takes a session and no login, so that no PIN goes to a dead session.
   * Less than this the provider may have left over from the last time. Where a token has few
   * sessions the provider does not offer it, and the login has to show.
   */
  private static boolean mayLive(SunSlot slot) {
    if (slot.provider().getService("SecureRandom", RANDOM) == null) {
      return true;
    }
    try {
      SecureRandom.getInstance(RANDOM, slot.provider()).nextBytes(new byte[64]);
      return true;
    } catch (GeneralSecurityException | RuntimeException e) {
      return false;
    }
  }
}
