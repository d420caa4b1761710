package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.cli.certs.TestCertificates;
import io.ledgerkeep.cli.monitor.Alert;
import io.ledgerkeep.cli.monitor.Machine.Room;
import io.ledgerkeep.cli.monitor.Machine.Running;
import io.ledgerkeep.cli.monitor.Measure;
import io.ledgerkeep.cli.monitor.MinFree;
import io.ledgerkeep.cli.monitor.Monitor;
import io.ledgerkeep.cli.monitor.TokenCheck;
import io.ledgerkeep.error.KeyUnavailableException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is made of any state of a ledger's files and of the machine, round by round. */
@Timeout(120)
final class MonitorChecksTest {

  private static final long PID = 4711;
  private static final Instant OPENED = FakeMachine.START.minusSeconds(3600);
  private static final String GENESIS = "00ff";
  private static final String LEDGER = "aa";

  @TempDir private Path data;
  private final FakeMachine machine = new FakeMachine();
  private final Map<String, Object> status = new LinkedHashMap<>();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final Interruption interruption = Interruption.byRequest();
  private Optional<Alert> alert = Optional.empty();

  // What is asked.
  private List<Long> peers = List.of();
  private Optional<Duration> maxSilence = Optional.empty();
  private MinFree minFree = new MinFree(10, true);
  private Optional<Path> archive = Optional.empty();
  private Optional<TokenCheck> token = Optional.empty();
  private Optional<Path> certificates = Optional.empty();

  @BeforeEach
  void makeLedger() throws IOException {
    write(
        "ledgerkeep layout 1\nblock leveldb block\nstate leveldb state\nhistory leveldb history\n");
    for (String name : List.of("block", "state", "history")) {
      Files.createDirectory(data.resolve(name));
    }
    status.put("open", true);
    status.put("pid", PID);
    status.put("since", OPENED);
    status.put("written", FakeMachine.START.minusSeconds(5));
    status.put("genesisHash", GENESIS);
    status.put("ledgerId", LEDGER);
    status.put("height", 1000L);
    status.put("archivedHeight", 0L);
    status.put("highestArchivableHeight", 900L);
    status.put("derivedThrough", 800L);
    status.put("encryption", "");
    status.put("archivePlace", "");
    status.put("job", "");
    status.put("bytesOnDisk", Map.of("block", 700L, "state", 20L, "history", 3L));
    machine.run(PID, OPENED.minusSeconds(1), 10);
  }

  private void write(String layout) throws IOException {
    CRC32C crc = new CRC32C();
    crc.update(layout.getBytes(StandardCharsets.UTF_8));
    Files.writeString(data.resolve("LAYOUT"), layout + "crc32c %08x\n".formatted(crc.getValue()));
  }

  /** Replaces words of a layout, with a checksum that fits. */
  static void rewrite(Path layout, String from, String to) throws IOException {
    String text = Files.readString(layout).replaceFirst("crc32c .*\n", "").replace(from, to);
    CRC32C crc = new CRC32C();
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    Files.writeString(layout, text + "crc32c %08x\n".formatted(crc.getValue()));
  }

