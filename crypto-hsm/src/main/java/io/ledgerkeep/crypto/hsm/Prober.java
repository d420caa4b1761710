package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.crypto.hsm.Abilities.Mode;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys.Check;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys.Outcome;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys.Probe;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Tries what a token and a key can do, and goes on where something does not work. */
final class Prober {

  private final Pkcs11Config config;
  private final Token token;
  private final TokenKey key;
  private final @Nullable TokenKey macKey;
  private final List<Check> checks = new ArrayList<>();

  private Prober(Pkcs11Config config, Token token) {
    this.config = config;
    this.token = token;
    this.key = token.find(config.key());
    this.macKey = config.macKey().map(token::find).orElse(null);
  }

  /**
   * Probes over the first route where no check fails, as opening does; over the first one there is,
   * where some fail over each.
   *
   * @throws ConfigurationException if none leads to the key, or the key is ambiguous
   * @throws KeyUnavailableException if the token cannot be reached, refuses the PIN, or has no such
   *     key
   */
  static Probe probe(Pkcs11Config config, Pin pin) {
    RouteException last = null;
    Probe failed = null;
    for (Route route : config.routes()) {
      try (Token token = route.open(config.request(), pin)) {
        Probe probe = new Prober(config, token).run();
        if (probe.passed()) {
          return probe;
        }
        failed = failed == null ? probe : failed;
      } catch (RouteException e) {
        last = e;
      } catch (TokenException e) {
        throw Connection.failure(config.place(), e);
      }
    }
    if (failed != null) {
      return failed;
    }
    throw Pkcs11Keys.unfit(config, last);
  }

  private Probe run() {
    facts();
    SelfTest.Result result = SelfTest.run(key, new SecureRandom());
    checks.addAll(result.checks());
    if (macKey != null) {
      checks.addAll(SelfTest.runMac(macKey, new SecureRandom()));
    }
    String identity = identity();
    TokenInfo info = token.info();
    return new Probe(
        info.route(),
        info.library(),
        info.label(),
        info.serial(),
        info.maker(),
        info.sessions(),
        config.key().text(),
        key.facts().bytes(),
        identity,
        mechanisms(),
        envelope(),
        direct(result),
        result.makesIv(),
        result.largestText(),
        result.tagError().isPresent() ? Ckr.name(result.tagError().getAsLong()) : "",
        checks);
  }

  private void facts() {
    KeyFacts facts = key.facts();
    OptionalLong type = config.request().profile().keyType();
    Algorithm algorithm = config.request().algorithm();
    add(
        "key type",
        (type.isEmpty() || type.getAsLong() == facts.type())
            && algorithm.takes(algorithm.keyBytes(facts)),
        Profile.hex(OptionalLong.of(facts.type())) + ", " + facts.bytes() + " bytes");
    add("key stays in the token", facts.sensitive() && !facts.extractable(), attributes(facts));
    if (token.info().route().equals(SunToken.ROUTE)) {
      checks.add(
          new Check(
              "key was made in the token",
              Outcome.NOT_POSSIBLE,
              "SunPKCS11 does not tell; route 'native' does"));
    } else {
      madeInToken(facts);
    }
    add("key may encrypt and decrypt", facts.encrypts() && facts.decrypts(), "");
  }

  private void madeInToken(KeyFacts facts) {
    checks.add(
        new Check(
            "key was made in the token",
            facts.alwaysSensitive() && facts.neverExtractable()
                ? Outcome.PASSED
                : Outcome.NOT_POSSIBLE,
            "CKA_ALWAYS_SENSITIVE "
                + facts.alwaysSensitive()
                + ", CKA_NEVER_EXTRACTABLE "
                + facts.neverExtractable()));
  }

  private static String attributes(KeyFacts facts) {
    return "CKA_SENSITIVE " + facts.sensitive() + ", CKA_EXTRACTABLE " + facts.extractable();
  }

  private void add(String name, boolean holds, String detail) {
    checks.add(new Check(name, holds ? Outcome.PASSED : Outcome.FAILED, detail));
  }

  private String identity() {
    String name = "key has an identity";
    try {
      Identity identities = new Identity(config.hash());
      String first = identities.of(key).hex();
      add(name, first.equals(identities.of(key).hex()), first);
      return first;
    } catch (ConfigurationException | RouteException | TokenException e) {
      add(name, false, String.valueOf(e.getMessage()));
      return "";
    }
  }

  private List<String> mechanisms() {
    Profile profile = config.request().profile();
    List<String> mechanisms = new ArrayList<>();
    for (Mode mode : Mode.values()) {
      TokenKey of = mode == Mode.MAC && macKey != null ? macKey : key;
      if (of.abilities().has(mode)) {
        mechanisms.add(
            switch (mode) {
              case GCM -> "GCM " + Profile.hex(profile.gcm());
              case CBC -> "CBC " + Profile.hex(profile.cbc());
              case ECB -> "ECB " + Profile.hex(profile.ecb());
              case MAC -> "MAC";
            });
      }
    }
    return mechanisms;
  }

  private boolean envelope() {
    return checks.stream().noneMatch(check -> check.outcome() == Outcome.FAILED)
        && (key.abilities().has(Mode.GCM)
            || key.abilities().has(Mode.CBC)
            || key.abilities().has(Mode.ECB));
  }

  private String direct(SelfTest.Result result) {
    if (key.abilities().has(Mode.GCM)) {
      return result.makesIv() ? "GCM with IVs of the token, which are stored" : "GCM";
    }
    return key.abilities().has(Mode.CBC)
        ? "no GCM: CBC with an authentication code, if 'mac_key' names a second key"
        : "not possible: neither GCM nor CBC";
  }
}
