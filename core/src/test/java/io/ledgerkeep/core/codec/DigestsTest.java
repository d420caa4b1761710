package io.ledgerkeep.core.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.error.ConfigurationException;
import org.junit.jupiter.api.Test;

final class DigestsTest {

  @Test
  void aDigestIsFoundByItsName() {
    assertThat(Digests.named("sha256")).isEqualTo(Digests.SHA256);
    assertThat(Digests.SHA256.newDigest().getDigestLength()).isEqualTo(Digests.SIZE);
    assertThat(Digests.SHA256.newDigest()).isNotSameAs(Digests.SHA256.newDigest());
  }

  @Test
  void anUnknownDigestIsRefusedWithTheKnownOnes() {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> Digests.named("md5"))
        .withMessageContaining("'md5'")
        .withMessageContaining("sha256, sm3");
  }

  @Test
  void aDigestThatNobodyOffersIsRefusedByName() {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> Digests.named("sm3"))
        .withMessageContaining("SM3")
        .withMessageContaining("provider");
  }
}
