package io.ledgerkeep.core.segment;

import com.github.luben.zstd.ZstdDictDecompress;
import com.google.common.collect.Iterators;
import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.codec.BlockHead;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.MerkleTree;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.sealing.SegmentKey;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * Reads one sealed segment. Serves any number of threads; holds nothing that has to be closed.
 *
 * <p>Opening reads the end and the beginning of the file. After that only the frames needed are
 * read, and no byte is served whose frame does not have the digest that the footer names. A block
 * or row is the chain's if its digests are those of the node's own record: the caller compares.
 */
public final class SegmentReader {

  /**
   * Where a transaction is.
   *
   * @param height the height of its block
   * @param index its place in the block, from 0
   */
  public record Place(long height, int index) {}

  /**
   * A row, and the root that it proves.
   *
   * @param row the bytes of the row; their leaf is the one that the segment holds
   * @param root the Merkle root over the leaves that the segment holds for the block
   */
  public record ProvenRow(Bytes row, Bytes root) {}

  /** Holds id, and what precedes it, of any transaction row. */
  private static final int ID_PREFIX_BYTES = 2 + Transaction.MAX_ID_BYTES;

  /** Holds kind and hash, and what precedes it, of any block. */
  private static final int HASH_PREFIX_BYTES = 2 + Block.MAX_HASH_BYTES;

  /** A part of more frames than this does not go through the cache. */
  private static final int MAX_CACHED_FRAMES = 16;

  private final FrameSource source;
  private final SegmentCache cache;
  private final SegmentSummary summary;
  private final SegmentFooter footer;
  private final FrameDecoder decoder;
  private final Fingerprint fingerprint;
  private final Lazy<BlockIndex> index = new Lazy<>(this::readIndex);

  private SegmentReader(
      FrameSource source,
      SegmentCache cache,
      SegmentSummary summary,
      SegmentFooter footer,
      Optional<Supplier<SegmentKey>> key,
      Fingerprint fingerprint) {
    this.source = source;
    this.cache = cache;
    this.summary = summary;
    this.footer = footer;
    this.fingerprint = fingerprint;
    Lazy<ZstdDictDecompress> dictionary = new Lazy<>(this::readDictionary);
    decoder = new FrameDecoder(name(), digests(), footer.frames(), key, dictionary);
  }

  /**
   * Opens a segment; its header, footer and trailer fit each other on return.
   *
   * @throws IntegrityException if they do not, or there is no such object
   * @throws UnsupportedFormatException if a newer release wrote it
   * @throws StorageException if the store fails
   */
  public static SegmentReader open(ArchiveStore store, String name, SegmentCache cache) {
    return open(store, name, cache, Fingerprint.DIGEST);
  }

  /**
   * Opens a segment of an archive with its keys. Without a key, what does not need to be opened can
   * still be asked of a sealed segment.
   *
   * @throws IntegrityException also if keys are given and the segment is in plain, or its header is
   *     not the one it was sealed under
   * @throws KeyUnavailableException if keys are given, and the one of the segment is not there
   */
  public static SegmentReader open(
      ArchiveStore store, String name, SegmentCache cache, ArchiveKeys keys) {
    return open(store, name, cache, keys, Fingerprint.DIGEST);
  }

  static SegmentReader open(
      ArchiveStore store, String name, SegmentCache cache, Fingerprint fingerprint) {
    return open(store, name, cache, ArchiveKeys.NONE, fingerprint);
  }

  private static SegmentReader open(
      ArchiveStore store,
      String name,
      SegmentCache cache,
      ArchiveKeys keys,
      Fingerprint fingerprint) {
    SegmentOpener opener = new SegmentOpener(store, name);
    SegmentFooter footer = opener.open();
    return new SegmentReader(
        opener.source(),
        cache,
        opener.summary(footer),
        footer,
        key(opener.header(), opener.source().nameAndPlace(), keys),
        fingerprint);
  }

