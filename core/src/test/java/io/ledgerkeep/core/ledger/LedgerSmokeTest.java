package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LedgerSmokeTest {

  @TempDir Path directory;

  @Test
  void blocksComeBackAfterReopening() {
    MemoryDisk disk = new MemoryDisk();
    List<Block> blocks = SampleChain.ofSeed(1).blocks(50).toList();
    try (Ledger ledger = open(disk)) {
      ledger.commitAll(blocks.subList(0, 20));
      blocks.subList(20, 50).forEach(ledger::commit);
    }
    try (Ledger ledger = open(disk)) {
      for (Block block : blocks) {
        assertThat(ledger.block(block.height())).contains(block);
        assertThat(ledger.blockByHash(block.hash())).contains(block);
      }
      assertThat(ledger.status().height()).isEqualTo(49);
    }
  }

  private Ledger open(MemoryDisk disk) {
    return Ledgerkeep.builder()
        .directory(directory)
        .storage(new InMemoryStorage(disk), Options.none())
        .reserveBytes(0)
        .open();
  }
}
