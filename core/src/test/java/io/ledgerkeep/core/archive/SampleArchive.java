package io.ledgerkeep.core.archive;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.segment.BlockGroup;
import io.ledgerkeep.core.segment.DictionaryTrainer;
import io.ledgerkeep.core.segment.SegmentHeader;
import io.ledgerkeep.core.segment.SegmentSummary;
import io.ledgerkeep.core.segment.SegmentWriter;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/** Writes archives for tests, segment by segment. */
final class SampleArchive {

  private final ArchiveStore store;
  private final ArchiveNames names;
  private final Manifest manifest;
  private final boolean linked;

  private SampleArchive(ArchiveStore store, ArchiveNames names, boolean linked, Manifest manifest) {
    this.linked = linked;
    this.store = store;
    this.names = names;
    this.manifest = manifest;
  }

  /** Writes an archive of the blocks, of which the first is the genesis block. */
  static ArchiveNames write(
      ArchiveStore store, Bytes ledgerId, List<Block> blocks, int blocksPerSegment) {
    return write(store, ledgerId, blocks, blocksPerSegment, true, ArchiveKeys.NONE);
  }

  /** Writes such an archive sealed, with the objects of its keys. */
  static ArchiveNames write(
      ArchiveStore store,
      Bytes ledgerId,
      List<Block> blocks,
      int blocksPerSegment,
      ArchiveKeys keys) {
    new KeyObjects(store, new ArchiveNames(blocks.get(0).hash(), ledgerId)).reconcile(keys);
    return write(store, ledgerId, blocks, blocksPerSegment, true, keys);
  }

  /** Writes such an archive whose segments do not name the ones before them. */
  static ArchiveNames writeUnlinked(
      ArchiveStore store, Bytes ledgerId, List<Block> blocks, int blocksPerSegment) {
    return write(store, ledgerId, blocks, blocksPerSegment, false, ArchiveKeys.NONE);
  }

  private static ArchiveNames write(
      ArchiveStore store,
      Bytes ledgerId,
      List<Block> blocks,
      int blocksPerSegment,
      boolean linked,
      ArchiveKeys keys) {
    ArchiveNames names = new ArchiveNames(blocks.get(0).hash(), ledgerId);
    SampleArchive archive =
        new SampleArchive(
            store, names, linked, Manifest.create(store, names, "chain1", Digests.SHA256, keys));
    for (int from = 0; from < blocks.size(); from += blocksPerSegment) {
      int until = Math.min(blocks.size(), from + blocksPerSegment);
      archive.add(blocks.subList(from, until));
    }
    return names;
  }

  /** Adds another segment to an archive. */
  static void goOn(ArchiveStore store, ArchiveNames names, List<Block> blocks, ArchiveKeys keys) {
    new KeyObjects(store, names).reconcile(keys);
    Manifest manifest = Manifest.open(store, names, keys).orElseThrow();
    new SampleArchive(store, names, true, manifest).add(blocks);
  }

  /**
   * Puts a segment with the blocks in the place of the one that begins with the first of them;
   * returns the manifest.
   */
  static Manifest replace(
      ArchiveStore store, ArchiveNames names, int attempt, List<Block> blocks, ArchiveKeys keys) {
    Manifest manifest = Manifest.open(store, names, keys).orElseThrow();
    Archive.Segment replaced = manifest.requiredSegmentAt(blocks.get(0).height());
    return replace(store, names, attempt, blocks, manifest.digestBefore(replaced), keys);
  }

  /** Puts one there that names a digest as that of the segment before. */
  static Manifest replace(
      ArchiveStore store,
      ArchiveNames names,
      int attempt,
      List<Block> blocks,
      Bytes before,
      ArchiveKeys keys) {
    new KeyObjects(store, names).reconcile(keys);
    Manifest manifest = Manifest.open(store, names, keys).orElseThrow();
    SampleArchive archive = new SampleArchive(store, names, true, manifest);
    String name = names.segment(blocks.get(0).height(), ledgerId(attempt));
    manifest.replace(archive.put(name, ledgerId(attempt), blocks, before), name);
    return manifest;
  }

  private void add(List<Block> blocks) {
    long first = blocks.get(0).height();
    Bytes attempt = ledgerId((int) first);
    String name = names.segment(first, attempt);
    Bytes before = linked ? manifest.lastSegmentDigest() : Bytes.EMPTY;
    manifest.add(put(name, attempt, blocks, before), name);
  }

  private SegmentSummary put(String name, Bytes attempt, List<Block> blocks, Bytes before) {
    var summary = new AtomicReference<SegmentSummary>();
    SegmentHeader header =
        new SegmentHeader(
            Digests.SHA256, names.genesisHash(), names.ledgerId(), attempt, blocks.get(0).height());
    store.put(
        name,
        out -> {
          try (SegmentWriter writer =
              new SegmentWriter(
                  out,
                  header,
                  manifest.keys().newest(),
                  before,
                  DictionaryTrainer.none(),
                  Runnable::run)) {
            BlockGroup.Builder group = new BlockGroup.Builder(Digests.SHA256);
            blocks.forEach(block -> group.add(StoredBlock.of(block)));
            writer.add(group.build());
            summary.set(writer.finish());
          }
        });
    return summary.get();
  }

  /** Returns an identity made of a number. */
  static Bytes ledgerId(int number) {
    return Bytes.fromHex("%032x".formatted(number));
  }
}
