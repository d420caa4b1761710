package io.ledgerkeep.core.segment;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.parallel.OrderedPipeline;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

/**
 * Writes one segment. For one thread; frames are compressed on the executor.
 *
 * <p>Blocks come in the order of heights. They are copied into frames of 64 KiB piece by piece, so
 * a block of any size passes through; of all that went in, only sixteen bytes a transaction and the
 * frame table are kept until {@link #finish()}. Without it the file is no segment.
 */
public final class SegmentWriter implements AutoCloseable {

  private static final long MAX_STORED_BYTES = 128L << 20;
  private static final long MAX_RAW_BYTES = 4L << 30;
  private static final int MAX_TRANSACTIONS = 1 << 20;

  private final OutputStream out;
  private final SegmentHeader header;
  private final Bytes previousSegment;
  private final DictionaryTrainer trainer;
  private final Fingerprint fingerprint;
  private final MessageDigest digest;
  private final Bytes headerBytes;

  private final OrderedPipeline<FrameEncoder.Encoded> pipeline;
  private final FrameEncoder plainFrames;
  private FrameEncoder dataFrames;
  private final OpenFrame[] open = new OpenFrame[Stream.COUNT];
  private final StreamSink sink = new StreamSink();

  /** Full frames of data that wait for the decision about a dictionary. */
  private final List<byte[]> undecided = new ArrayList<>();

  private boolean undecidedYet;

  private final FrameTable.Builder frames = new FrameTable.Builder();
  private final SegmentContents.Tally tally;
  private final Locator transactionLocator = new Locator();
  private final Locator hashLocator = new Locator();
  private int nextFrame;
  private long storedBytes;

  /**
   * Begins a segment.
   *
   * @param out takes the segment; the caller closes it
   * @param header what the segment begins with
   * @param previousSegment the digest of the segment before, or nothing for the first
   * @param trainer decides about the dictionary, for all segments of a job
   * @param executor compresses
   */
  public SegmentWriter(
      OutputStream out,
      SegmentHeader header,
      Bytes previousSegment,
      DictionaryTrainer trainer,
      Executor executor)
      throws IOException {
    this(out, header, previousSegment, trainer, executor, Fingerprint.DIGEST);
  }

  SegmentWriter(
      OutputStream out,
      SegmentHeader header,
      Bytes previousSegment,
      DictionaryTrainer trainer,
      Executor executor,
      Fingerprint fingerprint)
      throws IOException {
    this.out = out;
    this.header = header;
    this.previousSegment = previousSegment;
    this.trainer = trainer;
    this.fingerprint = fingerprint;
    digest = header.digests().newDigest();
    pipeline = new OrderedPipeline<>(executor);
    plainFrames = new FrameEncoder(header.digests(), null);
    dataFrames = plainFrames;
    tally = new SegmentContents.Tally(header.digests(), header.firstHeight());
    for (Stream stream : Stream.inTable()) {
      open[stream.index()] = new OpenFrame(stream);
    }
    headerBytes = header.encode();
    write(headerBytes);
    undecidedYet = !trainer.isDecided();
    useDictionary();
  }

  /**
   * Adds the next block.
   *
   * @throws IntegrityException if it does not name the block before it
   */
  public void add(StoredBlock block, BlockDigests digests) throws IOException {
    requireNext(block);
    long prefixBytes = BlockEncoder.record(block, sink);
    BlockEncoder.index(block, prefixBytes, digests, sink);
    int ordinal = (int) tally.transactions();
    for (Rope row : block.transactions()) {
      transactionLocator.add(fingerprint.of(digest, idOf(row)), ordinal++);
    }
    hashLocator.add(fingerprint.of(digest, block.head().hash()), tally.blocks());
    tally.add(digests.meta(block));
  }

  /** Returns whether the segment has all the blocks it should have. */
  public boolean isFull() {
    return tally.blocks() >= SegmentFormat.MAX_BLOCKS
        || tally.transactions() >= MAX_TRANSACTIONS
        || storedBytes >= MAX_STORED_BYTES
        || frames.rawBytes(Stream.DATA) >= MAX_RAW_BYTES;
  }

  /** Returns the number of bytes written so far. */
  public long storedBytes() {
    return storedBytes;
  }

  /** Writes what is left and seals the segment. */
  public SegmentSummary finish() throws IOException {
    if (tally.blocks() == 0) {
      throw new IllegalStateException("a segment has at least one block");
    }
    BlockEncoder.locator(Stream.TX_LOCATOR, transactionLocator, sink);
    BlockEncoder.locator(Stream.HASH_LOCATOR, hashLocator, sink);
    submitUndecided();
    for (OpenFrame frame : open) {
      frame.flush();
    }
    while (!pipeline.isEmpty()) {
      takeFrame();
    }
    return seal();
  }

  /** Ends all work on the executor and frees native memory; closing twice does nothing. */
  @Override
  public void close() {
    pipeline.close();
    plainFrames.close();
    dataFrames.close();
  }

