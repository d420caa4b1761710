package io.ledgerkeep.core.audit;

import com.google.common.collect.ImmutableMap;
import io.ledgerkeep.Ledger.Jobs.Job;
import io.ledgerkeep.Ledger.Jobs.State;
import io.ledgerkeep.Ledger.Jobs.Total;
import io.ledgerkeep.core.jobs.JobLock;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.Progress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows the jobs of a ledger: lets one at a time change it, writes into the audit file that one
 * begins and how it ended, and tells what runs and what ran. Serves any number of threads.
 */
public final class JobBook {

  private static final Logger LOG = LoggerFactory.getLogger(JobBook.class);

  /** Who asked for what the thread does, where it is not the process itself. */
  private static final ThreadLocal<@Nullable String> CALLER = new ThreadLocal<>();

  private static final String BACKUP = "backup";
  private static final String VERIFY = "verify";

  private final JobLock lock;
  private final Runnable changed;
  private final Runnable progressed;
  private final Optional<Notes> notes;
  private final Map<Long, Run> running = new ConcurrentSkipListMap<>(Comparator.reverseOrder());

  /** Guarded by itself. */
  private final Map<String, Map<State, Total>> totals = new TreeMap<>();

  private volatile Optional<Instant> lastBackup = Optional.empty();
  private volatile Optional<Instant> lastVerification = Optional.empty();

  /** Where it is written what is done. Serves any number of threads. */
  public interface Notes {

    /**
     * Writes a line; it is durable when the call returns.
     *
     * @return its number, or 0 where nothing was written
     */
    long write(String level, String job, String event, Map<String, String> fields);

    /** Returns the newest lines, the oldest of them first. */
    List<AuditLine> newest();
  }

  /** Makes a book that nothing is written into. */
  public JobBook() {
    this(() -> {}, () -> {}, Optional.empty());
  }

  /**
   * Makes a book.
   *
   * @param changed runs when a job has begun and when it ends
   * @param progressed runs when one has come further
   */
  public JobBook(Runnable changed, Runnable progressed, Notes notes) {
    this(changed, progressed, Optional.of(notes));
  }

  private JobBook(Runnable changed, Runnable progressed, Optional<Notes> notes) {
    this.lock = new JobLock(changed);
    this.changed = changed;
    this.progressed = progressed;
    this.notes = notes;
  }

  /** Looks up in the newest part of the audit file when what ended last. */
  public void open() {
    try {
      list().forEach(this::remember);
    } catch (StorageException | IntegrityException e) {
      LOG.warn("the audit file does not tell what ended last: {}", e.getMessage());
    }
  }

  /** Returns what lets one job run. */
  public JobLock lock() {
    return lock;
  }

  /** Runs something as asked for by somebody else. */
  public static void by(String caller, Runnable work) {
    CALLER.set(caller);
    try {
      work.run();
    } finally {
      CALLER.remove();
    }
  }

  /** Returns who does what this thread does, for the audit file. */
  public static String caller() {
    String caller = CALLER.get();
    return caller == null
        ? "%s/%s".formatted(System.getProperty("user.name"), ProcessHandle.current().pid())
        : caller;
  }

  /**
   * Begins a job that changes the ledger, once it is written down.
   *
   * @param range what it is asked to do it to
   */
  private Run begin(String job, Map<String, ?> range) {
    JobLock.Lease lease = lock.take(job);
    try {
      return new Run(job, range, lease);
    } catch (RuntimeException | Error e) {
      lease.close();
      throw e;
    }
  }

  /** A job that runs; to be closed. What ended without {@link #ended} has failed. */
  public final class Run implements AutoCloseable {

    private final String job;
    private final String range;
    private final String by = caller();
    private final JobLock.Lease lease;
    private final Instant begun = Instant.now();
    private final long beginNanos = System.nanoTime();
    private final long number;
    private volatile boolean cancelled;
    private volatile @Nullable Progress progress;
    private State state = State.FAILED;
    private Map<String, ?> result = Map.of();

