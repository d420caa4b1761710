package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.testkit.SampleChain;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/**
 * What encryption costs: the same blocks on an encrypted ledger and on one in plain, both in turns,
 * with two threads each. Blocks have one transaction of 1 KiB and up to two writes of 1 KiB.
 */
final class EncryptionExperiment implements Experiment {

  /** What is sealed with. */
  enum Cipher {
    AES("aes", "auto", 32, "AES-256"),
    SM4("sm4", "auto", 16, "SM4"),
    SM4_BOUNCYCASTLE("sm4", "bouncycastle", 16, "SM4 by Bouncy Castle");

    private final String encryptor;
    private final String backend;
    private final int keyBytes;
    private final String words;

    Cipher(String encryptor, String backend, int keyBytes, String words) {
      this.encryptor = encryptor;
      this.backend = backend;
      this.keyBytes = keyBytes;
      this.words = words;
    }

    String encryptor() {
      return encryptor;
    }

    String words() {
      return words;
    }

    /** Lets everything in this process seal with it. */
    void choose() {
      System.setProperty("ledgerkeep.sm4", backend);
    }

    Options options() {
      byte[] key = new byte[keyBytes];
      new Random(1).nextBytes(key);
      return Options.of("key", "hex:" + HexFormat.of().formatHex(key));
    }
  }

  private static final int THREADS = 2;
  private static final int TURNS = 20;
  private static final int COMMITS = 4000;
  private static final int READS = 10_000;

  /** The JVM is not done compiling after fewer: a node runs for years. */
  private static final int WARM_UP_ROUNDS = 3;

  private final Cipher cipher;
  private final Workspace workspace = Workspace.ofThisProcess();
  private final Random random = new Random(3);
  private final Iterator<Block> blocks =
      SampleChain.builder()
          .seed(2)
          .configAt(height -> height % 1000 == 500)
          .emptyAt(height -> false)
          .transactionsPerBlock(1)
          .payloadBytes(1 << 10)
          .writesPerTransaction(2)
          .valueBytes(1 << 10)
          .keys(20_000)
          .build()
          .iterator();

  private final Rounds commits = new Rounds();
  private final Rounds imports = new Rounds();
  private final Rounds reads = new Rounds();
  private final Rounds archiving = new Rounds();
  private final Rounds restoring = new Rounds();
  private long bytes;

  EncryptionExperiment(Cipher cipher) {
    this.cipher = cipher;
  }

