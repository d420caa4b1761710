package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Options;
import io.ledgerkeep.core.archiving.Archiving;
import io.ledgerkeep.core.archiving.ReencryptReport;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobLock;
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
import java.util.TreeMap;
import java.util.function.BiFunction;

/** The keys of a ledger that is open. */
final class OpenKeys implements LedgerKeys {

  private final EpochEncryptor epochs;
  private final Map<Database, SealedEngine> engines;
  private final BiFunction<String, Options, KeyWrapper> masterKeys;
  private final JobLock jobLock;
  private final Archiving archiving;

  OpenKeys(
      EpochEncryptor epochs,
      Map<Database, SealedEngine> engines,
      BiFunction<String, Options, KeyWrapper> masterKeys,
      JobLock jobLock,
      Archiving archiving) {
    this.epochs = epochs;
    this.engines = new TreeMap<>(engines);
    this.masterKeys = masterKeys;
    this.jobLock = jobLock;
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
    return List.copyOf(count(watch(control)).values());
  }

  /** Counts what lies under each data key; where it was cancelled, what it saw so far. */
  private Map<Integer, Usage> count(JobWatch watch) {
    Map<Integer, Usage> usage = new TreeMap<>();
    dataKeys().forEach(key -> usage.put(key.number(), new Usage(key.number(), 0, 0)));
    engines.forEach(
        (database, engine) -> {
          watch.begin("look through " + database.lowerCaseName(), 0);
          new StoredValues(engine, epochs, watch).count(usage);
        });
    return usage;
  }

  @Override
  public DataKey rotate(String suite) {
    DataKey fresh = epochs.rotate(suite);
    recordGeneration();
    return fresh;
  }

  @Override
  public DataKey markExposed() {
    DataKey fresh = epochs.markExposed();
    recordGeneration();
    return fresh;
  }

  @Override
  public void rewrap(String encryptor, Options options, Optional<String> rotateTo) {
    try (JobLock.Lease lease = jobLock.take("rewrap");
        KeyWrapper newMaster = masterKeys.apply(encryptor, options)) {
      archiving.requireForKeys();
      epochs.rewrap(newMaster, rotateTo);
      FailPoint.pass("rewrap.saved");
      followNewMaster();
      FailPoint.pass("rewrap.reconciled");
      newMaster.confirm();
    }
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
    long begin = System.nanoTime();
    try (JobLock.Lease lease = jobLock.take("reencrypt")) {
      archiving.requireForKeys(); // else its segments would stay as they are without a word
      recordGeneration(); // a rewrap that died may not have come to it
      JobWatch watch = watch(control);
      long values = 0;
      long bytes = 0;
      boolean complete = true;
      for (Map.Entry<Database, SealedEngine> entry : engines.entrySet()) {
        if (complete) {
          watch.begin("re-encrypt " + entry.getKey().lowerCaseName(), 0);
          StoredValues.Done done = new StoredValues(entry.getValue(), epochs, watch).reencrypt();
          values += done.values();
          bytes += done.bytes();
          complete = done.complete();
        }
      }
      if (!complete) {
        return new Reencryption(values, bytes, 0, 0, false, since(begin));
      }
      ReencryptReport done = archiving.reencryptSegments(watch);
      return new Reencryption(
          values, bytes, done.segments(), done.bytesWritten(), !done.cancelled(), since(begin));
    }
  }

  private static Duration since(long begin) {
    return Duration.ofNanos(System.nanoTime() - begin);
  }

  @Override
  public void disable(int dataKey) {
    epochs.disable(dataKey);
    recordGeneration();
  }

  @Override
  public void enable(int dataKey) {
    epochs.enable(dataKey);
    recordGeneration();
  }

  /** The lock keeps jobs away; nothing else writes under a key that is disabled. */
  @Override
  public boolean destroy(int dataKey, JobControl control) {
    try (JobLock.Lease lease = jobLock.take("destroy")) {
      epochs.requireDisabled(dataKey);
      JobWatch watch = watch(control);
      Usage usage = count(watch).getOrDefault(dataKey, new Usage(dataKey, 0, 0));
      if (usage.values() > 0) {
        throw new ConflictException(
            Reason.KEY,
            "data key %s still has %s values under it: enable it, re-encrypt them (tde reencrypt), disable it again"
                .formatted(dataKey, usage.values()));
      }
      if (watch.isCancelled()) {
        return false;
      }
      epochs.destroy(dataKey);
      recordGeneration();
      return true;
    }
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
    try (JobLock.Lease lease = jobLock.take("holders");
        KeyWrapper master = masterKeys.apply(encryptor, options)) {
      archiving.requireForKeys();
      Holder holder = epochs.addHolder(name, master);
      recordGeneration();
      archiving.reconcileKeys();
      master.confirm();
      return holder;
    }
  }

  @Override
  public void dropHolder(String id) {
    try (JobLock.Lease lease = jobLock.take("holders")) {
      archiving.requireForKeys();
      epochs.dropHolder(bytes(id));
      recordGeneration();
      archiving.reconcileKeys();
    }
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

  private JobWatch watch(JobControl control) {
    return new JobWatch(control, jobLock::isClosing);
  }
}
