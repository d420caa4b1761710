package io.ledgerkeep.testkit;

import static io.ledgerkeep.storage.StorageEngine.Durability.BUFFERED;
import static io.ledgerkeep.storage.StorageEngine.Durability.DURABLE;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Cursor;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.StorageEngine.Limits;
import io.ledgerkeep.storage.StorageEngine.Snapshot;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.storage.WriteBatch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/** For each test of the engines' contract an engine that is sound but for what the test checks. */
final class BrokenEngines {

  /**
   * An engine that the contract has to catch.
   *
   * @param flaw what is wrong with it
   * @param caughtBy the test that must fail
   * @param maybeCaughtBy tests that may fail too, as the flaw touches what they look at
   * @param provider opens such engines on a disk
   */
  record Twin(
      String flaw,
      String caughtBy,
      Set<String> maybeCaughtBy,
      Function<StorageEngineProvider, StorageEngineProvider> provider) {

    @Override
    public String toString() {
      return caughtBy + " catches an engine that " + flaw;
    }
  }

  private static final String COPY = "aCopyOfAClosedStoreIsAStoreOfItsOwn";

  private final List<Twin> twins = new ArrayList<>();

  private BrokenEngines() {}

  static List<Twin> all() {
    BrokenEngines engines = new BrokenEngines();
    engines.openWrongly();
    engines.confuseKeysAndValues();
    engines.mixUpKeysAskedForTogether();
    engines.tearBatches();
    engines.loseAtACrash();
    engines.hideWrites();
    engines.mixMoments();
    engines.deleteRangesWrongly();
    engines.compactWrongly();
    engines.disregardLimits();
    engines.stumbleOverThreads();
    engines.closeWrongly();
    engines.failWrongly();
    engines.copyWrongly();
    return engines.twins;
  }

  // ---- how a twin is made

  private void provider(
      String caughtBy,
      String flaw,
      Function<StorageEngineProvider, StorageEngineProvider> provider) {
    twins.add(new Twin(flaw, caughtBy, Set.of(), provider));
  }

  private void engine(
      String caughtBy, String flaw, UnaryOperator<StorageEngine> broken, String... maybeCaughtBy) {
    twins.add(
        new Twin(
            flaw,
            caughtBy,
            Set.of(maybeCaughtBy),
            sound -> opening(sound, (path, options) -> broken.apply(sound.open(path, options)))));
  }

  private static StorageEngineProvider opening(
      StorageEngineProvider sound, BiFunction<Path, Options, StorageEngine> open) {
    return copying(sound, open, (directory, target) -> copied(sound, directory, target));
  }

  private static StorageEngineProvider copying(
      StorageEngineProvider sound,
      BiFunction<Path, Options, StorageEngine> open,
      BiPredicate<Path, Path> copy) {
    return new StorageEngineProvider() {
      @Override
      public String name() {
        return sound.name();
      }

      @Override
      public StorageEngine open(Path directory, Options options) {
        return open.apply(directory, options);
      }

      @Override
      public boolean copy(Path directory, Path target, Options options) {
        return copy.test(directory, target);
      }
    };
  }

  private static boolean copied(StorageEngineProvider sound, Path directory, Path target) {
    return sound.copy(directory, target, Options.none());
  }

  // ---- opening, and rule 12

  private void openWrongly() {
    provider(
        "theProviderHasANameOfLowerCaseLettersDigitsAndHyphens",
        "has a name that no configuration can hold",
        sound ->
            new StorageEngineProvider() {
              @Override
              public String name() {
                return "In Memory";
              }

              @Override
              public StorageEngine open(Path directory, Options options) {
                return sound.open(directory, options);
              }

              @Override
              public boolean copy(Path directory, Path target, Options options) {
                return sound.copy(directory, target, options);
              }
            });
    provider(
        "anUnknownOptionIsRefusedAndTheStoreStaysFree",
        "does not look at its options",
        sound -> opening(sound, (path, options) -> sound.open(path, Options.none())));
    provider(
        "anUnknownOptionIsRefusedAndTheStoreStaysFree",
        "looks at its options when it holds the store already",
        sound ->
            opening(
                sound,
                (path, options) -> {
                  StorageEngine engine = sound.open(path, Options.none());
                  options.onlyAllow();
                  return engine;
                }));
    provider(
        "rule12_aNewStoreIsEmptyInAnAbsentOrAnEmptyDirectory",
        "wants to make the directory itself",
        sound ->
            opening(
                sound,
                (path, options) -> {
                  if (Files.exists(path)) {
                    throw new ConfigurationException("the directory exists already");
                  }
                  return sound.open(path, options);
                }));
    provider(
        "rule12_storesOfDifferentDirectoriesAreApart",
        "knows directories by the first letter of their names",
        sound ->
            opening(
                sound,
                (path, options) ->
                    path.endsWith("second")
                        ? sound.open(path.resolveSibling("store"), options)
                        : sound.open(path, options)));
    provider(
        "rule12_anOpenStoreIsRefusedToASecondOpener",
        "loses its lock when a second opener was refused",
        BrokenEngines::losingItsLock);
    provider(
        "rule12_whatWasWrittenIsThereWhenOpenedAgain",
        "loses a row when it is opened often",
        BrokenEngines::losingARow);
  }