  private SegmentSummary seal() throws IOException {
    long rawBytes = frames.rawBytes(Stream.DATA);
    SegmentContents contents = tally.contents();
    Bytes content = SegmentFooter.encode(contents, previousSegment, release(), frames);
    Bytes footer = FrameEncoder.footer(nextFrame, content, digest).bytes();
    headerBytes.digestInto(digest);
    footer.digestInto(digest);
    Bytes segmentDigest = Bytes.wrap(digest.digest());
    SegmentTrailer trailer = new SegmentTrailer(storedBytes, footer.size(), segmentDigest);
    write(footer);
    write(trailer.encode());
    return new SegmentSummary(
        header, contents, previousSegment, rawBytes, storedBytes, segmentDigest);
  }

  private void requireNext(StoredBlock block) {
    long height = block.head().height();
    if (height != tally.nextHeight() || tally.blocks() == SegmentFormat.MAX_BLOCKS) {
      throw new IllegalArgumentException(
          "block " + height + " cannot follow; expected " + tally.nextHeight());
    }
    if (!tally.continuesWith(block.head().previousHash())) {
      throw new IntegrityException(
          "block " + height + " does not name the hash of the block before it");
    }
    if (height == 0 && !block.head().hash().equals(header.genesisHash())) {
      throw new IntegrityException("block 0 does not have the hash of the chain's genesis block");
    }
  }

  /** Returns the id of a transaction without decoding the rest of its row. */
  private static Bytes idOf(Rope row) {
    ByteReader first = new ByteReader(row.parts().get(0), "a transaction");
    long size = first.varint();
    return size <= first.left()
        ? first.raw((int) size)
        : new ByteReader(row.join(), "a transaction").sized();
  }

  private OpenFrame frame(Stream stream) {
    return open[stream.index()];
  }

  /** Puts the dictionary before the data that needs it. */
  private void useDictionary() throws IOException {
    Dictionary dictionary = trainer.dictionary();
    if (dictionary != null) {
      dataFrames = new FrameEncoder(header.digests(), dictionary);
      frame(Stream.DICTIONARY).bytes(dictionary.content());
      frame(Stream.DICTIONARY).flush();
    }
  }

  private void hold(byte[] raw) throws IOException {
    undecided.add(raw);
    if (undecided.size() == DictionaryTrainer.framesNeeded()) {
      trainer.decide(undecided);
      useDictionary();
      submitUndecided();
    }
  }

  private void submitUndecided() throws IOException {
    undecidedYet = false;
    long firstRaw = 0;
    for (byte[] raw : undecided) {
      submit(Stream.DATA, firstRaw, raw, raw.length);
      firstRaw += raw.length;
    }
    undecided.clear();
  }

  private void submit(Stream stream, long firstRaw, byte[] raw, int size) throws IOException {
    while (pipeline.isFull()) {
      takeFrame();
    }
    int number = nextFrame++;
    FrameEncoder encoder = stream == Stream.DATA ? dataFrames : plainFrames;
    pipeline.submit(size, () -> encoder.encode(stream, number, firstRaw, raw, size));
  }

  private void takeFrame() throws IOException {
    FrameEncoder.Encoded frame = pipeline.take();
    frames.add(frame.header(), frame.digest());
    write(frame.bytes());
  }

  private void write(Bytes bytes) throws IOException {
    try {
      bytes.writeTo(out);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    storedBytes += bytes.size();
  }

  private static String release() {
    String version = SegmentWriter.class.getPackage().getImplementationVersion();
    return "ledgerkeep " + (version == null ? "development" : version);
  }

  private final class StreamSink implements BlockEncoder.Sink {

    @Override
    public void varint(Stream stream, long value) throws IOException {
      frame(stream).varint(value);
    }

    @Override
    public void bytes(Stream stream, Bytes bytes) throws IOException {
      frame(stream).bytes(bytes);
    }
  }

  /** The frame of a stream that is being filled. */
  private final class OpenFrame {

    private final Stream stream;
    private byte[] raw = new byte[0];
    private int size;
    private long firstRaw;

    OpenFrame(Stream stream) {
      this.stream = stream;
    }

    void varint(long value) throws IOException {
      long rest = value;
      while ((rest & ~0x7FL) != 0) {
        put((byte) (rest | 0x80));
        rest >>>= 7;
      }
      put((byte) rest);
    }

    void bytes(Bytes bytes) throws IOException {
      int from = 0;
      while (from < bytes.size()) {
        begin();
        int until = Math.min(bytes.size(), from + raw.length - size);
        bytes.slice(from, until).copyTo(raw, size);
        size += until - from;
        from = until;
        flushIfFull();
      }
    }

    void flush() throws IOException {
      if (size == 0) {
        return;
      }
      byte[] full = raw;
      int fullBytes = size;
      long at = firstRaw;
      raw = new byte[0];
      size = 0;
      firstRaw += fullBytes;
      if (stream == Stream.DATA && undecidedYet) {
        hold(full);
      } else {
        submit(stream, at, full, fullBytes);
      }
    }

    private void put(byte value) throws IOException {
      begin();
      raw[size++] = value;
      flushIfFull();
    }

    private void begin() {
      if (raw.length == 0) {
        raw = new byte[SegmentFormat.FRAME_BYTES];
      }
    }

    private void flushIfFull() throws IOException {
      if (size == SegmentFormat.FRAME_BYTES) {
        flush();
      }
    }
  }
}