    private Run(String job, Map<String, ?> range, JobLock.Lease lease) {
      this.job = job;
      this.lease = lease;
      Map<String, String> fields = fields(range);
      this.range = text(fields);
      this.number = noteBegin(fields);
      running.put(number, this);
    }

    private long noteBegin(Map<String, String> range) {
      Map<String, String> fields = new LinkedHashMap<>();
      fields.put(AuditLine.BY, by);
      fields.putAll(range);
      return notes.map(to -> to.write("info", job, AuditLine.BEGUN, fields)).orElse(0L);
    }

    /** Returns the watch of the job: under the caller's control, and that of the ledger. */
    public JobWatch watch(JobControl control) {
      return new JobWatch(
          control.onProgress(
              now -> {
                progress = now;
                progressed.run();
                control.listener().accept(now);
              }),
          () -> cancelled || lock.isClosing());
    }

    /** Says how the job ended. */
    public void ended(boolean wasCancelled, Map<String, ?> what) {
      state = wasCancelled ? State.CANCELLED : State.DONE;
      result = what;
    }

    private void failed(Throwable cause) {
      String message = cause.getMessage();
      result =
          ImmutableMap.of(
              "error", cause.getClass().getSimpleName(), "message", message == null ? "" : message);
    }

    private Job shown() {
      return new Job(
          number,
          job,
          range,
          by,
          State.RUNNING,
          begun,
          Optional.empty(),
          "",
          Optional.ofNullable(progress));
    }

    @Override
    public void close() {
      running.remove(number);
      Duration elapsed = Duration.ofNanos(System.nanoTime() - beginNanos);
      try {
        notes.ifPresent(to -> noteEnd(to, elapsed));
        count(elapsed);
        remember(done());
      } finally {
        lease.close();
      }
    }

    private Job done() {
      return new Job(
          number,
          job,
          range,
          by,
          state,
          begun,
          Optional.of(Instant.now()),
          text(fields(result)),
          Optional.empty());
    }

    /** What was done is done, whether it can be written down or not. */
    private void noteEnd(Notes to, Duration elapsed) {
      Map<String, String> fields = new LinkedHashMap<>();
      if (number > 0) {
        fields.put(AuditLine.OF, Long.toString(number));
      }
      fields.put(AuditLine.BY, by);
      fields.put("millis", Long.toString(elapsed.toMillis()));
      fields.putAll(fields(result));
      try {
        to.write(level(), job, event(), fields);
      } catch (RuntimeException e) {
        LOG.error("job '{}' ended ({}), but this cannot be written down", job, event(), e);
      }
    }

    private String level() {
      return switch (state) {
        case DONE -> "info";
        case CANCELLED -> "warning";
        default -> "error";
      };
    }

    private String event() {
      return state.name().toLowerCase(Locale.ROOT);
    }

    private void count(Duration elapsed) {
      synchronized (totals) {
        totals
            .computeIfAbsent(job, name -> new EnumMap<>(State.class))
            .merge(
                state,
                new Total(job, state, 1, elapsed),
                (sum, one) ->
                    new Total(job, state, sum.count() + 1, sum.elapsed().plus(one.elapsed())));
      }
    }
  }

  /** Runs a job that changes the ledger; what it throws is why it failed. */
  public <R> R run(String job, Map<String, ?> range, Work<R> work) {
    return run(begin(job, range), work);
  }

  /** Runs a job that only looks, beside others. */
  public <R> R runBeside(String job, Map<String, ?> range, Work<R> work) {
    return run(new Run(job, range, changed::run), work);
  }

  private static <R> R run(Run run, Work<R> work) {
    try (run) {
      try {
        return work.in(run);
      } catch (RuntimeException | Error e) {
        run.failed(e);
        throw e;
      }
    }
  }

  /** What a job does. */
  @FunctionalInterface
  public interface Work<R> {

    /** Does it and tells the run how it ended. */
    R in(Run run);
  }

  private static Map<String, String> fields(Map<String, ?> values) {
    Map<String, String> fields = new LinkedHashMap<>();
    values.forEach((name, value) -> fields.put(name, Objects.toString(value)));
    return fields;
  }

