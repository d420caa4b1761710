package io.ledgerkeep.metrics;

import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledger.Jobs.Job;
import io.ledgerkeep.Ledger.Jobs.State;
import io.ledgerkeep.Ledger.Jobs.Total;
import io.ledgerkeep.LedgerStatus;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.Progress;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The measures of an open ledger: heights, sizes, jobs, keys and disks. {@code docs/metrics.md}
 * lists them. Safe for any number of threads.
 *
 * <p>Reading one throws nothing and holds nothing that a commit waits for; what takes a look at
 * databases, archive or disks is looked up every few seconds at most, on the thread that reads.
 * What is not known now, and every gauge of a ledger that is closed, is {@code NaN}.
 *
 * <pre>{@code
 * LedgerMetrics metrics = LedgerMetrics.of(ledger).withDisk("ledger", data);
 * metrics.bindTo(registry);
 * }</pre>
 *
 * <p>Close it with the ledger if that may be opened again in this process: a registry keeps the
 * meters it has.
 */
public final class LedgerMetrics implements MeterBinder, AutoCloseable {

  private static final Duration STATUS_FRESH = Duration.ofSeconds(5);
  private static final Duration ARCHIVE_FRESH = Duration.ofSeconds(30);

  private static final String OTHER = "other";
  private static final List<String> JOBS =
      List.of("archive", "restore", "backup", "verify", "reencrypt", OTHER);
  private static final List<State> ENDS = List.of(State.DONE, State.CANCELLED, State.FAILED);

  private final Ledger ledger;
  private final Tags tags;
  private final Map<String, Path> disks;
  private final Clock clock;
  private final LongSupplier nanoTime;
  private final Cached<Standing> standing;
  private final Cached<List<Archive.Segment>> segments;
  private final Cached<List<Job>> jobs;
  private volatile List<Total> totals = List.of();
  private final ConcurrentLinkedQueue<Bound> bound = new ConcurrentLinkedQueue<>();

  private record Bound(MeterRegistry registry, Meter meter) {}

  /**
   * How the ledger stands.
   *
   * @param status empty where a database, or a key, does not answer
   * @param deviceCalls what is left to the key in a device that is in use
   */
  private record Standing(
      Optional<LedgerStatus> status,
      boolean isStorageUp,
      boolean isKeyUp,
      Optional<Long> deviceCalls) {}

  private record Room(long freeBytes, long totalBytes) {}

  private LedgerMetrics(
      Ledger ledger, Tags tags, Map<String, Path> disks, Clock clock, LongSupplier nanoTime) {
    this.ledger = ledger;
    this.tags = tags;
    this.disks = disks;
    this.clock = clock;
    this.nanoTime = nanoTime;
    this.standing = new Cached<>(this::look, STATUS_FRESH, nanoTime);
    this.jobs = new Cached<>(() -> ledger.jobs().list(), STATUS_FRESH, nanoTime);
    this.segments = new Cached<>(() -> ledger.archive().segments(), ARCHIVE_FRESH, nanoTime);
  }

  /** Returns the measures of a ledger. */
  public static LedgerMetrics of(Ledger ledger) {
    return of(ledger, Clock.systemUTC(), System::nanoTime);
  }

  static LedgerMetrics of(Ledger ledger, Clock clock, LongSupplier nanoTime) {
    return new LedgerMetrics(ledger, Tags.empty(), Map.of(), clock, nanoTime);
  }

  /** Returns the same with tags on every meter, to tell several ledgers of a process apart. */
  public LedgerMetrics withTags(Iterable<Tag> more) {
    return new LedgerMetrics(ledger, tags.and(more), disks, clock, nanoTime);
  }

