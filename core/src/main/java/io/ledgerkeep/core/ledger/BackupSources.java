package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.core.backup.BackedUpLedger;
import io.ledgerkeep.core.backup.BackupSource;
import io.ledgerkeep.core.backup.Position;
import io.ledgerkeep.core.chain.ArchiveMark;
import io.ledgerkeep.core.chain.Branches;
import io.ledgerkeep.core.chain.ChainReader;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.rows.RowReader;
import io.ledgerkeep.core.sealing.EpochEncryptor;
import io.ledgerkeep.core.sealing.Keyring;
import io.ledgerkeep.core.sealing.SealedEngine;
import io.ledgerkeep.encryption.LedgerKeys.DataKey;
import io.ledgerkeep.encryption.LedgerKeys.State;
import io.ledgerkeep.storage.StorageEngine;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BinaryOperator;

/** Makes of a ledger, at a moment between two commits, what a backup is made from. */
final class BackupSources {

  private BackupSources() {}

  static BackupSource of(OpenLedger.Parts parts, ChainStore chain) {
    Map<Database, StorageEngine.Snapshot> stored = new EnumMap<>(Database.class);
    try {
      for (Database database : Database.values()) {
        stored.put(database, below(parts, database).snapshot());
      }
      return of(parts, chain, stored);
    } catch (RuntimeException | Error e) {
      stored.values().forEach(StorageEngine.Snapshot::close);
      throw e;
    }
  }

  private static StorageEngine below(OpenLedger.Parts parts, Database database) {
    StorageEngine engine = parts.engine(database);
    return engine instanceof SealedEngine over ? over.below() : engine;
  }

  private static BackupSource of(
      OpenLedger.Parts parts, ChainStore chain, Map<Database, StorageEngine.Snapshot> stored) {
    Optional<SealedEngine> onSealed = Optional.ofNullable(parts.onSealed().get(Database.BLOCK));
    BinaryOperator<Bytes> open =
        onSealed
            .<BinaryOperator<Bytes>>map(engine -> engine::open)
            .orElse((key, storedValue) -> storedValue);
    OpeningReader opened =
        new OpeningReader(Objects.requireNonNull(stored.get(Database.BLOCK)), open);
    ChainReader blocks = new ChainReader(new RowReader(opened, parts.pieceBytes(Database.BLOCK)));
    return new BackupSource(
        ledger(parts, onSealed.isPresent()),
        position(chain, blocks),
        stored,
        Branches.of(opened::get),
        blocks,
        open,
        (key, value) -> onSealed.map(engine -> engine.seal(key, value)),
        () -> onSealed.map(engine -> registry(parts)),
        parts.epochs().map(BackupSources::openingKeys).orElse(List.of()));
  }

  private static BackedUpLedger ledger(OpenLedger.Parts parts, boolean encrypted) {
    FormatRecord format = parts.format();
    return new BackedUpLedger(
        format.chainId(),
        format.ledgerId(),
        format.digest().id(),
        FormatRecord.VERSION,
        format.compatibilityVersion(),
        encrypted,
        parts.engineNames());
  }

  private static Position position(ChainStore chain, ChainReader blocks) {
    long height = chain.last();
    ArchiveMark mark = chain.mark();
    return new Position(
        height,
        height < 0 ? Bytes.EMPTY : blocks.requiredMeta(height).meta().hash(),
        mark.pivot(),
        mark.sequence());
  }

  private static Bytes registry(OpenLedger.Parts parts) {
    return parts
        .epochs()
        .map(EpochEncryptor::registry)
        .orElseGet(() -> Keyring.registryIn(parts.blockHome()));
  }

  private static List<Integer> openingKeys(EpochEncryptor epochs) {
    return epochs.dataKeys().stream()
        .filter(key -> key.state() == State.ACTIVE || key.state() == State.READ_ONLY)
        .map(DataKey::number)
        .toList();
  }

  /** Shows the values of a reader opened. */
  private record OpeningReader(StorageEngine.Reader stored, BinaryOperator<Bytes> open)
      implements StorageEngine.Reader {

    @Override
    public Optional<Bytes> get(Bytes key) {
      return stored.get(key).map(value -> open.apply(key, value));
    }

    @Override
    public StorageEngine.Cursor scan(KeyRange range) {
      StorageEngine.Cursor cursor = stored.scan(range);
      return new StorageEngine.Cursor() {
        @Override
        public boolean next() {
          return cursor.next();
        }

        @Override
        public Bytes key() {
          return cursor.key();
        }

        @Override
        public Bytes value() {
          return open.apply(cursor.key(), cursor.value());
        }

        @Override
        public void close() {
          cursor.close();
        }
      };
    }
  }
}
