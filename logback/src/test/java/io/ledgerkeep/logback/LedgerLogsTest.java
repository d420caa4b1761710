package io.ledgerkeep.logback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.TimeBasedRollingPolicy;
import io.ledgerkeep.error.ConfigurationException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

final class LedgerLogsTest {

  private static final Logger LOG = LoggerFactory.getLogger("io.ledgerkeep.core.archiving.Job");
  private static final Logger LIBRARY = LoggerFactory.getLogger("org.example.library.Wire");
  private static final int FILE_BYTES = 4000;

  @TempDir private Path directory;
  private Path file;

  @BeforeEach
  void name() {
    file = directory.resolve("log").resolve("ledger.log");
  }

  private LedgerLogs.Builder logs() {
    return LedgerLogs.builder().file(file);
  }

  private List<String> written() throws IOException {
    return Files.readAllLines(file).stream().map(line -> line.replaceAll(".*\\|", "")).toList();
  }

  @Test
  void linesAreInTheFileAtOnceInTheirForm() throws IOException {
    try (LedgerLogs logs = logs().open()) {
      LOG.atInfo().addKeyValue("blocks", 5).log("run ends");
      LOG.debug("a step");
      assertThat(logs.file()).contains(file);
      assertThat(Files.readString(file))
          .matches("info\\|[-0-9]{10} [:.0-9]{15}\\|\\[ARCHIVING]run ends,blocks=5\n");
    }
  }

  @Test
  void aFileThatIsFullIsCompressedAndNothingIsLost() throws IOException {
    try (LedgerLogs logs = logs().maxFileBytes(FILE_BYTES).open()) {
      fill(300);
    }
    assertThat(ended()).hasSizeGreaterThan(3).allMatch(path -> path.toString().endsWith(".gz"));
    List<Integer> lines = new ArrayList<>();
    for (Path each : Stream.concat(ended().stream(), Stream.of(file)).toList()) {
      String content = content(each);
      assertThat(content.length()).isLessThan(FILE_BYTES + 300);
      content.lines().forEach(line -> lines.add(number(line)));
    }
    assertThat(lines).hasSize(300).doesNotHaveDuplicates();
  }

  @Test
  void theOldestGoWhenAllAreTooLarge() throws IOException {
    long most = 4L * FILE_BYTES;
    try (LedgerLogs logs =
        logs().maxFileBytes(FILE_BYTES).maxTotalBytes(most).compress(false).open()) {
      fill(900);
    }
    long size = 0;
    for (Path each : ended()) {
      size += Files.size(each);
    }
    // The newest that ended may have come while the others were counted.
    assertThat(size).isPositive().isLessThan(most + FILE_BYTES + 300);
    assertThat(ended().stream().map(LedgerLogsTest::content).flatMap(String::lines))
        .noneMatch(line -> number(line) < 500)
        .isNotEmpty();
    assertThat(number(Files.readAllLines(file).get(0))).isGreaterThan(800);
  }

  @Test
  void aFileEndsWithTheDay() throws IOException {
    try (LedgerLogs logs = logs().open()) {
      LOG.info("today");
      policy()
          .getTimeBasedFileNamingAndTriggeringPolicy()
          .setCurrentTime(Instant.now().plus(Duration.ofDays(1)).toEpochMilli());
      LOG.info("tomorrow");
      assertThat(written()).containsExactly("[ARCHIVING]tomorrow");
    }
    assertThat(ended()).singleElement().asString().endsWith(".0.gz");
    assertThat(content(ended().get(0))).contains("today").doesNotContain("tomorrow");
  }

  @SuppressWarnings("unchecked")
  private static TimeBasedRollingPolicy<ILoggingEvent> policy() {
    ch.qos.logback.classic.Logger ours =
        ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger("io.ledgerkeep");
    RollingFileAppender<ILoggingEvent> appender =
        (RollingFileAppender<ILoggingEvent>) ours.iteratorForAppenders().next();
    return (TimeBasedRollingPolicy<ILoggingEvent>) appender.getRollingPolicy();
  }

