package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledgerkeep.Conversion.Outcome;
import io.ledgerkeep.Ledgerkeep.Sync;
import io.ledgerkeep.Ledgerkeep.Sync.Report;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.core.archive.ArchiveNames;
import io.ledgerkeep.core.archive.KeyObjects;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.sealing.KeyObject;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.job.JobControl;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Makes the ledger of a new node of blocks that others have: record → commit block after block,
 * archive as it goes → verify → {@code LAYOUT}, which makes it a ledger → tidy up. Until then there
 * is none, whatever happens, and the same call goes on where it was.
 */
final class SyncJob {

  private static final int SLICE_BLOCKS = 256;
  private static final long SLICE_BYTES = 8 << 20;

  private final Settings settings;
  private final Sync sync;
  private final Path directory;
  private final FreshPlace place;
  private final JobWatch watch;
  private final JobControl unlimited;
  private final long begin = System.nanoTime();
  private long copied;

  /** How many were regained to look at them only. */
  private long lookedAt;

  SyncJob(Settings settings, Sync sync) {
    this.settings = settings;
    this.sync = sync;
    this.directory = settings.requiredDirectory();
    this.place =
        new FreshPlace(
            settings,
            new LedgerOpener(settings).chosenLayout(),
            SyncRecord.file(directory),
            SyncRecord.workshop(directory),
            "sync");
    JobControl control = sync.control();
    this.watch = new JobWatch(control, () -> false);
    this.unlimited = new JobControl(control.listener(), OptionalLong.empty(), control.cancelled());
  }

  Report run() {
    requireComplete();
    FreshPlace.requireOwnEngines(settings, place.layout());
    for (var ledger : sync.ledgers()) {
      FreshPlace.requireApart(
          directory, LedgerBuilder.settingsOf(ledger).requiredDirectory(), "the ledger to read");
    }
    try (Encryption.Keys keys = settings.encryption.open(settings.classLoader);
        BlockSources sources = BlockSources.open(sync, settings, made())) {
      requireWantedChain(sources);
      if (sync.successor()) {
        requireSuccession(sources);
      }
      requireExpectedIn(sources);
      return sync.dryRun() ? planned(sources) : runOwned(sources, keys);
    }
  }

  /** Returns the ledger that an earlier call has begun, if that has an identity of its own. */
  private Optional<Bytes> made() {
    return sync.successor()
        ? Optional.empty()
        : SyncRecord.read(directory).map(SyncRecord::ledgerId);
  }

  private void requireComplete() {
    if (sync.archive().isEmpty() && sync.ledgers().isEmpty()) {
      throw new ConfigurationException("there is nothing to take blocks from");
    }
    if (!sync.trusted() && sync.expected().isEmpty() && settings.verifier == null) {
      throw new ConfigurationException(
          "archives and ledgers of others prove only themselves: give the height and hash of a block that is known to be the chain's (--expect HEIGHT:HASH), set a block verifier, or say that they are trusted (--trust-source)");
    }
    if (sync.leaveArchived() && settings.store == null) {
      throw new ConfigurationException("no archive was given to leave bodies to (--archive DIR)");
    }
  }

  private void requireWantedChain(BlockSources sources) {
    String chainId = sources.first().chainId();
    if (settings.chainId != null && !settings.chainId.equals(chainId)) {
      throw new ConflictException(
          Reason.OTHER_CHAIN,
          "%s is of chain '%s', not '%s'"
              .formatted(sources.first().name(), chainId, settings.chainId));
    }
  }

  /** A successor has to be able to go on with the archive of the former one. */
  private void requireSuccession(BlockSources sources) {
    BlockSource former = sources.first();
    if (former.isEncrypted() != (settings.encryption != Encryption.NONE)) {
      throw new ConfigurationException(
          "a successor goes on with the archive of %s, which is %s: %s"
              .formatted(
                  former.name(),
                  former.isEncrypted() ? "encrypted" : "in plain",
                  former.isEncrypted()
                      ? "give its key for the new ledger too (encryptor and encrypt_key)"
                      : "give no key, and encrypt the ledger afterwards"));
    }
    if (former.isEncrypted()
        && settings.store == null
        && former instanceof LedgerSource ledger
        && ledger.everArchived()) {
      throw new ConfigurationException(
          "a successor of %s needs the keys in its archive: give that too (--archive DIR)"
              .formatted(former.name()));
    }
    sources
        .archive()
        .filter(archive -> archive.lastHeight() > target(sources))
        .ifPresent(
            archive -> {
              throw new ConfigurationException(
                  "a successor goes on with %s, which reaches to height %s, and cannot end at height %s: give what vouches for all of it"
                      .formatted(archive.name(), archive.lastHeight(), target(sources)));
            });
  }

