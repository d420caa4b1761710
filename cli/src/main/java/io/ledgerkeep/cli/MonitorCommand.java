package io.ledgerkeep.cli;

import io.ledgerkeep.cli.monitor.Alert;
import io.ledgerkeep.cli.monitor.Machine;
import io.ledgerkeep.cli.monitor.MinFree;
import io.ledgerkeep.cli.monitor.Monitor;
import io.ledgerkeep.cli.monitor.OwnerStatus;
import io.ledgerkeep.cli.monitor.ThisMachine;
import io.ledgerkeep.cli.monitor.TokenCheck;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys;
import io.ledgerkeep.error.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "monitor",
    description = {
      "Checks the ledger of --data and what it runs on from outside, without opening it: a line for"
          + " each thing, OK, WARN or FAIL.",
      "The exit code is 1 if anything is not OK, with --every in the last round; else 0."
    })
final class MonitorCommand extends LedgerCommand {

  private static final Duration ALERT_LIMIT = Duration.ofSeconds(30);
  private static final int MAX_PORT = 65_535;
  private static final String BUNDLED = "bundled";
  private static final String BADGERDB = "badgerdb";

  @Option(
      names = "--every",
      paramLabel = "SECONDS",
      description = "Go on checking at this interval, until Ctrl-C.")
  private @Nullable Long every;

  @Option(
      names = "--peer-height",
      paramLabel = "N",
      description = "The height of another node; any number of times, the highest counts.")
  private List<Long> peerHeights = new ArrayList<>();

  @Option(
      names = "--max-lag",
      paramLabel = "BLOCKS",
      defaultValue = "10",
      description = "How many blocks below the peers is still OK; 10.")
  private long maxLag;

  @Option(
      names = "--max-silence",
      paramLabel = "SECONDS",
      description = "How long the height may stand still; without it, for ever.")
  private @Nullable Long maxSilence;

  @Option(
      names = "--min-free",
      paramLabel = "BYTES|PERCENT",
      defaultValue = "10%",
      description = "What must stay free on each disk, such as 5000000000 or 5%%; 10%%.")
  @SuppressWarnings("NullAway.Init") // set by picocli before the call
  private String minFree;

  @Option(
      names = "--certs",
      paramLabel = "DIR",
      description = "A directory of certificates and keys to check too.")
  private @Nullable Path certificates;

  @Option(
      names = "--days",
      paramLabel = "N",
      defaultValue = "30",
      description = "How many days before its end a certificate is told of; 30.")
  private long days;

  @Option(
      names = "--alert",
      paramLabel = "COMMAND",
      description =
          "What the shell runs, with the findings that are not OK as JSON on standard input, when"
              + " there are others than before.")
  private @Nullable String alert;

  @Option(
      names = "--probe-token",
      description =
          "Try the token of --config too, as 'hsm probe' does: with its PIN, once a round.")
  private boolean probeToken;

  @Option(
      names = "--serve",
      paramLabel = "PORT",
      description =
          "Go on answering http://127.0.0.1:PORT/metrics with what a round finds, as text for"
              + " Prometheus, until Ctrl-C; 0 takes a port that is free.")
  private @Nullable Integer port;

  @Override
  Outcome run(Settings settings) throws IOException, InterruptedException {
    if (port != null && (every != null || alert != null)) {
      throw CommandException.usage(
          "--serve makes a round when it is asked, and goes with neither --every nor --alert");
    }
    Path data = settings.data();
    Path file = data.resolve(StatusCommand.STATUS_FILE);
    Machine machine = new ThisMachine();
    Monitor monitor = new Monitor(request(settings), () -> status(file), machine);
    if (!monitor.hasLedger()) {
      throw new ConfigurationException("there is no ledger in " + data);
    }
    if (port != null) {
      return serve(port, monitor, machine);
    }
    Optional<Alert> alarm =
        Optional.ofNullable(alert).map(command -> new Alert(command, ALERT_LIMIT));
    MonitorRounds rounds = new MonitorRounds(data, monitor, machine, console(), alarm);
    return every == null ? rounds.once() : rounds.watch(seconds("--every", every), json());
  }

  private Outcome serve(int wanted, Monitor monitor, Machine machine)
      throws IOException, InterruptedException {
    if (wanted < 0 || wanted > MAX_PORT) {
      throw CommandException.usage("--serve must be a port, from 0 to " + MAX_PORT);
    }
    console().interruption().arm(console());
    try (MetricsServer server =
        MetricsServer.start(wanted, () -> MetricsText.of(monitor.round().measures()))) {
      String address = server.address();
      if (json()) {
        printJson(Map.of("address", address), console().out());
      } else {
        console().out().println("serving " + address);
      }
      // Flushes, and whoever reads no more needs no more of it.
      while (!console().out().checkError() && !console().interruption().requested()) {
        machine.pause(MonitorRounds.STEP);
      }
    }
    return Outcome.done();
  }

  private Monitor.Request request(Settings settings) {
    peerHeights.forEach(height -> requireNotNegative("--peer-height", height));
    return new Monitor.Request(
        settings.data(),
        settings.hasArchive() ? Optional.of(settings.archive()) : Optional.empty(),
        peerHeights,
        requireNotNegative("--max-lag", maxLag),
        Optional.ofNullable(maxSilence).map(most -> seconds("--max-silence", most)),
        MinFree.of(minFree)
            .orElseThrow(
                () ->
                    CommandException.usage(
                        "--min-free must be a number of bytes, or of percent with a % behind it")),
        Optional.ofNullable(certificates),
        requireNotNegative("--days", days),
        settings
            .engineOptions(BADGERDB)
            .text("sidecar")
            .filter(address -> !address.equals(BUNDLED)),
        probeToken ? Optional.of(tokenCheck(settings)) : Optional.empty());
  }

  private static TokenCheck tokenCheck(Settings settings) {
    MasterKey key = HsmCommand.keyInToken(settings);
    return new TokenCheck(() -> Pkcs11Keys.withPinInOptions().probe(key.options()));
  }

  private static Duration seconds(String option, long seconds) {
    if (seconds < 1 || seconds > Integer.MAX_VALUE) {
      throw CommandException.usage(
          option + " must be at least a second, and no more than 68 years");
    }
    return Duration.ofSeconds(seconds);
  }

  /** Returns what the owner wrote down, or null if nobody did. */
  static @Nullable OwnerStatus status(Path file) throws IOException {
    byte[] written;
    try {
      written = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      return null;
    }
    try {
      return OwnerStatus.of(Json.object(written));
    } catch (IOException e) {
      // What the parser says would show pieces of a file that nobody can read anyway.
      throw new IOException(file + " cannot be understood", e);
    }
  }
}