  @Test
  void filesAreKeptForSoManyDays() throws IOException {
    Files.createDirectories(file.getParent());
    LocalDate today = LocalDate.now();
    Path old = Files.createFile(Path.of(file + "." + today.minusDays(9) + ".0.gz"));
    Path young = Files.createFile(Path.of(file + "." + today.minusDays(2) + ".0.gz"));
    Path another = Files.createFile(Path.of(file + ".old"));
    try (LedgerLogs logs = logs().maxDays(5).open()) {
      LOG.info("begin");
    }
    assertThat(old).doesNotExist();
    assertThat(young).exists();
    assertThat(another).exists();
  }

  @Test
  void theLevelChangesWhileItRuns() throws IOException {
    try (LedgerLogs logs = logs().open()) {
      logAll("1");
      logs.level(LogLevel.TRACE);
      logAll("2");
      logs.level(LogLevel.ERROR);
      logAll("3");
      logs.level(LogLevel.FATAL);
      logAll("4");
    }
    assertThat(Files.readAllLines(file).stream().map(line -> line.replaceAll("\\|.*]", " ")))
        .containsExactly(
            "info 1",
            "warning 1",
            "error 1",
            "fatal 1",
            "trace 2",
            "debug 2",
            "info 2",
            "warning 2",
            "error 2",
            "fatal 2",
            "error 3",
            "fatal 3",
            "fatal 4");
  }

  private static void logAll(String text) {
    LOG.trace(text);
    LOG.debug(text);
    LOG.info(text);
    LOG.warn(text);
    LOG.error(text);
    LOG.error(LedgerLogs.FATAL, text);
  }

  @Test
  void theLevelFollowsAFileWithinSeconds() throws IOException {
    AtomicLong time = new AtomicLong();
    Path holder = Files.writeString(directory.resolve("level"), "error");
    try (LedgerLogs logs = following(holder, time)) {
      LOG.info("1");
      // Of another size too: two writes can have one time.
      Files.writeString(holder, "debug\n");
      LOG.info("2");
      time.addAndGet(Duration.ofSeconds(4).toNanos());
      LOG.info("3");
      time.addAndGet(Duration.ofSeconds(1).toNanos());
      LOG.debug("4");
      assertThat(logs.level()).isEqualTo(LogLevel.DEBUG);
      LOG.debug("5");
      assertThat(written()).endsWith("[ARCHIVING]5").doesNotContain("[ARCHIVING]3");
    }
  }

  @Test
  void aFileThatCannotBeUnderstoodLeavesTheLevelAndIsToldOfOnce() throws IOException {
    AtomicLong time = new AtomicLong();
    Path holder = Files.writeString(directory.resolve("level"), "error");
    try (LedgerLogs logs = following(holder, time)) {
      logs.level(LogLevel.INFO);
      for (String content : List.of("loud", "loud", "")) {
        Files.writeString(holder, content);
        time.addAndGet(Duration.ofSeconds(5).toNanos());
        LOG.info("a line");
      }
      Files.delete(holder);
      time.addAndGet(Duration.ofSeconds(5).toNanos());
      LOG.info("a line");
      assertThat(logs.level()).isEqualTo(LogLevel.INFO);
      assertThat(written())
          .filteredOn(line -> line.contains("stays info"))
          .hasSizeBetween(3, 4)
          .allMatch(line -> line.startsWith("[LOGBACK]the level of the log stays info: "));
    }
  }

  private LedgerLogs following(Path holder, AtomicLong time) {
    return logs()
        .level(LogLevel.ERROR)
        .followLevel(
            holder, path -> LogLevel.of(Files.readString(path).strip()), Duration.ofSeconds(5))
        .nanoTime(time::get)
        .open();
  }

  @Test
  void othersAreLetInOnlyFromWarningOn() throws IOException {
    try (LedgerLogs logs = logs().level(LogLevel.TRACE).libraries().open()) {
      LIBRARY.info("bytes on the wire");
      LIBRARY.warn("the wire is slow");
      LOG.trace("a step");
      logs.level(LogLevel.ERROR);
      LIBRARY.warn("the wire is slow again");
    }
    assertThat(written()).containsExactly("[LIBRARY]the wire is slow", "[ARCHIVING]a step");
  }

