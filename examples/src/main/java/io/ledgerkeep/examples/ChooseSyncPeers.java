package io.ledgerkeep.examples;

import io.ledgerkeep.SyncSource;
import java.io.PrintStream;
import java.util.List;

/** Which peers can a node fetch blocks from, where some have archived theirs? */
public final class ChooseSyncPeers {

  private ChooseSyncPeers() {}

  /**
   * Runs the example.
   *
   * @param args none
   */
  public static void main(String[] args) {
    run(System.out);
  }

  static void run(PrintStream out) {
    // What each peer says of itself: its newest block and its archived height.
    List<SyncSource> peers =
        List.of(
            new SyncSource("keeps-everything", 900, 0),
            new SyncSource("archived-a-little", 1000, 300),
            new SyncSource("archived-a-lot", 1000, 800),
            new SyncSource("behind", 400, 0));

    for (long height : new long[] {-1, 300, 500, 950}) {
      List<String> able =
          SyncSource.eligible(height, peers).stream().map(SyncSource::peer).toList();
      out.println("a node at height " + height + " can ask " + able);
    }
  }
}