  /**
   * Returns the same with the disk of a directory, such as the ledger's own or the archive's.
   *
   * @param name the tag {@code disk} of its meters
   */
  public LedgerMetrics withDisk(String name, Path directory) {
    Map<String, Path> all = new LinkedHashMap<>(disks);
    all.put(name, directory);
    return new LedgerMetrics(ledger, tags, all, clock, nanoTime);
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    gauge(registry, Measure.HEIGHT, ledger::height);
    gauge(registry, Measure.ARCHIVED_HEIGHT, ledger::archivedHeight);
    status(registry, Measure.DERIVED_LAG, status -> status.height() - status.derivedThrough());
    status(
        registry,
        Measure.ARCHIVE_LAG,
        status -> Math.max(0, status.highestArchivableHeight() - status.archivedHeight()));
    for (Database database : Database.values()) {
      status(
          registry,
          Measure.DATABASE_SIZE,
          status -> status.bytesOnDisk().get(database),
          database.lowerCaseName());
    }
    gauge(
        registry,
        Measure.ARCHIVE_SIZE,
        () -> known(segments).stream().mapToLong(Archive.Segment::storedBytes).sum());
    gauge(registry, Measure.ARCHIVE_SEGMENTS, () -> known(segments).size());
    bindJobs(registry);
    bindKeys(registry);
    disks.forEach((name, directory) -> bindDisk(registry, name, directory));
  }

  private void bindJobs(MeterRegistry registry) {
    gauge(registry, Measure.JOB_RUNNING, () -> running().findAny().isPresent() ? 1 : 0);
    gauge(
        registry,
        Measure.JOB_PROGRESS,
        () ->
            running()
                .flatMap(job -> job.progress().stream())
                .findFirst()
                .map(LedgerMetrics::part)
                .orElse(null));
    age(registry, Measure.BACKUP_AGE, LedgerStatus::lastBackup);
    age(registry, Measure.VERIFY_AGE, LedgerStatus::lastVerification);
    for (String job : JOBS) {
      for (State state : ENDS) {
        keep(
            registry,
            FunctionTimer.builder(
                    Measure.JOBS_ENDED.id,
                    this, // held by the functions of the gauges
                    metrics -> metrics.ended(job, state).mapToLong(Total::count).sum(),
                    metrics ->
                        metrics
                            .ended(job, state)
                            .mapToLong(total -> total.elapsed().toMillis())
                            .sum(),
                    TimeUnit.MILLISECONDS)
                .description(Measure.JOBS_ENDED.meaning)
                .tags(tags.and("job", job, "state", state.name().toLowerCase(Locale.ROOT)))
                .register(registry));
      }
    }
  }

  private void age(
      MeterRegistry registry, Measure measure, Function<LedgerStatus, Optional<Instant>> which) {
    seconds(
        registry,
        measure,
        () ->
            known(standing)
                .status()
                .flatMap(which)
                .map(ended -> Duration.between(ended, clock.instant())));
  }

  private void bindKeys(MeterRegistry registry) {
    gauge(registry, Measure.STORAGE_UP, () -> known(standing).isStorageUp() ? 1 : 0);
    status(registry, Measure.ENCRYPTION_ENABLED, status -> status.encryption().isEmpty() ? 0 : 1);
    gauge(registry, Measure.ENCRYPTION_UP, this::keyUp);
    budget(registry, Measure.KEY_BUDGET_VALUES, LedgerKeys.Budget::values);
    budget(registry, Measure.KEY_BUDGET_BYTES, LedgerKeys.Budget::bytes);
    seconds(
        registry,
        Measure.KEY_BUDGET_TIME,
        () -> budget().map(budget -> Duration.between(clock.instant(), budget.until())));
    gauge(registry, Measure.KEY_DEVICE_CALLS, () -> known(standing).deviceCalls().orElse(null));
  }

  private void bindDisk(MeterRegistry registry, String name, Path directory) {
    Cached<Room> room = new Cached<>(() -> room(directory), STATUS_FRESH, nanoTime);
    gauge(registry, Measure.DISK_FREE, () -> known(room).freeBytes(), name);
    gauge(registry, Measure.DISK_TOTAL, () -> known(room).totalBytes(), name);
  }

  /** Removes the meters from where they were bound; the ledger stays as it is. */
  @Override
  public void close() {
    for (Bound one = bound.poll(); one != null; one = bound.poll()) {
      one.registry().remove(one.meter());
    }
  }

  // ------------------------------------------------------------------------------------ meters

