package io.ledgerkeep.core.segment;

import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.parallel.OrderedPipeline;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
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

  /** Is given all blocks of a segment in turn, some at a time. */
  @FunctionalInterface
  public interface GroupVisitor {

    /**
     * Returns whether to go on.
     *
     * @param group consecutive blocks, which are what the segment's digests say
     * @throws IntegrityException if they are not what they should be; ends the check
     * @throws IOException if they could not be passed on; ends the check
     */
    boolean visit(BlockGroup group) throws IOException;
  }

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
    try {
      groups(reader, executor, group -> visitAll(group, visitor));
    } catch (IOException e) {
      throw new AssertionError("nothing is passed on", e);
    }
  }

  private static boolean visitAll(BlockGroup group, Visitor visitor) {
    return group.entries().stream().allMatch(next -> visitor.visit(next.block(), next.meta()));
  }

  /**
   * Checks like {@link #content}. What the visitor was given counts when this returns: what sums
   * the blocks up is compared in the end.
   *
   * @throws IntegrityException with the first thing that is wrong
   * @throws IOException if the visitor does
   */
  public static void groups(SegmentReader reader, Executor executor, GroupVisitor visitor)
      throws IOException {
    try (var data = reader.readAhead(Stream.DATA, executor);
        var blocks = reader.readAhead(Stream.BLOCKS, executor);
        var lengths = reader.readAhead(Stream.TXS, executor);
        var leaves = reader.readAhead(Stream.LEAVES, executor);
        var transactionLocator = reader.readAhead(Stream.TX_LOCATOR, executor);
        var hashLocator = reader.readAhead(Stream.HASH_LOCATOR, executor);
        var dictionary = reader.readAhead(Stream.DICTIONARY, executor);
        var groups = new OrderedPipeline<BlockGroup>(executor)) {
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
      while (next < count || !groups.isEmpty()) {
        if (next < count && !groups.isFull()) {
          next = submitGroup(reader, in, next, groups);
        } else if (!comparison.compare(groups.take(), visitor)) {
          return;
        }
      }
      in.end();
      comparison.end();
    }
  }

  private static int submitGroup(
      SegmentReader reader, StreamCursor in, int first, OrderedPipeline<BlockGroup> pipeline) {
    int count = reader.footer().contents().blocks();
    long before = in.left();
    List<StoredBlock> blocks = new ArrayList<>();
    while (first + blocks.size() < count
        && blocks.size() < BlockGroup.MAX_BLOCKS
        && before - in.left() < BlockGroup.FULL_BYTES) {
      blocks.add(reader.readBlock(in, first + blocks.size()));
    }
    pipeline.submit(before - in.left(), () -> group(reader, blocks));
    return first + blocks.size();
  }

  private static BlockGroup group(SegmentReader reader, List<StoredBlock> blocks) {
    BlockGroup.Builder group = new BlockGroup.Builder(reader.digests(), reader.fingerprint());
    for (StoredBlock block : blocks) {
      block.decode();
      group.add(block);
    }
    return group.build();
  }

  /** Compares what is computed with what is stored, from the first block to the last. */
  private static final class Comparison {

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
    boolean compare(BlockGroup group, GroupVisitor visitor) throws IOException {
      requireStored(Stream.BLOCKS, group.index());
      requireStored(Stream.TXS, group.lengths());
      requireStored(Stream.LEAVES, group.leaves());
      group.idFingerprints().forEach(id -> transactionLocator.add(id, transactions++));
      for (BlockGroup.Entry next : group.entries()) {
        requireLinked(next.meta());
        hashLocator.add(next.hashFingerprint(), tally.blocks());
        tally.add(next.meta(), next.recordDigest());
      }
      return visitor.visit(group);
    }

    void end() {
      requireStored(Stream.TX_LOCATOR, Rope.of(BlockEncoder.locator(transactionLocator)));
      requireStored(Stream.HASH_LOCATOR, Rope.of(BlockEncoder.locator(hashLocator)));
      stored.values().forEach(StreamCursor::end);
      tally.contents().requireEqual(reader.name(), reader.footer().contents());
    }

    private void requireStored(Stream stream, Rope computed) {
      StreamCursor cursor =
          Objects.requireNonNull(stored.get(stream), "every stream that is computed is compared");
      for (Bytes part : computed.parts()) {
        if (!part.equals(cursor.raw(part.size()))) {
          throw SegmentFormat.damaged(
              reader.name(),
              "the %s from block %s on are not those of the blocks"
                  .formatted(stream.label(), tally.nextHeight()));
        }
      }
    }

    private void requireLinked(BlockMeta block) {
      Bytes genesisHash = reader.summary().header().genesisHash();
      boolean genesis = block.height() > 0 || block.hash().equals(genesisHash);
      if (!genesis || !tally.continuesWith(block.previousHash())) {
        throw SegmentFormat.damaged(
            reader.name(), "block " + block.height() + " does not continue the chain");
      }
    }
  }
}
