package io.ledgerkeep.crypto.soft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The grammar of keys, row by row. */
final class KeyTextTest {

  @ParameterizedTest
  @CsvSource(
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "1234567890123456,31323334353637383930313233343536",
        "0H#y EGXPOAScAnB,30482379204547585 04f415363416e42",
        " at both ends ,20617420626f746820656e647320",
        "~|{!$%&()*+;<=>?,7e7c7b21242526282 92a2b3b3c3d3e3f",
        "x0123456789abcde,78303132333435363738396162636465",
        "00112233445566ff,30303131323233333434353536366666",
        "raw:/a/key/no/path,2f612f6b65792f6e6f2f70617468",
        "raw:0x1234,307831323334",
        "raw:raw:,7261773a",
        "raw:0X12,30583132",
        "raw: ,20",
        "rawhide,72617768696465",
        "environ,656e7669726f6e",
        "raw:env:A,656e763a41",
        "filed,66696c6564",
        "hexagon,68657861676f6e",
      })
  void charactersAreTheKey(String text, String bytes) {
    KeyText read = KeyText.of(text);
    assertThat(read.form()).isEqualTo(KeyText.Form.RAW);
    assertThat(HexFormat.of().formatHex(read.bytes())).isEqualTo(bytes.replace(" ", ""));
  }

  @ParameterizedTest
  @CsvSource({
    "0x48656c6c6f20436861696e4d616b6572, 48656c6c6f20436861696e4d616b6572",
    "0x00ff80FFaB, 00ff80ffab",
    "hex:00ff80FFaB, 00ff80ffab",
    "hex:00, 00",
  })
  void digitsStandForTheKey(String text, String bytes) {
    KeyText read = KeyText.of(text);
    assertThat(read.form()).isEqualTo(KeyText.Form.HEX);
    assertThat(HexFormat.of().formatHex(read.bytes())).isEqualTo(bytes);
  }

  @ParameterizedTest
  @CsvSource({
    "/usr/key/my.key, /usr/key/my.key",
    "/0x12, /0x12",
    "/, /",
    "file:/usr/key/my.key, /usr/key/my.key",
    "file:/a b#c, /a b#c",
  })
  void aPathIsRead(String text, String path) {
    KeyText read = KeyText.of(text);
    assertThat(read.form()).isEqualTo(KeyText.Form.FILE);
    assertThat(read.path()).isEqualTo(Path.of(path));
  }

  @ParameterizedTest
  @CsvSource({
    "hex:00ff80FFaB, HEX",
    "raw:1234567890123456, RAW",
    "1234567890123456, RAW",
    "/usr/key/my.key, FILE",
  })
  void aVariableHasTheText(String text, KeyText.Form form) {
    Map<String, String> environment = Map.of("LEDGER_KEY", text);
    KeyText read = KeyText.of("env:LEDGER_KEY", environment::get);
    assertThat(read).isEqualTo(KeyText.of(text));
    assertThat(read.form()).isEqualTo(form);
  }

  @Test
  void aVariableThatHasNoneIsNamed() {
    Map<String, String> environment = Map.of("EMPTY", "", "AGAIN", "env:SECRET", "SECRET", "1234");
    for (String name : List.of("EMPTY", "AGAIN", "ABSENT")) {
      assertThatThrownBy(() -> KeyText.of("env:" + name, environment::get))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("'" + name + "'")
          .hasMessageNotContaining("1234");
    }
    assertThatThrownBy(
            () -> new AesProvider().openKey(Options.of("key", "env:LEDGERKEEP_ABSENT_KEY")))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("'LEDGERKEEP_ABSENT_KEY' is not set");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "raw:",
        "hex:",
        "0x",
        "file:",
        "0X48656c6c6f20436861696e4d616b6572",
        "RAW:1234567890123456",
        "Hex:48656c6c6f20436861696e4d616b6572",
        "File:/usr/key/my.key",
        "ENV:LEDGER_KEY",
        "env:",
        "0x48656c6c6f20436861696e4d616b657",
        "hex:123",
        "0x48656c6c6f20436861696e4d616b657g",
        "hex:0x48656c6c6f20436861696e4d616b6572",
        "hex:4865 6c6c",
        "hex:٠١",
        "file:usr/key/my.key",
        "file:~/my.key",
        "file:///usr/key/my.key",
        "//usr/key/my.key",
        "/usr/\u0000key",
        "sécret-key-23456",
        "raw:sécret-key-23456",
        "密钥密钥密钥密钥密钥密钥密钥密钥",
        "tab\tin-the-middle",
        "ends-with-a-line\n",
        "raw:\u007f",
      })
  void anythingElseIsRefusedWithoutBeingTold(String text) {
    assertThatThrownBy(
            () -> {
              KeyText read = KeyText.of(text);
              if (read.form() == KeyText.Form.FILE) {
                read.path();
              } else {
                read.bytes();
              }
            })
        .isInstanceOf(ConfigurationException.class)
        .hasMessageStartingWith("what the configuration gives as key is none: ")
        .satisfies(e -> assertThat(text.length() <= 5 || !e.getMessage().contains(text)).isTrue())
        .hasNoCause();
  }
}
