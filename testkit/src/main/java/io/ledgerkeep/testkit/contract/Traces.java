package io.ledgerkeep.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Bytes;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** Looks for secrets in what people read. */
final class Traces {

  private Traces() {}

  /** Fails if a secret is in the message of the failure, or of one behind it. */
  static void assertNone(Throwable failure, List<Bytes> secrets) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      assertNone(t.toString(), secrets);
    }
  }

  /** Fails if a secret is in the text: as it is, in hexadecimal digits, in base64, as a list. */
  static void assertNone(String text, List<Bytes> secrets) {
    for (Bytes secret : secrets) {
      byte[] bytes = secret.toArray();
      String list = Arrays.toString(bytes);
      assertThat(text).doesNotContain(new String(bytes, StandardCharsets.ISO_8859_1));
      assertThat(text.toLowerCase(Locale.ROOT)).doesNotContain(HexFormat.of().formatHex(bytes));
      assertThat(text).doesNotContain(Base64.getEncoder().withoutPadding().encodeToString(bytes));
      assertThat(text).doesNotContain(list.substring(1, list.length() - 1));
    }
  }
}