  /** Returns what gives the key of a segment, or empty where it is in plain and may be. */
  private static Optional<Supplier<SegmentKey>> key(
      SegmentHeader header, String segment, ArchiveKeys keys) {
    if (header.seal().isEmpty()) {
      if (keys.areGiven()) {
        throw new IntegrityException(
            segment + " is in plain, and its archive was opened with a key: it was put there");
      }
      return Optional.empty();
    }
    SegmentHeader.Seal seal = header.seal().get();
    if (!keys.areGiven()) {
      return Optional.of(() -> committed(header, seal, segment, keys));
    }
    SegmentKey key = committed(header, seal, segment, keys);
    return Optional.of(() -> key);
  }

  private static SegmentKey committed(
      SegmentHeader header, SegmentHeader.Seal seal, String segment, ArchiveKeys keys) {
    SegmentKey key =
        keys.required(seal.key(), segment).segment(header.identity(seal.key()), seal.salt());
    if (!key.commitment().equals(seal.commitment())) {
      throw new IntegrityException(
          segment
              + " was sealed under another key, or its header was changed since; found the"
              + " commitment "
              + seal.commitment().hex()
              + ", expected "
              + key.commitment().hex());
    }
    return key;
  }

  /** Returns the name of the object in the store. */
  public String name() {
    return source.name();
  }

  /** Returns what is known of the segment without its frames. */
  public SegmentSummary summary() {
    return summary;
  }

  /** Returns the number of bytes read from the store so far. */
  public long bytesRead() {
    return source.bytesRead();
  }

  /** Returns the block at the height, which the segment holds. */
  public StoredBlock block(long height) {
    int block = ordinal(height);
    long from = index.get().dataStart(block);
    long until = index.get().dataStart(block + 1);
    return readBlock(cursor(Stream.DATA, from, until), block);
  }

  /**
   * Returns the blocks of a range that the segment holds, read ahead on the executor. Frames that
   * pass by do not enter the cache.
   */
  public CloseableIterator<StoredBlock> blocks(
      long firstHeight, long lastHeight, Executor executor) {
    return new BlockIterator(ordinal(firstHeight), ordinal(lastHeight), executor);
  }

  /** Returns where the transaction with the id is, or empty where the segment does not hold it. */
  public Optional<Place> find(String txId) {
    int key = fingerprint.of(digests().newDigest(), Bytes.ofUtf8(txId));
    for (int transaction : locator(Stream.TX_LOCATOR).find(key)) {
      int block = index.get().blockOf(transaction);
      int within = transaction - index.get().firstTransaction(block);
      Bytes start = read(Stream.DATA, rowSpan(block, within, Part.TRANSACTION), ID_PREFIX_BYTES);
      if (new ByteReader(start, "transaction " + transaction + " of " + name())
          .text()
          .equals(txId)) {
        return Optional.of(new Place(footer.contents().firstHeight() + block, within));
      }
    }
    return Optional.empty();
  }

  /** Returns the height of the block with the hash, or empty where the segment does not hold it. */
  public OptionalLong findHash(Bytes hash) {
    int key = fingerprint.of(digests().newDigest(), hash);
    for (int block : locator(Stream.HASH_LOCATOR).find(key)) {
      Span record = new Span(index.get().dataStart(block), index.get().prefixBytes(block));
      ByteReader start =
          new ByteReader(
              read(Stream.DATA, record, HASH_PREFIX_BYTES), "block " + block + " of " + name());
      start.u8();
      if (start.sized().equals(hash)) {
        return OptionalLong.of(footer.contents().firstHeight() + block);
      }
    }
    return OptionalLong.empty();
  }

  /** Returns the row of a transaction of a block that the segment holds, with its proof. */
  public ProvenRow transactionRow(long height, int transaction) {
    return provenRow(height, transaction, Part.TRANSACTION);
  }

  /** Returns the row of a read/write set of a block that the segment holds, with its proof. */
  public ProvenRow rwSetRow(long height, int transaction) {
    return provenRow(height, transaction, Part.RW_SET);
  }

  Digests digests() {
    return summary.header().digests();
  }

  SegmentFooter footer() {
    return footer;
  }

