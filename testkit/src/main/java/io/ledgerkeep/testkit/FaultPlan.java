package io.ledgerkeep.testkit;

import io.ledgerkeep.error.StorageException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongPredicate;
import java.util.function.Supplier;

/**
 * What goes wrong in {@link FaultyStorage} and {@link FaultyArchiveStore}, and when. One plan may
 * serve several of them: it counts their calls together, in the order in which they are made, so
 * that a test can let each step of a job fail in turn:
 *
 * <pre>{@code
 * FaultPlan counting = new FaultPlan();
 * job(counting);
 * for (long n = 1; n <= counting.calls(Call.CHANGES); n++) {
 *   FaultPlan plan = new FaultPlan().whenCrashing(disk::crash);
 *   job(plan.at(Call.CHANGES, n, Fault.CRASH_BEFORE));       // throws MachineCrash
 *   checkWhatIsLeft();
 * }
 * }</pre>
 *
 * <p>Once a crash was played every further call throws {@link MachineCrash}. Safe for any number of
 * threads; which call is the n-th is then up to them.
 */
public final class FaultPlan {

  /** What can be called. */
  public enum Call {
    /** Opening a store. */
    OPEN,
    /** {@code get} of an engine or one of its snapshots. */
    GET,
    /** {@code scan} of an engine or one of its snapshots. */
    SCAN,
    /** {@code snapshot} of an engine. */
    SNAPSHOT,
    /** {@code write} of an engine. */
    WRITE,
    /** {@code flush} of an engine. */
    FLUSH,
    /** {@code deleteRange} of an engine. */
    DELETE_RANGE,
    /** {@code compact} of an engine. */
    COMPACT,
    /** {@code put} of an archive store. */
    STORE_PUT,
    /** {@code size} of an archive store. */
    STORE_SIZE,
    /** {@code get} of an archive store. */
    STORE_GET,
    /** {@code list} of an archive store. */
    STORE_LIST,
    /** {@code delete} of an archive store. */
    STORE_DELETE;

    /** All calls. */
    public static final Set<Call> ALL = Collections.unmodifiableSet(EnumSet.allOf(Call.class));

    /** The calls that change what is stored, or how durable it is. */
    public static final Set<Call> CHANGES =
        Collections.unmodifiableSet(
            EnumSet.of(WRITE, FLUSH, DELETE_RANGE, COMPACT, STORE_PUT, STORE_DELETE));
  }

  /** What can go wrong with a call. */
  public enum Fault {
    /** Nothing is done; the caller is told that the call may be made again. */
    FAIL,
    /** Nothing is done; the caller is told that there is no space left. */
    OUT_OF_SPACE,
    /** Everything is done, but the caller is told that the engine failed. */
    LOSE_ANSWER,
    /** The machine crashes before anything is done. */
    CRASH_BEFORE,
    /** The machine crashes after everything was done, before the caller learns of it. */
    CRASH_AFTER
  }

  private record Rule(Set<Call> calls, LongPredicate applies, Fault fault) {}

  private final ReentrantLock lock = new ReentrantLock();

  /** Guarded by the lock, as everything below. */
  private final Map<Call, Long> counts = new EnumMap<>(Call.class);

  private final List<Rule> rules = new ArrayList<>();
  private final List<Long> seeds = new ArrayList<>();
  private Runnable whenCrashing = () -> {};
  private boolean crashed;

  /** Creates a plan in which nothing goes wrong, and calls are counted. */
  public FaultPlan() {}

  /** Lets the n-th of the calls go wrong, counted from 1 since the plan was made. */
  public FaultPlan at(Set<Call> calls, long n, Fault fault) {
    return when(calls, number -> number == n, fault);
  }

  /** Lets the n-th call of the kind go wrong, counted from 1 since the plan was made. */
  public FaultPlan at(Call call, long n, Fault fault) {
    return at(EnumSet.of(call), n, fault);
  }

  /** Lets the n-th of the calls and all after it go wrong. */
  public FaultPlan from(Set<Call> calls, long n, Fault fault) {
    return when(calls, number -> number >= n, fault);
  }