  private void writeStatus() {
    try {
      Files.write(data.resolve("status.json"), Json.bytes(status));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private MonitorRounds rounds() {
    return new MonitorRounds(
        data,
        monitor(Optional.empty()),
        machine,
        new Console(
            InputStream.nullInputStream(),
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false,
            interruption),
        alert);
  }

  private Monitor monitor(Optional<String> sidecar) {
    Path file = data.resolve("status.json");
    return new Monitor(
        new Monitor.Request(
            data, archive, peers, 10, maxSilence, minFree, certificates, 30, sidecar, token),
        () -> MonitorCommand.status(file),
        machine);
  }

  /** Makes one round of what the status says now. */
  private List<String> round() throws InterruptedException {
    writeStatus();
    return rounds().once().lines();
  }

  /** Watches, and does something after each round; ends with the last of it. */
  private List<String> watch(Runnable... between) throws InterruptedException {
    writeStatus();
    Deque<Runnable> steps = new ArrayDeque<>(List.of(between));
    Instant[] next = {machine.now.plusSeconds(10)};
    machine.afterPause =
        () -> {
          if (!machine.now.isBefore(next[0])) {
            next[0] = machine.now.plusSeconds(10);
            if (steps.isEmpty()) {
              interruption.request();
            } else {
              steps.removeFirst().run();
              writeStatus();
            }
          }
        };
    rounds().watch(Duration.ofSeconds(10), false);
    return out.toString(StandardCharsets.UTF_8).lines().toList();
  }

  @Test
  void whatIsWellIsExitZero() throws InterruptedException {
    writeStatus();
    Outcome outcome = rounds().once();
    assertThat(outcome.exitCode()).isZero();
    assertThat(outcome.lines())
        .containsExactly(
            "OK owner: pid 4711 has the ledger open since 2025-12-31T23:00:00Z",
            "OK height: 1000, for 5.0 s",
            "OK coherence: height 1000, state and history durable through 800, archived through 0 of"
                + " 900",
            "OK job: none",
            "OK archive: nothing is archived",
            "OK cpu: 10.0 s since its start",
            "OK memory: 10.0 kB",
            "OK bytes read: 10.0 kB since its start",
            "OK bytes written: 10.0 kB since its start",
            "OK disk ledger: 500.0 kB of 1.0 MB free",
            "OK disk block: 500.0 kB of 1.0 MB free",
            "OK disk state: 500.0 kB of 1.0 MB free",
            "OK disk history: 500.0 kB of 1.0 MB free");
  }

  // ----------------------------------------------------------------------------------- owner

  @Test
  void anOwnerThatIsGoneIsWrong() throws InterruptedException {
    machine.processes.clear();
    assertThat(round())
        .contains(
            "FAIL owner: pid 4711 had the ledger open since 2025-12-31T23:00:00Z and is gone without"
                + " closing it: start the node again",
            "OK height: 1000, as of 2025-12-31T23:59:55Z")
        .noneMatch(line -> line.contains("cpu"));
  }

  @Test
  void anotherProcessOfThatIdIsNotTheOwner() throws InterruptedException {
    machine.run(PID, OPENED.plusSeconds(600), 10);
    assertThat(round()).anyMatch(line -> line.startsWith("FAIL owner: pid 4711 had"));
  }

  /** Systems tell when a process began by a clock that may have been set since. */
  @Test
  void aMinuteOfTheClockMakesNobodyAnother() throws InterruptedException {
    machine.run(PID, OPENED.plusSeconds(60), 10);
    assertThat(round()).anyMatch(line -> line.startsWith("OK owner: "));
    machine.run(PID, OPENED.plusSeconds(61), 10);
    assertThat(round()).anyMatch(line -> line.startsWith("FAIL owner: "));
  }

  @Test
  void aClosedLedgerIsAWarningWhoeverHasThatIdNow() throws InterruptedException {
    status.put("open", false);
    assertThat(round())
        .contains(
            "WARN owner: nobody has the ledger open: pid 4711 closed it at 2025-12-31T23:59:55Z")
        .noneMatch(line -> line.contains("cpu"));
  }

  @Test
  void aLedgerWithoutStatusIsAWarning() throws InterruptedException {
    assertThat(rounds().once().lines())
        .contains("WARN owner: nobody had the ledger open here: no status.json")
        .noneMatch(line -> line.contains("height"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "[]", "{\"open\":true}", "{\"open\":\"secret\"}"})
  void aStatusThatCannotBeUnderstoodIsWrong(String damaged) throws Exception {
    Files.writeString(data.resolve("status.json"), damaged);
    assertThat(rounds().once().lines())
        .contains("FAIL owner: " + data.resolve("status.json") + " cannot be understood")
        .anyMatch(line -> line.startsWith("OK disk block"));
  }

  // ---------------------------------------------------------------------------------- height

  @ParameterizedTest
  @CsvSource({
    "995, OK lag: none: peers are at 995",
    "1010, OK lag: 10 blocks behind peers at 1010",
    "1011, 'FAIL lag: 11 blocks behind peers at 1011, more than 10'"
  })
  void theLagIsThatBehindTheHighestPeer(long highest, String line) throws InterruptedException {
    peers = List.of(3L, highest, 7L);
    assertThat(round()).contains(line);
  }

  @ParameterizedTest
  @CsvSource({
    "5, 0, 'OK height: 1000, for 5.0 s'",
    "4, 0, 'WARN height: stands still at 1000, for 5.0 s'",
    "4, 1001, 'FAIL height: stands still at 1000, for 5.0 s; peers are at 1001'",
    "5, 1001, 'OK height: 1000, for 5.0 s; peers are at 1001'"
  })
  void aHeightMayStandStillForSoLong(long most, long peer, String line)
      throws InterruptedException {
    maxSilence = Optional.of(Duration.ofSeconds(most));
    peers = peer == 0 ? List.of() : List.of(peer);
    assertThat(round()).contains(line);
  }

  /** The file is written anew by a job as well, without any new block. */
  @Test
  void whileWatchingItIsTheHeightThatMustMove() throws InterruptedException {
    maxSilence = Optional.of(Duration.ofSeconds(12));
    assertThat(
            watch(
                () -> status.put("written", machine.now),
                () -> status.put("height", 1001L),
                () -> {}))
        .filteredOn(line -> line.contains(" height: "))
        .containsExactly(
            "OK height: 1000, for 5.0 s",
            "WARN height: stands still at 1000, for 15.0 s",
            "OK height: 1001, for 0.0 s",
            "OK height: 1001, for 10.0 s");
  }

  @ParameterizedTest
  @CsvSource({
    "derivedThrough, 1000, OK",
    "derivedThrough, 1001, FAIL",
    "archivedHeight, 1001, FAIL"
  })
  void nothingMayBeAboveTheHeight(String field, long value, String word)
      throws InterruptedException {
    status.put(field, value);
    assertThat(round()).anyMatch(line -> line.startsWith(word + " coherence: height 1000, "));
  }

  @Test
  void anEmptyLedgerIsCoherent() throws InterruptedException {
    status.put("height", -1L);
    status.put("derivedThrough", -1L);
    status.put("highestArchivableHeight", 0L);
    assertThat(round()).anyMatch(line -> line.startsWith("OK coherence: height -1, "));
  }

  @Test
  void aJobIsToldAndAnInterruptedOneWarnedOf() throws InterruptedException {
    status.put("job", "archive");
    assertThat(round()).contains("OK job: archive, as of 2025-12-31T23:59:55Z");
    status.put("job", "archive (interrupted)");
    assertThat(round()).contains("WARN job: archive (interrupted): run it again");
  }

  // --------------------------------------------------------------------------------- archive

  @Test
  void theArchiveMustHoldTheLedgersManifest() throws Exception {
    status.put("archivedHeight", 700L);
    assertThat(round())
        .contains(
            "WARN archive: archived through 700, and not looked at: give the archive (--archive)");
    Path place = Files.createDirectory(data.resolve("archive"));
    status.put("archivePlace", place.toString());
    assertThat(round())
        .anyMatch(line -> line.matches("FAIL archive: .* there is no file .*mounted\\?"));
    Path manifest = Files.createDirectories(place.resolve(GENESIS + "/" + LEDGER + "/manifest"));
    assertThat(round())
        .anyMatch(line -> line.matches("FAIL archive: .* there is nothing in .*mounted\\?"));
    Files.createFile(manifest.resolve("0000000000000000.json"));
    assertThat(round())
        .contains(
            "OK archive: archived through 700 of 900, in " + place,
            "OK disk archive: 500.0 kB of 1.0 MB free");
    archive = Optional.of(data.resolve("other"));
    assertThat(round())
        .anyMatch(line -> line.startsWith("FAIL archive: "))
        .as("it is told once")
        .noneMatch(line -> line.contains("disk archive"));
  }

  // ----------------------------------------------------------------------------------- disks

  @Test
  void lessThanTheLimitIsAWarningAndNothingElse() throws InterruptedException {
    for (MinFree limit : List.of(new MinFree(10, true), new MinFree(100_000, false))) {
      minFree = limit;
      for (long free : new long[] {0, 1, 50_000, 99_999, 100_000, 100_001, 900_000, 1_000_000}) {
        machine.room = new Room(1_000_000, free);
        String word = free < 100_000 ? "WARN" : "OK";
        assertThat(round())
            .as("%s, %s free", limit, free)
            .filteredOn(line -> line.contains(" disk "))
            .hasSize(4)
            .allMatch(line -> line.startsWith(word + " disk "));
      }
    }
  }

  @Test
  void hugeDisksDoNotOverflow() {
    long huge = Long.MAX_VALUE;
    assertThat(new MinFree(10, true).isKeptBy(new Room(huge, huge / 5))).isTrue();
    assertThat(new MinFree(10, true).isKeptBy(new Room(huge, huge / 20))).isFalse();
  }

  @Test
  void aDirectoryThatIsGoneIsWrong() throws Exception {
    Files.delete(data.resolve("state"));
    assertThat(round()).contains("FAIL disk state: there is no directory " + data.resolve("state"));
  }

  @Test
  void aDatabaseOnAnotherDiskIsLookedAtThere() throws Exception {
    write("ledgerkeep layout 1\nblock leveldb /no/such/disk\nstate leveldb state\n");
    assertThat(round()).contains("FAIL disk block: there is no directory /no/such/disk");
  }

  @Test
  void aLayoutThatIsDamagedIsWrong() throws Exception {
    Files.writeString(data.resolve("LAYOUT"), "ledgerkeep layout 1\nblock leveldb b\ncrc32c 0\n");
    assertThat(round()).anyMatch(line -> line.matches("FAIL layout: .* run doctor"));
    Files.writeString(data.resolve("LAYOUT"), "ledgerkeep layout moved 1\n/x\n");
    assertThat(round()).anyMatch(line -> line.startsWith("FAIL layout: the ledger was moved"));
    Files.delete(data.resolve("LAYOUT"));
    assertThat(round()).anyMatch(line -> line.startsWith("FAIL layout: there is no file"));
  }

  @Test
  void whileWatchingItIsForeseenWhenADiskIsFull() throws InterruptedException {
    List<String> lines =
        watch(
            () -> machine.room = new Room(1_000_000, 400_000),
            () -> machine.room = new Room(1_000_000, 600_000));
    assertThat(lines)
        .filteredOn(line -> line.contains(" disk block"))
        .containsExactly(
            "OK disk block: 500.0 kB of 1.0 MB free",
            "OK disk block: 400.0 kB of 1.0 MB free, full in 40.0 s at 10.0 kB/s",
            "OK disk block: 600.0 kB of 1.0 MB free");
    assertThat(lines)
        .contains("at 2026-01-01T00:00:00Z", "at 2026-01-01T00:00:10Z", "at 2026-01-01T00:00:20Z");
  }

  /** A compaction long ago says nothing of today. */
  @Test
  void theForecastIsOfTheLastSixtyRounds() throws InterruptedException {
    Runnable[] steps = new Runnable[60];
    Arrays.fill(steps, (Runnable) () -> {});
    steps[0] = () -> machine.room = new Room(1_000_000, 400_000);
    List<String> lines =
        watch(steps).stream().filter(line -> line.contains(" disk block")).toList();
    assertThat(lines).hasSize(61);
    assertThat(lines.subList(1, 60)).allMatch(line -> line.contains(", full in "));
    assertThat(lines.get(60)).isEqualTo("OK disk block: 400.0 kB of 1.0 MB free");
  }

  // ----------------------------------------------------------------------------------- loads

  @Test
  void loadsAreToldApart() throws InterruptedException {
    machine.processes.put(
        PID,
        new Running(
            Optional.of(OPENED),
            Optional.of(Duration.ofSeconds(4)),
            OptionalLong.of(1000),
            OptionalLong.of(2000),
            OptionalLong.of(3000),
            List.of()));
    assertThat(round())
        .contains(
            "OK cpu: 4.0 s since its start",
            "OK memory: 1.0 kB",
            "OK bytes read: 2.0 kB since its start",
            "OK bytes written: 3.0 kB since its start");
    assertThat(monitor(Optional.empty()).round().measures())
        .contains(
            measure("ledgerkeep.owner.memory", "bytes", 1000),
            measure("ledgerkeep.owner.read", "bytes", 2000),
            measure("ledgerkeep.owner.written", "bytes", 3000));
  }

  @Test
  void whileWatchingLoadsAreRates() throws InterruptedException {
    assertThat(
            watch(
                () -> machine.run(PID, OPENED.minusSeconds(1), 15),
                () -> machine.run(PID, OPENED.minusSeconds(9), 1)))
        .contains(
            "OK cpu: 50 % of a core, 15.0 s since its start",
            "OK bytes written: 500 B/s, 15.0 kB since its start", "OK cpu: 1.0 s since its start");
  }

  @Test
  void whatTheSystemDoesNotTellIsNotKnown() throws InterruptedException {
    OptionalLong none = OptionalLong.empty();
    machine.processes.put(
        PID, new Running(Optional.empty(), Optional.empty(), none, none, none, List.of()));
    assertThat(round())
        .contains(
            "OK cpu: not known here",
            "OK memory: not known here",
            "OK bytes read: not known here",
            "OK bytes written: not known here");
  }

  // ------------------------------------------------------------------------ keys and sidecar

  @Test
  void aPinThatWasRefusedIsNotOfferedAgain() throws InterruptedException {
    AtomicInteger offered = new AtomicInteger();
    token =
        Optional.of(
            new TokenCheck(
                () -> {
                  boolean first = offered.incrementAndGet() == 1;
                  throw new KeyUnavailableException(
                      first
                          ? KeyUnavailableException.Reason.UNREACHABLE
                          : KeyUnavailableException.Reason.WRONG,
                      first ? "no token answers" : "the PIN is refused");
                }));
    assertThat(round()).contains("FAIL hsm: no token answers");
    assertThat(round()).contains("FAIL hsm: the PIN is refused");
    assertThat(round())
        .contains("FAIL hsm: the PIN is refused; it is not tried again, for the PIN");
    assertThat(offered).hasValue(2);
  }

  @Test
  void keysTellWhatIsLeftToThem() throws InterruptedException {
    assertThat(round()).noneMatch(line -> line.contains(" keys: "));
    status.put("encryption", "SM4-GCM");
    assertThat(round())
        .contains("OK keys: sealed with SM4-GCM; a fresh key is derived for the next value");
    status.put("keyBudget", Map.of("values", 1L, "bytes", 5000L, "until", "2026-01-02T00:00:00Z"));
    assertThat(round())
        .contains(
            "OK keys: sealed with SM4-GCM; a fresh key is derived after 1 value, 5.0 kB, or at"
                + " 2026-01-02T00:00:00Z");
    status.put("keyBudget", Map.of("values", 1L));
    assertThat(round()).anyMatch(line -> line.startsWith("FAIL owner: "));
  }

  @ParameterizedTest
  @CsvSource({"900, 100, OK", "901, 99, WARN", "1000, 0, WARN"})
  void aTokensKeyIsWarnedOfBeforeItIsUsedUp(long leased, long left, String word)
      throws InterruptedException {
    status.put("encryption", "SM4-GCM-DIRECT");
    status.put("deviceCalls", Map.of("leased", leased, "left", left));
    assertThat(round())
        .anyMatch(
            line ->
                line.startsWith(word + " keys: sealed with SM4-GCM-DIRECT; ")
                    && line.contains("may seal " + left + " times more"));
  }

  @Test
  void theSidecarMustRun() throws Exception {
    rewrite(data.resolve("LAYOUT"), "state leveldb", "state badgerdb");
    assertThat(round()).anyMatch(line -> line.startsWith("WARN sidecar: no child of the owner"));
    machine.run(
        PID, OPENED, 1, List.of(List.of("x"), List.of("--stop", "--root", data.toString(), "-v")));
    assertThat(round()).contains("OK sidecar: runs as a child of the owner");
    for (List<String> other :
        List.of(
            List.of("--root", data + "x"),
            List.of("--root", data.resolve("history").toString()),
            List.of("--root"),
            List.of("ledgerkeep-badger"))) {
      machine.run(PID, OPENED, 1, List.of(other));
      assertThat(round())
          .contains(
              "WARN sidecar: no child of the owner serves %s; the owner starts it with its next call"
                  .formatted(data.resolve("state")));
    }
    machine.run(PID, OPENED, 1, List.of(List.of()));
    assertThat(round()).anyMatch(line -> line.startsWith("OK sidecar: not known here"));
    machine.processes.clear();
    assertThat(round()).anyMatch(line -> line.startsWith("OK sidecar: is started and ended"));
    Files.createFile(data.resolve("state/SIDECAR"));
    assertThat(round()).anyMatch(line -> line.startsWith("WARN sidecar: runs by itself"));
    assertThat(sidecarAt("unix:/s")).startsWith("nobody answers at unix:/s: refused");
    machine.listening.add("unix:/s");
    assertThat(sidecarAt("unix:/s")).isEqualTo("listens at unix:/s");
  }

  private String sidecarAt(String address) {
    return monitor(Optional.of(address)).round().findings().stream()
        .filter(finding -> finding.subject().equals("sidecar"))
        .findFirst()
        .orElseThrow()
        .what();
  }

  // -------------------------------------------------------------------------------- measures

  private static final Path PAGE = Path.of("..", "docs", "metrics.md");
  private static final int SHOWN_BY = 4;

  /** Returns name, unit and tag of those that the page says a monitor shows. */
  private static List<String> listed() throws IOException {
    return Files.readAllLines(PAGE).stream()
        .map(line -> Stream.of(line.split("\\|", -1)).map(String::strip).toList())
        .filter(cells -> cells.size() > SHOWN_BY && cells.get(SHOWN_BY).contains("monitor"))
        .map(cells -> String.join(" ", cells.subList(1, SHOWN_BY)).replace("`", ""))
        .toList();
  }

  private static Measure measure(String name, String unit, double value) {
    return new Measure(name, unit, Map.of(), value, OptionalLong.empty());
  }

  private static String tag(Measure measure) {
    return String.join(" ", new TreeMap<>(measure.tags()).values());
  }

  @Test
  void aRoundHasEveryMeasureOfThePage() throws Exception {
    rewrite(data.resolve("LAYOUT"), "state leveldb", "state badgerdb");
    status.put("archivedHeight", 700L);
    status.put("encryption", "SM4-GCM-DIRECT");
    status.put("job", "restore");
    status.put("keyBudget", Map.of("values", 6L, "bytes", 5L, "until", "2026-01-01T00:00:09Z"));
    status.put("deviceCalls", Map.of("leased", 0L, "left", 8L));
    status.put("lastBackup", "2025-12-31T23:00:00Z");
    status.put("lastVerification", "2025-12-30T00:00:00Z");
    status.put("jobProgress", Map.of("doneBlocks", 30L, "totalBlocks", 120L));
    status.put(
        "jobsEnded",
        Map.of(
            "archive failed",
            Map.of("count", 2L, "millis", 3500L),
            "rotate done",
            Map.of("count", 3L, "millis", 1000L),
            "add holder done",
            Map.of("count", 4L, "millis", 500L)));
    Path segments = data.resolve("archive").resolve(GENESIS).resolve(LEDGER).resolve("segments");
    Files.createDirectories(segments);
    Files.write(segments.resolve("1.lks"), new byte[70]);
    Files.write(segments.resolve("2.lks"), new byte[7]);
    status.put("archivePlace", data.resolve("archive").toString());
    writeStatus();
    peers = List.of(1011L);
    certificates = Optional.of(TestCertificates.copyTo(data));
    List<Measure> measures = monitor(Optional.empty()).round().measures();
    assertThat(measures)
        .extracting(
            any ->
                String.join(
                    " ",
                    any.name(),
                    any.unit(),
                    String.join(", ", new TreeSet<>(any.tags().keySet()))))
        .containsOnlyOnceElementsOf(List.of("ledgerkeep.height blocks "))
        .hasSameElementsAs(listed());
    Map<String, Double> values = new TreeMap<>();
    measures.forEach(
        any -> values.put((any.name().substring(11) + " " + tag(any)).strip(), any.value()));
    assertThat(values)
        .containsEntry("owner.up", 1.0)
        .containsEntry("status.age", 5.0)
        .containsEntry("height", 1000.0)
        .containsEntry("height.archived", 700.0)
        .containsEntry("derived.lag", 200.0)
        .containsEntry("archive.lag", 200.0)
        .containsEntry("peer.lag", 11.0)
        .containsEntry("database.size block", 700.0)
        .containsEntry("database.size history", 3.0)
        .containsEntry("job.running", 1.0)
        .containsEntry("job.progress", 0.25)
        .containsEntry("job.ended archive failed", 3.5)
        .containsEntry("job.ended other done", 1.5)
        .containsEntry("backup.age", 3600.0)
        .containsEntry("verify.age", 2 * 86_400.0)
        .containsEntry("archive.size", 77.0)
        .containsEntry("archive.segments", 2.0)
        .containsEntry("encryption.enabled", 1.0)
        .containsEntry("key.budget.values", 6.0)
        .containsEntry("key.budget.bytes", 5.0)
        .containsEntry("key.budget.time", 9.0)
        .containsEntry("key.device.calls", 8.0)
        .containsEntry("owner.cpu", 10.0)
        .containsEntry("owner.memory", 10_000.0)
        .containsEntry("owner.read", 10_000.0)
        .containsEntry("owner.written", 10_000.0)
        .containsEntry("disk.free state", 500_000.0)
        .containsEntry("disk.total ledger", 1_000_000.0)
        .containsEntry("sidecar.up", 0.0)
        .containsEntry("finding owner", 0.0)
        .containsEntry("finding sidecar", 1.0)
        .containsEntry("finding lag", 2.0)
        .containsKey("certificate.left node0/ssl");
    assertThat(values.get("certificate.left node0/ssl")).isGreaterThan(30_000);
    assertThat(MetricsText.of(measures))
        .contains(
            "ledgerkeep_job_ended_seconds_count{job=\"other\",state=\"done\"} 7\n",
            "ledgerkeep_job_ended_seconds_sum{job=\"other\",state=\"done\"} 1.5\n");
  }

  @Test
  void whatIsNotThereHasNoMeasure() {
    writeStatus();
    machine.processes.clear();
    status.put("job", "restore");
    status.put("jobProgress", Map.of("doneBlocks", 30L, "totalBlocks", 120L));
    writeStatus();
    assertThat(monitor(Optional.empty()).round().measures())
        .contains(measure("ledgerkeep.owner.up", "", 0), measure("ledgerkeep.job.running", "", 0))
        .noneMatch(
            any ->
                any.name()
                    .matches(
                        ".*(key|sidecar|peer|certificate|cpu|memory|progress|ended|backup|verify|archive.s).*"));
  }

  /** Several findings may be of one thing, and meters of one name and tag are one. */
  @Test
  void theWorstOfASubjectCounts() throws IOException {
    certificates = Optional.of(TestCertificates.copyTo(data));
    Files.delete(certificates.get().resolve("node0/ssl.key"));
    machine.now = Instant.parse("2300-01-01T00:00:00Z");
    Monitor.Round round = monitor(Optional.empty()).round();
    assertThat(round.findings())
        .filteredOn(finding -> finding.subject().equals("certificates node0/ssl"))
        .hasSizeGreaterThan(1);
    List<Measure> findings =
        round.measures().stream().filter(any -> any.name().equals("ledgerkeep.finding")).toList();
    assertThat(findings).extracting(MonitorChecksTest::tag).doesNotHaveDuplicates();
    assertThat(findings)
        .contains(
            new Measure(
                "ledgerkeep.finding",
                "",
                Map.of("subject", "certificates node0/ssl"),
                2,
                OptionalLong.empty()));
  }

  // ----------------------------------------------------------------------------------- alert

  @Test
  void theAlertCommandIsRunWhenSomethingElseIsWrong() throws Exception {
    Path got = data.resolve("got");
    alert = Optional.of(new Alert("cat >> '" + got + "'", TEN_MINUTES));
    watch(
        () -> machine.room = new Room(1_000_000, 99_000),
        () -> machine.room = new Room(1_000_000, 98_000),
        machine.processes::clear,
        () -> {
          machine.room = new Room(1_000_000, 500_000);
          machine.run(PID, OPENED, 1);
        },
        () -> {});
    List<String> calls = Files.readAllLines(got);
    assertThat(calls).hasSize(3);
    assertThat(calls.get(0)).contains("\"disk block\"", "99.0 kB").doesNotContain("owner");
    assertThat(calls.get(1)).contains("\"disk block\"", "\"owner\"");
    assertThat(calls.get(2)).contains("\"findings\":[]");
    assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
  }

  @Test
  void theAlertCommandIsRunWhenTheSameIsWorse() throws Exception {
    Path got = data.resolve("got");
    alert = Optional.of(new Alert("cat >> '" + got + "'", TEN_MINUTES));
    status.put("open", false);
    machine.processes.clear();
    watch(() -> status.put("open", true), () -> {});
    assertThat(Files.readAllLines(got))
        .hasSize(2)
        .satisfiesExactly(
            first -> assertThat(first).contains("\"warning\""),
            second -> assertThat(second).contains("\"wrong\""));
  }

  @Test
  void anAlertThatFailsIsToldAndTriedAgain() throws InterruptedException {
    alert = Optional.of(new Alert("exit 3", TEN_MINUTES));
    machine.processes.clear();
    watch(() -> {});
    assertThat(err.toString(StandardCharsets.UTF_8).lines())
        .containsExactly(
            "the alert command ended with exit code 3", "the alert command ended with exit code 3");
  }

  private static final Duration TEN_MINUTES = Duration.ofMinutes(10);

  @Test
  void anAlertThatHangsIsEnded() throws InterruptedException {
    byte[] moreThanAPipeTakes = new byte[1 << 20];
    Alert hanging = new Alert("sleep 987654; true", Duration.ofMillis(50));
    assertThat(hanging.run(moreThanAPipeTakes))
        .hasValueSatisfying(trouble -> assertThat(trouble).contains("was ended"));
    ProcessHandle.current()
        .descendants()
        .filter(left -> left.info().commandLine().orElse("").contains("987654"))
        .forEach(left -> left.onExit().join());
  }
}