  /** Returns up to which height blocks are taken: none that nothing vouches for. */
  private long target(BlockSources sources) {
    return sync.trusted() || settings.verifier != null
        ? sources.lastHeight()
        : sync.expected().orElseThrow().height();
  }

  private void requireExpectedIn(BlockSources sources) {
    sync.expected()
        .ifPresent(
            expected ->
                requireExpected(
                    sources.block(expected.height(), Optional.empty(), Optional.empty())));
    lookedAt = sources.regained();
  }

  private void requireExpected(Block block) {
    sync.expected()
        .filter(expected -> expected.height() == block.height())
        .filter(expected -> !expected.hash().equals(block.hash()))
        .ifPresent(
            expected -> {
              throw new IntegrityException(
                  "block %s is expected with the hash %s, but has %s: it is of another chain or branch"
                      .formatted(expected.height(), expected.hash().hex(), block.hash().hex()));
            });
  }

  private Report planned(BlockSources sources) {
    boolean hasIdentity = sync.successor();
    return new Report(
        Outcome.PLANNED,
        sources.first().chainId(),
        hasIdentity ? sources.first().ledgerId().hex() : "",
        target(sources),
        0,
        target(sources) + 1,
        0,
        neededBytes(sources),
        elapsed());
  }

  /** State, history and indexes are judged to take as much as the bodies. */
  private long neededBytes(BlockSources sources) {
    long bodies = sources.rawBytes();
    long hot = sync.leaveArchived() ? Math.min(bodies, settings.copyArchiveBytes) : bodies;
    double factor =
        settings.encryption == Encryption.NONE ? CopyRoom.PLAIN_FACTOR : CopyRoom.SEALED_FACTOR;
    return (long) (factor * (hot + bodies)) + Database.values().length * settings.reserveBytes;
  }

  // ------------------------------------------------------------------------------------ run

  private Report runOwned(BlockSources sources, Encryption.Keys keys) {
    place.make();
    try (OwnerLock lock = OwnerLock.take(directory)) {
      Optional<SyncRecord> found = SyncRecord.read(directory);
      if (Layout.exists(directory)) {
        return switchedBefore(found, sources, keys);
      }
      if (found.isEmpty()) {
        place.requireEmpty();
      }
      SyncRecord record = found.orElseGet(() -> newRecord(sources));
      requireFits(record, sources);
      requireRoom(sources);
      record.write(directory);
      FailPoint.pass("sync.begun");
      if (!Layout.exists(SyncRecord.workshop(directory))) {
        place.removeAll(); // a creation that was killed has no block yet
        record.write(directory);
      }
      return made(record, sources, keys)
          ? finished(record, sources, keys)
          : cancelled(record, sources);
    }
  }

  private SyncRecord newRecord(BlockSources sources) {
    Bytes id = sync.successor() ? sources.first().ledgerId() : LedgerOpener.randomId();
    return new SyncRecord(sources.genesisHash(), id, place.layout());
  }

  private void requireFits(SyncRecord record, BlockSources sources) {
    boolean isSuccessor = record.ledgerId().equals(sources.first().ledgerId());
    if (!record.genesisHash().equals(sources.genesisHash())
        || !record.layout().equals(place.layout())
        || isSuccessor != sync.successor()) {
      throw new ConfigurationException(
          "another sync was begun in %s, of the chain with genesis block %s, %s, with the databases %s; make that call again, or empty the directory"
              .formatted(
                  directory,
                  record.genesisHash().hex(),
                  isSuccessor ? "as a successor" : "with an identity of its own",
                  String.join(", ", record.layout().lines())));
    }
  }

  private void requireRoom(BlockSources sources) {
    long there = CopyRoom.sizeOf(directory);
    CopyRoom.require(Map.of(directory, Math.max(0, neededBytes(sources) - there)), settings);
  }

