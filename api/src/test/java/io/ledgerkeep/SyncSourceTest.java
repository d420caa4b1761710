package io.ledgerkeep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SyncSourceTest {

  @ParameterizedTest(name = "a node at {0}, a peer at {1} with pivot {2}: {3}")
  @CsvSource({
    // the table of the Javadoc
    "0, 100, 0, true",
    "0, 100, 1, false",
    "50, 100, 49, true",
    "50, 100, 50, false",
    "50, 100, 60, false",
    "50, 50, 0, false",
    "50, 51, 0, true",
    // an empty node takes only peers that never archived
    "-1, 100, 0, true",
    "-1, 100, 1, false",
    "-1, 0, 0, true",
    "-1, -1, 0, false",
    // a peer behind serves nobody, whatever it archived
    "50, 49, 0, false",
    "50, 49, 10, false",
    // a pivot of 0 is no archived height, so it is not compared
    "0, 1, 0, true",
    "1, 2, 1, false",
    "2, 3, 1, true",
    // heights have 64 bits
    "9223372036854775806, 9223372036854775807, 9223372036854775805, true",
    "9223372036854775806, 9223372036854775807, 9223372036854775806, false",
    "4294967296, 4294967297, 4294967295, true",
    "4294967296, 4294967297, 4294967296, false",
  })
  void aPeerServesWhoLacksNothingThatItArchived(
      long nodeHeight, long peerHeight, long pivot, boolean serves) {
    assertThat(new SyncSource("peer", peerHeight, pivot).canServe(nodeHeight)).isEqualTo(serves);
  }

  @Test
  void theEligibleKeepTheOrderGiven() {
    SyncSource c = new SyncSource("c", 90, 0);
    SyncSource behind = new SyncSource("behind", 10, 0);
    SyncSource a = new SyncSource("a", 70, 49);
    SyncSource archivedTooMuch = new SyncSource("archived too much", 99, 50);
    assertThat(SyncSource.eligible(50, List.of(c, behind, a, archivedTooMuch)))
        .containsExactly(c, a);
    assertThat(SyncSource.eligible(50, List.of())).isEmpty();
  }

  @ParameterizedTest(name = "a peer at {0} with pivot {1}")
  @CsvSource({"-2, 0", "10, -1", "10, 11", "-1, 1", "0, 1"})
  void aPeerThatCannotBeIsRefused(long height, long pivot) {
    assertThatIllegalArgumentException().isThrownBy(() -> new SyncSource("peer", height, pivot));
  }
}
