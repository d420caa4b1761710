package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Rebuilder.Plan;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.archiving.Archiving;
import io.ledgerkeep.core.archiving.Site;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.chain.StoredForm;
import io.ledgerkeep.core.jobs.JobBook;
import io.ledgerkeep.core.ledger.LedgerOpener.BlocksAlone;
import io.ledgerkeep.core.ledger.LedgerOpener.PartMade;
import io.ledgerkeep.core.ledger.RebuildRecord.Newest;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.sealing.SealedEngine;
import io.ledgerkeep.storage.StorageEngine;
import java.util.Map;
import java.util.Optional;

/**
 * A ledger of which only the block database is open, with its archive: all that state, history and
 * indexes are made of. Close it.
 */
final class BlockSide implements AutoCloseable {

  private final Settings settings;
  private final LedgerOpener opener;
  private final Resources resources;
  private final BlocksAlone blocks;
  private final Site site;
  private final Archiving archiving;

  private BlockSide(
      Settings settings, LedgerOpener opener, Resources resources, BlocksAlone blocks) {
    this.settings = settings;
    this.opener = opener;
    this.resources = resources;
    this.blocks = blocks;
    ChainStore chain = blocks.room().toGet(this::openChain);
    resources.add(chain);
    this.site = site(chain);
    this.archiving = new Archiving(site, true);
  }

  static BlockSide open(Settings settings, Layout layout, Encryption.Keys keys) {
    LedgerOpener opener = new LedgerOpener(settings);
    Resources resources = new Resources();
    try {
      BlocksAlone blocks = opener.openBlocks(layout, resources, keys);
      blocks.onSealed().ifPresent(SealedEngine::recordGeneration);
      return new BlockSide(settings, opener, resources, blocks);
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  private ChainStore openChain() {
    return ChainStore.open(
        blocks.engine(),
        blocks.format().pieceBytes(),
        blocks.format().digest(),
        blocks.home().resolve("ids"),
        blocks.format().ledgerId());
  }

  private Site site(ChainStore chain) {
    return new Site(
        chain,
        blocks.format().digest(),
        blocks.format().chainId(),
        blocks.format().ledgerId(),
        openStore(),
        blocks.by().map(Encryption.Sealed::archiveKeys).orElse(ArchiveKeys.NONE),
        chain::last,
        () -> 0,
        height -> {},
        blocks.room(),
        settings.handOverBytes,
        new JobBook(),
        Optional.ofNullable(settings.verifier),
        settings.executor);
  }

  private Optional<ArchiveStore> openStore() {
    Settings.StoreChoice choice = settings.store;
    if (choice == null) {
      return Optional.empty();
    }
    ArchiveStore store = choice.open(settings.classLoader);
    if (choice.isOurs()) {
      resources.add(store);
    }
    return Optional.of(store);
  }

  FormatRecord format() {
    return blocks.format();
  }

  Site site() {
    return site;
  }

  Archiving archiving() {
    return archiving;
  }

  /** Returns the block database, with values as they were written. */
  StorageEngine engine() {
    return blocks.engine();
  }

  /** Returns what seals its values, if anything does. */
  Optional<Encryption.Sealed> sealedBy() {
    return blocks.by();
  }

  boolean isEncrypted() {
    return blocks.by().isPresent();
  }

  /** Returns how the values of the block database lie there. */
  StoredForm form() {
    return blocks
        .onSealed()
        .map(sealing -> new StoredForm(sealing.below(), sealing::seal, sealing::open))
        .orElseGet(() -> StoredForm.plain(blocks.engine()));
  }

  Newest last() {
    long height = site.chain().last();
    return new Newest(height, height < 0 ? Bytes.EMPTY : newestMeta().meta().hash());
  }

  private MetaRow newestMeta() {
    return site.chain().reader().requiredMeta(site.chain().last());
  }

  /** Refuses a ledger with archived bodies whose archive is not there, or another. */
  void requireArchive() {
    if (site.chain().mark().pivot() > 0) {
      archiving.archive();
    }
  }

  Plan plan(Map<Database, Long> bytesNeeded) {
    long height = site.chain().last();
    long pivot = site.chain().mark().pivot();
    return new Plan(
        height,
        height + 1,
        pivot == 0 ? 0 : site.chain().reader().requiredMeta(pivot).normalBlocks(),
        height < 0 ? 0 : newestMeta().normalBytes(),
        bytesNeeded,
        Optional.empty());
  }

  /** Opens a database that is made anew, or makes it. */
  PartMade openMade(Database database, Layout.Place place, Resources with) {
    return opener.openMade(database, place, blocks, with);
  }

  /** Makes the id filter anew, as its record is gone, and keeps it. */
  void renewFilter() {
    try (ChainStore renewed = blocks.room().toGet(this::openChain)) {
      blocks.room().during(() -> renewed.checkpoint(renewed.derivedThrough()));
    }
  }

  @Override
  public void close() {
    resources.close();
  }
}