  /** A call that was killed after the switch left only this to do. */
  private Report switchedBefore(
      Optional<SyncRecord> found, BlockSources sources, Encryption.Keys keys) {
    if (found.isEmpty()) {
      throw new ConfigurationException(
          "there is a ledger in %s already; choose an empty directory".formatted(directory));
    }
    requireFits(found.get(), sources);
    return finished(found.get(), sources, keys);
  }

  private Report finished(SyncRecord record, BlockSources sources, Encryption.Keys keys) {
    Report report;
    try (OpenLedger ledger = new LedgerOpener(place.opening()).openOwned(keys)) {
      requireIsOf(record, ledger);
      report = report(ledger, sources);
    }
    ClosedNotes.noteMade(directory, keys, "sync", Map.of("height", report.height()));
    place.tidyUp();
    keys.confirm();
    return report;
  }

  private Report cancelled(SyncRecord record, BlockSources sources) {
    return new Report(
        Outcome.CANCELLED,
        sources.first().chainId(),
        record.ledgerId().hex(),
        -1,
        0,
        copied,
        sources.regained() - lookedAt,
        neededBytes(sources),
        elapsed());
  }

  private Report report(OpenLedger ledger, BlockSources sources) {
    return new Report(
        Outcome.DONE,
        sources.first().chainId(),
        ledger.parts().format().ledgerId().hex(),
        ledger.height(),
        ledger.archivedHeight(),
        copied,
        sources.regained() - lookedAt,
        neededBytes(sources),
        elapsed());
  }

