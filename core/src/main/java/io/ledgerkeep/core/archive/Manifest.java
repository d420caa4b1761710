package io.ledgerkeep.core.archive;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.segment.SegmentSummary;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which segments an archive has. Entries are numbered, created once and never changed; each names
 * the digest of the one before. The segments follow one another from height 0 without gaps and link
 * by block hashes.
 *
 * <p>Serves any number of readers; {@link #add} is for the job that holds the ledger's lock.
 */
public final class Manifest {

  private final ArchiveStore store;
  private final ArchiveNames names;
  private final String chainId;
  private final Digests digests;
  private final ArchiveKeys keys;

  /** Replaced whole by {@link #add}. */
  private volatile State state;

  /**
   * The newest entry.
   *
   * @param sequence its number
   * @param digest the digest of its bytes
   */
  public record Head(long sequence, Bytes digest) {}

  /**
   * What the entries say.
   *
   * @param sealedUnder the numbers of the archive keys that authenticate them; none in plain
   */
  private record State(
      List<Head> heads, List<ManifestEntry.Added> segments, Set<Integer> sealedUnder) {

    State with(Head head, ManifestEntry entry) {
      List<Head> newHeads = new ArrayList<>(heads);
      newHeads.add(head);
      List<ManifestEntry.Added> newSegments = new ArrayList<>(segments);
      entry.segment().ifPresent(newSegments::add);
      Set<Integer> newKeys = new TreeSet<>(sealedUnder);
      entry.seal().ifPresent(seal -> newKeys.add(seal.key()));
      return new State(List.copyOf(newHeads), List.copyOf(newSegments), Set.copyOf(newKeys));
    }
  }

  private Manifest(
      ArchiveStore store, ArchiveNames names, String chainId, Digests digests, ArchiveKeys keys) {
    this.store = store;
    this.names = names;
    this.chainId = chainId;
    this.digests = digests;
    this.keys = keys;
    this.state = new State(List.of(), List.of(), Set.of());
  }

  /**
   * Reads the manifest of an archive, or returns empty where the store has none.
   *
   * @throws IntegrityException if an entry is missing, damaged or does not follow the one before
   */
  public static Optional<Manifest> open(ArchiveStore store, ArchiveNames names) {
    return open(store, names, ArchiveKeys.NONE);
  }

  /**
   * Reads the manifest of an archive with its keys, or returns empty where the store has none.
   * Without a key that of a sealed archive is read too, and taken at its word.
   *
   * @throws IntegrityException also if keys are given and an entry is not authenticated
   * @throws KeyUnavailableException if keys are given and that of an entry is not there
   */
  public static Optional<Manifest> open(ArchiveStore store, ArchiveNames names, ArchiveKeys keys) {
    List<String> entries = store.list(names.manifest()).stream().filter(names::isEntry).toList();
    if (entries.isEmpty()) {
      return Optional.empty();
    }
    ManifestEntry first = ManifestEntry.decode(read(store, names.entry(0)), names.entry(0));
    Digests digests = Digests.recorded(first.digest(), "manifest entry " + names.entry(0));
    Manifest manifest = new Manifest(store, names, first.chainId(), digests, keys);
    for (int sequence = 0; sequence < entries.size(); sequence++) {
      if (!entries.get(sequence).equals(names.entry(sequence))) {
        throw new IntegrityException(
            "the manifest in %s has %s where %s should be"
                .formatted(store.place(), entries.get(sequence), names.entry(sequence)));
      }
      manifest.load(sequence);
    }
    return Optional.of(manifest);
  }

  /** Makes the manifest of a new archive in plain. */
  public static Manifest create(
      ArchiveStore store, ArchiveNames names, String chainId, Digests digests) {
    return create(store, names, chainId, digests, ArchiveKeys.NONE);
  }

  /** Makes the manifest of a new archive, which is sealed where keys are given. */
  public static Manifest create(
      ArchiveStore store, ArchiveNames names, String chainId, Digests digests, ArchiveKeys keys) {
    Manifest manifest = new Manifest(store, names, chainId, digests, keys);
    manifest.append(Optional.empty());
    return manifest;
  }

  /** Adds a segment that was read back and verified; durable and read back itself on return. */
  public void add(SegmentSummary segment, String name) {
    append(Optional.of(ManifestEntry.Added.of(segment, name)));
  }

  private void append(Optional<ManifestEntry.Added> added) {
    int sequence = state.heads().size();
    ManifestEntry plain =
        new ManifestEntry(
            sequence,
            lastEntryDigest(state),
            chainId,
            names.genesisHash(),
            names.ledgerId(),
            digests.id(),
            added,
            Optional.empty());
    ManifestEntry entry = keys.newest().map(plain::sealedUnder).orElse(plain);
    requireFollows(entry, sequence, state);
    Bytes bytes = entry.encode();
    store.put(names.entry(sequence), bytes::writeTo);
    requireKept(names.entry(sequence), bytes);
    load(sequence);
  }

  /** An entry that reads well but otherwise would name a segment that is not there. */
  private void requireKept(String name, Bytes written) {
    if (!read(store, name).equals(written)) {
      store.delete(name);
      throw new IntegrityException(
          "manifest entry %s in %s read back otherwise than it was written, and was removed"
              .formatted(name, store.place()));
    }
  }

  /** Takes an entry over from the store. */
  private void load(int sequence) {
    String name = names.entry(sequence);
    Bytes bytes = read(store, name);
    ManifestEntry entry = ManifestEntry.decode(bytes, name);
    requireProven(entry, name);
    requireFollows(entry, sequence, state);
    state = state.with(new Head(sequence, digest(bytes)), entry);
  }

  /** Before anything else that an entry says is looked at. */
  private void requireProven(ManifestEntry entry, String name) {
    if (!keys.areGiven()) {
      return;
    }
    require(
        entry.seal().isPresent(),
        name,
        "it is in plain, and the archive was opened with a key; it was put there, or the archive is"
            + " not encrypted");
    int number = entry.seal().map(ManifestEntry.Seal::key).orElseThrow();
    require(
        entry.isProvenBy(
            keys.required(number, "manifest entry %s in %s".formatted(name, store.place()))),
        name,
        "it does not fit its mac: it was changed, or is another archive's");
  }

  private void requireFollows(ManifestEntry entry, int sequence, State before) {
    String name = names.entry(sequence);
    require(entry.sequence() == sequence, name, "its number is " + entry.sequence());
    require(
        entry.previous().equals(lastEntryDigest(before)),
        name,
        "it does not name the digest of the entry before it");
    require(
        entry.genesisHash().equals(names.genesisHash())
            && entry.ledgerId().equals(names.ledgerId())
            && entry.chainId().equals(chainId)
            && entry.digest().equals(digests.id()),
        name,
        "it is of another chain or ledger");
    require(entry.segment().isPresent() == sequence > 0, name, "its operation is out of place");
    require(
        sequence == 0 || entry.seal().isPresent() == !before.sealedUnder().isEmpty(),
        name,
        "it is in plain and others are not, or the other way round");
    entry.segment().ifPresent(added -> requireFollows(added, name, before));
  }

  private void requireFollows(ManifestEntry.Added added, String name, State before) {
    Archive.Segment segment = added.segment();
    require(
        names.isSegment(segment.name(), segment.firstHeight()),
        name,
        "its segment does not have a name as segments of this archive have");
    require(
        segment.firstHeight() == lastHeight(before) + 1
            && segment.lastHeight() >= segment.firstHeight(),
        name,
        "its segment does not follow the one before it");
    require(
        before.segments().isEmpty() || last(before).lastHash().equals(added.previousHash()),
        name,
        "its segment does not link to the one before it");
  }

  private void require(boolean holds, String name, String problem) {
    if (!holds) {
      throw new IntegrityException(
          "manifest entry %s in %s is wrong: %s".formatted(name, store.place(), problem));
    }
  }

  private static Bytes read(ArchiveStore store, String name) {
    OptionalLong size = store.size(name);
    if (size.isEmpty() || size.getAsLong() > ManifestEntry.MAX_BYTES) {
      throw new IntegrityException(
          "manifest entry %s in %s is missing or too large".formatted(name, store.place()));
    }
    return store.get(name, 0, (int) size.getAsLong());
  }

  private Bytes digest(Bytes bytes) {
    var digest = digests.newDigest();
    bytes.digestInto(digest);
    return Bytes.wrap(digest.digest());
  }

  private static Bytes lastEntryDigest(State state) {
    return state.heads().isEmpty()
        ? Bytes.EMPTY
        : state.heads().get(state.heads().size() - 1).digest();
  }

  private static long lastHeight(State state) {
    return state.segments().isEmpty() ? -1 : last(state).segment().lastHeight();
  }

  private static ManifestEntry.Added last(State state) {
    return state.segments().get(state.segments().size() - 1);
  }

  // ------------------------------------------------------------------------------------ read

  /** Returns the names of the archive's objects. */
  public ArchiveNames names() {
    return names;
  }

  /** Returns the name of the chain. */
  public String chainId() {
    return chainId;
  }

  /** Returns the digest of the chain. */
  public Digests digests() {
    return digests;
  }

  /** Returns the keys that the archive was opened with. */
  public ArchiveKeys keys() {
    return keys;
  }

  /** Returns whether the archive is sealed. */
  public boolean isSealed() {
    return !state.sealedUnder().isEmpty();
  }

  /** Returns the numbers of the keys that the archive depends on. */
  Set<Integer> sealedUnder() {
    return state.sealedUnder();
  }

  /** Returns the newest entry. */
  public Head head() {
    List<Head> heads = state.heads();
    return heads.get(heads.size() - 1);
  }

  /** Returns whether the manifest has the entry. */
  public boolean holds(long sequence, Bytes digest) {
    List<Head> heads = state.heads();
    return sequence < heads.size() && heads.get((int) sequence).digest().equals(digest);
  }

  /** Returns the highest archived height, or -1. */
  public long lastHeight() {
    return lastHeight(state);
  }

  /** Returns the digest of the last segment, or nothing where there is none. */
  public Bytes lastSegmentDigest() {
    State now = state;
    return now.segments().isEmpty() ? Bytes.EMPTY : last(now).segment().digest();
  }

  /** Returns the segments in the order of heights. */
  public List<Archive.Segment> segments() {
    return state.segments().stream().map(ManifestEntry.Added::segment).toList();
  }

  /**
   * Reads the manifest anew and returns if it still has the newest entry.
   *
   * @throws IntegrityException if it has not, or is damaged
   */
  void requireUnchanged() {
    Head head = head();
    if (!open(store, names, keys)
        .map(now -> now.holds(head.sequence(), head.digest()))
        .orElse(false)) {
      throw new IntegrityException(
          "manifest entry %s in %s is gone, or is another one than it was"
              .formatted(names.entry(head.sequence()), store.place()));
    }
  }

  /** Returns whether the segment that was found under the name is the one that is listed. */
  boolean lists(SegmentSummary found, String name) {
    return addedAt(found.contents().firstHeight())
        .filter(ManifestEntry.Added.of(found, name)::equals)
        .isPresent();
  }

  /** Returns the segment that holds the height, or empty where none does. */
  public Optional<Archive.Segment> segmentAt(long height) {
    return addedAt(height).map(ManifestEntry.Added::segment);
  }

  private Optional<ManifestEntry.Added> addedAt(long height) {
    List<ManifestEntry.Added> segments = state.segments();
    int low = 0;
    int high = segments.size() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      Archive.Segment segment = segments.get(middle).segment();
      if (height < segment.firstHeight()) {
        high = middle - 1;
      } else if (height > segment.lastHeight()) {
        low = middle + 1;
      } else {
        return Optional.of(segments.get(middle));
      }
    }
    return Optional.empty();
  }

  /** Returns the segment that holds the height, which the archive must have. */
  public Archive.Segment requiredSegmentAt(long height) {
    return segmentAt(height)
        .orElseThrow(
            () ->
                new IntegrityException(
                    "the archive in %s ends at height %s, below %s"
                        .formatted(store.place(), lastHeight(), height)));
  }
}
