package io.ledgerkeep.core.archiving;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.core.archive.ArchiveNames;
import io.ledgerkeep.core.archive.KeyObjects;
import io.ledgerkeep.core.archive.LedgerArchive;
import io.ledgerkeep.core.archive.Manifest;
import io.ledgerkeep.core.chain.ArchiveMark;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.segment.SegmentReader;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The ledger's way to its archive. Whatever is asked, the archive must hold the manifest entry that
 * the ledger recorded with its pivot: one that is not mounted, empty, older or another's is
 * noticed. Serves any number of threads.
 */
final class ArchiveLink {

  private final Site site;

  /** Opened by the first question; guarded by this. */
  private @Nullable LedgerArchive opened;

  ArchiveLink(Site site) {
    this.site = site;
  }

  /** Returns the archive, which must be there. */
  synchronized LedgerArchive archive() {
    LedgerArchive archive = opened;
    if (archive == null || !holdsMark(archive.manifest())) {
      archive = LedgerArchive.of(site.requiredStore(), requiredManifest(), site.executor());
      opened = archive;
    }
    return archive;
  }

  /** Returns the manifest, which must be there. */
  Manifest manifest() {
    return archive().manifest();
  }

  /**
   * Returns the manifest read anew, made if nothing of this ledger is archived. The keys of a
   * sealed archive are there before it is, so that it can always be opened without the node.
   */
  synchronized Manifest manifestToWrite() {
    ArchiveStore store = site.requiredStore();
    Optional<Manifest> found = read(store);
    boolean begins = found.isEmpty() && site.chain().mark().pivot() == 0;
    Optional<Manifest> existing = begins ? Optional.empty() : Optional.of(requireMark(found));
    new KeyObjects(store, names()).putMissing(site.archiveKeys());
    Manifest manifest =
        existing.orElseGet(
            () ->
                Manifest.create(
                    store, names(), site.chainId(), site.digests(), site.archiveKeys()));
    opened = LedgerArchive.of(store, manifest, site.executor());
    return manifest;
  }

  /** Returns how far the archive has come, restored blocks included, or -1. */
  long lastListedHeight() {
    return site.store().flatMap(this::read).map(Manifest::lastHeight).orElse(-1L);
  }

  String segmentName(long firstHeight, Bytes attempt) {
    return names().segment(firstHeight, attempt);
  }

  SegmentReader segment(Archive.Segment segment) {
    return archive().reader(segment);
  }

  /** Opens a segment that was just written. */
  SegmentReader written(String name) {
    return archive().openUnlisted(name);
  }

  SegmentReader segmentAt(long height) {
    return archive().reader(manifest().requiredSegmentAt(height));
  }

  /**
   * Removes the object that a dead attempt may have left, unless the manifest lists it. Returns
   * whether it could be looked for.
   */
  boolean discard(Bytes attempt) {
    if (site.store().isEmpty()) {
      return false;
    }
    ArchiveStore store = site.requiredStore();
    for (String name : store.list(names().segments())) {
      if (ArchiveNames.isOfAttempt(name, attempt) && !isListed(name)) {
        store.delete(name);
      }
    }
    return true;
  }

  private boolean isListed(String name) {
    return read(site.requiredStore()).stream()
        .flatMap(manifest -> manifest.segments().stream())
        .anyMatch(segment -> segment.name().equals(name));
  }

  /** Checks the archive; at level LEDGER every block against this ledger's record. */
  Verification verify(Verification.Request request) {
    return archive()
        .verify(
            request,
            height ->
                height > site.height().getAsLong()
                    ? Optional.empty()
                    : site.chain().reader().meta(height).map(MetaRow::meta));
  }

  private ArchiveNames names() {
    return new ArchiveNames(site.genesisHash(), site.ledgerId());
  }

  private Manifest requiredManifest() {
    return requireMark(read(site.requiredStore()));
  }

  /** Reads the manifest; the archive of a ledger in plain is in plain. */
  private Optional<Manifest> read(ArchiveStore store) {
    Optional<Manifest> manifest = Manifest.open(store, names(), site.archiveKeys());
    if (manifest.isPresent() && manifest.get().isSealed() && !site.archiveKeys().areGiven()) {
      throw new ConflictException(
          Reason.ARCHIVE,
          "the archive of ledger %s in %s is encrypted, and the ledger is not; choose another place, or open the encrypted ledger that wrote it"
              .formatted(site.ledgerId().hex(), store.place()));
    }
    return manifest;
  }

  private Manifest requireMark(Optional<Manifest> manifest) {
    if (manifest.isEmpty() || !holdsMark(manifest.get())) {
      ArchiveMark mark = site.chain().mark();
      throw new ConflictException(
          Reason.ARCHIVE,
          "%s is not the archive this ledger last wrote: %s; is the right place mounted?"
              .formatted(
                  site.requiredStore().place(),
                  manifest.isEmpty()
                      ? "it has no manifest of this ledger"
                      : "it lacks manifest entry "
                          + mark.sequence()
                          + " with digest "
                          + mark.digest().hex()));
    }
    return manifest.get();
  }

  /** A ledger that has all bodies itself depends on no archive and may begin another. */
  private boolean holdsMark(Manifest manifest) {
    ArchiveMark mark = site.chain().mark();
    return mark.pivot() == 0 || manifest.holds(mark.sequence(), mark.digest());
  }
}
