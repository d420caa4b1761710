package io.ledgerkeep.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

final class ArgumentsTest {

  @Test
  void aSettingComesBackFromItsWords() {
    Setting setting =
        Arguments.parse(List.of("--long", "--rounds", "3", "--file", "a/b.jsonl")).setting();
    assertThat(setting.smallBlocks()).isEqualTo(1_000_000);
    assertThat(Setting.parse(setting.words())).isEqualTo(setting);
  }

  @Test
  void onlyChoosesByTheBeginningOfTheName() {
    Arguments arguments = Arguments.parse(List.of("--only", "commit"));
    assertThat(arguments.wants("commit-small")).isTrue();
    assertThat(arguments.wants("import-small")).isFalse();
    assertThat(Arguments.parse(List.of()).wants("import-small")).isTrue();
  }

  @Test
  void whatIsUnknownOrCutShortIsRefused() {
    assertThatThrownBy(() -> Arguments.parse(List.of("--fast")))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Arguments.parse(List.of("--only")))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