  private Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - begin);
  }

  // ------------------------------------------------------------------------------------ make

  /** Returns whether the ledger is whole and proven; else it was cancelled. */
  private boolean made(SyncRecord record, BlockSources sources, Encryption.Keys keys) {
    try (OpenLedger ledger = new LedgerOpener(making(record, sources)).openOwned(keys)) {
      requireIsOf(record, ledger);
      FailPoint.pass("sync.created");
      if (!fill(ledger, sources) || !isProven(ledger)) {
        return false;
      }
    }
    FailPoint.pass("sync.verified");
    place.switchTo();
    return true;
  }

  /** Somebody may have put other databases in the place of those that were begun. */
  private void requireIsOf(SyncRecord record, OpenLedger ledger) {
    Bytes found = ledger.parts().format().ledgerId();
    if (!found.equals(record.ledgerId())) {
      throw new ConflictException(
          Reason.OTHER_CHAIN,
          "the sync that was begun in %s makes ledger %s, and ledger %s is there; put that elsewhere, or empty the directory"
              .formatted(directory, record.ledgerId().hex(), found.hex()));
    }
  }

  /** Returns settings that make the ledger, or open what there is of it. */
  private Settings making(SyncRecord record, BlockSources sources) {
    Settings making = place.opening();
    making.directory = SyncRecord.workshop(directory);
    making.layout = record.layout().fromBelow();
    making.ledgerId = record.ledgerId();
    making.chainId = sources.first().chainId();
    if (making.digest == null || sync.successor()) {
      making.digest = sources.first().digests().id();
    }
    if (sync.successor()) {
      making.archiveKeys = archiveKeys(record, sources);
    }
    making.unarchivedBlocks = settings.unarchivedBlocks;
    if (making.unarchivedBlocks == null && sync.successor()) {
      making.unarchivedBlocks = sources.unarchivedBlocks().orElse(null);
    }
    making.readThrough = true;
    return making;
  }

  /** A successor has to open what its archive holds, whoever gives it the blocks. */
  private List<KeyObject> archiveKeys(SyncRecord record, BlockSources sources) {
    Settings.StoreChoice choice = settings.store;
    if (sources.archive().isPresent()) {
      return sources.archive().get().archive().keyObjects().all();
    }
    if (choice == null) {
      return List.of();
    }
    ArchiveStore store = choice.open(settings.classLoader);
    try {
      return new KeyObjects(store, new ArchiveNames(record.genesisHash(), record.ledgerId())).all();
    } finally {
      if (choice.isOurs()) {
        store.close();
      }
    }
  }

  private boolean fill(OpenLedger ledger, BlockSources sources) {
    long target = target(sources);
    requireNotAbove(target, ledger);
    requireItsArchive(ledger);
    requireNotContradicted(ledger, sources);
    watch.begin("copy", target - ledger.height());
    while (ledger.height() < target) {
      if (watch.isCancelled()) {
        return false;
      }
      copySlice(ledger, sources, target);
      FailPoint.pass("sync.copied");
      if (sync.leaveArchived() && !archived(ledger, settings.copyArchiveBytes)) {
        return false;
      }
    }
    return !sync.leaveArchived() || archived(ledger, 0);
  }

  /** An earlier call may have taken more on trust. */
  private void requireNotAbove(long target, OpenLedger ledger) {
    if (ledger.height() > target) {
      throw new ConfigurationException(
          "an earlier call took blocks up to height %s, and nothing is given that vouches for those above %s; give that, or empty %s to begin anew"
              .formatted(ledger.height(), target, directory));
    }
  }

  /** What an earlier call left to an archive is proven with that only. */
  private void requireItsArchive(OpenLedger ledger) {
    if (ledger.archivedHeight() > 0 && settings.store == null) {
      throw new ConfigurationException(
          "an earlier call left the bodies up to height %s to an archive: give it (--archive DIR), or empty %s to begin anew"
              .formatted(ledger.archivedHeight(), directory));
    }
  }

  /** An earlier call may have had other sources. */
  private void requireNotContradicted(OpenLedger ledger, BlockSources sources) {
    Digests digests = ledger.parts().format().digest();
    for (long height = 0; height <= ledger.height() && !watch.isCancelled(); height++) {
      long at = height;
      sources
          .contradicting(ledger.metaRow(height).meta(), digests)
          .ifPresent(
              source -> {
                throw new IntegrityException(
                    "block %s, which an earlier call took, is not the one that %s recorded; leave that out, or empty %s to begin anew"
                        .formatted(at, source, directory));
              });
    }
  }

  private void copySlice(OpenLedger ledger, BlockSources sources, long target) {
    List<Block> slice = new ArrayList<>();
    long bytes = 0;
    long height = ledger.height();
    Optional<Bytes> hash =
        height < 0 ? Optional.empty() : Optional.of(ledger.metaRow(height).meta().hash());
    while (height < target && slice.size() < SLICE_BLOCKS && bytes < SLICE_BYTES) {
      height++;
      Optional<Block> found = block(sources, height, hash, slice.isEmpty() ? ledger : null);
      if (found.isEmpty()) {
        break;
      }
      Block block = found.get();
      requireExpected(block);
      verify(block);
      slice.add(block);
      bytes += block.rawBytes();
      hash = Optional.of(block.hash());
    }
    ledger.commitAll(slice);
    copied += slice.size();
    watch.advance(slice.size(), bytes);
  }

  /**
   * Returns the block. One that is nowhere whole ends the slice, so that all before it is taken: it
   * may be executed then on the state before it.
   */
  private static Optional<Block> block(
      BlockSources sources, long height, Optional<Bytes> hash, @Nullable OpenLedger before) {
    try {
      return Optional.of(sources.block(height, hash, Optional.ofNullable(before)));
    } catch (IntegrityException e) {
      if (before != null) {
        throw e;
      }
      return Optional.empty();
    }
  }

  private void verify(Block block) {
    if (settings.verifier != null) {
      settings.verifier.verify(block);
    }
  }

  /** Archives what the rule of the ledger lets, once that is so many bytes. */
  private boolean archived(OpenLedger ledger, long atLeastBytes) {
    long target = ledger.highestArchivableHeight();
    if (target <= ledger.archivedHeight()
        || ledger.metaRow(target).normalBytes() - ledger.archivedBytes() < atLeastBytes) {
      return true;
    }
    boolean cancelled =
        ledger.archiver().archive(ArchiveRequest.upTo(target).with(unlimited)).cancelled();
    FailPoint.pass("sync.archived");
    return !cancelled;
  }

  private boolean isProven(OpenLedger ledger) {
    sync.expected()
        .ifPresent(expected -> requireExpected(ledger.block(expected.height()).orElseThrow()));
    Verification found =
        ledger.check(Verification.Request.of(Verification.Level.LEDGER).with(unlimited));
    if (!found.ok()) {
      throw new IntegrityException(
          "what was made of the blocks does not pass, and there is no ledger in %s yet. Look after its disk and its archive and make the same call again; if that does not help, empty the directory before: %s"
              .formatted(directory, found.findings().get(0)));
    }
    return !found.cancelled();
  }
}
