package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Cursor;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.storage.WriteBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.ServiceLoader;

/**
 * The engine on Badger, through its sidecar, against Badger in a process of its own that does the
 * same for itself, and against LevelDB in this process: batches, reads and scans of values of 1
 * KiB, in turns.
 */
final class BadgerExperiment implements Experiment {

  private static final int WARM_UP_ROUNDS = 2;
  private static final int TURNS = 10;
  private static final int BYTES_A_TURN = 2 << 20;
  private static final int GETS = 2_000;
  private static final int MULTI_GETS = 50;
  private static final int KEYS = 100;
  private static final int VALUE_BYTES = 1 << 10;

  private final Workspace workspace = Workspace.ofThisProcess();

  @Override
  public List<Figure> run(Setting setting) throws IOException {
    Optional<BareBadger> found = BareBadger.start(workspace);
    if (found.isEmpty()) {
      return List.of();
    }
    try (BareBadger bare = found.get();
        Side badger = new Side(open("badgerdb"));
        Side levelDb = new Side(open("leveldb"))) {
      Contest contest = new Contest(badger, levelDb, bare);
      contest.run(setting.rounds());
      return contest.figures();
    }
  }

  private StorageEngine open(String name) throws IOException {
    Path parent = Files.createDirectories(workspace.path(name));
    return ServiceLoader.load(StorageEngineProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.name().equals(name))
        .findFirst()
        .orElseThrow()
        .open(parent.resolve("store"), Options.none());
  }

  /** One piece of work, as each side does it. */
  private enum Work {
    WRITE_BLOCKS("write batches of 128 KiB", "MB/s", 0.6, BYTES_A_TURN / 1e6),
    WRITE_LARGE("write batches of 1 MiB", "MB/s", 0.6, BYTES_A_TURN / 1e6),
    GET("get a value", "values/s", 0, GETS),
    MULTI_GET("get " + KEYS + " values at once", "values/s", 0, MULTI_GETS * KEYS),
    SCAN("scan all", "MB/s", 0.6, 0);

    private final String words;
    private final String unit;
    private final double aim;
    private final double amount;

    Work(String words, String unit, double aim, double amount) {
      this.words = words;
      this.unit = unit;
      this.aim = aim;
      this.amount = amount;
    }

    private String forBare() {
      return switch (this) {
        case WRITE_BLOCKS -> "write 16 128";
        case WRITE_LARGE -> "write 2 1024";
        case GET -> "get " + GETS;
        case MULTI_GET -> "multiget " + MULTI_GETS + " " + KEYS;
        case SCAN -> "scan";
      };
    }
  }

  /** An engine and what was written to it. */
  private static final class Side implements AutoCloseable {

    private final StorageEngine engine;
    private final Random random = new Random(1);
    private long written;

    Side(StorageEngine engine) {
      this.engine = engine;
    }

    double seconds(Work work) {
      Stopwatch watch = new Stopwatch();
      watch.time(
          () -> {
            switch (work) {
              case WRITE_BLOCKS -> write(16, 128);
              case WRITE_LARGE -> write(2, 1024);
              case GET -> get();
              case MULTI_GET -> multiGet();
              case SCAN -> scan();
            }
          });
      return watch.seconds();
    }

    private void write(int batches, int entries) {
      for (int i = 0; i < batches; i++) {
        WriteBatch batch = new WriteBatch();
        for (int j = 0; j < entries; j++, written++) {
          batch.put(key(written), value(written));
        }
        engine.write(batch, Durability.DURABLE);
      }
    }

    private void get() {
      for (int i = 0; i < GETS; i++) {
        requireFound(engine.get(key(random.nextLong(written))));
      }
    }

    private void multiGet() {
      for (int i = 0; i < MULTI_GETS; i++) {
        engine
            .getAll(random.longs(KEYS, 0, written).mapToObj(BadgerExperiment::key).toList())
            .forEach(Side::requireFound);
      }
    }

    private static void requireFound(Optional<Bytes> value) {
      if (value.isEmpty()) {
        throw new IllegalStateException("a value that was written is not there");
      }
    }

    private void scan() {
      try (Cursor cursor = engine.scan(KeyRange.all())) {
        long entries = 0;
        while (cursor.next()) {
          entries += cursor.value().size() / VALUE_BYTES;
        }
        if (entries != written) {
          throw new IllegalStateException("scanned " + entries + " entries of " + written);
        }
      }
    }

    @Override
    public void close() {
      engine.close();
    }
  }

  private static final class Contest {

    private final Side badger;
    private final Side levelDb;
    private final BareBadger bare;
    private final Map<Work, Rounds> againstBare = rounds();
    private final Map<Work, Rounds> againstLevelDb = rounds();

    Contest(Side badger, Side levelDb, BareBadger bare) {
      this.badger = badger;
      this.levelDb = levelDb;
      this.bare = bare;
    }

    private static Map<Work, Rounds> rounds() {
      Map<Work, Rounds> rounds = new EnumMap<>(Work.class);
      for (Work work : Work.values()) {
        rounds.put(work, new Rounds());
      }
      return rounds;
    }

    void run(int rounds) {
      for (int round = -WARM_UP_ROUNDS; round < rounds; round++) {
        for (Work work : Work.values()) {
          for (int turn = 0; turn < TURNS; turn++) {
            take(work, turn, round >= 0);
          }
        }
      }
    }

    private void take(Work work, int turn, boolean counts) {
      double[] seconds = new double[3];
      for (int i = 0; i < seconds.length; i++) {
        int side = (turn + i) % seconds.length;
        seconds[side] =
            switch (side) {
              case 0 -> badger.seconds(work);
              case 1 -> bare.seconds(work.forBare());
              default -> levelDb.seconds(work);
            };
      }
      if (counts) {
        double amount = work == Work.SCAN ? badger.written * VALUE_BYTES / 1e6 : work.amount;
        Objects.requireNonNull(againstBare.get(work)).add(amount / seconds[0], amount / seconds[1]);
        Objects.requireNonNull(againstLevelDb.get(work))
            .add(amount / seconds[0], amount / seconds[2]);
      }
    }

    List<Figure> figures() {
      List<Figure> figures = new ArrayList<>();
      for (Work work : Work.values()) {
        figures.add(
            Figure.of(
                work.words + ", Badger sidecar to Badger",
                work.unit,
                Objects.requireNonNull(againstBare.get(work)),
                work.aim > 0 ? Aim.atLeast(work.aim) : Aim.none(),
                "1 KiB values; baseline: Badger in its own process, asked for nothing else"));
        figures.add(
            Figure.of(
                work.words + ", Badger sidecar to LevelDB",
                work.unit,
                Objects.requireNonNull(againstLevelDb.get(work)),
                Aim.none(),
                "1 KiB values; baseline: the engine on LevelDB in this process"));
      }
      return figures;
    }
  }

  /** The same keys and values as those of badger-bare. */
  private static Bytes key(long i) {
    return Bytes.wrap(ByteBuffer.allocate(Long.BYTES).putLong(i * 0x9E3779B97F4A7C15L).array());
  }

  private static Bytes value(long i) {
    ByteBuffer filled = ByteBuffer.allocate(VALUE_BYTES);
    long x = i * 2 + 1;
    while (filled.hasRemaining()) {
      x ^= x << 13;
      x ^= x >>> 7;
      x ^= x << 17;
      filled.putLong(x);
    }
    return Bytes.wrap(filled.array());
  }
}
