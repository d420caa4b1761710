package io.ledgerkeep.core.archiving;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.core.archive.ArchiveNames;
import io.ledgerkeep.core.archive.KeyObjects;
import io.ledgerkeep.core.archive.LedgerArchive;
import io.ledgerkeep.core.archive.Manifest;
import io.ledgerkeep.core.chain.ArchiveEnd;
import io.ledgerkeep.core.chain.ArchiveMark;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.sealing.ArchiveKey;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.segment.SegmentHeader;
import io.ledgerkeep.core.segment.SegmentReader;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.StorageException;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ledger's way to its archive. Whatever is asked, the archive must hold the manifest entry that
 * the ledger recorded with its pivot: one that is not mounted, empty, older or another's is
 * noticed. Serves any number of threads.
 */
final class ArchiveLink {

  private static final Logger LOG = LoggerFactory.getLogger(ArchiveLink.class);

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
      endFormerBranch();
    }
    return Objects.requireNonNull(opened);
  }

  /**
   * Ends the archive where the ledger was rolled back to, if that is left to do. Where it cannot be
   * written, everything that the ledger has in it can be read all the same.
   */
  private void endFormerBranch() {
    if (site.chain().archiveEnd().isPresent()) {
      try {
        toWriteOn();
      } catch (StorageException | KeyUnavailableException e) {
        LOG.warn(
            "the archive is ended where the ledger was rolled back to later: {}", e.toString());
      }
    }
  }

  /** Returns the manifest, which must be there. */
  Manifest manifest() {
    return archive().manifest();
  }

  /**
   * What a job writes with.
   *
   * @param manifest the manifest
   * @param key what segments and entries are sealed under, one key for the whole job: the archive
   *     has the objects of that key, which it need not have of one made since; empty in plain
   */
  record Writing(Manifest manifest, Optional<ArchiveKey> key) {}

  /**
   * Returns the manifest read anew, made if nothing of this ledger is archived. The keys of a
   * sealed archive are there before it is, so that it can always be opened without the node.
   */
  synchronized Writing toWrite() {
    ArchiveStore store = site.requiredStore();
    Optional<ArchiveKey> key = site.archiveKeys().newest();
    Optional<Writing> existing = toWriteOn();
    if (existing.isPresent()) {
      return existing.get();
    }
    new KeyObjects(store, names()).reconcile(site.archiveKeys());
    ArchiveKeys keys = site.archiveKeys();
    Manifest manifest = Manifest.create(store, names(), site.chainId(), site.digests(), keys, key);
    endFormerBranch(manifest, key);
    return writing(manifest, key);
  }

  /** Returns the same of an archive that there is, or empty where there is none to be. */
  synchronized Optional<Writing> toWriteOn() {
    ArchiveStore store = site.requiredStore();
    Optional<ArchiveKey> key = site.archiveKeys().newest();
    Optional<Manifest> found = read(store);
    if (found.isEmpty() && site.chain().mark().pivot() == 0) {
      return Optional.empty();
    }
    Manifest manifest = requireMark(found);
    forget(new KeyObjects(store, names()).reconcile(site.archiveKeys()));
    endFormerBranch(manifest, key);
    return Optional.of(writing(manifest, key));
  }

  /**
   * Sees to it that the archive has no block above the height that the ledger was rolled back to
   * since it was last written: no job may mistake them for those that were committed afterwards.
   */
  private void endFormerBranch(Manifest manifest, Optional<ArchiveKey> key) {
    ChainStore chain = site.chain();
    Optional<ArchiveEnd> found = chain.archiveEnd();
    if (found.isEmpty()) {
      return;
    }
    ArchiveEnd end = found.get();
    if (manifest.lastHeight() > end.height()) {
      manifest.end(end.height(), end.hash(), key);
      FailPoint.pass("rollback.ended");
      LOG.info("the archive ends at height {}, where the ledger was rolled back to", end.height());
    }
    Manifest.Head head = manifest.head();
    site.room().during(() -> chain.archiveEnded(head.sequence(), head.digest()));
    FailPoint.pass("rollback.forgotten");
  }

  private Writing writing(Manifest manifest, Optional<ArchiveKey> key) {
    opened = LedgerArchive.of(site.requiredStore(), manifest, site.executor());
    return new Writing(manifest, key);
  }

  /**
   * Makes the objects of keys in the archive what the registry says. Only what proves to be the
   * archive last written is touched: another's, or an older copy, keeps what it has.
   *
   * @return whether there is an archive
   */
  synchronized boolean reconcileKeys() {
    if (site.store().isEmpty() || !site.archiveKeys().areGiven() || site.chain().last() < 0) {
      return false;
    }
    boolean there = toWriteOn().isPresent();
    if (!there) {
      new KeyObjects(site.requiredStore(), names()).removeRetired(site.archiveKeys());
    }
    return there;
  }

  /** Returns the numbers of the archive keys that segments are under. */
  synchronized Set<Integer> segmentKeys() {
    Set<Integer> numbers = new TreeSet<>();
    site.store()
        .flatMap(this::read)
        .ifPresent(
            manifest ->
                Stream.concat(
                        manifest.segments().stream().map(this::segment),
                        manifest.retired().stream().map(segment -> written(segment.name())))
                    .map(reader -> reader.summary().header().seal())
                    .forEach(seal -> seal.ifPresent(by -> numbers.add(by.key()))));
    return numbers;
  }

  /** One that is not forgotten is looked for again; a full disk is no reason to end a job. */
  private void forget(Set<Bytes> holders) {
    try {
      site.archiveKeys().forgetRetired(holders);
    } catch (StorageException e) {
      LOG.warn("former holders of the archive are kept in the registry: {}", e.getMessage());
    }
  }

  /**
   * Finishes what replacing segments has left: the ledger then depends on the newest entry, and
   * nothing is there of what was replaced. Returns whether the archive could be reached.
   */
  synchronized boolean finishReplacing(Bytes attempt) {
    Optional<Manifest> manifest = site.store().flatMap(this::read).filter(this::holdsMark);
    if (manifest.isEmpty() || !discard(attempt)) {
      return false;
    }
    removeReplaced(manifest.get());
    return true;
  }

  /**
   * Removes the objects of segments that were replaced. An older copy of the archive, which would
   * need them, is refused from then on.
   */
  void removeReplaced(Manifest manifest) {
    ArchiveStore store = site.requiredStore();
    Set<String> replaced = manifest.replaced();
    if (replaced.isEmpty()) {
      return;
    }
    recordHead(manifest);
    for (String name : store.list(names().segments())) {
      if (replaced.contains(name)) {
        store.delete(name);
      }
    }
  }

  /** Makes the ledger depend on the newest entry. */
  void recordHead(Manifest manifest) {
    Manifest.Head head = manifest.head();
    if (head.sequence() != site.chain().mark().sequence()) {
      site.room().during(() -> site.chain().recordManifest(head.sequence(), head.digest()));
    }
  }

  /** Returns how far the archive has come, restored blocks included, or -1. */
  long lastListedHeight() {
    long listed = site.store().flatMap(this::read).map(Manifest::lastHeight).orElse(-1L);
    return Math.min(
        listed, site.chain().archiveEnd().map(ArchiveEnd::height).orElse(Long.MAX_VALUE));
  }

  String segmentName(long firstHeight, Bytes attempt) {
    return names().segment(firstHeight, attempt);
  }

  /** Returns the header of a segment that an attempt writes. */
  SegmentHeader header(Bytes attempt, long firstHeight) {
    return new SegmentHeader(
        site.digests(), site.genesisHash(), site.ledgerId(), attempt, firstHeight);
  }

  SegmentReader segment(Archive.Segment segment) {
    return archive().reader(segment);
  }

  /** Opens a segment that was just written. */
  SegmentReader written(String name) {
    return archive().openUnlisted(name);
  }

  /** Asks the segment that holds the height. */
  <T> T ask(long height, Function<SegmentReader, T> question) {
    return archive().ask(height, question);
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
        .flatMap(
            manifest -> Stream.concat(manifest.segments().stream(), manifest.retired().stream()))
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

  /** Reads the manifest; a ledger put back from a copy learns the keys made since. */
  private Optional<Manifest> read(ArchiveStore store) {
    try {
      return readWithKeysAtHand(store);
    } catch (KeyUnavailableException e) {
      if (!new KeyObjects(store, names()).teach(site.archiveKeys())) {
        throw e;
      }
      return readWithKeysAtHand(store);
    }
  }

  /** The archive of a ledger in plain is in plain. */
  private Optional<Manifest> readWithKeysAtHand(ArchiveStore store) {
    Optional<Manifest> manifest = Manifest.open(store, names(), site.archiveKeys());
    if (manifest.isPresent() && manifest.get().firstHeight() > 0) {
      throw new ConflictException(
          Reason.ARCHIVE,
          "%s has the blocks from height %s on, which a roll back took away: it is a backup, and no archive of the ledger; choose another place"
              .formatted(store.place(), manifest.get().firstHeight()));
    }
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
