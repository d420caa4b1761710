package io.ledgerkeep.crypto.hsm;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Options;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys.Check;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys.Outcome;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys.Probe;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A probe tells what a token and a key can do, and where they fail. */
final class ProbeTest {

  private TestToken token;

  @BeforeEach
  void start() {
    token = TestToken.start().aesKey("master", 32);
  }

  private static Probe probe(Options options) {
    return Pkcs11Keys.withPinInOptions().probe(options);
  }

  private Probe probe() {
    return probe(Settings.aes(token, "master"));
  }

  private static Outcome outcome(Probe probe, String check) {
    return probe.checks().stream()
        .filter(each -> each.name().equals(check))
        .map(Check::outcome)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aTokenThatCanAllPassesAll() {
    Probe probe = probe();

    assertThat(probe.checks()).noneMatch(check -> check.outcome() == Outcome.FAILED);
    assertThat(probe.passed()).isTrue();
    assertThat(probe.envelope()).isTrue();
    assertThat(probe.direct()).isEqualTo("GCM");
    assertThat(probe.mechanisms()).contains("GCM 0x1087", "CBC 0x1082", "ECB 0x1081");
    assertThat(probe.identity()).hasSize(64);
    assertThat(probe.largestText()).isEqualTo(Profile.LARGEST_TEXT);
    assertThat(probe.sessions()).isEqualTo(10);
    assertThat(outcome(probe, "GCM is CTR with a tag")).isEqualTo(Outcome.PASSED);
  }

  @Test
  void theIdentityStaysAndDependsOnTheHash() {
    assertThat(probe().identity()).isEqualTo(probe().identity());
    assertThat(probe(Settings.aes(token, "master").with("hash", "SM3")).identity())
        .hasSize(64)
        .isNotEqualTo(probe().identity());
    assertThat(probe().identity()).isNotEqualTo(replaced().identity());
  }

  private Probe replaced() {
    token.replaceAesKey("master", 32);
    return probe();
  }

  @Test
  void limitsAndIvsOfTheTokenAreMeasured() {
    token.set("text_limit=5000", "max_sessions=2").ownIv(TestToken.OwnIv.INIT);
    Probe probe = probe();

    assertThat(probe.passed()).as(probe.checks().toString()).isTrue();
    assertThat(probe.largestText()).isEqualTo(4096);
    assertThat(probe.sessions()).isEqualTo(2);
    assertThat(probe.ownIv()).isTrue();
    assertThat(probe.direct()).contains("IVs of the token");
  }

  @Test
  void theRouteThatOpensIsTheOneThatIsProbed() {
    token.ownIv(TestToken.OwnIv.INIT);
    Probe probe = probe(Settings.aes(token, "master").with("route", "auto"));

    assertThat(probe.passed()).isTrue();
    assertThat(probe.route()).isEqualTo("native");
  }

  @Test
  void whatTheRouteDoesNotTellIsNotMadeUp() {
    Probe probe = probe(Settings.aes(token, "master").with("route", "sunpkcs11"));

    assertThat(outcome(probe, "key was made in the token")).isEqualTo(Outcome.NOT_POSSIBLE);
  }

  @Test
  void whatATokenHasNotIsNotPossible() {
    token.mechanism("aes_gcm", "none").mechanism("aes_ecb", "none");
    Probe probe = probe();

    assertThat(probe.passed()).isTrue();
    assertThat(outcome(probe, "GCM comes back")).isEqualTo(Outcome.NOT_POSSIBLE);
    assertThat(outcome(probe, "CBC is CBC")).isEqualTo(Outcome.NOT_POSSIBLE);
    assertThat(probe.direct()).contains("mac_key");
    assertThat(probe.tagError()).isEmpty();
  }

  @Test
  void aMechanismThatIsAnotherOneFails() {
    token.mechanism("aes_gcm", "none").mechanism("aes_ctr", "0x1087");
    Probe probe = probe();

    assertThat(probe.passed()).isFalse();
    assertThat(probe.envelope()).isFalse();
  }

  @Test
  void aKeyThatCanBeTakenOutFails() {
    token.key("open", "aes", "bytes=32", "extractable=1");
    Probe probe = probe(Settings.aes(token, "open"));

    assertThat(outcome(probe, "key stays in the token")).isEqualTo(Outcome.FAILED);
    assertThat(probe.envelope()).isFalse();
  }

  @Test
  void aKeyOfALengthThatTheCipherDoesNotTakeFails() {
    token.key("odd", "aes", "bytes=20");

    assertThat(outcome(probe(Settings.aes(token, "odd")), "key type")).isEqualTo(Outcome.FAILED);
  }

  @Test
  void sm4OfAVendorIsProbedWithItsNumbers() {
    token.profile("tass").sm4Key("sm4").sm4Key("codes");
    Options options = Settings.sm4(token, "sm4", "tass");
    Probe probe = probe(options.with("mode", "direct").with("mac_key", "codes"));

    assertThat(probe.passed()).as(probe.checks().toString()).isTrue();
    assertThat(probe.mechanisms()).contains("CBC 0x80000109", "ECB 0x80000108", "MAC");
    assertThat(outcome(probe, "CBC is CBC")).isEqualTo(Outcome.PASSED);
    assertThat(outcome(probe, "MAC")).isEqualTo(Outcome.PASSED);
  }

  @Test
  void theNumbersOfAnotherVendorAreRefused() {
    token.profile("westone").sm4Key("sm4");

    assertThat(probe(Settings.sm4(token, "sm4", "sansec")).passed()).isFalse();
  }

  @Test
  void noSessionIsLeftBehind() {
    probe();
    assertThat(token.sessions()).isZero();
  }
}
