package io.ledgerkeep;

import java.util.Collection;
import java.util.List;

/**
 * A peer that a node may fetch blocks from, as far as archiving allows.
 *
 * <p>A peer serves a node at height {@code h} if its own height is greater and it still has every
 * body the node lacks: its pivot is 0 or below {@code h}. The comparison is strict, as the peer may
 * archive on while it serves.
 *
 * <table>
 * <caption>Whether a peer can serve</caption>
 * <tr><th>node</th><th>peer's height</th><th>peer's pivot</th><th>serves</th></tr>
 * <tr><td>0 (fresh)</td><td>100</td><td>0</td><td>yes</td></tr>
 * <tr><td>0 (fresh)</td><td>100</td><td>1</td><td>no: block 1 is gone</td></tr>
 * <tr><td>50</td><td>100</td><td>49</td><td>yes</td></tr>
 * <tr><td>50</td><td>100</td><td>50</td><td>no: the peer may archive on</td></tr>
 * <tr><td>50</td><td>100</td><td>60</td><td>no: blocks 51 to 60 are gone</td></tr>
 * <tr><td>50</td><td>50</td><td>0</td><td>no: nothing newer</td></tr>
 * <tr><td>50</td><td>51</td><td>0</td><td>yes</td></tr>
 * </table>
 *
 * @param peer the name of the peer
 * @param height the peer's newest block, or -1
 * @param archivedHeight the peer's pivot
 */
public record SyncSource(String peer, long height, long archivedHeight) {

  /** Checks that the heights are ones a ledger can have. */
  public SyncSource {
    if (height < -1 || archivedHeight < 0 || archivedHeight > Math.max(height, 0)) {
      throw new IllegalArgumentException(
          "a peer cannot be at height " + height + " with pivot " + archivedHeight);
    }
  }

  /** Returns whether this peer can serve a node at the height (-1 for an empty one). */
  public boolean canServe(long nodeHeight) {
    return height > nodeHeight && (archivedHeight == 0 || archivedHeight < nodeHeight);
  }

  /** Returns those of the peers that can serve a node at the height, in the order given. */
  public static List<SyncSource> eligible(long nodeHeight, Collection<SyncSource> peers) {
    return peers.stream().filter(peer -> peer.canServe(nodeHeight)).toList();
  }
}
