package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Ledger;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands on a ledger that a node has open and serves. */
final class ControlCommandTest {

  @TempDir private Path directory;

  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void endThreads() throws InterruptedException {
    threads.shutdownNow();
    assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
  }

  private OpenLedger served(Place place) {
    return OpenLedger.existing(settings(place).ledger().control(threads));
  }

  private static Settings settings(Place place) {
    GlobalOptions options =
        new GlobalOptions(
            new Console(System.in, System.out, System.err, false, Interruption.byRequest()));
    options.config = place.config;
    options.data = place.data;
    options.archive = place.archive;
    return Settings.of(options);
  }

  @Test
  void whatMovesBodiesWorksOnARunningNodeAsOnAStoppedOne() {
    Place place = new Place(directory).withChain(60);
    try (OpenLedger open = served(place)) {
      Ledger ledger = open.ledger();
      Run plan = place.runWithArchive("archive", "--to", 40, "--dry-run");
      assertThat(plan.out()).contains("would archive");
      Run archive = place.runWithArchive("archive", "--to", 40, "--yes");
      assertThat(archive.exitCode()).isEqualTo(ExitCode.DONE);
      assertThat(archive.out()).contains("archive: moved", "archived height  0 -> 40");
      assertThat(ledger.archivedHeight()).isEqualTo(40);
      assertThat(place.run("restore", "--down-to", 30, "--yes").out()).contains("40 -> ");
      assertThat(ledger.archivedHeight()).isLessThan(30);
      Run verify = place.run("verify");
      assertThat(verify.out()).contains("all is well");
      Run backup = place.run("backup", "--to", directory.resolve("backups"));
      assertThat(backup.exitCode()).as(backup.err()).isEqualTo(ExitCode.DONE);
      assertThat(place.run("status", "--json").json().get("source")).isEqualTo("control");

      Run tooNew = place.run("archive", "--to", 55, "--yes");
      assertThat(tooNew.exitCode()).isEqualTo(ExitCode.REFUSED);
      Run elsewhere =
          Run.of(
              place.withData(
                  "--archive", directory.resolve("other"), "archive", "--to", 45, "--yes"));
      assertThat(elsewhere.exitCode()).isEqualTo(ExitCode.USAGE);
      assertThat(elsewhere.err()).contains("archives to", "leave --archive out");
      assertThat(place.run("tde", "status").err()).contains("the ledger is in plain");
    }
    Run list = place.run("jobs", "list");
    assertThat(list.out().lines().map(line -> line.replaceAll(" +", " ").strip()))
        .satisfiesExactly(
            backup -> assertThat(backup).contains("done backup"),
            verify -> assertThat(verify).contains("done verify").contains("level=ledger"),
            restore -> assertThat(restore).contains("done restore").contains("down-to=30"),
            archive -> assertThat(archive).startsWith("1 done archive").contains("to=40"));
    Run one = place.run("jobs", "status", 1);
    assertThat(one.out()).contains("result").contains("archived-height=40");
    assertThat(place.run("jobs", "status", 99).exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(place.run("jobs", "resume", 1).exitCode()).isEqualTo(ExitCode.REFUSED);
  }

  @Test
  void aJobIsWatchedCancelledAndResumedFromOutside() throws Exception {
    Place place = new Place(directory).withChain(60);
    try (OpenLedger open = served(place)) {
      Future<Run> archive =
          threads.submit(
              () -> place.runWithArchive("archive", "--to", 40, "--yes", "--max-rate", "0.002"));
      Run status = place.run("jobs", "status", 1);
      while (!status.out().contains("progress")) {
        assertThat(archive.isDone()).isFalse();
        Thread.sleep(20);
        status = place.run("jobs", "status", 1);
      }
      assertThat(status.out()).contains("running", "archive").contains("of 40 blocks");
      assertThat(place.run("restore", "--down-to", 1, "--yes").exitCode())
          .isEqualTo(ExitCode.LOCKED);
      Run second = place.runWithArchive("archive", "--to", 30, "--yes");
      assertThat(second.exitCode()).isEqualTo(ExitCode.LOCKED);
      assertThat(place.run("jobs", "cancel", 1).out()).contains("was asked to end");
      Run cancelled = archive.get(60, TimeUnit.SECONDS);
      assertThat(cancelled.exitCode()).isEqualTo(ExitCode.INTERRUPTED);
      assertThat(place.run("jobs", "cancel", 1).out()).contains("does not run: cancelled");
      Run resumed = place.run("jobs", "resume", 1);
      assertThat(resumed.exitCode()).as(resumed.err()).isEqualTo(ExitCode.DONE);
      assertThat(open.ledger().archivedHeight()).isEqualTo(40);
    }
  }

  @Test
  void aNodeInAProcessOfItsOwnIsServedUntilItDies() throws Exception {
    Place place = new Place(directory).withChain(60);
    Path file = Files.writeString(directory.resolve("more.jsonl"), Place.chain(90));
    Process node =
        new ProcessBuilder(Node.busy(place, file, 7))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (BufferedReader said =
        new BufferedReader(
            new java.io.InputStreamReader(node.getInputStream(), StandardCharsets.UTF_8))) {
      assertThat(said.readLine()).startsWith(Node.COMMITTED);
      threads.submit(() -> said.lines().count()); // so that it never waits to be read
      Run status = place.run("status", "--json");
      assertThat(status.json().get("source")).isEqualTo("control");
      assertThat(place.run("verify", "--level", "bytes").exitCode()).isEqualTo(ExitCode.DONE);
      node.destroyForcibly().waitFor();
    } catch (IOException e) {
      // It is dead.
    }
    assertThat(place.runWithArchive("status", "--json").json().get("source")).isEqualTo("ledger");
    assertThat(place.runWithArchive("verify").exitCode()).isEqualTo(ExitCode.DONE);
  }

  @Test
  void whereNoSocketIsServedTheLedgerIsLocked() {
    Place place = new Place(directory).withChain(30);
    try (OpenLedger open = OpenLedger.existing(settings(place).ledger())) {
      Run archive = place.runWithArchive("archive", "--to", 15, "--yes");
      assertThat(archive.exitCode()).isEqualTo(ExitCode.LOCKED);
      assertThat(archive.err()).contains("is in use by pid");
      assertThat(open.ledger().archivedHeight()).isZero();
    }
  }

  @Test
  void aFileOfJobsThatWasChangedIsFoundByVerify() throws IOException {
    Place place = new Place(directory).withChain(30).archivedTo(15);
    Path file = place.data.resolve("block/audit.log");
    Files.writeString(file, Files.readString(file).replace("to=15", "to=14"));
    Run verify = place.runWithArchive("verify");
    assertThat(verify.exitCode()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(verify.out()).contains("audit.log", "does not follow");
  }
}