  @Override
  public List<Figure> run(Setting setting) {
    cipher.choose();
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      fill(setting, threads);
      for (int round = -1; round < setting.rounds(); round++) {
        archiveRound(round, threads);
      }
    } finally {
      threads.shutdown();
    }
    return figures();
  }

  private void fill(Setting setting, ExecutorService threads) {
    long perRound = setting.smallBlocks() / (2L * (WARM_UP_ROUNDS + setting.rounds()));
    try (Ledger sealing = open("sealing", threads, this::encrypt);
        Ledger plain = open("plain", threads, builder -> {})) {
      for (int round = -WARM_UP_ROUNDS; round < setting.rounds(); round++) {
        importRound(round, perRound, sealing, plain);
        commitRound(round, sealing, plain);
        readRound(round, sealing, plain);
      }
    }
  }

  private void encrypt(Ledgerkeep.Builder builder) {
    builder.encryption(cipher.encryptor, cipher.options());
  }

  private Ledger open(String name, ExecutorService threads, Consumer<Ledgerkeep.Builder> more) {
    Ledgerkeep.Builder builder =
        Ledgers.at(workspace.path(name))
            .executor(threads)
            .archiveStore(Ledgers.STORE, Ledgers.archiveAt(workspace.path(name + "-archive")));
    more.accept(builder);
    return builder.open();
  }

  private void importRound(int round, long count, Ledger sealing, Ledger plain) {
    List<Block> some = next(count);
    measure(
        round, imports, (double) count, () -> sealing.commitAll(some), () -> plain.commitAll(some));
  }

  private void commitRound(int round, Ledger sealing, Ledger plain) {
    List<List<Block>> turns = new ArrayList<>();
    for (int turn = 0; turn < TURNS; turn++) {
      turns.add(next(COMMITS / TURNS));
    }
    workspace.settle();
    Stopwatch ours = new Stopwatch();
    Stopwatch theirs = new Stopwatch();
    for (int turn = 0; turn < TURNS; turn++) {
      List<Block> some = turns.get(turn);
      Turns.take(
          turn,
          () -> ours.time(() -> some.forEach(sealing::commit)),
          () -> theirs.time(() -> some.forEach(plain::commit)));
    }
    add(round, commits, COMMITS, ours, theirs);
  }

  private void readRound(int round, Ledger sealing, Ledger plain) {
    List<Long> heights = random.longs(READS, 1, sealing.height()).boxed().toList();
    measure(
        round,
        reads,
        READS,
        () -> heights.forEach(sealing::block),
        () -> heights.forEach(plain::block));
  }

  /** Begins an archive each time: what is archived already would be taken over, not written. */
  private void archiveRound(int round, ExecutorService threads) {
    try (Ledger sealing = open("sealing", threads, this::encrypt);
        Ledger plain = open("plain", threads, builder -> {})) {
      long target = Chain.ninetyPercent(sealing.height());
      double megabytes = bytes * 0.9 / 1e6;
      measure(
          round,
          archiving,
          megabytes,
          () -> archive(sealing, target),
          () -> archive(plain, target));
      measure(round, restoring, megabytes, () -> restore(sealing), () -> restore(plain));
    }
    List.of("sealing-archive", "plain-archive").forEach(workspace::remove);
  }

  private static void archive(Ledger ledger, long target) {
    ledger.archiver().archive(ArchiveRequest.upTo(target));
  }

  private static void restore(Ledger ledger) {
    ledger.restorer().restore(RestoreRequest.downTo(1));
  }

  private void measure(int round, Rounds rounds, double amount, Runnable ours, Runnable theirs) {
    workspace.settle();
    Stopwatch ourWatch = new Stopwatch();
    Stopwatch theirWatch = new Stopwatch();
    Turns.take(round, () -> ourWatch.time(ours), () -> theirWatch.time(theirs));
    add(round, rounds, amount, ourWatch, theirWatch);
  }

  private static void add(
      int round, Rounds rounds, double amount, Stopwatch ours, Stopwatch theirs) {
    if (round >= 0) {
      rounds.add(amount / ours.seconds(), amount / theirs.seconds());
    }
  }

  private List<Block> next(long count) {
    List<Block> some = Chain.next(blocks, count);
    some.forEach(block -> bytes += block.rawBytes());
    return some;
  }

  private List<Figure> figures() {
    String baseline = "baseline: the same ledger in plain; blocks of 1 KiB values, two threads";
    boolean aes = cipher == Cipher.AES;
    Aim bulk = Aim.atLeast(aes ? 0.9 : 0.7);
    boolean hasBulkAim = cipher != Cipher.SM4_BOUNCYCASTLE;
    return List.of(
        Figure.of(
            "commit one block, " + cipher.words,
            "blocks/s",
            commits,
            Aim.atLeast(aes ? 0.95 : 0.85),
            baseline),
        Figure.of(
            "read a block, " + cipher.words,
            "reads/s",
            reads,
            aes ? Aim.atLeast(0.95) : Aim.none(),
            baseline),
        Figure.of(
            "bulk import, " + cipher.words,
            "blocks/s",
            imports,
            hasBulkAim ? bulk : Aim.none(),
            baseline),
        Figure.of(
            "archive, " + cipher.words,
            "MB/s",
            archiving,
            hasBulkAim ? bulk : Aim.none(),
            baseline),
        Figure.of("restore, " + cipher.words, "MB/s", restoring, Aim.none(), baseline));
  }
}
