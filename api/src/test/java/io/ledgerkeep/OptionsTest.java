package io.ledgerkeep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.error.ConfigurationException;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class OptionsTest {

  @Test
  void aMisspeltNameIsRefusedWithTheKnownOnes() {
    Options options = Options.of("cahce", "8", "path", "/x");
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> options.onlyAllow("cache", "path"))
        .withMessageContaining("'cahce'")
        .withMessageContaining("cache, path");
    assertThat(options.onlyAllow("cahce", "path")).isSameAs(options);
    assertThat(Options.none().onlyAllow()).isSameAs(Options.none());
  }

  @Test
  void noValueReachesALog() {
    Options options = Options.of("pin", "s3cret", "Path", "/x");
    assertThat(options).hasToString("Options[Path, pin]");
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> options.number("pin", 0, 0, 9))
        .satisfies(e -> assertThat(e).hasMessageNotContaining("s3cret").hasNoCause());
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> options.flag("pin", true))
        .withMessageContaining("'pin'")
        .satisfies(e -> assertThat(e).hasMessageNotContaining("s3cret"));
  }

  @Test
  void aNumberIsWithinItsRange() {
    Options options = Options.of("n", " 7 ");
    assertThat(options.number("n", 1, 7, 7)).isEqualTo(7);
    assertThat(options.number("m", 1, 5, 9)).isEqualTo(1);
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> options.number("n", 1, 8, 9))
        .withMessageContaining("'n'")
        .withMessageContaining("8 to 9");
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> options.number("n", 1, 0, 6));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "x", "1.5", "0x10", "99999999999999999999"})
  void whatIsNoNumberIsRefused(String text) {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> Options.of("n", text).number("n", 1, 0, 9));
  }

  @Test
  void aFlagIsTrueOrFalse() {
    assertThat(Options.of("f", "true").flag("f", false)).isTrue();
    assertThat(Options.of("f", "false").flag("f", true)).isFalse();
    assertThat(Options.none().flag("f", true)).isTrue();
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> Options.of("f", "yes").flag("f", true));
  }

  @Test
  void aMissingTextIsNamed() {
    assertThat(Options.of("path", "/x").requiredText("path")).isEqualTo("/x");
    assertThat(Options.none().text("path")).isEmpty();
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> Options.none().requiredText("path"))
        .withMessageContaining("'path'");
  }

  @Test
  void optionsDoNotChange() {
    Map<String, String> map = new HashMap<>(Map.of("a", "1"));
    Options options = Options.of(map);
    map.put("b", "2");
    assertThat(options).isEqualTo(Options.of("a", "1")).hasSameHashCodeAs(Options.of("a", "1"));
    assertThat(options.with("a", "2")).isEqualTo(Options.of("a", "2"));
    assertThat(options.with("b", "2").asMap()).containsOnlyKeys("a", "b");
    assertThat(options.asMap()).isEqualTo(Map.of("a", "1"));
  }
}
