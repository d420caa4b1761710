package io.ledgerkeep.benchmarks;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** All experiments by name, in the order of the table. */
final class Experiments {

  private static final Map<String, Supplier<Experiment>> BY_NAME = new LinkedHashMap<>();

  static {
    for (Chain chain : Chain.values()) {
      BY_NAME.put("commit-" + chain, () -> new CommitExperiment(chain));
    }
    for (Chain chain : Chain.values()) {
      BY_NAME.put("import-" + chain, () -> new ImportExperiment(chain));
    }
    for (Chain chain : Chain.values()) {
      BY_NAME.put("read-" + chain, () -> new ReadExperiment(chain));
    }
    for (Chain chain : Chain.values()) {
      BY_NAME.put("archive-" + chain, () -> new ArchiveExperiment(chain));
    }
    for (Chain chain : Chain.values()) {
      BY_NAME.put("through-" + chain, () -> new ReadThroughExperiment(chain));
    }
    for (EncryptionExperiment.Cipher cipher : EncryptionExperiment.Cipher.values()) {
      String name = cipher.name().toLowerCase(Locale.ROOT).replace('_', '-');
      BY_NAME.put("encryption-" + name, () -> new EncryptionExperiment(cipher));
      BY_NAME.put("sealing-" + name, () -> new SealingExperiment(cipher));
    }
    BY_NAME.put("hsm-envelope", HsmEnvelopeExperiment::new);
    BY_NAME.put("hsm-direct", HsmDirectExperiment::new);
    BY_NAME.put("badger-engine", BadgerExperiment::new);
    BY_NAME.put("badger-ledger", BadgerLedgerExperiment::new);
    for (Chain chain : Chain.values()) {
      BY_NAME.put("maintenance-rebuild-" + chain, () -> new RebuildExperiment(chain));
    }
    BY_NAME.put("maintenance-rollback", RollBackExperiment::new);
    for (Chain chain : Chain.values()) {
      BY_NAME.put("maintenance-backup-" + chain, () -> new BackupExperiment(chain));
    }
    BY_NAME.put("maintenance-memory", MaintenanceMemoryExperiment::new);
    BY_NAME.put("memory", MemoryExperiment::new);
    BY_NAME.put("open", OpenExperiment::new);
    BY_NAME.put("stored", StoredExperiment::new);
  }

  private Experiments() {}

  static Set<String> names() {
    return BY_NAME.keySet();
  }

  static Optional<Experiment> named(String name) {
    return Optional.ofNullable(BY_NAME.get(name)).map(Supplier::get);
  }
}