  Fingerprint fingerprint() {
    return fingerprint;
  }

  FrameSource source() {
    return source;
  }

  FrameDecoder decoder() {
    return decoder;
  }

  /** Returns a whole stream, read ahead on the executor; the frames are to be closed. */
  FrameSource.ReadAhead<Bytes> readAhead(Stream stream, Executor executor) {
    List<Integer> frames = footer.frames().frames(stream, 0, footer.frames().rawBytes(stream));
    return source.readAhead(footer.frames(), frames, executor, decoder::decode);
  }

  StreamCursor cursor(Stream stream, Iterator<Bytes> frames) {
    return new StreamCursor(what(stream), frames, 0, footer.frames().rawBytes(stream));
  }

  /** Reads the next block; what it is made of fits the index. */
  StoredBlock readBlock(StreamCursor in, int block) {
    long height = footer.contents().firstHeight() + block;
    int count = index.get().transactions(block);
    long behind = in.left() - (index.get().dataStart(block + 1) - index.get().dataStart(block));
    ByteReader prefix =
        new ByteReader(
            in.raw(index.get().prefixBytes(block)), "block " + height + " of segment " + name());
    BlockHead head = BlockHead.readFrom(prefix, height);
    Bytes additional = prefix.sized();
    SegmentFormat.expect(name(), "transactions of block " + height, (long) count, prefix.varint());
    prefix.end();
    List<Rope> transactions = new ArrayList<>(count);
    List<Rope> rwSets = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      transactions.add(Rope.of(in.raw(in.length(in.left() - behind))));
      rwSets.add(Rope.of(in.raw(in.length(in.left() - behind))));
    }
    SegmentFormat.expect(name(), "end of block " + height, behind, in.left());
    return new StoredBlock(head, additional, transactions, rwSets);
  }

  private enum Part {
    TRANSACTION,
    RW_SET
  }

  /** A part of a stream. */
  private record Span(long from, int size) {}

  private ProvenRow provenRow(long height, int transaction, Part part) {
    int block = ordinal(height);
    if (transaction < 0 || transaction >= index.get().transactions(block)) {
      throw new IllegalArgumentException("block " + height + " has no transaction " + transaction);
    }
    Bytes row = read(Stream.DATA, rowSpan(block, transaction, part), Integer.MAX_VALUE);
    return new ProvenRow(row, rootWith(row, block, transaction, part));
  }

  /** Finds a row by the lengths of those before it in its block. */
  private Span rowSpan(int block, int transaction, Part part) {
    StreamCursor lengths =
        cursor(Stream.TXS, index.get().lengthsStart(block), index.get().lengthsStart(block + 1));
    long end = index.get().dataStart(block + 1);
    long at = index.get().dataStart(block) + index.get().prefixBytes(block);
    for (int i = 0; ; i++) {
      int transactionBytes = lengths.length(end - at);
      int rwSetBytes = lengths.length(end - at);
      long transactionAt = at + BlockEncoder.varintBytes(transactionBytes);
      long rwSetAt = transactionAt + transactionBytes + BlockEncoder.varintBytes(rwSetBytes);
      at = rwSetAt + rwSetBytes;
      if (at > end) {
        throw lengths.damaged("the rows of a block exceed it");
      }
      if (i == transaction) {
        return part == Part.TRANSACTION
            ? new Span(transactionAt, transactionBytes)
            : new Span(rwSetAt, rwSetBytes);
      }
    }
  }

  /** Returns the root over the leaves of a block, of which the row has to have its own. */
  private Bytes rootWith(Bytes row, int block, int transaction, Part part) {
    MessageDigest digest = digests().newDigest();
    Bytes leafOfRow = MerkleTree.leaf(digest, Rope.of(row));
    MerkleTree tree = new MerkleTree(digest);
    StreamCursor leaves =
        cursor(
            Stream.LEAVES,
            (long) index.get().firstTransaction(block) * SegmentFormat.LEAF_PAIR_BYTES,
            (long) index.get().firstTransaction(block + 1) * SegmentFormat.LEAF_PAIR_BYTES);
    for (int i = 0; leaves.left() > 0; i++) {
      Bytes transactionLeaf = leaves.raw(Digests.SIZE);
      Bytes rwSetLeaf = leaves.raw(Digests.SIZE);
      Bytes leaf = part == Part.TRANSACTION ? transactionLeaf : rwSetLeaf;
      if (i == transaction) {
        SegmentFormat.expect(name(), "leaf " + i + " of block " + block, leaf, leafOfRow);
      }
      tree.add(leaf);
    }
    return tree.root();
  }

  /** Returns the beginning of a part of a stream, in an array of its own where that is small. */
  private Bytes read(Stream stream, Span span, int atMost) {
    int size = Math.min(span.size, atMost);
    Bytes bytes = cursor(stream, span.from, span.from + size).raw(size);
    // A small part would keep its whole frame alive as long as the caller keeps it.
    return size < SegmentFormat.FRAME_BYTES / 2 ? Bytes.wrap(bytes.toArray()) : bytes;
  }

  private LocatorReader locator(Stream stream) {
    return new LocatorReader(name(), stream, footer.frames(), this::frame);
  }

  private StreamCursor cursor(Stream stream, long from, long until) {
    List<Integer> frames = footer.frames().frames(stream, from, until);
    Iterator<Bytes> decoded =
        frames.size() <= MAX_CACHED_FRAMES
            ? Iterators.transform(frames.iterator(), this::frame)
            : source.readAhead(footer.frames(), frames, Runnable::run, decoder::decode);
    int skip = (int) from & (SegmentFormat.FRAME_BYTES - 1);
    return new StreamCursor(what(stream), decoded, skip, until - from);
  }

  private Bytes frame(int frame) {
    return cache.get(
        summary.digest(),
        frame,
        () -> decoder.decode(frame, source.readFrame(footer.frames(), frame)));
  }

  private BlockIndex readIndex() {
    long size = footer.frames().rawBytes(Stream.BLOCKS);
    return BlockIndex.read(cursor(Stream.BLOCKS, 0, size), name(), footer);
  }

  private ZstdDictDecompress readDictionary() {
    FrameTable table = footer.frames();
    long size = table.rawBytes(Stream.DICTIONARY);
    if (size < 1 || size > SegmentFormat.MAX_DICTIONARY_BYTES) {
      throw SegmentFormat.damaged(name(), "a dictionary of " + size + " bytes");
    }
    int frame = table.frame(Stream.DICTIONARY, 0);
    return Dictionary.decompress(decoder.decode(frame, source.readFrame(table, frame)));
  }

  private String what(Stream stream) {
    return "the " + stream.label() + " of segment " + name();
  }

  private int ordinal(long height) {
    SegmentContents contents = footer.contents();
    if (height < contents.firstHeight() || height > contents.lastHeight()) {
      throw new IllegalArgumentException("segment " + name() + " does not hold height " + height);
    }
    return (int) (height - contents.firstHeight());
  }

  private final class BlockIterator implements CloseableIterator<StoredBlock> {

    private final FrameSource.ReadAhead<Bytes> frames;
    private final StreamCursor in;
    private final int last;
    private int next;
    private boolean closed;

    BlockIterator(int first, int last, Executor executor) {
      this.next = first;
      this.last = last;
      long from = index.get().dataStart(first);
      long until = index.get().dataStart(last + 1);
      frames =
          source.readAhead(
              footer.frames(),
              footer.frames().frames(Stream.DATA, from, until),
              executor,
              decoder::decode);
      int skip = (int) from & (SegmentFormat.FRAME_BYTES - 1);
      in = new StreamCursor(what(Stream.DATA), frames, skip, until - from);
    }

    @Override
    public boolean hasNext() {
      if (closed) {
        throw new IllegalStateException("the iterator is closed");
      }
      return next <= last;
    }

    @Override
    public StoredBlock next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return readBlock(in, next++);
    }

    @Override
    public void close() {
      closed = true;
      frames.close();
    }
  }
}