  private void status(
      MeterRegistry registry,
      Measure measure,
      ToDoubleFunction<LedgerStatus> value,
      String... tag) {
    gauge(
        registry,
        measure,
        () -> known(standing).status().map(value::applyAsDouble).orElse(null),
        tag);
  }

  private void budget(
      MeterRegistry registry, Measure measure, ToDoubleFunction<LedgerKeys.Budget> value) {
    gauge(registry, measure, () -> budget().map(value::applyAsDouble).orElse(null));
  }

  private void gauge(
      MeterRegistry registry,
      Measure measure,
      Supplier<? extends @Nullable Number> value,
      String... tag) {
    keep(
        registry,
        Gauge.builder(measure.id, () -> read(value))
            .baseUnit(measure.unit.isEmpty() ? null : measure.unit)
            .description(measure.meaning)
            .tags(tag.length == 0 ? tags : tags.and(measure.tag, tag[0]))
            .register(registry));
  }

  private void seconds(
      MeterRegistry registry, Measure measure, Supplier<Optional<Duration>> value) {
    Supplier<Number> seconds = () -> read(() -> value.get().map(Duration::toSeconds).orElse(null));
    keep(
        registry,
        TimeGauge.builder(measure.id, seconds, TimeUnit.SECONDS)
            .description(measure.meaning)
            .tags(tags)
            .register(registry));
  }

  private void keep(MeterRegistry registry, Meter meter) {
    bound.add(new Bound(registry, meter));
  }

  /** Nothing is known of a closed ledger, whatever was looked up before. */
  private double read(Supplier<? extends @Nullable Number> value) {
    try {
      ledger.height();
      Number number = value.get();
      return number == null ? Double.NaN : number.doubleValue();
    } catch (RuntimeException e) {
      return Double.NaN;
    }
  }

  // ------------------------------------------------------------------------------------ values

  private static <T> T known(Cached<T> cached) {
    T value = cached.get();
    if (value == null) {
      throw new IllegalStateException("not known now");
    }
    return value;
  }

  /** Asks all databases, and for the newest block, whose record lies under the newest key. */
  private Standing look() {
    try {
      LedgerStatus status = ledger.status();
      ledger.meta(status.height());
      Optional<Long> calls =
          ledger.keys().stream()
              .flatMap(keys -> keys.directKeys().stream())
              .filter(LedgerKeys.DirectKey::inUse)
              .map(LedgerKeys.DirectKey::leftCalls)
              .findFirst();
      return new Standing(Optional.of(status), true, true, calls);
    } catch (KeyUnavailableException e) {
      return new Standing(Optional.empty(), true, false, Optional.empty());
    } catch (StorageException | IntegrityException e) {
      return new Standing(Optional.empty(), false, true, Optional.empty());
    }
  }

  /** A ledger in plain needs no key; of one that was never seen to answer it is not known. */
  private @Nullable Integer keyUp() {
    Standing now = known(standing);
    if (!now.isKeyUp()) {
      return 0;
    }
    return now.status().filter(status -> !status.encryption().isEmpty()).map(any -> 1).orElse(null);
  }

  private Stream<Job> running() {
    return known(jobs).stream().filter(job -> job.state() == State.RUNNING);
  }

  private static double part(Progress progress) {
    return progress.totalBlocks() == 0
        ? Double.NaN
        : (double) progress.doneBlocks() / progress.totalBlocks();
  }

  private Stream<Total> ended(String job, State state) {
    return ended().stream()
        .filter(total -> total.state() == state)
        .filter(total -> job.equals(JOBS.contains(total.name()) ? total.name() : OTHER));
  }

  /** A count must not fall, so that of a closed ledger stays. */
  private List<Total> ended() {
    try {
      totals = ledger.jobs().totals();
    } catch (RuntimeException e) {
      return totals;
    }
    return totals;
  }

  private Optional<LedgerKeys.Budget> budget() {
    return ledger.keys().flatMap(LedgerKeys::budget);
  }

  private static Room room(Path directory) {
    try {
      FileStore store = Files.getFileStore(directory);
      return new Room(store.getUsableSpace(), store.getTotalSpace());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
