package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.archiving.AllBlocks;
import io.ledgerkeep.core.chain.ChainReader;
import io.ledgerkeep.core.chain.ChainReader.Transactions;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.doctor.ReadOnlyStore;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The block database of a ledger that is closed, and its archive if that is given. */
final class LedgerSource implements BlockSource {

  private final Path directory;
  private final Resources resources;
  private final BlockSide blocks;
  private final ChainReader reader;
  private final boolean hasArchive;
  private final long pivot;
  private @Nullable AllBlocks cursor;

  /** The height that the cursor has next. */
  private long next;

  private LedgerSource(Settings settings, Resources resources, BlockSide blocks) {
    this.directory = settings.requiredDirectory();
    this.resources = resources;
    this.blocks = blocks;
    this.reader = blocks.site().chain().reader();
    this.hasArchive = settings.store != null;
    this.pivot = blocks.site().chain().mark().pivot();
  }

  /** Owns the ledger from here on. */
  static LedgerSource open(Settings settings) {
    Path directory = settings.requiredDirectory();
    if (!Layout.exists(directory)) {
      throw notThere("ledger", directory);
    }
    Layout layout = Layout.read(directory);
    Path home = directory.resolve(layout.place(Database.BLOCK).directory());
    if (!Files.isDirectory(home)) { // opening would make one
      throw notThere("block database", home);
    }
    Resources resources = new Resources();
    try {
      resources.add(OwnerLock.take(directory));
      Encryption.Keys keys = settings.encryption.open(settings.classLoader);
      resources.add(keys);
      BlockSide blocks = BlockSide.open(onlyReading(settings, resources), layout, keys);
      resources.add(blocks);
      return new LedgerSource(settings, resources, blocks);
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  /** Who opens a ledger ends its archive where it was rolled back to; who has a copy must not. */
  private static Settings onlyReading(Settings settings, Resources resources) {
    Settings.StoreChoice choice = settings.store;
    if (choice == null) {
      return settings;
    }
    ArchiveStore store = choice.open(settings.classLoader);
    if (choice.isOurs()) {
      resources.add(store);
    }
    Settings reading = settings.copy();
    reading.store = new Settings.BuiltStore(new ReadOnlyStore(store));
    return reading;
  }

  private static ConfigurationException notThere(String what, Path where) {
    return new ConfigurationException(
        "there is no %s in %s: of a ledger that was copied, LAYOUT and the block database are needed"
            .formatted(what, where));
  }

  @Override
  public String name() {
    return "the ledger in " + directory;
  }

  @Override
  public String chainId() {
    return blocks.format().chainId();
  }

  @Override
  public Optional<Bytes> genesisHash() {
    return recorded(0).map(BlockMeta::hash);
  }

  @Override
  public Bytes ledgerId() {
    return blocks.format().ledgerId();
  }

  @Override
  public Digests digests() {
    return blocks.format().digest();
  }

  @Override
  public long lastHeight() {
    return blocks.site().chain().last();
  }

  @Override
  public boolean isEncrypted() {
    return blocks.isEncrypted();
  }

  /** Returns whether it ever had an archive. */
  boolean everArchived() {
    return blocks.site().chain().mark().sequence() >= 0;
  }

  /** Returns how many of the newest blocks are never archived, if that was ever set. */
  Optional<Long> unarchivedBlocks() {
    return blocks.site().chain().unarchivedBlocks();
  }

  @Override
  public long rawBytes() {
    return meta(lastHeight()).map(MetaRow::normalBytes).orElse(0L);
  }

  @Override
  public Optional<StoredBlock> block(long height) {
    if (height > lastHeight() || (height <= pivot && !hasArchive && !isKept(height))) {
      return Optional.empty();
    }
    if (height <= pivot && !hasArchive) {
      return Optional.of(kept(height));
    }
    AllBlocks open = cursor;
    if (open == null || height != next) {
      leaveCursor();
      open = blocks.archiving().blocks(height, lastHeight());
      cursor = open;
      next = height;
    }
    try {
      StoredBlock block = open.next().block();
      next++;
      return Optional.of(block);
    } catch (StorageException | ConflictException e) { // unreadable, or in another archive
      leaveCursor();
      throw new IntegrityException("block " + height + ": " + e.getMessage(), e);
    } catch (RuntimeException | Error e) {
      leaveCursor();
      throw e;
    }
  }

  private boolean isKept(long height) {
    return meta(height).filter(meta -> meta.meta().kind() != Block.Kind.NORMAL).isPresent();
  }

  private StoredBlock kept(long height) {
    return reader
        .block(reader.requiredMeta(height))
        .orElseThrow(
            () -> new IntegrityException("block %s: its body is not whole".formatted(height)));
  }

  /** Returns all of a body but its read/write sets, as far as that is whole. */
  Optional<Transactions> transactions(long height) {
    try {
      return meta(height).flatMap(reader::transactions);
    } catch (IntegrityException | StorageException e) {
      return Optional.empty();
    }
  }

  @Override
  public Optional<BlockMeta> recorded(long height) {
    return meta(height).map(MetaRow::meta);
  }

  private Optional<MetaRow> meta(long height) {
    try {
      return height < 0 || height > lastHeight() ? Optional.empty() : reader.meta(height);
    } catch (IntegrityException | StorageException e) {
      return Optional.empty();
    }
  }

  private void leaveCursor() {
    AllBlocks open = cursor;
    cursor = null;
    if (open != null) {
      open.close();
    }
  }

  @Override
  public void close() {
    try {
      leaveCursor();
    } finally {
      resources.close();
    }
  }
}
