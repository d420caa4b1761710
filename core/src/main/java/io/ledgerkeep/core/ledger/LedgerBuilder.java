package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Backup;
import io.ledgerkeep.BlockVerifier;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Migration;
import io.ledgerkeep.Options;
import io.ledgerkeep.Rebuilder;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.encryption.Encryptor;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import java.nio.file.Path;
import java.time.Clock;
import java.util.concurrent.Executor;

/** Collects settings; {@link LedgerOpener} opens. */
final class LedgerBuilder implements Ledgerkeep.Builder {

  private static final int MAX_CHAIN_ID = 255;

  private final Settings settings;

  LedgerBuilder() {
    this(new Settings());
  }

  LedgerBuilder(Settings settings) {
    this.settings = settings;
  }

  @Override
  public Ledgerkeep.Builder directory(Path directory) {
    settings.directory = directory;
    return this;
  }

  @Override
  public Ledgerkeep.Builder chainId(String chainId) {
    if (chainId.isEmpty() || chainId.length() > MAX_CHAIN_ID) {
      throw new ConfigurationException("a chain id has 1 to " + MAX_CHAIN_ID + " characters");
    }
    settings.chainId = chainId;
    return this;
  }

  @Override
  public Ledgerkeep.Builder digest(String digest) {
    settings.digest = digest;
    return this;
  }

  @Override
  public Ledgerkeep.Builder storage(String engine, Options options) {
    settings.engine = new Settings.NamedEngine(engine, options);
    return this;
  }

  @Override
  public Ledgerkeep.Builder storage(StorageEngineProvider provider, Options options) {
    settings.engine = new Settings.ProvidedEngine(provider, options);
    return this;
  }

  @Override
  public Ledgerkeep.Builder database(Database database, String engine, Options options) {
    settings.engines.put(database, new Settings.NamedEngine(engine, options));
    return this;
  }

  @Override
  public Ledgerkeep.Builder database(Database database, StorageEngine engine) {
    settings.engines.put(database, new Settings.BuiltEngine(engine));
    return this;
  }

  @Override
  public Ledgerkeep.Builder encryption(String encryptor, Options options) {
    settings.encryption = new Encryption.Named(encryptor, options);
    return this;
  }

  @Override
  public Ledgerkeep.Builder encryption(EncryptorProvider provider, Options options) {
    settings.encryption = new Encryption.Provided(provider, options);
    return this;
  }

  @Override
  public Ledgerkeep.Builder encryption(Encryptor encryptor) {
    settings.encryption = new Encryption.Built(encryptor);
    return this;
  }

  @Override
  public Ledgerkeep.Builder archiveStore(String store, Options options) {
    settings.store = new Settings.NamedStore(store, options);
    return this;
  }

  @Override
  public Ledgerkeep.Builder archiveStore(ArchiveStore store) {
    settings.store = new Settings.BuiltStore(store);
    return this;
  }

  @Override
  public Ledgerkeep.Builder unarchivedBlocks(long blocks) {
    settings.unarchivedBlocks = blocks;
    return this;
  }

  @Override
  public Ledgerkeep.Builder readThrough(boolean readThrough) {
    settings.readThrough = readThrough;
    return this;
  }

  @Override
  public Ledgerkeep.Builder blockVerifier(BlockVerifier verifier) {
    settings.verifier = verifier;
    return this;
  }

  @Override
  public Ledgerkeep.Builder executor(Executor executor) {
    settings.executor = executor;
    return this;
  }

  @Override
  public Ledgerkeep.Builder control(Executor executor) {
    settings.control = executor;
    return this;
  }

  @Override
  public Ledgerkeep.Builder reserveBytes(long bytes) {
    if (bytes < 0) {
      throw new ConfigurationException("the reserve must be 0 bytes or more, not " + bytes);
    }
    settings.reserveBytes = bytes;
    return this;
  }

  @Override
  public Ledgerkeep.Builder classLoader(ClassLoader classLoader) {
    settings.classLoader = classLoader;
    return this;
  }

  @Override
  public Ledger open() {
    return new LedgerOpener(settings).open(true);
  }

  @Override
  public Ledger openExisting() {
    return new LedgerOpener(settings).open(false);
  }

  @Override
  public Ledgerkeep.Conversion.Report convert(Ledgerkeep.Conversion conversion) {
    return new ConversionJob(settings, conversion, Clock.systemUTC()).run();
  }

  @Override
  public Migration.Report migrate(Migration migration) {
    return new MigrationJob(settings.copy(), migration, Clock.systemUTC()).run();
  }

  @Override
  public Ledgerkeep.Comparison compare(Ledgerkeep.Builder other, JobControl control) {
    return LedgerComparison.of(settings, settingsOf(other), control);
  }

  @Override
  public Rebuilder rebuilder() {
    return new LedgerRebuilder(settings.copy(), Clock.systemUTC());
  }

  @Override
  public Backup.Restored restoreBackup(Backup.Restoring restoring) {
    return new RestoreBackupJob(settings.copy(), restoring).run();
  }

  @Override
  public Ledgerkeep.Sync.Report sync(Ledgerkeep.Sync sync) {
    return new SyncJob(settings.copy(), sync).run();
  }

  /** Returns what a builder of {@link Ledgerkeep#builder} has collected. */
  static Settings settingsOf(Ledgerkeep.Builder builder) {
    if (builder instanceof LedgerBuilder ours) {
      return ours.settings.copy();
    }
    throw new IllegalArgumentException("the other builder is not one of Ledgerkeep.builder()");
  }

  @Override
  public Ledgerkeep.Diagnosis examine(Ledgerkeep.Diagnosis.Request request) {
    return new ExamineJob(settings.copy(), request, Clock.systemUTC()).run();
  }
}
