package io.ledgerkeep.core.segment;

import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.parallel.OrderedPipeline;
import io.ledgerkeep.core.sealing.ArchiveKey;
import io.ledgerkeep.core.sealing.SegmentKey;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;

/**
 * Writes one segment. For one thread; frames are compressed and sealed on the executor.
 *
 * <p>Blocks come in the order of heights. They are copied into frames of 64 KiB piece by piece, so
 * a block of any size passes through; of all that went in, only sixteen bytes a transaction and the
 * frame table are kept until {@link #finish()}. Without it the file is no segment.
 */
public final class SegmentWriter implements AutoCloseable {

  /** A segment with so many bytes takes no more blocks. */
  public static final long FULL_STORED_BYTES = 128L << 20;

  private static final long FULL_RAW_BYTES = 4L << 30;
  private static final int FULL_TRANSACTIONS = 1 << 20;

  private final OutputStream out;
  private final SegmentHeader header;
  private final Optional<SegmentKey> key;
  private final Bytes previousSegment;
  private final DictionaryTrainer trainer;
  private final MessageDigest digest;
  private final Bytes headerBytes;

  private final OrderedPipeline<FrameEncoder.Encoded> pipeline;
  private final FrameEncoder plainFrames;
  private FrameEncoder dataFrames;
  private final OpenFrame[] open = new OpenFrame[Stream.COUNT];

  /** Full frames of data that wait for the decision about a dictionary. */
  private final List<byte[]> undecided = new ArrayList<>();

  private boolean undecidedYet;

  private final FrameTable.Builder frames = new FrameTable.Builder();
  private final SegmentContents.Tally tally;
  private final Locator transactionLocator = new Locator();
  private final Locator hashLocator = new Locator();
  private int transactions;
  private int nextFrame;
  private long storedBytes;

  /** Begins a segment in plain. */
  public SegmentWriter(
      OutputStream out,
      SegmentHeader header,
      Bytes previousSegment,
      DictionaryTrainer trainer,
      Executor executor)
      throws IOException {
    this(out, header, Optional.empty(), previousSegment, trainer, executor);
  }

  /**
   * Begins a segment.
   *
   * @param out takes the segment; the caller closes it
   * @param header what the segment begins with, in plain
   * @param archiveKey what a key to seal the frames is derived from, or empty for plain ones
   * @param previousSegment the digest of the segment before, or nothing for the first
   * @param trainer decides about the dictionary, for all segments of a job
   * @param executor compresses and seals
   */
  public SegmentWriter(
      OutputStream out,
      SegmentHeader header,
      Optional<ArchiveKey> archiveKey,
      Bytes previousSegment,
      DictionaryTrainer trainer,
      Executor executor)
      throws IOException {
    this.out = out;
    this.key = archiveKey.map(by -> by.newSegment(header.identity(by.number())));
    this.header = key.map(header::sealedUnder).orElse(header);
    this.previousSegment = previousSegment;
    this.trainer = trainer;
    digest = header.digests().newDigest();
    pipeline = new OrderedPipeline<>(executor);
    plainFrames = new FrameEncoder(header.digests(), null, key);
    dataFrames = plainFrames;
    tally = new SegmentContents.Tally(header.digests(), header.firstHeight());
    for (Stream stream : Stream.inTable()) {
      open[stream.index()] = new OpenFrame(stream);
    }
    headerBytes = this.header.encode();
    write(headerBytes);
    undecidedYet = !trainer.isDecided();
    useDictionary();
  }

  /**
   * Adds the next blocks.
   *
   * @throws IntegrityException if one does not name the block before it
   */
  public void add(BlockGroup group) throws IOException {
    for (BlockGroup.Entry next : group.entries()) {
      requireNext(next.meta());
      BlockEncoder.record(next.block(), frame(Stream.DATA));
      hashLocator.add(next.hashFingerprint(), tally.blocks());
      tally.add(next.meta(), next.recordDigest());
    }
    frame(Stream.BLOCKS).rope(group.index());
    frame(Stream.TXS).rope(group.lengths());
    frame(Stream.LEAVES).rope(group.leaves());
    group.idFingerprints().forEach(id -> transactionLocator.add(id, transactions++));
  }

  /** Returns whether the segment has all the blocks it should have: another group may not fit. */
  public boolean isFull() {
    return tally.blocks() > SegmentFormat.MAX_BLOCKS - BlockGroup.MAX_BLOCKS
        || transactions >= FULL_TRANSACTIONS
        || storedBytes >= FULL_STORED_BYTES
        || frames.rawBytes(Stream.DATA) >= FULL_RAW_BYTES;
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
    frame(Stream.TX_LOCATOR).bytes(BlockEncoder.locator(transactionLocator));
    frame(Stream.HASH_LOCATOR).bytes(BlockEncoder.locator(hashLocator));
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
    key.ifPresent(SegmentKey::close);
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

  private void requireNext(BlockMeta block) {
    long height = block.height();
    if (height != tally.nextHeight() || tally.blocks() == SegmentFormat.MAX_BLOCKS) {
      throw new IllegalArgumentException(
          "block " + height + " cannot follow; expected " + tally.nextHeight());
    }
    if (!tally.continuesWith(block.previousHash())) {
      throw new IntegrityException(
          "block " + height + " does not name the hash of the block before it");
    }
    if (height == 0 && !block.hash().equals(header.genesisHash())) {
      throw new IntegrityException("block 0 does not have the hash of the chain's genesis block");
    }
  }

  private OpenFrame frame(Stream stream) {
    return open[stream.index()];
  }

  /** Puts the dictionary before the data that needs it. */
  private void useDictionary() throws IOException {
    Dictionary dictionary = trainer.dictionary();
    if (dictionary != null) {
      dataFrames = new FrameEncoder(header.digests(), dictionary, key);
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

  /** The frame of a stream that is being filled. */
  private final class OpenFrame implements BlockEncoder.Sink {

    private final Stream stream;
    private byte[] raw = new byte[0];
    private int size;
    private long firstRaw;

    OpenFrame(Stream stream) {
      this.stream = stream;
    }

    @Override
    public void varint(long value) throws IOException {
      long rest = value;
      while ((rest & ~0x7FL) != 0) {
        put((byte) (rest | 0x80));
        rest >>>= 7;
      }
      put((byte) rest);
    }

    void rope(Rope rope) throws IOException {
      for (Bytes part : rope.parts()) {
        bytes(part);
      }
    }

    @Override
    public void bytes(Bytes bytes) throws IOException {
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