  private static String text(Map<String, String> fields) {
    List<String> pairs = new ArrayList<>();
    fields.forEach((name, value) -> pairs.add(name + "=" + value));
    return String.join(",", pairs);
  }

  /** Asks a job to end; returns whether it runs. */
  public boolean cancel(long number) {
    Run run = running.get(number);
    if (run == null) {
      return false;
    }
    run.cancelled = true;
    return true;
  }

  private void remember(Job job) {
    if (job.state() == State.DONE && job.name().equals(BACKUP)) {
      lastBackup = later(lastBackup, job.ended());
    }
    if (job.state() == State.DONE && isWholeVerification(job)) {
      lastVerification = later(lastVerification, job.ended());
    }
  }

  private static Optional<Instant> later(Optional<Instant> one, Optional<Instant> other) {
    return Stream.of(one, other).flatMap(Optional::stream).max(Comparator.naturalOrder());
  }

  /**
   * What was not looked at may be damaged. Level structure looks at no block; where the line of the
   * begin is out of sight, the level is not known.
   */
  private static boolean isWholeVerification(Job job) {
    List<String> result = List.of(job.result().split(",", -1));
    return job.name().equals(VERIFY)
        && !job.range().isEmpty()
        && !job.range().equals("level=structure")
        && result.contains("findings=0")
        && result.contains("unchecked=0");
  }

  /** Returns when a backup was last done, as far as the newest part of the audit file tells. */
  public Optional<Instant> lastBackup() {
    return lastBackup;
  }

  /** Returns when all was last verified, and nothing found to be wrong. */
  public Optional<Instant> lastVerification() {
    return lastVerification;
  }

  /** Returns how far a job is that runs and tells it. */
  public Optional<Progress> progress() {
    return running.values().stream()
        .flatMap(run -> Optional.ofNullable(run.progress).stream())
        .findFirst();
  }

  /** Returns what ended since the book was made. */
  public List<Total> totals() {
    synchronized (totals) {
      return totals.values().stream().flatMap(of -> of.values().stream()).toList();
    }
  }

  /** Returns the jobs that run and those that the newest part of the audit file tells of. */
  public List<Job> list() {
    Map<Long, Job> known = new ConcurrentSkipListMap<>(Comparator.reverseOrder());
    notes.ifPresent(in -> in.newest().forEach(line -> read(line, known)));
    List<Job> jobs = new ArrayList<>();
    running.values().forEach(run -> jobs.add(run.shown()));
    known.values().stream().filter(job -> !running.containsKey(job.number())).forEach(jobs::add);
    return jobs;
  }

  /** Returns what the job of the number was asked to do it to. */
  public Map<String, String> rangeOf(long number) {
    return notes.stream()
        .flatMap(in -> in.newest().stream())
        .filter(line -> line.number() == number)
        .findFirst()
        .map(AuditLine::told)
        .orElse(Map.of());
  }

  private static void read(AuditLine line, Map<Long, Job> known) {
    Map<String, String> told = line.told();
    String by = line.fields().getOrDefault(AuditLine.BY, "");
    if (line.event().equals(AuditLine.BEGUN)) {
      known.put(
          line.number(),
          new Job(
              line.number(),
              line.job(),
              text(told),
              by,
              State.INTERRUPTED,
              line.at(),
              Optional.empty(),
              "",
              Optional.empty()));
      return;
    }
    long of = line.fields().containsKey(AuditLine.OF) ? line.number(AuditLine.OF) : line.number();
    Job begun = known.get(of);
    known.put(
        of,
        new Job(
            of,
            line.job(),
            begun == null ? "" : begun.range(),
            by,
            state(line.event()),
            begun == null ? line.at() : begun.begun(),
            Optional.of(line.at()),
            text(told),
            Optional.empty()));
  }

  private static State state(String event) {
    for (State state : State.values()) {
      if (state.name().equalsIgnoreCase(event)) {
        return state;
      }
    }
    return State.FAILED;
  }
}