  @Test
  void withoutThatTheyAreLeftOut() throws IOException {
    try (LedgerLogs logs = logs().open()) {
      LIBRARY.error("the wire broke");
    }
    assertThat(written()).isEmpty();
  }

  @Test
  void whatLogbackWasItIsAgain() throws IOException {
    boolean debug = LOG.isDebugEnabled();
    boolean library = LIBRARY.isDebugEnabled();
    LedgerLogs logs = logs().level(LogLevel.ERROR).libraries().console(LogLevel.ERROR).open();
    assertThat(LOG.isInfoEnabled()).isFalse();
    logs.close();
    logs.close();
    logs.level(LogLevel.TRACE);
    assertThat(LOG.isDebugEnabled()).isEqualTo(debug);
    assertThat(LIBRARY.isDebugEnabled()).isEqualTo(library);
    LOG.error("nobody writes this down");
    assertThat(written()).isEmpty();
  }

  @Test
  void whoComesSecondWritesBeside() throws IOException {
    try (LedgerLogs first = logs().open();
        LedgerLogs second = logs().open()) {
      assertThat(first.file()).contains(file);
      assertThat(second.file()).contains(file.resolveSibling("ledger-2.log"));
    }
    try (LedgerLogs third = logs().open()) {
      assertThat(third.file()).contains(file);
    }
  }

  @Test
  void anotherProcessCountsToo() throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"),
            Holder.class.getName(),
            file.toString());
    Process process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try (BufferedReader out =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      assertThat(out.readLine()).isEqualTo(file.toString());
      try (LedgerLogs logs = logs().open()) {
        assertThat(logs.file()).contains(file.resolveSibling("ledger-2.log"));
      }
      process.getOutputStream().close();
      assertThat(process.waitFor()).isZero();
    } finally {
      process.destroyForcibly();
    }
    try (LedgerLogs logs = logs().open()) {
      assertThat(logs.file()).contains(file);
    }
  }

  /** Logs to a file until its standard input ends. */
  static final class Holder {

    public static void main(String[] args) throws IOException {
      try (LedgerLogs logs = LedgerLogs.builder().file(Path.of(args[0])).open()) {
        System.out.println(logs.file().orElseThrow());
        while (System.in.read() >= 0) {}
      }
    }
  }

  @Test
  void whatCannotBeIsRefusedWithItsName() throws IOException {
    Path inTheWay = Files.createFile(directory.resolve("plain"));
    assertThatThrownBy(() -> LedgerLogs.builder().file(inTheWay.resolve("a.log")).open())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(inTheWay.toString());
    assertThatThrownBy(() -> LedgerLogs.builder().file(directory).open())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(directory.toString());
    assertThatThrownBy(() -> LedgerLogs.builder().file(directory.resolve("a%d.log")))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("'%'");
    assertThatThrownBy(() -> logs().maxFileBytes(10).maxTotalBytes(9).open())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("9 bytes");
    assertThatThrownBy(() -> LogLevel.of("loud"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("fatal", "'loud'");
  }

  private static void fill(int lines) {
    Random random = new Random(7);
    for (int i = 0; i < lines; i++) {
      LOG.info("line {} {}", i, Long.toHexString(random.nextLong()));
    }
  }

  private static int number(String line) {
    return Integer.parseInt(line.replaceAll(".*line ([0-9]+) .*", "$1"));
  }

  private List<Path> ended() throws IOException {
    try (Stream<Path> files = Files.list(file.getParent())) {
      return files
          .filter(path -> path.getFileName().toString().startsWith("ledger.log.2"))
          .sorted()
          .toList();
    }
  }

  private static String content(Path path) {
    try (InputStream in = Files.newInputStream(path)) {
      InputStream plain = path.toString().endsWith(".gz") ? new GZIPInputStream(in) : in;
      return new String(plain.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
