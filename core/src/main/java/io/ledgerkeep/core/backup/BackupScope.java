package io.ledgerkeep.core.backup;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.sealing.Keyring;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a backup has to have, given the one that it follows.
 *
 * @param blocks which blocks, with those bodies that lie on the node
 * @param stateIncluded whether state, history and indexes are in it whole
 */
record BackupScope(
    Optional<BackupManifest> parent, List<HeightRange> blocks, boolean stateIncluded) {

  /** Returns the scope of a full backup. */
  static BackupScope full(BackupSource source) {
    return new BackupScope(
        Optional.empty(), List.of(new HeightRange(0, source.position().height())), true);
  }

  /**
   * Returns the scope of a backup that follows another. State, history and indexes follow from the
   * new blocks when it is restored, unless the archive has taken the body of one of them: then no
   * backup has it, and they are included.
   *
   * @throws ConflictException if it cannot follow that one
   */
  static BackupScope following(BackupManifest parent, BackupSource source) {
    requireSameBranch(parent.head(), source);
    requireKeys(parent.head(), source);
    Position before = parent.head().position();
    Position now = source.position();
    List<HeightRange> blocks = new ArrayList<>();
    if (now.pivot() < before.pivot()) {
      blocks.add(new HeightRange(now.pivot() + 1, before.pivot())); // restored from the archive
    }
    blocks.add(new HeightRange(before.height() + 1, now.height()));
    return new BackupScope(
        Optional.of(parent), List.copyOf(blocks), now.pivot() > Math.max(0, before.height()));
  }

  private static void requireSameBranch(BackupHead parent, BackupSource source) {
    Position before = parent.position();
    Bytes hash = source.hashAt(before.height());
    if (before.height() >= 0 && !hash.equals(before.hash())) {
      throw new ConflictException(
          Reason.BLOCK,
          "backup %s ends with block %s, hash %s, which is not in the ledger any more%s: the ledger was rolled back, or is an older copy; make a full backup"
              .formatted(
                  parent.number(),
                  before.height(),
                  before.hash().hex(),
                  hash.isEmpty()
                      ? " (it ends at height " + source.position().height() + ")"
                      : " (it has " + hash.hex() + " there)"));
    }
    if (!source.continues(parent)) {
      throw new ConflictException(
          Reason.BLOCK,
          "backup %s ends with block %s, and the ledger was rolled back below it since, or restored from an earlier backup: blocks up to it may be others; make a full backup"
              .formatted(parent.number(), before.height()));
    }
  }

  private static void requireKeys(BackupHead parent, BackupSource source) {
    List<Integer> lost =
        parent.dataKeys().stream().filter(key -> !source.dataKeys().contains(key)).toList();
    if (!lost.isEmpty()) {
      throw new ConflictException(
          Reason.KEY,
          "backup %s may have values under data keys %s, which were disabled or destroyed since: what follows it could not be restored; make a full backup"
              .formatted(parent.number(), lost));
    }
  }

  /**
   * Returns whether the parent has all there is.
   *
   * @param parentRegistry the registry of keys that it has, or empty
   */
  static boolean isAllIn(
      BackupManifest parent, Optional<Bytes> parentRegistry, BackupSource source) {
    Optional<Bytes> registry = source.registry().get();
    return parent.head().position().equals(source.position())
        && parent.head().dataKeys().equals(source.dataKeys())
        && registry.isPresent() == parentRegistry.isPresent()
        && registry
            .map(now -> Keyring.haveOneMaster(now, parentRegistry.orElseThrow()))
            .orElse(true);
  }

  long blockCount() {
    return blocks.stream().mapToLong(HeightRange::count).sum();
  }

  /** Returns the head of the backup. */
  BackupHead head(int number, BackupSource source, String created) {
    return new BackupHead(
        number,
        parent.map(manifest -> new BackupHead.Parent(manifest.head().number(), manifest.digest())),
        source.ledger(),
        source.genesis(),
        source.position(),
        source.branches().newest(),
        stateIncluded,
        source.dataKeys(),
        created);
  }
}
