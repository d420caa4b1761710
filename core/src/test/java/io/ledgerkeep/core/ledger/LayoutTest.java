package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.ledgerkeep.Database;
import io.ledgerkeep.core.ledger.Layout.Place;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LayoutTest {

  private static final Layout LAYOUT =
      new Layout(
          Map.of(
              Database.BLOCK, new Place("leveldb", "block"),
              Database.STATE, new Place("memory-2", "/mnt/fast disk/größer"),
              Database.HISTORY, new Place("-", "history")));

  @TempDir Path directory;

  private Path file() {
    return directory.resolve("LAYOUT");
  }

  @Test
  void aLayoutComesBack() {
    assertThat(Layout.exists(directory)).isFalse();
    LAYOUT.write(directory);
    assertThat(Layout.exists(directory)).isTrue();
    assertThat(Layout.read(directory)).isEqualTo(LAYOUT);
    assertThat(directory.resolve("LAYOUT.new")).doesNotExist();
  }

  @Test
  void theFileCanBeReadByEveryone() throws IOException {
    LAYOUT.write(directory);
    assertThat(Files.readAllLines(file()))
        .containsExactly(
            "ledgerkeep layout 1",
            "block leveldb block",
            "state memory-2 /mnt/fast disk/größer",
            "history - history",
            "crc32c " + checksum());
  }

  private static String checksum() {
    String text =
        """
        ledgerkeep layout 1
        block leveldb block
        state memory-2 /mnt/fast disk/größer
        history - history
        """;
    CRC32C crc = new CRC32C();
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    return "%08x".formatted(crc.getValue());
  }

  @Test
  void damageAtAnyByteIsRefused() throws IOException {
    LAYOUT.write(directory);
    byte[] good = Files.readAllBytes(file());
    for (int at = 0; at < good.length; at++) {
      byte[] flipped = good.clone();
      flipped[at] ^= (byte) (1 << at % 8);
      assertRefused(flipped);
      byte[] lineEnd = good.clone();
      lineEnd[at] = (byte) (good[at] == '\n' ? '\r' : '\n');
      assertRefused(lineEnd);
      assertRefused(Arrays.copyOf(good, at));
    }
    assertRefused(Arrays.copyOf(good, good.length + 1));
    assertRefused(new byte[good.length]);
  }

  private void assertRefused(byte[] bytes) throws IOException {
    Files.write(file(), bytes);
    LedgerkeepException refusal =
        catchThrowableOfType(LedgerkeepException.class, () -> Layout.read(directory));
    assertThat(refusal)
        .isInstanceOfAny(IntegrityException.class, UnsupportedFormatException.class)
        .hasMessageContaining(file().toString());
    assertThat(Files.readAllBytes(file())).isEqualTo(bytes);
  }

  @Test
  void aLayoutOfTheFutureIsRefusedByName() throws IOException {
    Files.writeString(file(), "ledgerkeep layout 2\nwhatever comes\n");
    assertThatExceptionOfType(UnsupportedFormatException.class)
        .isThrownBy(() -> Layout.read(directory))
        .withMessageContainingAll("ledgerkeep layout 2", "ledgerkeep layout 1");
  }

  @Test
  void anEmptyLayoutIsDamage() throws IOException {
    Files.createFile(file());
    assertThatExceptionOfType(IntegrityException.class).isThrownBy(() -> Layout.read(directory));
  }

  @Test
  void aLayoutThatCannotBeReadIsAStorageFailure() throws IOException {
    Files.createDirectory(file());
    assertThatExceptionOfType(StorageException.class).isThrownBy(() -> Layout.read(directory));
  }

  @Test
  void aLayoutThatNamesNoDatabaseIsDamage() {
    Layout two = new Layout(Map.of(Database.BLOCK, new Place("leveldb", "block")));
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> two.place(Database.STATE))
        .withMessageContaining("no state database");
  }

  @Test
  void aNameOfAnEngineIsOneWord() {
    for (String name : new String[] {"", "a b", "a\nb", "A", "ü"}) {
      assertThatExceptionOfType(ConfigurationException.class)
          .isThrownBy(() -> new Place(name, "block"));
    }
  }
}
