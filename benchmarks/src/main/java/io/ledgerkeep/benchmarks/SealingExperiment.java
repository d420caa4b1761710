package io.ledgerkeep.benchmarks;

import com.sun.management.ThreadMXBean;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.benchmarks.EncryptionExperiment.Cipher;
import io.ledgerkeep.core.sealing.EpochEncryptor;
import io.ledgerkeep.core.sealing.Keyring;
import io.ledgerkeep.core.sealing.Suites;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import io.ledgerkeep.encryption.Encryptor.Context;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.ServiceLoader;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.IntConsumer;

/**
 * Values of 1 KiB sealed and opened as a ledger does it, and the same bytes by the bare cipher: on
 * all cores both, in turns. Also what sealing one of them leaves for the collector.
 */
final class SealingExperiment implements Experiment {

  private static final UUID STORE = new UUID(1, 2);
  private static final int VALUE_BYTES = 1 << 10;
  private static final int TASKS = Runtime.getRuntime().availableProcessors();
  private static final int WARM_UP_ROUNDS = 2;
  private static final int TURNS = 10;

  /** So many values are allocated at a time, so that what was compiled late does not count. */
  private static final int COUNTED = 4_000;

  private static final int ROUNDS_OF_COUNTING = 15;

  private final Cipher cipher;
  private final Workspace workspace = Workspace.ofThisProcess();
  private final Rounds sealing = new Rounds();
  private final Rounds opening = new Rounds();

  SealingExperiment(Cipher cipher) {
    this.cipher = cipher;
  }

  @Override
  public List<Figure> run(Setting setting) throws IOException {
    cipher.choose();
    EncryptorProvider provider = provider();
    ExecutorService threads = Executors.newFixedThreadPool(TASKS);
    try (EpochEncryptor encryptor = encryptor(provider);
        Aead bare = bare(provider, encryptor.suite())) {
      Rounds garbage = Rounds.once(allocatedPerValue(encryptor), resultBytes() + 1024);
      int values = cipher == Cipher.SM4_BOUNCYCASTLE ? 1_000 : 10_000;
      for (int round = -WARM_UP_ROUNDS; round < setting.rounds(); round++) {
        round(round, values, encryptor, bare, threads);
      }
      return figures(garbage);
    } finally {
      threads.shutdown();
    }
  }

