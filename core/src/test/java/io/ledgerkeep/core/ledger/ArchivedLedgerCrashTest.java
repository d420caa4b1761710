package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a crash takes of state and history is replayed from bodies: so no body goes to the archive
 * before state and history are durable up to it.
 */
final class ArchivedLedgerCrashTest {

  @TempDir Path directory;

  private final List<Block> blocks = SampleChain.ofSeed(14).blocks(60).toList();

  @Test
  void aLedgerThatArchivedWhatItHadJustCommittedSurvivesACrash() {
    World world = new World(directory);
    Settings settings = world.settings();
    settings.store = new Settings.BuiltStore(new InMemoryArchiveStore());
    settings.unarchivedBlocks = 10L;
    Ledger ledger = world.open(settings);
    ledger.commitAll(blocks);
    ledger.archiver().archive(ArchiveRequest.upTo(40));
    world.crash(ledger);
    try (Ledger again = world.open(settings)) {
      assertThat(again.height()).isEqualTo(59);
      assertThat(again.archivedHeight()).isEqualTo(40);
      again.restorer().restore(RestoreRequest.downTo(1));
      Replay.of(blocks).assertToldBy(again);
    }
  }
}
