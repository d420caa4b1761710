package io.ledgerkeep.core.ledger;

import com.google.common.collect.ImmutableMap;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Options;
import io.ledgerkeep.core.archiving.Archiving;
import io.ledgerkeep.core.archiving.ReencryptReport;
import io.ledgerkeep.core.audit.JobBook;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.sealing.EpochEncryptor;
import io.ledgerkeep.core.sealing.SealedEngine;
import io.ledgerkeep.core.sealing.StoredValues;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobControl;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/** The keys of a ledger that is open. */
final class OpenKeys implements LedgerKeys {

  static final String REENCRYPT = "reencrypt";

  private final EpochEncryptor epochs;
  private final Map<Database, SealedEngine> engines;
  private final BiFunction<String, Options, KeyWrapper> masterKeys;
  private final JobBook jobs;
  private final Archiving archiving;

  OpenKeys(
      EpochEncryptor epochs,
      Map<Database, SealedEngine> engines,
      BiFunction<String, Options, KeyWrapper> masterKeys,
      JobBook jobs,
      Archiving archiving) {
    this.epochs = epochs;
    this.engines = new TreeMap<>(engines);
    this.masterKeys = masterKeys;
    this.jobs = jobs;
    this.archiving = archiving;
  }

  @Override
  public List<DataKey> dataKeys() {
    return epochs.dataKeys();
  }

  @Override
  public Optional<Budget> budget() {
    return epochs.budget();
  }

  @Override
  public List<Usage> usage(JobControl control) {
    return List.copyOf(count(new JobWatch(control, jobs.lock()::isClosing)).usage().values());
  }

  /**
   * What lies under each data key.
   *
   * @param complete false where the count was cancelled
   */
  private record Count(Map<Integer, Usage> usage, boolean complete) {}

  private Count count(JobWatch watch) {
    Map<Integer, Usage> usage = new TreeMap<>();
    dataKeys().forEach(key -> usage.put(key.number(), new Usage(key.number(), 0, 0)));
    boolean complete = true;
    for (Map.Entry<Database, SealedEngine> entry : engines.entrySet()) {
      watch.begin("look through " + entry.getKey().lowerCaseName(), 0);
      complete &= new StoredValues(entry.getValue(), epochs, watch).count(usage);
    }
    return new Count(usage, complete);
  }

  /**
   * An archive that has keys which this registry has not is that of a newer one: another key of the
   * same number would be mistaken for it.
   */
  @Override
  public DataKey rotate(String suite) {
    if (archiving.place().isPresent()) {
      archiving.requireForKeys();
    }
    return jobs.runBeside(
        "rotate", ImmutableMap.of("suite", suite), run -> made(run, epochs.rotate(suite)));
  }

  @Override
  public DataKey markExposed() {
    return jobs.runBeside("mark-exposed", Map.of(), run -> made(run, epochs.markExposed()));
  }

  /** Else the archive would lack the object of its new key until the next run writes there. */
  private DataKey made(JobBook.Run run, DataKey fresh) {
    recordGeneration();
    if (archiving.place().isPresent()) {
      archiving.reconcileKeys();
    }
    run.ended(false, ImmutableMap.of("data-key", fresh.number(), "suite", fresh.suite()));
    return fresh;
  }

  @Override
  public void rewrap(String encryptor, Options options, Optional<String> rotateTo) {
    jobs.run(
        "rewrap",
        ImmutableMap.of("encryptor", encryptor, "new-suite", rotateTo.orElse("")),
        run -> {
          rewrap(() -> masterKeys.apply(encryptor, options), rotateTo);
          run.ended(false, ImmutableMap.of("master-key", epochs.masterKey()));
          return this;
        });
  }

  private void rewrap(Supplier<KeyWrapper> master, Optional<String> rotateTo) {
    try (KeyWrapper newMaster = master.get()) {
      archiving.requireForKeys();
      epochs.rewrap(
          newMaster,
          rotateTo,
          ofSegments(),
          overhead -> engines.values().forEach(engine -> engine.requireRoom(overhead)));
      FailPoint.pass("rewrap.saved");
      followNewMaster();
      FailPoint.pass("rewrap.reconciled");
      newMaster.confirm();
    }
  }

  /** Returns the numbers of the archive keys of segments, where one of them may be in a device. */
  private Set<Integer> ofSegments() {
    return epochs.directKeys().isEmpty() ? Set.of() : archiving.segmentKeys();
  }

  /** Who reads of a failure only might throw the new master key away, which is needed by now. */
  private void followNewMaster() {
    String done =
        "the ledger is under the new master key from now on: keep that. The archive may still be under the old one, so keep that too until tde reencrypt, with the archive, ended well: ";
    try {
      recordGeneration();
      archiving.reconcileKeys();
    } catch (StorageException e) {
      throw new StorageException(kind(e), done + e.getMessage(), e);
    } catch (IntegrityException e) {
      throw new IntegrityException(done + e.getMessage(), e);
    }
  }

  private static StorageException.Kind kind(StorageException e) {
    if (e.isOutOfSpace()) {
      return StorageException.Kind.OUT_OF_SPACE;
    }
    return e.isRetryable() ? StorageException.Kind.RETRYABLE : StorageException.Kind.FATAL;
  }