  private static StorageEngineProvider losingItsLock(StorageEngineProvider sound) {
    AtomicBoolean refused = new AtomicBoolean();
    return opening(
        sound,
        (path, options) -> {
          try {
            return sound.open(path, options);
          } catch (ConflictException e) {
            if (refused.getAndSet(true)) {
              return sound.open(path.resolveSibling("elsewhere"), options);
            }
            throw e;
          }
        });
  }

  private static StorageEngineProvider losingARow(StorageEngineProvider sound) {
    AtomicInteger openings = new AtomicInteger();
    return opening(
        sound,
        (path, options) -> {
          ForwardingEngine engine = new ForwardingEngine(sound.open(path, options));
          if (openings.incrementAndGet() >= 4) {
            engine.entries(KeyRange.all()).stream()
                .filter(entry -> entry.getValue().size() >= 1000)
                .findFirst()
                .ifPresent(entry -> engine.write(new WriteBatch().delete(entry.getKey()), DURABLE));
          }
          return engine;
        });
  }

  // ---- rule 1

  private void confuseKeysAndValues() {
    engine(
        "rule1_keysComeInTheOrderOfUnsignedBytes",
        "takes the second byte of a key for a signed number",
        sound -> new Reordered(sound));
    engine(
        "rule1_aScanBeginsAtTheFirstKeyOfTheRangeAndStopsBeforeItsEnd",
        "leaves the first key out where a range has no end",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public Cursor scan(KeyRange range) {
                return range.until().isPresent() || range.from().isEmpty()
                    ? sound.scan(range)
                    : sound.scan(KeyRange.atLeast(after(range.from())));
              }
            });
    engine(
        "rule1_aCursorStaysAtItsEnd",
        "begins again after the end",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public Cursor scan(KeyRange range) {
                return new Endless(this, range);
              }
            });
    engine(
        "rule1_keysAndValuesComeBackAsTheyWerePut",
        "keeps lines, and takes an end of line for none",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public void write(WriteBatch batch, Durability durability) {
                sound.write(filtered(batch, key -> !key.hex().equals("0a")), durability);
              }
            });
    engine(
        "rule1_anEmptyValueIsNoAbsentOne",
        "answers empty values as absent ones",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public Optional<Bytes> get(Bytes key) {
                return sound.get(key).filter(value -> !value.isEmpty() || key.size() == 1);
              }
            });
  }

  private void mixUpKeysAskedForTogether() {
    engine(
        "rule1_keysAskedForTogetherAreAnsweredInTheirOrder",
        "answers keys that are asked for together in the order that they lie in",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public List<Optional<Bytes>> getAll(List<Bytes> keys) {
                return sound.getAll(keys.stream().sorted().toList());
              }
            });
  }

  private static final class Reordered extends ForwardingEngine {

    Reordered(StorageEngine sound) {
      super(sound);
    }

    @Override
    public Cursor scan(KeyRange range) {
      Comparator<Bytes> firstByte = Comparator.comparing(key -> key.slice(0, 1));
      Comparator<Bytes> signed = firstByte.thenComparing(key -> key.size() > 1 ? key.get(1) : -200);
      List<Map.Entry<Bytes, Bytes>> entries = entries(range);
      entries.sort(Map.Entry.comparingByKey(signed.thenComparing(Comparator.naturalOrder())));
      return new ListCursor(sound.scan(range), entries);
    }
  }

  private static final class Endless extends ForwardingEngine.ForwardingCursor {

    private final ForwardingEngine engine;
    private final KeyRange range;
    private Cursor again;
    private boolean ended;

    Endless(ForwardingEngine engine, KeyRange range) {
      super(engine.sound.scan(range));
      this.engine = engine;
      this.range = range;
      this.again = sound;
    }

    @Override
    public boolean next() {
      if (ended) {
        again = engine.sound.scan(range);
      }
      ended = !again.next();
      return !ended;
    }
  }

  // ---- rule 2

  private void tearBatches() {
    engine(
        "rule2_ofTwoMutationsOfAKeyTheLaterHolds",
        "puts first and deletes then",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public void write(WriteBatch batch, Durability durability) {
                sound.write(putsFirst(batch), durability);
              }
            });
    engine(
        "rule2_noReadShowsAPartOfABatch",
        "lets get see a batch that is half applied",
        sound ->
            new HalfApplied(sound) {
              @Override
              public Optional<Bytes> get(Bytes key) {
                return Optional.ofNullable(seenHalf().get(key)).or(() -> sound.get(key));
              }
            });
    engine(
        "rule2_aCrashLeavesWholeBatches",
        "keeps half a batch at a crash",
        sound -> new Halving(sound));
  }

  /** Shows the first half of a batch for a while before the batch is written. */
  private abstract static class HalfApplied extends ForwardingEngine {

    private static final int PATIENCE = 200;

    private volatile Map<Bytes, Bytes> half = Map.of();
    private final AtomicInteger seen = new AtomicInteger();

    HalfApplied(StorageEngine sound) {
      super(sound);
    }

    final Map<Bytes, Bytes> seenHalf() {
      seen.incrementAndGet();
      return half;
    }

    final Cursor withHalf(Cursor cursor, KeyRange range) {
      Map<Bytes, Bytes> now = seenHalf();
      if (now.isEmpty()) {
        return cursor;
      }
      NavigableMap<Bytes, Bytes> merged = new TreeMap<>();
      entries(cursor).forEach(entry -> merged.put(entry.getKey(), entry.getValue()));
      now.keySet().stream().filter(range::contains).forEach(key -> merged.put(key, now.get(key)));
      return new ListCursor(sound.scan(range), List.copyOf(merged.entrySet()));
    }

    @Override
    public void write(WriteBatch batch, Durability durability) {
      if (batch.size() == 10) {
        seen.set(0);
        half = halves(batch).get(0);
        for (int i = 0; i < PATIENCE && seen.get() < 4; i++) {
          Thread.yield();
        }
      }
      sound.write(batch, durability);
      half = Map.of();
    }

    private static List<Map<Bytes, Bytes>> halves(WriteBatch batch) {
      List<Map<Bytes, Bytes>> halves = List.of(new HashMap<>(), new HashMap<>());
      int[] number = {0};
      batch.forEach(
          new WriteBatch.Visitor() {
            @Override
            public void put(Bytes key, Bytes value) {
              halves.get(number[0]++ * 2 / batch.size()).put(key, value);
            }

            @Override
            public void delete(Bytes key) {
              number[0]++;
            }
          });
      return halves;
    }
  }

  /** Writes buffered batches in two steps, which only a crash can tell. */
  private static final class Halving extends ForwardingEngine {

    Halving(StorageEngine sound) {
      super(sound);
    }

    @Override
    public synchronized void write(WriteBatch batch, Durability durability) {
      if (durability == BUFFERED && batch.size() == 10) {
        AtomicInteger number = new AtomicInteger();
        sound.write(filtered(batch, key -> number.incrementAndGet() <= 5), BUFFERED);
      }
      sound.write(batch, durability);
    }

    @Override
    public synchronized Optional<Bytes> get(Bytes key) {
      return sound.get(key);
    }

    @Override
    public synchronized Cursor scan(KeyRange range) {
      return sound.scan(range);
    }

    @Override
    public synchronized Snapshot snapshot() {
      return sound.snapshot();
    }
  }

  // ---- rules 3 and 4

  private void loseAtACrash() {
    engine(
        "rule3_aDurableWriteSurvivesACrash",
        "does not sync batches that only delete",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public void write(WriteBatch batch, Durability durability) {
                sound.write(batch, hasPuts(batch) ? durability : BUFFERED);
              }
            });
    engine(
        "rule3_aDurableWriteSurvivesACrashThatTakesBufferedOnesBeforeIt",
        "does not sync a log that grew long",
        sound -> new LongLog(sound));
    engine(
        "rule4_aCrashTakesBufferedWritesOnlyFromTheEnd",
        "syncs every other buffered write",
        sound ->
            new ForwardingEngine(sound) {
              private final AtomicInteger writes = new AtomicInteger();

              @Override
              public void write(WriteBatch batch, Durability durability) {
                sound.write(batch, writes.incrementAndGet() % 2 == 0 ? DURABLE : durability);
              }
            });
    engine(
        "rule4_flushMakesTheWritesBeforeItDurable",
        "has nothing to flush",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public void flush() {
                sound.limits();
              }
            });
  }

  private static final class LongLog extends ForwardingEngine {

    private long unsynced;

    LongLog(StorageEngine sound) {
      super(sound);
    }

    @Override
    public void write(WriteBatch batch, Durability durability) {
      boolean rotated = unsynced >= 10_000 && durability == DURABLE;
      unsynced = durability == DURABLE ? 0 : unsynced + batch.bytes();
      sound.write(batch, rotated ? BUFFERED : durability);
    }
  }

  // ---- rule 5

  private void hideWrites() {
    engine(
        "rule5_aWriteIsSeenByEveryLaterRead",
        "has a cache that is not told of deletions",
        sound -> new StaleCache(sound));
    engine(
        "rule5_aWriteIsSeenInEveryThread",
        "has a cache for each thread",
        sound -> new ThreadCache(sound),
        "rule2_noReadShowsAPartOfABatch");
  }

  private static final class StaleCache extends ForwardingEngine {

    private final Map<Bytes, Bytes> cache = new ConcurrentHashMap<>();

    StaleCache(StorageEngine sound) {
      super(sound);
    }

    @Override
    public Optional<Bytes> get(Bytes key) {
      Optional<Bytes> found = sound.get(key);
      found.ifPresent(value -> cache.put(key, value));
      return found.or(() -> Optional.ofNullable(cache.get(key)));
    }

    @Override
    public void deleteRange(KeyRange range) {
      sound.deleteRange(range);
      cache.clear();
    }
  }

  private static final class ThreadCache extends ForwardingEngine {

    private final ThreadLocal<Map<Bytes, Optional<Bytes>>> cache =
        ThreadLocal.withInitial(HashMap::new);

    ThreadCache(StorageEngine sound) {
      super(sound);
    }

    @Override
    public Optional<Bytes> get(Bytes key) {
      Optional<Bytes> found = sound.get(key);
      return Optional.ofNullable(cache.get().putIfAbsent(key, found)).orElse(found);
    }

    @Override
    public void write(WriteBatch batch, Durability durability) {
      cache.get().clear();
      sound.write(batch, durability);
    }

    @Override
    public void deleteRange(KeyRange range) {
      cache.get().clear();
      sound.deleteRange(range);
    }
  }

  // ---- rule 6

  private void mixMoments() {
    engine(
        "rule6_aScanSeesTheMomentItBegan",
        "chooses the moment of a scan at its first step",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public Cursor scan(KeyRange range) {
                return new Lazy(sound, range);
              }
            },
        "rule7_olderSnapshotsKeepWhatLiesOutsideTheRange");
    engine(
        "rule6_aScanUnderWayGoesOnInItsMoment",
        "goes on in the present when it was overtaken by writes",
        sound -> new Overtaken(sound),
        "rule6_aScanSeesWholeBatchesWhileOthersWrite");
    engine(
        "rule6_aSnapshotSeesOneMomentUntilItIsClosed",
        "compacts away what snapshots see",
        sound ->
            new Forgetting(sound) {
              @Override
              public void compact(KeyRange range) {
                sound.compact(range);
                forgetMoments();
              }
            });
    engine(
        "rule6_severalSnapshotsSeeEachItsMoment",
        "can keep eight moments only",
        sound ->
            new Forgetting(sound) {
              @Override
              public Snapshot snapshot() {
                if (open() >= 8) {
                  forgetMoments();
                }
                return super.snapshot();
              }
            });
    engine(
        "rule6_aScanSeesWholeBatchesWhileOthersWrite",
        "lets scans see a batch that is half applied",
        sound ->
            new HalfApplied(sound) {
              @Override
              public Cursor scan(KeyRange range) {
                return withHalf(sound.scan(range), range);
              }
            });
    engine(
        "rule6_aSnapshotSeesWholeBatchesWhileOthersWrite",
        "lets snapshots see a batch that is half applied",
        sound ->
            new HalfApplied(sound) {
              @Override
              public Snapshot snapshot() {
                Map<Bytes, Bytes> half = seenHalf();
                return new ForwardingSnapshot(sound.snapshot()) {
                  @Override
                  public Optional<Bytes> get(Bytes key) {
                    return Optional.ofNullable(half.get(key)).or(() -> super.get(key));
                  }
                };
              }
            });
  }

  private static final class Lazy implements Cursor {

    private final StorageEngine engine;
    private final KeyRange range;
    private Optional<Cursor> cursor = Optional.empty();
    private boolean closed;

    Lazy(StorageEngine engine, KeyRange range) {
      engine.limits();
      this.engine = engine;
      this.range = range;
    }

    private Cursor cursor() {
      if (closed) {
        throw new IllegalStateException("closed");
      }
      if (cursor.isEmpty()) {
        cursor = Optional.of(engine.scan(range));
      }
      return cursor.get();
    }

    @Override
    public boolean next() {
      return cursor().next();
    }

    @Override
    public Bytes key() {
      return cursor().key();
    }

    @Override
    public Bytes value() {
      return cursor().value();
    }

    @Override
    public void close() {
      closed = true;
      cursor.ifPresent(Cursor::close);
    }
  }

  private static final class Overtaken extends ForwardingEngine {

    private final AtomicInteger writes = new AtomicInteger();

    Overtaken(StorageEngine sound) {
      super(sound);
    }

    @Override
    public void write(WriteBatch batch, Durability durability) {
      sound.write(batch, durability);
      writes.incrementAndGet();
    }

    @Override
    public Cursor scan(KeyRange range) {
      return new ForwardingCursor(sound.scan(range)) {
        private Optional<Cursor> present = Optional.empty();
        private int begun = -1;

        private Cursor cursor() {
          return present.orElse(sound);
        }

        @Override
        public boolean next() {
          if (begun < 0) {
            begun = writes.get();
          } else if (writes.get() > begun && present.isEmpty()) {
            Bytes from = after(sound.key());
            present = Optional.of(Overtaken.this.sound.scan(new KeyRange(from, range.until())));
          }
          return cursor().next();
        }

        @Override
        public Bytes key() {
          return cursor().key();
        }

        @Override
        public Bytes value() {
          return cursor().value();
        }
      };
    }
  }

  /** An engine whose open snapshots can be made to show the present. */
  private abstract static class Forgetting extends ForwardingEngine {

    private final Set<Forgetful> open = ConcurrentHashMap.newKeySet();

    Forgetting(StorageEngine sound) {
      super(sound);
    }

    final int open() {
      return open.size();
    }

    final void forgetMoments() {
      open.forEach(snapshot -> snapshot.forgotten = true);
    }

    @Override
    public Snapshot snapshot() {
      Forgetful snapshot = new Forgetful(sound.snapshot());
      open.add(snapshot);
      return snapshot;
    }

    private final class Forgetful extends ForwardingSnapshot {

      private volatile boolean forgotten;

      Forgetful(Snapshot sound) {
        super(sound);
      }

      @Override
      public Optional<Bytes> get(Bytes key) {
        return forgotten ? Forgetting.this.sound.get(key) : super.get(key);
      }

      @Override
      public Cursor scan(KeyRange range) {
        return forgotten ? Forgetting.this.sound.scan(range) : super.scan(range);
      }

      @Override
      public void close() {
        open.remove(this);
        super.close();
      }
    }
  }

  // ---- rule 7

  private void deleteRangesWrongly() {
    engine(
        "rule7_deleteRangeRemovesTheRangeAndNothingElse",
        "deletes long ranges in whole blocks of 16 keys",
        sound -> new InBlocks(sound));
    engine(
        "rule7_aRangeWithoutEndGoesToTheLastKey",
        "takes 0xff for the end of all keys",
        sound ->
            deleting(
                sound,
                range ->
                    sound.deleteRange(
                        range.until().isPresent()
                            ? range
                            : KeyRange.of(range.from(), Bytes.fromHex("ff")))));
    engine(
        "rule7_aRangeOfMoreKeysThanABatchMayHaveIsRemoved",
        "deletes four thousand keys and no more",
        sound -> new FewOnly(sound));
    engine(
        "rule7_deletingARangeAgainDoesNothing",
        "fails where there is nothing to delete",
        sound ->
            deleting(
                sound,
                range -> {
                  if (range.until().equals(Optional.of(range.from()))) {
                    throw new StorageException(StorageException.Kind.FATAL, "nothing to delete");
                  }
                  sound.deleteRange(range);
                }));
    engine(
        "rule7_deleteRangeIsDurableWhenItReturns",
        "deletes ranges without a sync",
        sound -> new Unsynced(sound),
        "rule7_whatWasDeletedFromTheRangeBeforeStaysDeletedToo");
    engine(
        "rule7_whatWasDeletedFromTheRangeBeforeStaysDeletedToo",
        "does nothing where the range looks empty",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public void deleteRange(KeyRange range) {
                if (!entries(range).isEmpty()) {
                  sound.deleteRange(range);
                }
              }
            });
    engine(
        "rule7_whatIsWrittenToTheRangeAfterwardsStays",
        "remembers deleted ranges until they are compacted",
        sound -> new Remembering(sound));
    engine(
        "rule7_olderSnapshotsKeepWhatLiesOutsideTheRange",
        "ends all moments when a range is deleted",
        sound ->
            new Forgetting(sound) {
              @Override
              public void deleteRange(KeyRange range) {
                sound.deleteRange(range);
                forgetMoments();
              }
            });
  }

  private static StorageEngine deleting(StorageEngine sound, Consumer<KeyRange> deletion) {
    return new ForwardingEngine(sound) {
      @Override
      public void deleteRange(KeyRange range) {
        deletion.accept(range);
      }
    };
  }

  private static final class InBlocks extends ForwardingEngine {

    InBlocks(StorageEngine sound) {
      super(sound);
    }

    @Override
    public void deleteRange(KeyRange range) {
      int keys = entries(range).size();
      sound.deleteRange(range);
      if (keys > 16 && range.until().isPresent()) {
        entries(KeyRange.atLeast(range.until().get())).stream()
            .limit((16 - keys % 16) % 16)
            .forEach(entry -> sound.write(new WriteBatch().delete(entry.getKey()), DURABLE));
      }
    }
  }

  private static final class FewOnly extends ForwardingEngine {

    FewOnly(StorageEngine sound) {
      super(sound);
    }

    @Override
    public void deleteRange(KeyRange range) {
      List<Map.Entry<Bytes, Bytes>> found = entries(range);
      sound.deleteRange(
          found.size() > 4_000 ? KeyRange.of(range.from(), found.get(4_000).getKey()) : range);
    }
  }

  private static final class Unsynced extends ForwardingEngine {

    Unsynced(StorageEngine sound) {
      super(sound);
    }

    @Override
    public void deleteRange(KeyRange range) {
      for (Map.Entry<Bytes, Bytes> entry : entries(range)) {
        sound.write(new WriteBatch().delete(entry.getKey()), BUFFERED);
      }
    }
  }

  private static final class Remembering extends ForwardingEngine {

    private final Set<KeyRange> deleted = ConcurrentHashMap.newKeySet();

    Remembering(StorageEngine sound) {
      super(sound);
    }

    @Override
    public void deleteRange(KeyRange range) {
      sound.deleteRange(range);
      deleted.add(range);
    }

    @Override
    public void compact(KeyRange range) {
      deleted.forEach(sound::deleteRange);
      sound.compact(range);
    }
  }

  // ---- rule 8

  private void compactWrongly() {
    engine(
        "rule8_compactChangesNoAnswer",
        "loses the key before a compacted range",
        sound -> new Seam(sound));
    engine(
        "rule8_compactGivesBackTheSpaceOfADeletedRange",
        "keeps the space of deleted ranges",
        sound ->
            new Hoarding(sound) {
              @Override
              public void deleteRange(KeyRange range) {
                hoard(range);
                sound.deleteRange(range);
              }
            });
    engine(
        "rule8_compactGivesBackTheSpaceOfDeletedKeys",
        "keeps the space of deleted keys",
        sound ->
            new Hoarding(sound) {
              @Override
              public void write(WriteBatch batch, Durability durability) {
                batch.forEach(
                    new WriteBatch.Visitor() {
                      @Override
                      public void put(Bytes key, Bytes value) {}

                      @Override
                      public void delete(Bytes key) {
                        hoard(KeyRange.of(key, after(key)));
                      }
                    });
                sound.write(batch, durability);
              }
            });
  }

  private static final class Seam extends ForwardingEngine {

    Seam(StorageEngine sound) {
      super(sound);
    }

    @Override
    public void compact(KeyRange range) {
      sound.compact(range);
      if (range.from().size() == 6 && range.from().get(5) > 0) {
        byte[] before = range.from().toArray();
        before[5]--;
        sound.write(new WriteBatch().delete(Bytes.wrap(before)), DURABLE);
      }
    }
  }

  private abstract static class Hoarding extends ForwardingEngine {

    private long hoarded;

    Hoarding(StorageEngine sound) {
      super(sound);
    }

    final synchronized void hoard(KeyRange range) {
      entries(range).forEach(entry -> hoarded += entry.getValue().size());
    }

    @Override
    public synchronized long sizeBytes() {
      return sound.sizeBytes() + hoarded;
    }
  }

  // ---- rule 9

  private void disregardLimits() {
    refusing(
        "rule9_theLongestKeyWithTheLargestValueIsAccepted",
        "refuses the longest key",
        (batch, limits) -> longestKey(batch) == limits.maxKeyBytes());
    refusing(
        "rule9_theLongestKeyWithTheLargestValueIsAccepted",
        "refuses the largest value",
        (batch, limits) -> largestValue(batch) == limits.maxValueBytes());
    refusing(
        "rule9_theBatchOfMostBytesIsAccepted",
        "refuses a batch of most bytes",
        (batch, limits) -> batch.bytes() == limits.maxBatchBytes());
    refusing(
        "rule9_theBatchOfMostMutationsIsAccepted",
        "refuses a batch of most mutations",
        (batch, limits) -> batch.size() == limits.maxBatchCount());
    refusing(
        "rule9_anEmptyBatchIsAcceptedAndChangesNothing",
        "refuses an empty batch",
        (batch, limits) -> batch.isEmpty());
    swallowing(
        "rule9_anEmptyKeyIsRefused",
        "takes empty keys and drops them",
        (batch, limits) -> shortestKey(batch) == 0);
    swallowing(
        "rule9_aKeyOneByteTooLongIsRefused",
        "takes keys that are too long and drops them",
        (batch, limits) -> longestKey(batch) > limits.maxKeyBytes());
    swallowing(
        "rule9_aValueOneByteTooLargeIsRefused",
        "takes values that are too large and drops them",
        (batch, limits) -> largestValue(batch) > limits.maxValueBytes());
    swallowing(
        "rule9_aBatchOfOneByteTooManyIsRefused",
        "takes batches of too many bytes and drops them",
        (batch, limits) -> batch.bytes() > limits.maxBatchBytes());
    swallowing(
        "rule9_aBatchOfOneMutationTooManyIsRefused",
        "takes batches of too many mutations and drops them",
        (batch, limits) -> batch.size() > limits.maxBatchCount());
    engine(
        "rule9_aValueOneByteTooLargeIsRefused",
        "applies what comes before a value that is too large",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public void write(WriteBatch batch, Durability durability) {
                if (largestValue(batch) > limits().maxValueBytes()) {
                  AtomicBoolean first = new AtomicBoolean(true);
                  sound.write(filtered(batch, key -> first.getAndSet(false)), durability);
                }
                sound.write(batch, durability);
              }
            });
  }

  private interface Judgement {
    boolean of(WriteBatch batch, Limits limits);
  }

  private void refusing(String caughtBy, String flaw, Judgement refused) {
    engine(
        caughtBy,
        flaw,
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public void write(WriteBatch batch, Durability durability) {
                if (refused.of(batch, sound.limits())) {
                  throw new IllegalArgumentException("refused");
                }
                sound.write(batch, durability);
              }
            });
  }

  private void swallowing(String caughtBy, String flaw, Judgement swallowed) {
    engine(
        caughtBy,
        flaw,
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public void write(WriteBatch batch, Durability durability) {
                if (!swallowed.of(batch, sound.limits())) {
                  sound.write(batch, durability);
                }
              }
            });
  }

  // ---- rule 10

  private void stumbleOverThreads() {
    engine(
        "rule10_manyThreadsReadAndWriteAtOnce",
        "drops a write that comes during another",
        sound -> new OneWriter(sound),
        "rule11_closingWhileOthersWriteDoesNoHarm");
    engine(
        "rule10_aSnapshotServesManyThreads",
        "has one buffer in a snapshot",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public Snapshot snapshot() {
                return new OneBuffer(sound.snapshot());
              }
            });
  }

  private static final class OneWriter extends ForwardingEngine {

    private final AtomicInteger writing = new AtomicInteger();

    OneWriter(StorageEngine sound) {
      super(sound);
    }

    @Override
    public void write(WriteBatch batch, Durability durability) {
      boolean alone = writing.getAndIncrement() == 0;
      Thread.yield();
      try {
        sound.write(alone ? batch : new WriteBatch(), durability);
      } finally {
        writing.decrementAndGet();
      }
    }
  }

  private static final class OneBuffer extends ForwardingEngine.ForwardingSnapshot {

    private volatile Bytes buffer = Bytes.EMPTY;

    OneBuffer(Snapshot sound) {
      super(sound);
    }

    @Override
    public Optional<Bytes> get(Bytes key) {
      buffer = key;
      Thread.yield();
      Optional<Bytes> found = sound.get(key);
      return buffer.equals(key) ? found : Optional.empty();
    }
  }

  // ---- rule 11

  private void closeWrongly() {
    engine(
        "rule11_afterCloseEveryMethodRefuses",
        "tells its limits after it was closed",
        sound -> {
          Limits limits = sound.limits();
          return new ForwardingEngine(sound) {
            @Override
            public Limits limits() {
              return limits;
            }
          };
        });
    engine(
        "rule11_afterCloseSnapshotsAndCursorsRefuse",
        "lets a cursor tell its key after the engine was closed",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public Cursor scan(KeyRange range) {
                return new KeepingItsKey(sound.scan(range));
              }
            });
    engine(
        "rule11_aClosedSnapshotOrCursorRefuses",
        "never closes snapshots",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public Snapshot snapshot() {
                return new ForwardingSnapshot(sound.snapshot()) {
                  @Override
                  public void close() {}
                };
              }
            });
    provider(
        "rule11_closingTwiceDoesNothing",
        "closes whoever has the store when it is closed again",
        BrokenEngines::closingOthers);
    engine(
        "rule11_childrenMayBeClosedLateOrNever",
        "cannot close a snapshot late",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public Snapshot snapshot() {
                return new ForwardingSnapshot(sound.snapshot()) {
                  @Override
                  public void close() {
                    limits();
                    sound.close();
                  }
                };
              }
            });
    engine(
        "rule11_aSnapshotMayBeClosedBeforeItsCursors",
        "cannot close a cursor after its snapshot",
        sound -> new InOrderOnly(sound));
    engine(
        "rule11_closingWhileOthersReadDoesNoHarm",
        "fails in other threads that read when it is closed",
        sound ->
            new ClosedUnderUse(sound) {
              @Override
              public Optional<Bytes> get(Bytes key) {
                requireHandle();
                return sound.get(key);
              }
            });
    engine(
        "rule11_closingWhileOthersWriteDoesNoHarm",
        "fails in other threads that write when it is closed",
        sound ->
            new ClosedUnderUse(sound) {
              @Override
              public void write(WriteBatch batch, Durability durability) {
                requireHandle();
                sound.write(batch, durability);
              }
            });
  }

  private static final class KeepingItsKey extends ForwardingEngine.ForwardingCursor {

    private Bytes key = Bytes.EMPTY;
    private boolean closed;

    KeepingItsKey(Cursor sound) {
      super(sound);
    }

    @Override
    public boolean next() {
      boolean found = sound.next();
      key = found ? sound.key() : Bytes.EMPTY;
      return found;
    }

    @Override
    public Bytes key() {
      return closed ? sound.key() : key;
    }

    @Override
    public void close() {
      closed = true;
      sound.close();
    }
  }

  private static StorageEngineProvider closingOthers(StorageEngineProvider sound) {
    Map<Path, StorageEngine> newest = new HashMap<>();
    return opening(
        sound,
        (path, options) -> {
          StorageEngine engine = sound.open(path, options);
          newest.put(path, engine);
          return new ForwardingEngine(engine) {
            private boolean closed;

            @Override
            public void close() {
              (closed ? newest.get(path) : engine).close();
              closed = true;
            }
          };
        });
  }

  private static final class InOrderOnly extends ForwardingEngine {

    InOrderOnly(StorageEngine sound) {
      super(sound);
    }

    @Override
    public Snapshot snapshot() {
      return new ForwardingSnapshot(sound.snapshot()) {
        private boolean closed;

        @Override
        public Cursor scan(KeyRange range) {
          return new ForwardingCursor(super.scan(range)) {
            @Override
            public void close() {
              if (closed && isOpen()) {
                throw new IllegalStateException("the snapshot is closed");
              }
              sound.close();
            }
          };
        }

        @Override
        public void close() {
          closed = true;
          super.close();
        }
      };
    }

    private boolean isOpen() {
      try {
        return sound.limits() != null;
      } catch (IllegalStateException e) {
        return false;
      }
    }
  }

  private abstract static class ClosedUnderUse extends ForwardingEngine {

    private volatile Optional<Thread> closer = Optional.empty();

    ClosedUnderUse(StorageEngine sound) {
      super(sound);
    }

    final void requireHandle() {
      Optional<Thread> by = closer;
      if (by.isPresent() && by.get() != Thread.currentThread()) {
        throw new NullPointerException("no handle");
      }
    }

    @Override
    public void close() {
      closer = Optional.of(Thread.currentThread());
      sound.close();
    }
  }

  // ---- rules 13 and 14

  private void failWrongly() {
    engine(
        "rule13_damageIsToldAndNothingWrongIsReturned",
        "takes a damaged value for an absent one",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public Optional<Bytes> get(Bytes key) {
                try {
                  return sound.get(key);
                } catch (IntegrityException e) {
                  return Optional.empty();
                }
              }
            });
    engine(
        "rule13_damageIsToldAndNothingWrongIsReturned",
        "ends a scan where it meets damage",
        sound ->
            new ForwardingEngine(sound) {
              @Override
              public Cursor scan(KeyRange range) {
                return new EndingAtDamage(sound.scan(range));
              }
            });
    engine(
        "rule14_aFullDiskIsToldAndTheBatchIsNotApplied",
        "applies as much of a batch as there is room for",
        sound -> new AsMuchAsFits(sound));
    provider(
        "rule14_writingWorksAgainWhenThereIsRoom",
        "never writes again after the disk was full",
        BrokenEngines::givingUp);
  }

  private static final class EndingAtDamage extends ForwardingEngine.ForwardingCursor {

    EndingAtDamage(Cursor sound) {
      super(sound);
    }

    @Override
    public boolean next() {
      try {
        return sound.next();
      } catch (IntegrityException e) {
        return false;
      }
    }
  }

  private static final class AsMuchAsFits extends ForwardingEngine {

    AsMuchAsFits(StorageEngine sound) {
      super(sound);
    }

    @Override
    public void write(WriteBatch batch, Durability durability) {
      try {
        sound.write(batch, durability);
      } catch (StorageException e) {
        AtomicBoolean first = new AtomicBoolean(true);
        sound.write(filtered(batch, key -> first.getAndSet(false)), durability);
        throw e;
      }
    }
  }

  private static StorageEngineProvider givingUp(StorageEngineProvider sound) {
    Set<Path> full = new HashSet<>();
    return opening(
        sound,
        (path, options) ->
            new ForwardingEngine(sound.open(path, options)) {
              @Override
              public void write(WriteBatch batch, Durability durability) {
                if (full.contains(path)) {
                  throw new StorageException(StorageException.Kind.FATAL, "read-only since then");
                }
                try {
                  sound.write(batch, durability);
                } catch (StorageException e) {
                  full.add(path);
                  throw e;
                }
              }
            });
  }

  // ---- copies of a store

  private void copyWrongly() {
    copies(
        "copies nothing and says that it did",
        (sound, directory, target) -> !directory.endsWith("none"));
    copies(
        "says that there was a store where there is none",
        (sound, directory, target) -> {
          copied(sound, directory, target);
          return true;
        });
    copies(
        "leaves out the newest row",
        (sound, directory, target) ->
            copied(sound, directory, target) && changed(sound, target, BrokenEngines::withoutLast));
    copies(
        "moves the store",
        (sound, directory, target) ->
            copied(sound, directory, target)
                && changed(sound, directory, engine -> engine.deleteRange(KeyRange.all())));
    provider(COPY, "compacts what it shares", BrokenEngines::compactingTheOriginal);
  }

  private static StorageEngineProvider compactingTheOriginal(StorageEngineProvider provider) {
    Map<Path, Path> originals = new HashMap<>();
    return copying(
        provider,
        (path, options) ->
            new ForwardingEngine(provider.open(path, options)) {
              @Override
              public void compact(KeyRange range) {
                super.compact(range);
                Path original = originals.get(path);
                if (original != null) {
                  changed(provider, original, engine -> engine.deleteRange(range));
                }
              }
            },
        (directory, target) -> {
          originals.put(target, directory);
          return copied(provider, directory, target);
        });
  }

  private interface Copying {
    boolean copy(StorageEngineProvider sound, Path directory, Path target);
  }

  private void copies(String flaw, Copying copying) {
    provider(
        COPY,
        flaw,
        sound ->
            copying(
                sound, sound::open, (directory, target) -> copying.copy(sound, directory, target)));
  }

  private static boolean changed(
      StorageEngineProvider sound, Path directory, Consumer<StorageEngine> change) {
    try (StorageEngine engine = sound.open(directory, Options.none())) {
      change.accept(engine);
      return true;
    }
  }

  private static void withoutLast(StorageEngine engine) {
    List<Map.Entry<Bytes, Bytes>> entries = new ForwardingEngine(engine).entries(KeyRange.all());
    engine.write(new WriteBatch().delete(entries.get(entries.size() - 1).getKey()), DURABLE);
  }

  // ---- batches

  private static Bytes after(Bytes key) {
    byte[] longer = new byte[key.size() + 1];
    key.copyTo(longer, 0);
    return Bytes.wrap(longer);
  }

  /** Returns the mutations of the keys that the predicate accepts, asked in their order. */
  private static WriteBatch filtered(WriteBatch batch, Predicate<Bytes> keys) {
    WriteBatch kept = new WriteBatch();
    batch.forEach(
        new WriteBatch.Visitor() {
          @Override
          public void put(Bytes key, Bytes value) {
            if (keys.test(key)) {
              kept.put(key, value);
            }
          }

          @Override
          public void delete(Bytes key) {
            if (keys.test(key)) {
              kept.delete(key);
            }
          }
        });
    return kept;
  }

  private static WriteBatch putsFirst(WriteBatch batch) {
    WriteBatch puts = new WriteBatch();
    List<Bytes> deletes = new ArrayList<>();
    batch.forEach(
        new WriteBatch.Visitor() {
          @Override
          public void put(Bytes key, Bytes value) {
            puts.put(key, value);
          }

          @Override
          public void delete(Bytes key) {
            deletes.add(key);
          }
        });
    deletes.forEach(puts::delete);
    return puts;
  }

  /** The sizes of the keys and values of a batch. */
  private static final class Sizes implements WriteBatch.Visitor {

    private int shortestKey = Integer.MAX_VALUE;
    private int longestKey;
    private int largestValue;
    private int puts;

    static Sizes of(WriteBatch batch) {
      Sizes sizes = new Sizes();
      batch.forEach(sizes);
      return sizes;
    }

    @Override
    public void put(Bytes key, Bytes value) {
      delete(key);
      largestValue = Math.max(largestValue, value.size());
      puts++;
    }

    @Override
    public void delete(Bytes key) {
      shortestKey = Math.min(shortestKey, key.size());
      longestKey = Math.max(longestKey, key.size());
    }
  }

  private static int shortestKey(WriteBatch batch) {
    return Sizes.of(batch).shortestKey;
  }

  private static int longestKey(WriteBatch batch) {
    return Sizes.of(batch).longestKey;
  }

  private static int largestValue(WriteBatch batch) {
    return Sizes.of(batch).largestValue;
  }

  private static boolean hasPuts(WriteBatch batch) {
    return Sizes.of(batch).puts > 0;
  }
}
