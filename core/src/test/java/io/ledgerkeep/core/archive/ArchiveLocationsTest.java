package io.ledgerkeep.core.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.SampleChain;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ArchiveLocationsTest {

  private static final List<Block> ONE = SampleChain.ofSeed(1).blocks(3).toList();
  private static final List<Block> OTHER = SampleChain.ofSeed(2).blocks(3).toList();

  private final InMemoryArchiveStore store = new InMemoryArchiveStore();

  @Test
  void withNoArchiveItSaysSo() {
    store.put("abcd/0123/segments/orphan.lks", Bytes.EMPTY::writeTo);
    assertThatThrownBy(() -> ArchiveLocations.find(store, Optional.empty()))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("no archive");
  }

  @Test
  void theOnlyArchiveNeedsNoName() {
    ArchiveNames names = SampleArchive.write(store, SampleArchive.ledgerId(1), ONE, 3);
    assertThat(ArchiveLocations.find(store, Optional.empty())).isEqualTo(names);
    assertThatThrownBy(() -> ArchiveLocations.find(store, Optional.of("ffff/ffff")))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("ffff/ffff");
  }

  @Test
  void ofSeveralTheOneMeantIsFoundByABeginningThatOnlyItHas() {
    ArchiveNames first = SampleArchive.write(store, Bytes.fromHex("01" + "0".repeat(30)), ONE, 3);
    ArchiveNames second = SampleArchive.write(store, Bytes.fromHex("02" + "0".repeat(30)), ONE, 3);
    ArchiveNames third = SampleArchive.write(store, SampleArchive.ledgerId(9), OTHER, 3);
    String one = first.genesisHash().hex();
    String other = third.genesisHash().hex();

    assertThat(find(other)).isEqualTo(third);
    assertThat(find(other.substring(0, 8))).isEqualTo(third);
    assertThat(find(other.toUpperCase(Locale.ROOT))).isEqualTo(third);
    assertThat(find(one + "/01")).isEqualTo(first);
    assertThat(find(one.substring(0, 8) + "/02")).isEqualTo(second);
    assertThat(find("/02")).isEqualTo(second);
    for (Optional<String> unclear :
        List.of(Optional.<String>empty(), Optional.of(one), Optional.of(one + "/0"))) {
      assertThatThrownBy(() -> ArchiveLocations.find(store, unclear))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("--ledger")
          .hasMessageContaining(one + "/" + first.ledgerId().hex())
          .hasMessageContaining(one + "/" + second.ledgerId().hex());
    }
  }

  private ArchiveNames find(String wanted) {
    return ArchiveLocations.find(store, Optional.of(wanted));
  }
}