  @Override
  public Reencryption reencrypt(JobControl control) {
    return jobs.run(
        REENCRYPT,
        Map.of(),
        run -> {
          Reencryption done = reencrypt(run.watch(control));
          run.ended(
              !done.complete(),
              ImmutableMap.of("values", done.values(), "segments", done.segments()));
          return done;
        });
  }

  private Reencryption reencrypt(JobWatch watch) {
    long begin = System.nanoTime();
    archiving.requireForKeys(); // else its segments would stay as they are without a word
    recordGeneration(); // a rewrap that died may not have come to it
    StoredValues.Done values = reencryptValues(watch);
    if (!values.complete()) {
      return new Reencryption(values.values(), values.bytes(), 0, 0, false, since(begin));
    }
    ReencryptReport done = archiving.reencryptSegments(watch);
    return new Reencryption(
        values.values(),
        values.bytes(),
        done.segments(),
        done.bytesWritten(),
        !done.cancelled(),
        since(begin));
  }

  /** Where the key is replaced meanwhile, the databases that were done are done again. */
  private StoredValues.Done reencryptValues(JobWatch watch) {
    StoredValues.Done sum = new StoredValues.Done(0, 0, true);
    int target;
    do {
      target = epochs.activeDataKey();
      for (Map.Entry<Database, SealedEngine> entry : engines.entrySet()) {
        if (sum.complete()) {
          watch.begin("re-encrypt " + entry.getKey().lowerCaseName(), 0);
          sum = sum.plus(new StoredValues(entry.getValue(), epochs, watch).reencrypt());
        }
      }
    } while (sum.complete() && target != epochs.activeDataKey());
    return sum;
  }

  private static Duration since(long begin) {
    return Duration.ofNanos(System.nanoTime() - begin);
  }

  /**
   * A ledger whose records lie under a disabled key cannot even be opened. Nothing comes under a
   * key that is not active, so what was counted holds.
   */
  @Override
  public boolean disable(int dataKey, JobControl control) {
    return retire("disable", dataKey, control, epochs::requireReadOnly, epochs::disable);
  }

  /** Takes a key out of use in some way, after all values were looked through. */
  private boolean retire(
      String job, int dataKey, JobControl control, IntConsumer requirement, IntConsumer step) {
    return jobs.run(
        job,
        ImmutableMap.of("data-key", dataKey),
        run -> {
          requirement.accept(dataKey);
          boolean complete = hasNothingUnder(dataKey, run.watch(control));
          if (complete) {
            step.accept(dataKey);
            recordGeneration();
          }
          run.ended(!complete, Map.of());
          return complete;
        });
  }

  /** Returns whether all values were looked through; refuses a key that one of them needs. */
  private boolean hasNothingUnder(int dataKey, JobWatch watch) {
    Count count = count(watch);
    Usage usage = count.usage().getOrDefault(dataKey, new Usage(dataKey, 0, 0));
    if (usage.values() > 0) {
      throw new ConflictException(
          Reason.KEY,
          "data key %s has values under it, %s as far as was counted: re-encrypt them first (tde reencrypt)"
              .formatted(dataKey, usage.values()));
    }
    return count.complete();
  }

  @Override
  public void enable(int dataKey) {
    jobs.runBeside(
        "enable",
        ImmutableMap.of("data-key", dataKey),
        run -> {
          epochs.enable(dataKey);
          recordGeneration();
          run.ended(false, Map.of());
          return this;
        });
  }

  /** The lock keeps jobs away; nothing else writes under a key that is disabled. */
  @Override
  public boolean destroy(int dataKey, JobControl control) {
    return retire("destroy", dataKey, control, epochs::requireDisabled, epochs::destroy);
  }

  @Override
  public String masterKey() {
    return epochs.masterKey();
  }

  @Override
  public List<DirectKey> directKeys() {
    return epochs.directKeys();
  }

  @Override
  public List<ArchiveKey> archiveKeys() {
    return epochs.archiveKeys();
  }

  @Override
  public List<Holder> holders() {
    return epochs.holders();
  }

  @Override
  public Holder addHolder(String name, String encryptor, Options options) {
    return jobs.run(
        "add-holder",
        ImmutableMap.of("name", name, "encryptor", encryptor),
        run -> {
          Holder holder = addHolder(name, () -> masterKeys.apply(encryptor, options));
          run.ended(false, ImmutableMap.of("id", holder.id()));
          return holder;
        });
  }

  private Holder addHolder(String name, Supplier<KeyWrapper> masterKey) {
    try (KeyWrapper master = masterKey.get()) {
      archiving.requireForKeys();
      Holder holder = epochs.addHolder(name, master, ofSegments());
      recordGeneration();
      archiving.reconcileKeys();
      master.confirm();
      return holder;
    }
  }

  @Override
  public void dropHolder(String id) {
    jobs.run(
        "drop-holder",
        ImmutableMap.of("id", id),
        run -> {
          archiving.requireForKeys();
          epochs.dropHolder(bytes(id));
          recordGeneration();
          archiving.reconcileKeys();
          run.ended(false, Map.of());
          return this;
        });
  }

  private static Bytes bytes(String id) {
    try {
      return Bytes.fromHex(id);
    } catch (IllegalArgumentException e) {
      throw new ConfigurationException(
          "the id of a holder has hexadecimal digits, unlike '" + id + "'");
    }
  }

  /** From now on a registry that was put back from before is refused. */
  private void recordGeneration() {
    engines.values().forEach(SealedEngine::recordGeneration);
  }
}
