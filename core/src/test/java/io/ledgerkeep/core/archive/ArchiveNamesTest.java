package io.ledgerkeep.core.archive;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Bytes;
import java.util.Locale;
import org.junit.jupiter.api.Test;

final class ArchiveNamesTest {

  private static final ArchiveNames NAMES =
      new ArchiveNames(Bytes.fromHex("aa"), Bytes.fromHex("bb"));

  @Test
  void namesAreTheSameInEveryLocale() {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      assertThat(NAMES.entry(7)).isEqualTo("aa/bb/manifest/0000000000000007.json");
      assertThat(NAMES.segment(7, Bytes.fromHex("cc")))
          .isEqualTo("aa/bb/segments/00000000000000000007-cc.lks");
      assertThat(NAMES.isSegment(NAMES.segment(7, Bytes.wrap(new byte[16])), 7)).isTrue();
    } finally {
      Locale.setDefault(before);
    }
  }
}
