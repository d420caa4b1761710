package io.ledgerkeep.core.archiving;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.jobs.JobBook;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.sealing.EpochEncryptor;
import io.ledgerkeep.core.sealing.Keyring;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.core.sealing.SealedEngine;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.storage.WriteBatch;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Executor;

/** The parts of an encrypted ledger that have to do with its archive, opened by hand. */
final class Workshop implements AutoCloseable {

  private static final int PIECE_BYTES = 1 << 20;

  final Keyring keyring;
  final ChainStore chain;
  final Archiving archiving;
  final EpochEncryptor encryptor;
  private final StorageEngine engine;

  /** Opens the parts of a ledger that is closed. */
  Workshop(Path directory, StorageEngineProvider provider, ArchiveStore store, Executor executor) {
    keyring = Keys.keyring(directory.resolve("block"), "aes", Keys.AES);
    encryptor = new EpochEncryptor(keyring);
    try {
      engine =
          new SealedEngine(
              provider.open(directory.resolve("block").resolve("db"), Options.none()),
              encryptor,
              keyring.ledgerId(),
              Database.BLOCK,
              key -> OptionalLong.empty(),
              Runnable::run);
    } catch (RuntimeException | Error e) {
      encryptor.close();
      throw e;
    }
    try {
      chain =
          ChainStore.open(
              engine,
              PIECE_BYTES,
              Digests.SHA256,
              directory.resolve("block").resolve("ids"),
              keyring.ledgerId());
    } catch (RuntimeException | Error e) {
      engine.close();
      encryptor.close();
      throw e;
    }
    archiving = new Archiving(site(store, executor), true);
  }

  private Site site(ArchiveStore store, Executor executor) {
    return new Site(
        chain,
        Digests.SHA256,
        "chain1",
        keyring.ledgerId(),
        Optional.of(store),
        keyring.archiveKeys(),
        chain::last,
        () -> 10,
        height -> {},
        new Site.Room() {
          @Override
          public void during(Runnable write) {
            write.run();
          }

          @Override
          public void refill() {}
        },
        Long.MAX_VALUE,
        new JobBook(),
        Optional.empty(),
        executor);
  }

  /** Turns a bit of a digest over wherever the block database holds it: in one meta. */
  void recordOtherwise(Bytes digest) {
    WriteBatch changed = new WriteBatch();
    try (StorageEngine.Cursor cursor = engine.scan(KeyRange.all())) {
      while (cursor.next()) {
        int at = cursor.value().hex().indexOf(digest.hex());
        if (at >= 0) {
          byte[] row = cursor.value().toArray();
          row[at / 2] ^= 1;
          changed.put(cursor.key(), Bytes.wrap(row));
        }
      }
    }
    engine.write(changed, StorageEngine.Durability.DURABLE);
  }

  /** Makes an encrypted ledger with one segment up to each of the heights; returns its archive. */
  static List<Archive.Segment> archived(
      Path directory,
      StorageEngineProvider provider,
      ArchiveStore store,
      List<Block> blocks,
      long... heights) {
    try (Ledger ledger = ledger(directory, provider, store)) {
      ledger.commitAll(blocks);
      for (long height : heights) {
        ledger.archiver().archive(ArchiveRequest.upTo(height));
      }
      return ledger.archive().segments();
    }
  }

  static Ledger ledger(Path directory, StorageEngineProvider provider, ArchiveStore store) {
    return Ledgerkeep.builder()
        .directory(directory)
        .chainId("chain1")
        .storage(provider, Options.none())
        .archiveStore(store)
        .encryption("aes", Options.of("key", Keys.AES))
        .unarchivedBlocks(10)
        .readThrough(true)
        .reserveBytes(0)
        .open();
  }

  void newArchiveKey(String suite) {
    encryptor.rotate(suite);
  }

  void dropHolder(LedgerKeys.Holder holder) {
    encryptor.dropHolder(Bytes.fromHex(holder.id()));
  }

  ReencryptReport reencryptSegments(JobControl control) {
    return archiving.reencryptSegments(new JobWatch(control, () -> false));
  }

  @Override
  public void close() {
    chain.close();
    engine.close();
    encryptor.close();
  }
}
