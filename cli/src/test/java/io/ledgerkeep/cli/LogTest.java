package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.logback.LedgerLogs;
import io.ledgerkeep.logback.LogLevel;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The log of commands, as the section {@code log:} and the option want it. */
final class LogTest {

  private static final Logger LOG = LoggerFactory.getLogger(LogTest.class);

  @TempDir private Path directory;
  private Place place;
  private Path file;

  @BeforeEach
  void makeALedger() {
    place = new Place(directory).withChain(30);
    file = directory.resolve("log").resolve("ledger.log");
  }

  private Object[] archive(String log, Object... options) throws IOException {
    String config = Files.readString(place.config).replaceAll("(?s)log:.*", "") + log;
    Files.writeString(place.config, config);
    Object[] words = new Object[options.length + 4];
    System.arraycopy(options, 0, words, 0, options.length);
    System.arraycopy(new Object[] {"archive", "--to", 12, "--yes"}, 0, words, options.length, 4);
    return words;
  }

  @Test
  void theFileHasTheLogFromInfoOn() throws IOException {
    Run run = place.runWithArchive(archive("log:\n  file_path: " + file + "\n"));
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(Files.readAllLines(file))
        .isNotEmpty()
        .allMatch(line -> line.matches("(info|warning)\\|[^|]+\\|\\[[A-Z]+][^|]+"))
        .anyMatch(line -> line.contains("|[ARCHIVING]"));
  }

  @Test
  void theLevelOfTheFileHolds() throws IOException {
    place.runWithArchive(archive("log: {level: error, file_path: " + file + "}\n"));
    assertThat(file).isEmptyFile();
  }

  @Test
  void theOptionWinsOverTheFile() throws IOException {
    String log = "log: {level: fatal, file_path: " + file + "}\n";
    Run run = place.runWithArchive(archive(log, "--log-level", "info"));
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(file).content().contains("info|");
  }

  @Test
  void standardErrorHasTheLogWhereThereIsNoFile() throws Exception {
    Run quiet = place.apart().runWithArchive(archive(""));
    assertThat(quiet.exitCode()).as(quiet.err()).isZero();
    assertThat(quiet.err()).doesNotContain("info|");
    Run told =
        place.apart().runWithArchive("--log-level", "info", "restore", "--down-to", 1, "--yes");
    assertThat(told.exitCode()).as(told.err()).isZero();
    assertThat(told.err()).contains("info|", "|[ARCHIVING]restored");
    assertThat(told.out()).doesNotContain("info|");
  }

  @Test
  void aLevelThatIsEditedHoldsWithoutARestart() throws IOException {
    Files.writeString(place.config, "log: {level: error, file_path: " + file + "}\n");
    GlobalOptions options = new GlobalOptions(null);
    options.config = place.config;
    LogSettings settings = new LogSettings(ConfigFile.read(place.config), List.of());
    PrintStream standardError = System.err;
    System.setErr(new PrintStream(OutputStream.nullOutputStream()));
    try (LedgerLogs logs = settings.open(options, Duration.ZERO)) {
      LOG.info("not yet");
      // Of another size too: two writes can have one time.
      Files.writeString(place.config, "log: {level: debug, file_path: " + file + "}\n\n");
      LOG.info("two");
      LOG.debug("three");
      Files.writeString(place.config, "log: {level: debug, levl: fatal}\n");
      LOG.debug("four");
      assertThat(logs.level()).isEqualTo(LogLevel.DEBUG);
    } finally {
      System.setErr(standardError);
    }
    assertThat(file)
        .content()
        .contains("three", "four", "stays debug", "line 1", "'levl'")
        .doesNotContain("not yet");
  }

  @Test
  void anUnknownLevelIsRefused() {
    Run run = place.run("--log-level", "loud", "status");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("--log-level", "loud", "FATAL");
  }

  @Test
  void aLogAmongTheFilesOfTheLedgerOrItsArchiveIsRefused() throws IOException {
    for (Path taken : List.of(place.data.resolve("block/audit.log"), place.archive.resolve("a"))) {
      Run run = place.runWithArchive(archive("log: {file_path: " + taken + "}\n"));
      assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
      assertThat(run.err()).contains("log: file_path lies in ", "name a file elsewhere");
      assertThat(place.archive).doesNotExist();
    }
    Files.writeString(
        place.config,
        "storage: {store_path: %s}\nlog: {file_path: %s/../%s/a.log}\n"
            .formatted(place.data, place.data, place.data.getFileName()));
    Run run = Run.of("--config", place.config, "config", "check");
    assertThat(run.out()).contains("log: file_path lies in " + place.data);
  }

  @Test
  void aLogThatCannotBeWrittenIsTold() throws IOException {
    Run run = place.runWithArchive(archive("log: {file_path: " + place.config + "/a.log}\n"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("the log cannot be written", place.config.toString());
  }
}
