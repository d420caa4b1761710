package io.ledgerkeep.crypto.hsm;

import java.util.List;
import java.util.stream.Stream;

/**
 * The ways to a token, the one that is preferred first: our own calls hold exactly as many sessions
 * as they are told, and read what a token writes back. The JVM's provider needs nothing beside it.
 */
enum Route {
  /** Our own calls of its library, with JNA. */
  NATIVE("native"),
  /** The provider of the JVM, for AES. */
  SUN("sunpkcs11");

  private final String optionValue;

  Route(String optionValue) {
    this.optionValue = optionValue;
  }

  String optionValue() {
    return optionValue;
  }

  static List<String> names() {
    return Stream.of(values()).map(Route::optionValue).toList();
  }

  /** Returns the routes that may serve, the one that is preferred first. */
  static List<Route> fitting(Pkcs11Config config) {
    return Stream.of(values()).filter(route -> route.fits(config)).toList();
  }

  /** Whether nothing in the configuration needs the other route. */
  private boolean fits(Pkcs11Config config) {
    return this == NATIVE
        || (config.request().algorithm() == Algorithm.AES
            && config.key().label().isPresent()
            && config.macKey().isEmpty()
            && !config.ownProfile());
  }

  /**
   * Opens the token.
   *
   * @throws RouteException if the other route may serve
   * @throws TokenException if there is no such token now, or it failed
   */
  Token open(TokenRequest request, Pin pin) {
    if (this == SUN) {
      return SunToken.open(request, pin);
    }
    try {
      return NativeToken.open(request, pin);
    } catch (NoClassDefFoundError | UnsatisfiedLinkError e) {
      throw new RouteException("it takes JNA, net.java.dev.jna:jna, beside ledgerkeep", e);
    }
  }
}
