package io.ledgerkeep.crypto.hsm;

/**
 * A token that was found, and that we are logged in to, with sessions that serve so many threads at
 * once.
 *
 * <p>There are two: {@code NativeToken} calls the token's library itself, {@code SunToken} through
 * the provider of the JVM. Each is opened from a {@link TokenRequest} and a {@link Pin}; neither
 * repairs anything: what a dead session, a removed token or a library that somebody restarted
 * answers comes out as a {@link TokenException}, and {@link Connection} opens a new token then. So
 * a token is not used again after it failed, but for closing it.
 *
 * <p>Serves any number of threads; those above the number of sessions wait for one.
 */
interface Token extends AutoCloseable {

  /** Returns what the token tells about itself. */
  TokenInfo info();

  /**
   * Finds the one secret key of the name: by CKA_LABEL, and where no key has that label, by CKA_ID.
   *
   * @throws io.ledgerkeep.error.ConfigurationException if several keys have it
   * @throws io.ledgerkeep.error.KeyUnavailableException if none has it, reason MISSING
   * @throws RouteException if this way to the token cannot look it up
   * @throws TokenException if the token failed
   */
  TokenKey find(KeyName name);

  /**
   * Gives back our sessions; threads that are inside of a call finish it. Neither logs out nor
   * finalizes the library: others in the process may use both. Never throws; closing twice does
   * nothing.
   */
  @Override
  void close();
}