  /** Lets the n-th call of the kind and all after it go wrong. */
  public FaultPlan from(Call call, long n, Fault fault) {
    return from(EnumSet.of(call), n, fault);
  }

  /** Lets one in so many of the calls go wrong, at random by the seed. */
  public FaultPlan oneIn(int calls, Set<Call> kinds, Fault fault, long seed) {
    Random random = new Random(seed);
    return locked(
        () -> {
          seeds.add(seed);
          return when(kinds, number -> random.nextInt(calls) == 0, fault);
        });
  }

  private FaultPlan when(Set<Call> calls, LongPredicate applies, Fault fault) {
    return locked(
        () -> {
          rules.add(new Rule(EnumSet.copyOf(calls), applies, fault));
          return this;
        });
  }

  /** Sets what a crash does besides ending all calls: {@code disk::crash}, say. */
  public FaultPlan whenCrashing(Runnable action) {
    return locked(
        () -> {
          whenCrashing = action;
          return this;
        });
  }

  /** Lets nothing more go wrong: the disk was repaired. A crash stays one. */
  public void repair() {
    locked(
        () -> {
          rules.clear();
          return this;
        });
  }

  /** Returns how many of the calls were made so far, those that went wrong included. */
  public long calls(Set<Call> kinds) {
    return locked(() -> kinds.stream().mapToLong(kind -> counts.getOrDefault(kind, 0L)).sum());
  }

  /** Returns how many calls of the kind were made so far, those that went wrong included. */
  public long calls(Call kind) {
    return calls(EnumSet.of(kind));
  }

  /** Returns the counts and the seeds, for the message of a failed test. */
  @Override
  public String toString() {
    return locked(() -> "FaultPlan[calls=" + counts + ", seeds=" + seeds + "]");
  }

  /** Makes the call, or lets it go wrong. */
  <T> T call(Call call, Supplier<T> action) {
    Decision decision = locked(() -> decide(call));
    if (decision.fault().isEmpty()) {
      return action.get();
    }
    Fault fault = decision.fault().get();
    if (fault == Fault.LOSE_ANSWER || fault == Fault.CRASH_AFTER) {
      forget(action.get());
    }
    if (fault == Fault.CRASH_BEFORE || fault == Fault.CRASH_AFTER) {
      crash();
      throw new MachineCrash(decision.story());
    }
    throw new StorageException(kind(fault), decision.story());
  }

  private static StorageException.Kind kind(Fault fault) {
    return switch (fault) {
      case FAIL -> StorageException.Kind.RETRYABLE;
      case OUT_OF_SPACE -> StorageException.Kind.OUT_OF_SPACE;
      default -> StorageException.Kind.FATAL;
    };
  }

  /** Makes the call, or lets it go wrong. */
  void run(Call call, Runnable action) {
    call(
        call,
        () -> {
          action.run();
          return this;
        });
  }

  /** What goes wrong with a call, and how to tell it. */
  private record Decision(Optional<Fault> fault, String story) {}

  private Decision decide(Call call) {
    if (crashed) {
      throw new MachineCrash(call + " is called after the crash of the machine");
    }
    counts.merge(call, 1L, Long::sum);
    for (Rule rule : rules) {
      if (rule.calls().contains(call) && rule.applies().test(calls(rule.calls()))) {
        String story = "%s at %s; the test wanted it so, by %s".formatted(rule.fault(), call, this);
        return new Decision(Optional.of(rule.fault()), story);
      }
    }
    return new Decision(Optional.empty(), "");
  }

  private void crash() {
    locked(
        () -> {
          if (!crashed) {
            crashed = true;
            whenCrashing.run();
          }
          return this;
        });
  }

  /** Closes what the caller never gets to see. */
  private static void forget(Object result) {
    if (result instanceof AutoCloseable closeable) {
      try {
        closeable.close();
      } catch (Exception e) {
        throw new AssertionError("what an engine returns closes without checked exceptions", e);
      }
    }
  }

  private <T> T locked(Supplier<T> action) {
    lock.lock();
    try {
      return action.get();
    } finally {
      lock.unlock();
    }
  }
}
