package io.ledgerkeep.core.archive;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.archive.ManifestEntry.Edge;
import io.ledgerkeep.core.archive.ManifestEntry.Operation;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.sealing.ArchiveKey;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.segment.SegmentSummary;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which segments an archive has. Entries are numbered, created once and never changed; each names
 * the digest of the one before. The segments follow one another without gaps and link by block
 * hashes; they begin at height 0, but for the backup of a roll back. A segment may be replaced by
 * one with the same blocks. Where the ledger was rolled back, an entry ends the archive there:
 * segments above that height are retired, and one that reaches beyond it counts up to it only.
 *
 * <p>Serves any number of readers; {@link #add}, {@link #replace} and {@link #end} are for the job
 * that holds the ledger's lock.
 */
public final class Manifest {

  private final ArchiveStore store;
  private final ArchiveNames names;
  private final String chainId;
  private final Digests digests;
  private final ArchiveKeys keys;

  /** Replaced whole, under this, by every entry. */
  private volatile State state;

  /**
   * The newest entry.
   *
   * @param sequence its number
   * @param digest the digest of its bytes
   */
  public record Head(long sequence, Bytes digest) {}

  /**
   * A segment that counts.
   *
   * @param linkDigest the digest that the segment after it names: its own, or that of the first one
   *     that had its place
   * @param end the highest block of it that counts
   */
  private record Listed(ManifestEntry.Added added, Bytes linkDigest, Edge end) {

    static Listed of(ManifestEntry.Added added) {
      Archive.Segment segment = added.segment();
      return new Listed(added, segment.digest(), new Edge(segment.lastHeight(), added.lastHash()));
    }

    /** Returns the segment as far as it counts. */
    Archive.Segment segment() {
      Archive.Segment whole = added.segment();
      return whole.lastHeight() == end.height()
          ? whole
          : new Archive.Segment(
              whole.name(),
              whole.firstHeight(),
              end.height(),
              whole.transactions(),
              whole.rawBytes(),
              whole.storedBytes(),
              whole.contentRoot(),
              whole.digest());
    }

    Listed replacedBy(ManifestEntry.Added other) {
      return new Listed(other, linkDigest, end);
    }

    Listed endingAt(Edge newEnd) {
      return new Listed(added, linkDigest, newEnd);
    }
  }

  /**
   * What the entries say.
   *
   * @param begin the first height, with the hash that its block names as the one before it
   * @param replaced the names of segments that count no longer, as others have their place
   * @param retired the segments that count no longer, as they are above where the archive was ended
   * @param sealedUnder the numbers of the archive keys that authenticate them; none in plain
   * @param provenThrough the last entry that a key at hand authenticates, and with it all before;
   *     or -1
   */
  private record State(
      List<Head> heads,
      Edge begin,
      List<Listed> segments,
      List<String> replaced,
      List<Archive.Segment> retired,
      NavigableSet<Integer> sealedUnder,
      int provenThrough) {

    static final State EMPTY =
        new State(
            List.of(),
            new Edge(0, Bytes.EMPTY),
            List.of(),
            List.of(),
            List.of(),
            Collections.emptyNavigableSet(),
            -1);

    State with(Head head, ManifestEntry entry, boolean proven) {
      List<Listed> newSegments = new ArrayList<>(segments);
      List<String> newReplaced = new ArrayList<>(replaced);
      List<Archive.Segment> newRetired = new ArrayList<>(retired);
      Edge newBegin = begin;
      switch (entry.operation()) {
        case CREATE -> newBegin = entry.edge().orElse(begin);
        case ADD -> newSegments.add(Listed.of(entry.segment().orElseThrow()));
        case REPLACE -> replace(entry.segment().orElseThrow(), newSegments, newReplaced);
        case END -> end(entry.edge().orElseThrow(), newSegments, newRetired);
      }
      NavigableSet<Integer> newKeys = new TreeSet<>(sealedUnder);
      entry.seal().ifPresent(seal -> newKeys.add(seal.key()));
      return new State(
          plus(heads, head),
          newBegin,
          List.copyOf(newSegments),
          List.copyOf(newReplaced),
          List.copyOf(newRetired),
          newKeys,
          proven ? (int) head.sequence() : provenThrough);
    }

    private static void replace(
        ManifestEntry.Added added, List<Listed> segments, List<String> replaced) {
      int at = indexOf(segments, added.segment().firstHeight());
      Listed before = segments.set(at, segments.get(at).replacedBy(added));
      replaced.add(before.segment().name());
    }

    /** The segment that has the height stays, cut there; those above go, the lowest first. */
    private static void end(Edge end, List<Listed> segments, List<Archive.Segment> retired) {
      int at = indexOf(segments, end.height());
      segments.set(at, segments.get(at).endingAt(end));
      List<Listed> above = segments.subList(at + 1, segments.size());
      above.forEach(listed -> retired.add(listed.added().segment()));
      above.clear();
    }

    /** Returns whether a segment of the name counts, or ever did. */
    boolean everListed(String name) {
      return replaced.contains(name)
          || retired.stream().anyMatch(segment -> segment.name().equals(name))
          || segments.stream().anyMatch(listed -> listed.segment().name().equals(name));
    }

    private static <T> List<T> plus(List<T> list, T last) {
      List<T> more = new ArrayList<>(list);
      more.add(last);
      return List.copyOf(more);
    }
  }

  private Manifest(
      ArchiveStore store, ArchiveNames names, String chainId, Digests digests, ArchiveKeys keys) {
    this.store = store;
    this.names = names;
    this.chainId = chainId;
    this.digests = digests;
    this.keys = keys;
    this.state = State.EMPTY;
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
   * @throws KeyUnavailableException if keys are given and that of the newest entry is not there,
   *     which authenticates all the others
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
    manifest.requireNewestProven();
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
    return create(store, names, chainId, digests, keys, keys.newest());
  }

  /** Makes the manifest of a new archive, sealed under one of the keys where there is one. */
  public static Manifest create(
      ArchiveStore store,
      ArchiveNames names,
      String chainId,
      Digests digests,
      ArchiveKeys keys,
      Optional<ArchiveKey> key) {
    Manifest manifest = new Manifest(store, names, chainId, digests, keys);
    manifest.append(Operation.CREATE, Optional.empty(), Optional.empty(), key);
    return manifest;
  }

  /**
   * Makes the manifest of an archive that has only the blocks from some height on, like {@link
   * #create}.
   *
   * @param firstHeight where it begins
   * @param previousHash the hash of the block before
   */
  public static Manifest createFrom(
      long firstHeight,
      Bytes previousHash,
      ArchiveStore store,
      ArchiveNames names,
      String chainId,
      Digests digests,
      ArchiveKeys keys) {
    Manifest manifest = new Manifest(store, names, chainId, digests, keys);
    manifest.append(
        Operation.CREATE,
        Optional.empty(),
        Optional.of(new Edge(firstHeight, previousHash)),
        keys.newest());
    return manifest;
  }

  /** Adds a segment that was read back and verified; durable and read back itself on return. */
  public void add(SegmentSummary segment, String name) {
    append(Operation.ADD, segment, name);
  }

  /**
   * Lists a segment, which was read back and verified, in the place of the one with the same
   * blocks; durable and read back itself on return.
   */
  public void replace(SegmentSummary segment, String name) {
    append(Operation.REPLACE, segment, name);
  }

  /**
   * Ends the archive at a height that it reaches beyond: what is listed above it counts no longer,
   * and the next segment follows there. Durable and read back itself on return.
   *
   * @param hash the hash of the block at the height
   * @param key what the entry is sealed under, or empty in plain
   */
  public void end(long height, Bytes hash, Optional<ArchiveKey> key) {
    append(Operation.END, Optional.empty(), Optional.of(new Edge(height, hash)), key);
  }

  /** An entry is under the key of its segment: whoever may read the one may read the other. */
  private void append(Operation operation, SegmentSummary segment, String name) {
    append(
        operation,
        Optional.of(ManifestEntry.Added.of(segment, name)),
        Optional.empty(),
        segment.header().seal().map(seal -> keys.required(seal.key(), "segment " + name)));
  }

  private synchronized void append(
      Operation operation,
      Optional<ManifestEntry.Added> added,
      Optional<Edge> edge,
      Optional<ArchiveKey> key) {
    int sequence = state.heads().size();
    ManifestEntry plain =
        new ManifestEntry(
            sequence,
            lastEntryDigest(state),
            chainId,
            names.genesisHash(),
            names.ledgerId(),
            digests.id(),
            operation,
            added,
            edge,
            Optional.empty());
    ManifestEntry entry = key.map(plain::sealedUnder).orElse(plain);
    requireFollows(entry, sequence, state);
    Bytes bytes = entry.encode();
    store.put(names.entry(sequence), bytes::writeTo);
    requireKept(names.entry(sequence), bytes);
    load(sequence);
  }

  /**
   * Takes over what another process or job has appended since.
   *
   * @throws IntegrityException if an entry is damaged or does not follow the one before
   * @throws KeyUnavailableException if the newest is under a key that is not at hand
   */
  synchronized void refresh() {
    State before = state;
    try {
      while (store.size(names.entry(state.heads().size())).isPresent()) {
        load(state.heads().size());
      }
      requireNewestProven();
    } catch (RuntimeException | Error e) {
      state = before;
      throw e;
    }
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
  private synchronized void load(int sequence) {
    String name = names.entry(sequence);
    Bytes bytes = read(store, name);
    ManifestEntry entry = ManifestEntry.decode(bytes, name);
    boolean proven = isProven(entry, name);
    requireFollows(entry, sequence, state);
    state = state.with(new Head(sequence, digest(bytes)), entry, proven);
  }

  /**
   * Looks at who wrote an entry before anything else that it says. One under a key that is not at
   * hand is taken if a later one is proven: that one names its digest.
   */
  private boolean isProven(ManifestEntry entry, String name) {
    if (!keys.areGiven()) {
      return false;
    }
    require(
        entry.seal().isPresent(),
        name,
        "it is in plain, and the archive was opened with a key; it was put there, or the archive is"
            + " not encrypted");
    int number = entry.seal().map(ManifestEntry.Seal::key).orElseThrow();
    if (!keys.has(number)) {
      return false;
    }
    require(
        entry.isProvenBy(keys.required(number, name)),
        name,
        "it does not fit its mac: it was changed, or is another archive's");
    return true;
  }

  private void requireNewestProven() {
    State now = state;
    if (keys.areGiven() && now.provenThrough() < now.heads().size() - 1) {
      throw keyMissing(now);
    }
  }

  /** The newest entry is under the newest key. */
  private KeyUnavailableException keyMissing(State now) {
    String entry = names.entry(now.heads().size() - 1);
    int number = now.sealedUnder().last();
    try {
      keys.required(number, "manifest entry %s in %s".formatted(entry, store.place()));
    } catch (KeyUnavailableException e) {
      return e;
    }
    throw new AssertionError("an entry under a key at hand is proven, or refused");
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
    require(
        (entry.operation() == Operation.CREATE) == (sequence == 0),
        name,
        "its operation is out of place");
    require(
        sequence == 0 || entry.seal().isPresent() == !before.sealedUnder().isEmpty(),
        name,
        "it is in plain and others are not, or the other way round");
    requireNoOlderKey(entry, name, before);
    entry.segment().ifPresent(added -> requireFollows(entry.operation(), added, name, before));
    entry.edge().ifPresent(edge -> requireEdge(entry.operation(), edge, name, before));
  }

  /** Whoever has an old key, and perhaps should not, writes no entry that is believed. */
  private void requireNoOlderKey(ManifestEntry entry, String name, State before) {
    entry
        .seal()
        .filter(seal -> !before.sealedUnder().isEmpty())
        .ifPresent(
            seal ->
                require(
                    seal.key() >= before.sealedUnder().last(),
                    name,
                    "it is under archive key %s, and one before it under archive key %s"
                        .formatted(seal.key(), before.sealedUnder().last())));
  }

  private void requireFollows(
      Operation operation, ManifestEntry.Added added, String name, State before) {
    Archive.Segment segment = added.segment();
    require(
        names.isSegment(segment.name(), segment.firstHeight()),
        name,
        "its segment does not have a name as segments of this archive have");
    if (operation == Operation.REPLACE) {
      requireReplaces(added, name, before);
      return;
    }
    require(
        segment.firstHeight() == lastHeight(before) + 1
            && segment.lastHeight() >= segment.firstHeight(),
        name,
        "its segment does not follow the one before it");
    require(
        isFromGenesis(before) || linkHash(before).equals(added.previousHash()),
        name,
        "its segment does not link to the one before it");
    require(!before.everListed(segment.name()), name, "its segment was listed before");
  }

  private static boolean isFromGenesis(State before) {
    return before.segments().isEmpty() && before.begin().height() == 0;
  }

  /** Returns the hash that the next block has to name. */
  private static Bytes linkHash(State now) {
    return now.segments().isEmpty() ? now.begin().hash() : last(now).end().hash();
  }

  private void requireEdge(Operation operation, Edge edge, String name, State before) {
    if (operation == Operation.CREATE) {
      require(edge.height() > 0, name, "it says where it begins, which is where all do");
      return;
    }
    int at = indexOf(before.segments(), edge.height());
    require(
        at >= 0 && edge.height() < lastHeight(before),
        name,
        "it ends the archive at height %s, which it does not reach beyond"
            .formatted(edge.height()));
    Edge end = before.segments().get(at).end();
    require(
        edge.height() < end.height() || edge.hash().equals(end.hash()),
        name,
        "it ends the archive at a block that it does not have");
  }

  /** What is replaced differs in nothing but how it is stored. */
  private void requireReplaces(ManifestEntry.Added added, String name, State before) {
    int at = indexOf(before.segments(), added.segment().firstHeight());
    require(at >= 0, name, "its segment replaces none that is listed");
    ManifestEntry.Added replaced = before.segments().get(at).added();
    Archive.Segment segment = added.segment();
    require(
        segment.firstHeight() == replaced.segment().firstHeight()
            && segment.lastHeight() == replaced.segment().lastHeight()
            && segment.transactions() == replaced.segment().transactions()
            && segment.rawBytes() == replaced.segment().rawBytes()
            && segment.contentRoot().equals(replaced.segment().contentRoot())
            && added.previousHash().equals(replaced.previousHash())
            && added.lastHash().equals(replaced.lastHash()),
        name,
        "its segment does not have the blocks of the one it replaces");
    require(!before.everListed(segment.name()), name, "its segment was listed before");
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
    return state.segments().isEmpty()
        ? state.begin().height() - 1
        : last(state).segment().lastHeight();
  }

  private static Listed last(State state) {
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

  /** Returns the lowest height that the archive has or will have: 0, but for a backup. */
  public long firstHeight() {
    return state.begin().height();
  }

  /** Returns the highest archived height, or the one below the lowest. */
  public long lastHeight() {
    return lastHeight(state);
  }

  /** Returns the digest that the next segment has to name, or nothing where it is the first. */
  public Bytes lastSegmentDigest() {
    State now = state;
    return now.segments().isEmpty() ? Bytes.EMPTY : last(now).linkDigest();
  }

  /** Returns the digest that a listed segment has to name, or nothing where it is the first. */
  Bytes digestBefore(Archive.Segment segment) {
    List<Listed> segments = state.segments();
    int at = indexOf(segments, segment.firstHeight());
    return at == 0 ? Bytes.EMPTY : segments.get(at - 1).linkDigest();
  }

  /** Returns the segments that are above where the archive was ended; their objects stay. */
  public List<Archive.Segment> retired() {
    return state.retired();
  }

  /** Returns the hash of the highest block of a listed segment that counts. */
  Bytes lastHashOf(Archive.Segment segment) {
    State now = state;
    return now.segments().get(indexOf(now.segments(), segment.firstHeight())).end().hash();
  }

  /** Returns the names of segments that others have replaced; their objects are to go. */
  public Set<String> replaced() {
    return Set.copyOf(state.replaced());
  }

  /** Returns the segments in the order of heights. */
  public List<Archive.Segment> segments() {
    return state.segments().stream().map(Listed::segment).toList();
  }

  /**
   * Reads the manifest anew and returns if it still has the newest entry.
   *
   * @throws IntegrityException if it has not, or is damaged
   */
  public void requireUnchanged() {
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
    return listedAt(found.contents().firstHeight())
        .map(Listed::added)
        .filter(ManifestEntry.Added.of(found, name)::equals)
        .isPresent();
  }

  /** Returns the segment that holds the height, or empty where none does. */
  public Optional<Archive.Segment> segmentAt(long height) {
    return listedAt(height).map(Listed::segment);
  }

  private Optional<Listed> listedAt(long height) {
    List<Listed> segments = state.segments();
    int at = indexOf(segments, height);
    return at < 0 ? Optional.empty() : Optional.of(segments.get(at));
  }

  /** Returns which of the segments holds the height, or -1. */
  private static int indexOf(List<Listed> segments, long height) {
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
        return middle;
      }
    }
    return -1;
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
