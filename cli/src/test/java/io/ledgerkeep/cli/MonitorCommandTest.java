package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.cli.certs.TestCertificates;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the command says of real ledgers, on the machine it runs on. */
@Timeout(120)
final class MonitorCommandTest {

  @TempDir private Path directory;
  private Place place;

  @BeforeEach
  void makeLedger() {
    place = new Place(directory).withChain(40);
  }

  private Run monitor(Object... options) {
    return place.run(
        Stream.concat(Stream.of("monitor", "--min-free", "0"), Stream.of(options)).toArray());
  }

  private Ledger open() {
    return Ledgerkeep.builder().directory(place.data).reserveBytes(0).open();
  }

  private Map<String, String> contents() throws IOException {
    Map<String, String> contents = new HashMap<>();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        contents.put(file.toString(), Files.getLastModifiedTime(file) + " " + Files.size(file));
      }
    }
    return contents;
  }

  @Test
  void aLedgerThatNobodyHasOpenIsWarnedOfAndLeftAsItIs() throws IOException {
    Map<String, String> before = contents();
    Run run = monitor();
    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(run.out())
        .contains(
            "WARN owner: nobody has the ledger open: pid " + ProcessHandle.current().pid(),
            "OK height: 39, as of ",
            "OK coherence: height 39, state and history durable through 39, archived through 0 of 29",
            "OK archive: nothing is archived",
            "OK job: none",
            "OK disk ledger: ",
            "OK disk block: ",
            "OK disk state: ",
            "OK disk history: ")
        .doesNotContain("FAIL", "cpu", "memory");
    assertThat(contents()).isEqualTo(before);
  }

  /** A process that so much as opens the lock file of its own ledger loses the lock. */
  @Test
  void anOpenLedgerIsOkAndKeepsItsLock() throws Exception {
    try (Ledger owner = open()) {
      assertThat(owner.height()).isEqualTo(39);
      Run run = monitor();
      assertThat(run.exitCode()).as(run.out()).isZero();
      assertThat(run.out())
          .contains("OK owner: pid " + ProcessHandle.current().pid() + " has the ledger open since")
          .containsPattern("OK memory: [0-9.]+ [kMG]B\n")
          .containsPattern("OK cpu: .* since its start\n")
          .doesNotContain("WARN", "FAIL");
      assertThat(Run.apart(place.withData("query", "--height", 1)).exitCode())
          .isEqualTo(ExitCode.LOCKED);
    }
  }

  @Test
  void anOwnerThatWasKilledIsFoundOut() throws Exception {
    Path chain = place.write("chain.jsonl", Place.chain(60));
    try (Child node = Child.of(Node.busy(place, chain, 1))) {
      String said = node.outLine();
      assertThat(said).isNotNull();
      assertThat(monitor().out()).contains("OK owner: pid " + node.pid() + " has");
      node.signal("KILL");
      assertThat(node.awaitExit()).isEqualTo(KillTest.KILLED);
      Run run = monitor("--archive", place.archive);
      assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
      assertThat(run.out())
          .contains("FAIL owner: pid " + node.pid() + " had the ledger open")
          .doesNotContain("OK cpu");
    }
  }

  @Test
  void thereMustBeALedger() {
    Path none = directory.resolve("none");
    Run run = Run.of("--data", none, "monitor", "--json");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.json()).containsEntry("message", "there is no ledger in " + none);
    assertThat(Run.of("monitor").exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(Run.of("--data", directory, "monitor").exitCode()).isEqualTo(ExitCode.USAGE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--every 0",
        "--every x",
        "--peer-height -1",
        "--max-lag -1",
        "--max-silence 0",
        "--min-free 101%",
        "--min-free -5",
        "--min-free much",
        "--days -1",
        "--serve -1",
        "--serve 65536",
        "--serve 0.0.0.0",
        "--serve 0 --every 5",
        "--serve 0 --alert true"
      })
  void wrongUsageIsRefused(String more) {
    Run run = monitor((Object[]) more.split(" "));
    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains(more.substring(0, more.indexOf(' ')));
  }

  @Test
  void optionsSayWhatIsTooMuch() {
    try (Ledger owner = open()) {
      assertThat(owner.height()).isEqualTo(39);
      assertThat(monitor("--peer-height", 20, "--peer-height", 49).out())
          .contains("OK lag: 10 blocks behind peers at 49\n");
      assertThat(monitor("--peer-height", 49, "--max-lag", 9).out())
          .contains("FAIL lag: 10 blocks behind peers at 49, more than 9\n");
      assertThat(place.run("monitor", "--min-free", "100%").out())
          .containsPattern("WARN disk block: .* free; less than 100 %\n");
      assertThat(monitor("--max-silence", 86_400).out()).contains("OK height: 39, for ");
    }
  }

  @Test
  void certificatesAreCheckedToo() throws IOException {
    Path certificates = TestCertificates.copyTo(directory);
    assertThat(monitor("--certs", certificates).out())
        .contains("OK certificates: 10 names, nothing is wrong\n");
    assertThat(monitor("--certs", certificates, "--days", 60_000).out())
        .contains("WARN certificates ca: expires in ");
    assertThat(monitor("--certs", directory.resolve("none")).out())
        .contains("FAIL certificates: there is no directory ");
  }

  @Test
  void programsGetOneObject() {
    Run run = monitor("--json", "--peer-height", 500);
    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(run.json())
        .containsEntry("exitCode", 1L)
        .containsEntry("data", place.data.toString())
        .containsKeys("time", "findings");
    assertThat(run.json().get("findings"))
        .asInstanceOf(InstanceOfAssertFactories.LIST)
        .contains(
            Map.of(
                "severity",
                "wrong",
                "subject",
                "lag",
                "what",
                "461 blocks behind peers at 500, more than 10"));
  }

  @Test
  void theAlertCommandGetsWhatIsNotOk() throws IOException {
    Path got = directory.resolve("got.json");
    Run run = monitor("--alert", "cat > '" + got + "'");
    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(Json.object(Files.readAllBytes(got)).get("findings"))
        .asInstanceOf(InstanceOfAssertFactories.LIST)
        .singleElement()
        .asInstanceOf(InstanceOfAssertFactories.MAP)
        .containsEntry("severity", "warning")
        .containsEntry("subject", "owner");
    assertThat(got).content().as("one line").endsWith("}\n").hasLineCount(1);
    Run failing = monitor("--alert", "cat; exit 3");
    assertThat(failing.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(failing.err()).contains("the alert command ended with exit code 3");
    assertThat(failing.out()).doesNotContain("{");
    try (Ledger owner = open()) {
      assertThat(owner.height()).isEqualTo(39);
      Run well = monitor("--alert", "exit 3");
      assertThat(well.exitCode()).isZero();
      assertThat(well.err()).isEmpty();
    }
  }

  @Test
  void watchingGoesOnUntilItIsInterrupted() throws Exception {
    List<String> begins = new java.util.ArrayList<>();
    try (Child child =
        Child.start(
            Child.SHORT_LIVED, place.withData("monitor", "--every", 1, "--min-free", "0"))) {
      while (begins.size() < 2) {
        String line = child.outLine();
        assertThat(line).isNotNull();
        if (line.startsWith("at ")) {
          begins.add(line);
        }
      }
      child.signal("INT");
      assertThat(child.awaitExit()).isEqualTo(ExitCode.FAILED);
    }
    assertThat(begins).doesNotHaveDuplicates();
  }

  @Test
  void theMeasuresAreServedUntilItIsEnded() throws Exception {
    try (Ledger owner = open();
        Child child =
            Child.start(
                Child.SHORT_LIVED, place.withData("monitor", "--serve", 0, "--min-free", "0"))) {
      String said = child.outLine();
      assertThat(said).matches("serving http://127\\.0\\.0\\.1:[0-9]+/metrics");
      URI address = URI.create(said.substring("serving ".length()));
      assertThat(page(address))
          .contains(
              "# TYPE ledgerkeep_height_blocks gauge\n",
              "\nledgerkeep_height_blocks 39.0\n",
              "\nledgerkeep_owner_up 1.0\n",
              "\nledgerkeep_finding{subject=\"owner\"} 0.0\n",
              "\nledgerkeep_disk_total_bytes{disk=\"block\"} ")
          .containsPattern("\nledgerkeep_database_size_bytes\\{database=\"state\"} [1-9]");
      owner.close();
      assertThat(page(address))
          .as("a round of its own")
          .contains("\nledgerkeep_owner_up 0.0\n", "\nledgerkeep_finding{subject=\"owner\"} 1.0\n");
      child.signal("TERM");
      assertThat(child.awaitExit()).isEqualTo(ExitCode.DONE);
      assertThatExceptionOfType(IOException.class).isThrownBy(() -> page(address));
    }
  }

  private static String page(URI address) throws IOException {
    return new String(address.toURL().openStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  @Test
  void theArchiveMustBeThere() throws IOException {
    place.archivedTo(20);
    assertThat(monitor().out())
        .contains("OK archive: archived through 20 of 29, in " + place.archive, "OK disk archive");
    Path elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
    assertThat(monitor("--archive", elsewhere).out())
        .containsPattern("FAIL archive: archived through 20, and .*; is the right place mounted?");
  }

  @Test
  void aSidecarThatRunsByItselfIsAskedFor() throws IOException {
    Path layout = place.data.resolve("LAYOUT");
    MonitorChecksTest.rewrite(layout, "state leveldb", "state badgerdb");
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThat(sidecar("127.0.0.1:" + server.getLocalPort())).contains("OK sidecar: listens at ");
    }
    Path socket = directory.resolve("s");
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      assertThat(sidecar("unix:" + socket)).contains("OK sidecar: listens at unix:");
    }
    assertThat(sidecar("unix:" + socket)).contains("FAIL sidecar: nobody answers at unix:");
    assertThat(sidecar("nowhere")).contains("FAIL sidecar: ", "'nowhere' is no address");
  }

  private String sidecar(String address) {
    Path config =
        place.write("sidecar.yml", "storage:\n  badgerdb:\n    sidecar: " + address + "\n");
    return Run.of("--config", config, "--data", place.data, "monitor").out();
  }
}
