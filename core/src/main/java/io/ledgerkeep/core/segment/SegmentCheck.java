package io.ledgerkeep.core.segment;

import com.google.common.primitives.ImmutableIntArray;
import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.parallel.OrderedPipeline;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.LongPredicate;
import java.util.stream.IntStream;

/**
 * Checks a whole segment beyond what opening it checks: every byte, or everything that the bytes
 * mean. Works on the executor as well as on the calling thread.
 */
public final class SegmentCheck {

  /** Is shown every block of a segment in turn. */
  @FunctionalInterface
  public interface Visitor {

    /**
     * Returns whether to go on.
     *
     * @param block the block, which is what the segment's digests say
     * @param meta what was computed of it
     * @throws IntegrityException if it is not what it should be; ends the check
     */
    boolean visit(StoredBlock block, BlockMeta meta);
  }

  private static final long BATCH_BYTES = 256 << 10;
  private static final int BATCH_BLOCKS = 256;

  private SegmentCheck() {}

  /**
   * Checks every stored byte; needs no decoding.
   *
   * @param goOn told the bytes of each frame, returns whether to go on
   * @return what is wrong, one sentence for each damaged frame
   */
  public static List<String> bytes(SegmentReader reader, Executor executor, LongPredicate goOn) {
    FrameTable table = reader.footer().frames();
    List<String> findings = new ArrayList<>();
    List<Integer> all = IntStream.range(0, table.size()).boxed().toList();
    try (var results =
        reader.source().readAhead(table, all, executor, (n, stored) -> check(reader, n, stored))) {
      for (int frame = 0; results.hasNext(); frame++) {
        String finding = results.next();
        if (!finding.isEmpty()) {
          findings.add(finding);
        }
        if (!goOn.test(table.end(frame) - table.offset(frame))) {
          break;
        }
      }
    }
    return findings;
  }

  private static String check(SegmentReader reader, int frame, Bytes stored) {
    try {
      reader.decoder().check(frame, stored);
      return "";
    } catch (IntegrityException e) {
      return String.valueOf(e.getMessage());
    }
  }

  /**
   * Decodes everything, computes every leaf, root and index anew, and compares.
   *
   * @throws IntegrityException with the first thing that is wrong
   */
  public static void content(SegmentReader reader, Executor executor, Visitor visitor) {
    try (var data = reader.readAhead(Stream.DATA, executor);
        var blocks = reader.readAhead(Stream.BLOCKS, executor);
        var lengths = reader.readAhead(Stream.TXS, executor);
        var leaves = reader.readAhead(Stream.LEAVES, executor);
        var transactionLocator = reader.readAhead(Stream.TX_LOCATOR, executor);
        var hashLocator = reader.readAhead(Stream.HASH_LOCATOR, executor);
        var dictionary = reader.readAhead(Stream.DICTIONARY, executor);
        var digested = new OrderedPipeline<List<Digested>>(executor)) {
      dictionary.forEachRemaining(frame -> {});
      Comparison comparison = new Comparison(reader);
      comparison.with(Stream.BLOCKS, blocks);
      comparison.with(Stream.TXS, lengths);
      comparison.with(Stream.LEAVES, leaves);
      comparison.with(Stream.TX_LOCATOR, transactionLocator);
      comparison.with(Stream.HASH_LOCATOR, hashLocator);
      StreamCursor in = reader.cursor(Stream.DATA, data);
      int count = reader.footer().contents().blocks();
      int next = 0;
      while (next < count || !digested.isEmpty()) {
        if (next < count && !digested.isFull()) {
          next = submitBatch(reader, in, next, digested);
        } else if (!comparison.compare(digested.take(), visitor)) {
          return;
        }
      }
      in.end();
      comparison.end();
    }
  }

  private static int submitBatch(
      SegmentReader reader, StreamCursor in, int first, OrderedPipeline<List<Digested>> pipeline) {
    int count = reader.footer().contents().blocks();
    long before = in.left();
    List<StoredBlock> batch = new ArrayList<>();
    while (first + batch.size() < count
        && batch.size() < BATCH_BLOCKS
        && before - in.left() < BATCH_BYTES) {
      batch.add(reader.readBlock(in, first + batch.size()));
    }
    pipeline.submit(before - in.left(), () -> digest(reader, batch));
    return first + batch.size();
  }

