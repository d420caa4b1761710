package io.ledgerkeep.core.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.core.audit.AuditLog.Mark;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AuditLogTest {

  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-05-04T12:00:00.123456Z"), ZoneOffset.UTC);

  @TempDir Path home;

  private AuditLog log() {
    return new AuditLog(home, ArchiveKeys.NONE, CLOCK);
  }

  private Path file() {
    return home.resolve("audit.log");
  }

  private List<Mark> threeLines() {
    return List.of(
        log().append("info", "archive", "begun", Map.of("to", "50")),
        log().append("info", "archive", "done", Map.of("of", "1")),
        log().append("error", "verify", "failed", Map.of("message", "a|b,c=d%e\nf\u2028g é")));
  }

  private List<String> findings() {
    return log().findings(Optional.empty());
  }

  @Test
  void aLineIsInTheFormOfTheLogsAndFollowsTheOneBefore() throws IOException {
    threeLines();
    List<String> lines = Files.readAllLines(file());
    assertThat(lines.get(0))
        .isEqualTo(
            "info|2026-05-04 12:00:00.123456|[AUDIT][archive]begun,number=1,to=50,previous="
                + "0".repeat(64));
    assertThat(lines.get(1))
        .endsWith(
            "previous="
                + AuditLog.digest(lines.get(0).getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    assertThat(lines.get(2)).contains("message=a%7Cb%2Cc%3Dd%25e%0Af%E2%80%A8g é,previous");
    assertThat(lines).hasSize(3);
    assertThat(findings()).isEmpty();
    AuditLine last = log().newest().get(2);
    assertThat(last.told()).isEqualTo(Map.of("message", "a|b,c=d%e\nf\u2028g é"));
    assertThat(last.number()).isEqualTo(3);
    assertThat(last.at()).isEqualTo(CLOCK.instant());
  }

  @Test
  void everyByteThatIsChangedIsFoundButForTheLastLine() throws IOException {
    threeLines();
    byte[] whole = Files.readAllBytes(file());
    int chained = new String(whole, java.nio.charset.StandardCharsets.UTF_8).indexOf("error|");
    for (int i = 0; i < chained; i++) {
      byte[] changed = whole.clone();
      changed[i] ^= 1;
      Files.write(file(), changed);
      assertThat(findings()).as("byte %s", i).isNotEmpty();
    }
  }

  @Test
  void whatIsKnownOfTheLastLineShowsItsChangeAndItsLoss() throws IOException {
    Optional<Mark> last = Optional.of(threeLines().get(2));
    byte[] whole = Files.readAllBytes(file());
    int from = new String(whole, java.nio.charset.StandardCharsets.UTF_8).indexOf("error|");
    for (int i = from; i < whole.length; i++) {
      byte[] changed = whole.clone();
      changed[i] ^= 1;
      Files.write(file(), changed);
      assertThat(log().findings(last)).as("byte %s", i).isNotEmpty();
    }
    for (int length = from; length < whole.length; length++) {
      Files.write(file(), java.util.Arrays.copyOf(whole, length));
      assertThat(log().findings(last)).as("%s bytes", length).isNotEmpty();
    }
    Files.delete(file());
    assertThat(log().findings(last)).singleElement().asString().contains("it has 0 lines");
  }

  @Test
  void linesThatAreRemovedExchangedOrPutInAreFound() throws IOException {
    threeLines();
    List<String> lines = Files.readAllLines(file());
    for (int i = 0; i < 2; i++) {
      List<String> fewer = new ArrayList<>(lines);
      fewer.remove(i);
      Files.write(file(), fewer);
      assertThat(findings()).as("without %s", i).isNotEmpty();
      List<String> exchanged = new ArrayList<>(lines);
      Collections.swap(exchanged, i, i + 1);
      Files.write(file(), exchanged);
      assertThat(findings()).as("%s exchanged", i).isNotEmpty();
      List<String> more = new ArrayList<>(lines);
      more.add(i, lines.get(i));
      Files.write(file(), more);
      assertThat(findings()).as("%s twice", i).isNotEmpty();
    }
  }

  @Test
  void aLineThatACrashHasCutIsNoneAndTheNextTakesItsPlace() throws IOException {
    threeLines();
    byte[] whole = Files.readAllBytes(file());
    int from = new String(whole, java.nio.charset.StandardCharsets.UTF_8).indexOf("error|");
    for (int length = from; length < whole.length; length++) {
      Files.write(file(), java.util.Arrays.copyOf(whole, length));
      assertThat(findings()).isEmpty();
      assertThat(log().newest()).hasSize(2);
      log().append("info", "restore", "begun", Map.of());
      assertThat(findings()).isEmpty();
      assertThat(Files.readAllLines(file())).hasSize(3);
    }
  }

  @Test
  void whereLinesAreMissingThisIsNotHiddenByThoseThatFollow() throws IOException {
    Mark last = threeLines().get(2);
    log().requireFollows(last);
    assertThat(findings()).isEmpty();
    Files.write(file(), Files.readAllLines(file()).subList(0, 1));
    log().requireFollows(last);
    Mark newer = log().append("info", "verify", "begun", Map.of());
    log().requireFollows(newer);
    assertThat(log().findings(Optional.of(newer)))
        .singleElement()
        .asString()
        .contains("says that lines before it are missing", "line 3");
  }

  @Test
  void aFileThatIsNoneOfOursIsFoundAndWrittenOn() throws IOException {
    Files.writeString(file(), "something else\n", StandardOpenOption.CREATE);
    log().append("info", "archive", "begun", Map.of());
    assertThat(findings()).isNotEmpty();
    assertThat(Files.readAllLines(file())).hasSize(2);
  }

  @Test
  void whatIsNoRegularFileIsNeitherReadNorWritten() throws IOException {
    Path other = Files.writeString(home.resolve("other"), "precious\n");
    Files.createSymbolicLink(file(), other);
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> log().append("info", "archive", "begun", Map.of()))
        .withMessageContaining("no regular file");
    assertThatExceptionOfType(IntegrityException.class).isThrownBy(() -> log().newest());
    assertThatExceptionOfType(IntegrityException.class).isThrownBy(this::findings);
    assertThat(other).hasContent("precious\n");
  }

  @Test
  void whatIsTooLongForACutLineIsNotCutOff() throws IOException {
    Files.writeString(file(), "x".repeat(100_000));
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> log().append("info", "archive", "begun", Map.of()))
        .withMessageContaining("that are no line");
    assertThat(file()).hasSize(100_000);
  }
}
