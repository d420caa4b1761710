package io.ledgerkeep.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.testkit.contract.CipherSuiteContract;
import io.ledgerkeep.testkit.contract.KeyWrapperContract;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The device in memory keeps the rules of wrappers and suites, and can be pulled out. */
final class MemoryTokenTest {

  private final MemoryToken token = new MemoryToken(new SampleSuite());

  private static KeyWrapper direct(MemoryToken token, int key) {
    return token.openKey(Options.of("key", "key" + key, "mode", "direct"));
  }

  @Nested
  final class AsWrapper extends KeyWrapperContract {
    @Override
    protected KeyWrapper open(int masterKey) {
      return direct(token, masterKey);
    }

    @Override
    protected CipherSuite software() {
      return new SampleSuite();
    }
  }

  @Nested
  final class AsSuite extends CipherSuiteContract {
    @Override
    protected CipherSuite suite() {
      return direct(token, 0).openDirect(calls -> {}).orElseThrow().suite();
    }

    @Override
    protected byte[] hash(byte[] data) {
      return SampleSuite.sha256(data);
    }
  }

  @Test
  void aTokenThatWasPulledOutAnswersAgainWhenItIsPutBack() {
    KeyWrapper wrapper = direct(token, 0);
    byte[] wrapped = wrapper.wrap(new byte[32], new byte[0]);
    token.pullOut();
    assertUnreachable(wrapper, wrapped);
    token.putBack();
    assertThat(wrapper.unwrap(wrapped, new byte[0])).isEqualTo(new byte[32]);

    token.pullOutAfter(1);
    assertThat(wrapper.unwrap(wrapped, new byte[0])).isEqualTo(new byte[32]);
    assertUnreachable(wrapper, wrapped);
    token.putBack();
    assertThat(wrapper.unwrap(wrapped, new byte[0])).isEqualTo(new byte[32]);
  }

  private static void assertUnreachable(KeyWrapper wrapper, byte[] wrapped) {
    assertThatThrownBy(() -> wrapper.unwrap(wrapped, new byte[0]))
        .isInstanceOfSatisfying(
            KeyUnavailableException.class,
            e -> assertThat(e.reason()).isEqualTo(KeyUnavailableException.Reason.UNREACHABLE));
  }

  @Test
  void anEnvelopeSealsNothingItself() {
    KeyWrapper wrapper = token.openKey(Options.of("key", "key0"));
    assertThat(wrapper.openDirect(calls -> {})).isEmpty();
    assertThatThrownBy(() -> token.openKey(Options.of("key", "key0", "mode", "both")))
        .isInstanceOf(ConfigurationException.class);
  }
}