  private EncryptorProvider provider() {
    return ServiceLoader.load(EncryptorProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(found -> found.name().equals(cipher.encryptor()))
        .findFirst()
        .orElseThrow();
  }

  private EpochEncryptor encryptor(EncryptorProvider provider) throws IOException {
    Path directory = Files.createDirectories(workspace.path("keys"));
    Suites suites = new Suites(List.of(provider));
    Bytes ledgerId = Bytes.wrap(new byte[16]);
    try (KeyWrapper master = provider.openKey(cipher.options())) {
      Keyring.create(directory, ledgerId, "chain1", master, suites, Clock.systemUTC(), List.of());
      return new EpochEncryptor(Keyring.open(directory, master, suites, Clock.systemUTC()).get(0));
    }
  }

  private static Aead bare(EncryptorProvider provider, String suiteName) {
    CipherSuite suite =
        provider.suites().stream()
            .filter(found -> found.name().equals(suiteName))
            .findFirst()
            .orElseThrow();
    return suite.aead(new byte[suite.keyBytes()]);
  }

  private void round(
      int round, int values, EpochEncryptor encryptor, Aead bare, ExecutorService threads) {
    Stopwatch ourSeals = new Stopwatch();
    Stopwatch bareSeals = new Stopwatch();
    Stopwatch ourOpens = new Stopwatch();
    Stopwatch bareOpens = new Stopwatch();
    Context context = context();
    Bytes sealedValue = encryptor.seal(context, Bytes.wrap(new byte[VALUE_BYTES]));
    byte[] sealedBare = new byte[VALUE_BYTES + CipherSuite.TAG_BYTES];
    bare.seal(nonce(-1, round), new byte[0], sealedBare, 0, VALUE_BYTES);
    for (int turn = 0; turn < TURNS; turn++) {
      int first = (round + WARM_UP_ROUNDS) * TURNS + turn;
      Turns.take(
          turn,
          () -> ourSeals.time(() -> onAllCores(threads, task -> seal(encryptor, values))),
          () -> bareSeals.time(() -> onAllCores(threads, task -> seal(bare, task, first, values))));
      Turns.take(
          turn,
          () ->
              ourOpens.time(
                  () -> onAllCores(threads, task -> open(encryptor, sealedValue, values))),
          () ->
              bareOpens.time(
                  () ->
                      onAllCores(
                          threads, task -> open(bare, nonce(-1, round), sealedBare, values))));
    }
    if (round >= 0) {
      double megabytes = (double) VALUE_BYTES * values * TASKS * TURNS / 1e6;
      sealing.add(megabytes / ourSeals.seconds(), megabytes / bareSeals.seconds());
      opening.add(megabytes / ourOpens.seconds(), megabytes / bareOpens.seconds());
    }
  }

  private static void onAllCores(ExecutorService threads, IntConsumer work) {
    Tasks.run(threads, TASKS, work);
  }

  /** A key as long as that of a row of a body. */
  private static Context context() {
    return new Context(STORE, "block", Bytes.wrap(new byte[14]));
  }

  private static void seal(EpochEncryptor encryptor, int values) {
    Bytes value = Bytes.wrap(new byte[VALUE_BYTES]);
    Bytes key = context().key();
    for (int i = 0; i < values; i++) {
      encryptor.seal(new Context(STORE, "block", key), value);
    }
  }

  private static void seal(Aead bare, int task, int turn, int values) {
    byte[] buffer = new byte[VALUE_BYTES + CipherSuite.TAG_BYTES];
    byte[] nothing = new byte[0];
    byte[] nonce = nonce(task, turn);
    for (int i = 0; i < values; i++) {
      ByteBuffer.wrap(nonce).putInt(8, i);
      bare.seal(nonce, nothing, buffer, 0, VALUE_BYTES);
    }
  }

  private static byte[] nonce(int task, int turn) {
    byte[] nonce = new byte[CipherSuite.NONCE_BYTES];
    ByteBuffer.wrap(nonce).putInt(task).putInt(turn);
    return nonce;
  }

  private static void open(EpochEncryptor encryptor, Bytes sealedValue, int values) {
    Context context = context();
    for (int i = 0; i < values; i++) {
      encryptor.open(context, sealedValue);
    }
  }

  private static void open(Aead bare, byte[] nonce, byte[] sealedValue, int values) {
    byte[] target = new byte[VALUE_BYTES];
    byte[] nothing = new byte[0];
    for (int i = 0; i < values; i++) {
      if (!bare.open(nonce, nothing, sealedValue, 0, sealedValue.length, target, 0)) {
        throw new IllegalStateException("the bare cipher does not open what it sealed");
      }
    }
  }

  private static double allocatedPerValue(EpochEncryptor encryptor) {
    ThreadMXBean thread = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    double best = Double.MAX_VALUE;
    for (int round = 0; round < ROUNDS_OF_COUNTING; round++) {
      long before = thread.getCurrentThreadAllocatedBytes();
      seal(encryptor, COUNTED);
      best = Math.min(best, (double) (thread.getCurrentThreadAllocatedBytes() - before) / COUNTED);
    }
    return best;
  }

  /** The array of a sealed value and the object around it, each with its head. */
  private static double resultBytes() {
    int overhead = 28;
    int heads = 16 + 24;
    int roundedUp = 4;
    return VALUE_BYTES + overhead + heads + roundedUp;
  }

  private List<Figure> figures(Rounds garbage) {
    String baseline =
        Notes.format(
            "1 KiB values on %s threads; baseline: the bare cipher on as many, in one buffer each,"
                + " nothing bound to the value",
            TASKS);
    Aim bulk = cipher == Cipher.SM4_BOUNCYCASTLE ? Aim.atLeast(0.9) : Aim.none();
    return List.of(
        Figure.of("bulk seal, " + cipher.words(), "MB/s", sealing, bulk, baseline),
        Figure.of("bulk open, " + cipher.words(), "MB/s", opening, bulk, baseline),
        Figure.of(
            "allocation of a sealed value, " + cipher.words(),
            "bytes",
            garbage,
            cipher == Cipher.AES ? Aim.atMost(1) : Aim.none(),
            "1 KiB; baseline: the result and 1 KiB"));
  }
}
