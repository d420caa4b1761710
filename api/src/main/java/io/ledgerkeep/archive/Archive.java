package io.ledgerkeep.archive;

import io.ledgerkeep.BlockReader;
import io.ledgerkeep.Bytes;
import java.util.List;

/**
 * The archive of one ledger, read on its own: nothing of the node is needed. Safe for any number of
 * threads.
 *
 * <p>Alone it proves only itself: that its segments are whole, belong together and are those that
 * its manifest names. That they are the chain's is proven by a ledger or by a {@link
 * io.ledgerkeep.BlockVerifier}.
 */
public interface Archive extends BlockReader, AutoCloseable {

  /** Returns the name of the chain. */
  String chainId();

  /** Returns the hash of the genesis block. */
  Bytes genesisHash();

  /** Returns the identity of the ledger that wrote the archive, 32 hexadecimal digits. */
  String ledgerId();

  /** Returns where the archive lies, for messages. */
  String place();

  /**
   * Returns the lowest height: 0, but for the backup of a roll back, which has only the blocks that
   * were taken away.
   */
  long firstHeight();

  /** Returns the highest archived height, or -1 where there is no segment. */
  long lastHeight();

  /**
   * Returns the segments in the order of heights. Where the ledger was rolled back, one may have
   * blocks above its last height: they do not count.
   */
  List<Segment> segments();

  /**
   * Returns the segments that count no longer, as the ledger was rolled back below them, in the
   * order in which that happened. They are kept, and no question is answered from them.
   */
  List<Segment> retiredSegments();

  /** Checks the archive as far as the level says; changes nothing. */
  Verification verify(Verification.Request request);

  /** Closes the archive; closing it twice does nothing. */
  @Override
  void close();

  /**
   * One sealed, immutable file of the archive: a contiguous range of blocks.
   *
   * @param name the object's name in the store
   * @param firstHeight the lowest height
   * @param lastHeight the highest height that counts
   * @param transactions the number of transactions
   * @param rawBytes the size of the decoded content, in bytes
   * @param storedBytes the size of the object, in bytes
   * @param contentRoot the Merkle root over the records of its blocks
   * @param digest the digest of the object
   */
  record Segment(
      String name,
      long firstHeight,
      long lastHeight,
      long transactions,
      long rawBytes,
      long storedBytes,
      Bytes contentRoot,
      Bytes digest) {

    /** Returns the number of blocks. */
    public long blocks() {
      return lastHeight - firstHeight + 1;
    }
  }
}