  /** A block and all that was computed of it. */
  private record Digested(
      StoredBlock block,
      BlockDigests digests,
      BlockMeta meta,
      int hashFingerprint,
      ImmutableIntArray idFingerprints) {}

  private static List<Digested> digest(SegmentReader reader, List<StoredBlock> batch) {
    MessageDigest digest = reader.digests().newDigest();
    List<Digested> all = new ArrayList<>(batch.size());
    for (StoredBlock block : batch) {
      Block decoded = block.decode();
      BlockDigests digests = BlockDigests.of(block, digest);
      ImmutableIntArray.Builder ids = ImmutableIntArray.builder();
      for (Transaction transaction : decoded.transactions()) {
        ids.add(reader.fingerprint().of(digest, Bytes.ofUtf8(transaction.id())));
      }
      int hash = reader.fingerprint().of(digest, decoded.hash());
      all.add(new Digested(block, digests, digests.meta(block), hash, ids.build()));
    }
    return all;
  }

  /** Compares what is computed with what is stored, from the first block to the last. */
  private static final class Comparison implements BlockEncoder.Sink {

    private final SegmentReader reader;
    private final SegmentContents.Tally tally;
    private final Locator transactionLocator = new Locator();
    private final Locator hashLocator = new Locator();
    private int transactions;
    private final Map<Stream, StreamCursor> stored = new EnumMap<>(Stream.class);

    Comparison(SegmentReader reader) {
      this.reader = reader;
      tally = new SegmentContents.Tally(reader.digests(), reader.footer().contents().firstHeight());
    }

    void with(Stream stream, Iterator<Bytes> frames) {
      stored.put(stream, reader.cursor(stream, frames));
    }

    /** Returns whether to go on. */
    boolean compare(List<Digested> blocks, Visitor visitor) {
      for (Digested next : blocks) {
        requireLinked(next.block);
        encode(() -> index(next));
        next.idFingerprints.forEach(id -> transactionLocator.add(id, transactions++));
        hashLocator.add(next.hashFingerprint, tally.blocks());
        tally.add(next.meta);
        if (!visitor.visit(next.block, next.meta)) {
          return false;
        }
      }
      return true;
    }

    void end() {
      encode(() -> BlockEncoder.locator(Stream.TX_LOCATOR, transactionLocator, this));
      encode(() -> BlockEncoder.locator(Stream.HASH_LOCATOR, hashLocator, this));
      stored.values().forEach(StreamCursor::end);
      tally.contents().requireEqual(reader.name(), reader.footer().contents());
    }

    @Override
    public void varint(Stream stream, long value) {
      SegmentFormat.expect(reader.name(), place(stream), value, cursor(stream).varint());
    }

    @Override
    public void bytes(Stream stream, Bytes bytes) {
      SegmentFormat.expect(reader.name(), place(stream), bytes, cursor(stream).raw(bytes.size()));
    }

    private void index(Digested next) throws IOException {
      BlockEncoder.index(next.block, BlockEncoder.prefixBytes(next.block), next.digests, this);
    }

    private void requireLinked(StoredBlock block) {
      Bytes genesisHash = reader.summary().header().genesisHash();
      boolean genesis = block.head().height() > 0 || block.head().hash().equals(genesisHash);
      if (!genesis || !tally.continuesWith(block.head().previousHash())) {
        throw SegmentFormat.damaged(
            reader.name(), "block " + block.head().height() + " does not continue the chain");
      }
    }

    private StreamCursor cursor(Stream stream) {
      return Objects.requireNonNull(stored.get(stream), "every stream that is encoded is compared");
    }

    private String place(Stream stream) {
      return "the " + stream.label() + " at block " + tally.nextHeight();
    }

    private static void encode(Encoding encoding) {
      try {
        encoding.run();
      } catch (IOException e) {
        throw new AssertionError("a comparison writes nothing", e);
      }
    }

    private interface Encoding {
      void run() throws IOException;
    }
  }
}
