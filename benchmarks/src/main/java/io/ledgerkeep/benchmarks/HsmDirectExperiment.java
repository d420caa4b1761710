package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Options;
import io.ledgerkeep.core.sealing.EpochEncryptor;
import io.ledgerkeep.core.sealing.Keyring;
import io.ledgerkeep.core.sealing.Suites;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys;
import io.ledgerkeep.encryption.Encryptor.Context;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/**
 * Values of 1 KiB sealed and opened in a token as a ledger does it, and by bare calls of the token:
 * with as many threads as sessions both, in turns.
 */
final class HsmDirectExperiment implements Experiment {

  private static final List<Integer> SESSIONS = List.of(1, 2, 4, 8, 16);
  private static final int WARM_UP_ROUNDS = 2;
  private static final int TURNS = 10;

  /** So many values are sealed in a turn, by all threads together. */
  private static final int VALUES = 4_000;

  private static final UUID STORE = new UUID(1, 2);
  private static final Bytes ROW = Bytes.wrap(new byte[14]);

  private final Workspace workspace = Workspace.ofThisProcess();

  @Override
  public List<Figure> run(Setting setting) throws IOException {
    Optional<SoftToken> token = SoftToken.ofThisProcess();
    return token.isEmpty() ? List.of() : run(setting, token.get());
  }

  private List<Figure> run(Setting setting, SoftToken token) throws IOException {
    List<Figure> figures = new ArrayList<>();
    figures.addAll(run(setting, token, "native", Aim.atLeast(0.8)));
    figures.addAll(run(setting, token, "sunpkcs11", Aim.none()));
    return figures;
  }

  private List<Figure> run(Setting setting, SoftToken token, String route, Aim aim)
      throws IOException {
    List<Figure> figures = new ArrayList<>();
    for (int sessions : SESSIONS) {
      ExecutorService threads = Executors.newFixedThreadPool(sessions);
      try (EpochEncryptor encryptor = encryptor(token, route, sessions);
          BareToken.Sessions bare = token.sessions(sessions)) {
        Contest contest = new Contest(encryptor, bare.all(), threads);
        contest.run(setting.rounds());
        figures.addAll(contest.figures(route, aim));
      } finally {
        threads.shutdown();
      }
    }
    return figures;
  }

  private EpochEncryptor encryptor(SoftToken token, String route, int sessions) throws IOException {
    Path directory = Files.createDirectories(workspace.path("keys-" + route + "-" + sessions));
    Suites suites = new Suites(ServiceLoader.load(EncryptorProvider.class));
    Options options = token.options("direct", route, sessions);
    try (KeyWrapper master = Pkcs11Keys.withPinInOptions().open(options)) {
      Bytes ledgerId = Bytes.wrap(new byte[16]);
      Keyring.create(directory, ledgerId, "chain1", master, suites, Clock.systemUTC(), List.of());
      return new EpochEncryptor(Keyring.open(directory, master, suites, Clock.systemUTC()).get(0));
    }
  }

  /** The two sides, with so many threads each. */
  private static final class Contest {

    private final EpochEncryptor encryptor;
    private final List<BareToken.Session> bare;
    private final ExecutorService threads;
    private final int valuesPerThread;
    private final Bytes value = Bytes.wrap(new byte[BareToken.VALUE_BYTES]);
    private final Bytes sealedValue;
    private final Rounds sealing = new Rounds();
    private final Rounds opening = new Rounds();

    Contest(EpochEncryptor encryptor, List<BareToken.Session> bare, ExecutorService threads) {
      this.encryptor = encryptor;
      this.bare = bare;
      this.threads = threads;
      this.valuesPerThread = VALUES / bare.size();
      this.sealedValue = encryptor.seal(context(), value);
    }

    private static Context context() {
      return new Context(STORE, "block", ROW);
    }

    void run(int rounds) {
      for (int round = -WARM_UP_ROUNDS; round < rounds; round++) {
        round(round, sealing, this::ourSeals, this::bareSeals);
        round(round, opening, this::ourOpens, this::bareOpens);
      }
    }

    private void round(int round, Rounds rounds, Runnable ours, Runnable theirs) {
      Stopwatch ourWatch = new Stopwatch();
      Stopwatch theirWatch = new Stopwatch();
      for (int turn = 0; turn < TURNS; turn++) {
        Turns.take(turn, () -> ourWatch.time(ours), () -> theirWatch.time(theirs));
      }
      if (round >= 0) {
        double values = (double) valuesPerThread * bare.size() * TURNS;
        rounds.add(values / ourWatch.seconds(), values / theirWatch.seconds());
      }
    }

    private void ourSeals() {
      onAllThreads(session -> encryptor.seal(context(), value));
    }

    private void bareSeals() {
      onAllThreads(BareToken.Session::seal);
    }

    private void ourOpens() {
      onAllThreads(session -> encryptor.open(context(), sealedValue));
    }

    private void bareOpens() {
      onAllThreads(BareToken.Session::open);
    }

    private void onAllThreads(Consumer<BareToken.Session> work) {
      Tasks.run(
          threads,
          bare.size(),
          task -> {
            for (int i = 0; i < valuesPerThread; i++) {
              work.accept(bare.get(task));
            }
          });
    }

    List<Figure> figures(String route, Aim aim) {
      int sessions = bare.size();
      String what =
          Notes.format(", %s session%s, route %s", sessions, sessions == 1 ? "" : "s", route);
      String baseline =
          "1 KiB values, a thread a session; baseline: bare calls of the token with GCM, each"
              + " thread in its own session and native memory, nothing bound to the value";
      return List.of(
          Figure.of("seal in a token" + what, "values/s", sealing, aim, baseline),
          Figure.of("open in a token" + what, "values/s", opening, aim, baseline));
    }
  }
}
