package io.ledgerkeep.core.archiving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.archive.ArchiveLocations;
import io.ledgerkeep.core.archive.ArchiveNames;
import io.ledgerkeep.core.archive.Manifest;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.UnsupportedFormatException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An archive that is not the one the ledger wrote is noticed before anything is changed. */
final class WrongArchiveTest {

  @TempDir Path directory;

  private final MemoryDisk disk = new MemoryDisk();
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final SampleChain chain = SampleChain.ofSeed(11);
  private final List<Block> blocks = chain.blocks(60).toList();
  private InMemoryArchiveStore older;

  @BeforeEach
  void archiveTwice() {
    try (Ledger ledger = open(store)) {
      ledger.commitAll(blocks);
      ledger.archiver().archive(ArchiveRequest.upTo(20));
      older = store.copy();
      ledger.archiver().archive(ArchiveRequest.upTo(40));
    }
  }

  @Test
  void anEmptyArchiveIsRefused() {
    assertRefused(new InMemoryArchiveStore(), Reason.ARCHIVE);
  }

  @Test
  void anOlderArchiveIsRefused() {
    assertRefused(older, Reason.ARCHIVE);
  }

  @Test
  void theArchiveOfAnotherLedgerOfTheChainIsRefused() {
    InMemoryArchiveStore foreign = new InMemoryArchiveStore();
    try (Ledger other = open(directory.resolve("other"), new MemoryDisk(), foreign)) {
      other.commitAll(blocks);
      other.archiver().archive(ArchiveRequest.upTo(40));
    }
    assertRefused(foreign, Reason.ARCHIVE);
  }

  @Test
  void severalLedgersShareAPlaceAndOneIsChosenByName() {
    String otherId;
    try (Ledger other = open(directory.resolve("other"), new MemoryDisk(), store.reopen())) {
      other.commitAll(blocks);
      other.archiver().archive(ArchiveRequest.upTo(30));
      otherId = other.status().ledgerId();
    }
    assertThatThrownBy(() -> Ledgerkeep.archive().store(store.reopen()).open())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("2 ledgers")
        .hasMessageContaining(otherId);
    String genesis = blocks.get(0).hash().hex();
    try (var archive =
        Ledgerkeep.archive()
            .store(store.reopen())
            .ledger(genesis + "/" + otherId.substring(0, 8))
            .open()) {
      assertThat(archive.ledgerId()).isEqualTo(otherId);
      assertThat(archive.lastHeight()).isEqualTo(30);
    }
  }

  @Test
  void anUnreachableArchiveLeavesEverythingAsItIs() {
    InMemoryArchiveStore gone = store.reopen();
    gone.setReachable(false);
    try (Ledger ledger = open(gone)) {
      assertThatThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(45)))
          .isInstanceOf(LedgerkeepException.class);
      assertThat(ledger.archivedHeight()).isEqualTo(40);
      gone.setReachable(true);
      ledger.archiver().archive(ArchiveRequest.upTo(45));
      assertThat(ledger.archivedHeight()).isEqualTo(45);
    }
  }

  @Test
  void aFullArchiveIsToldAndWorksAgainWhenThereIsRoom() {
    InMemoryArchiveStore full = store.reopen();
    full.limitBytes(full.usedBytes() + 100);
    try (Ledger ledger = open(full)) {
      assertThatThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(45)))
          .satisfies(
              e -> assertThat(((io.ledgerkeep.error.StorageException) e).isOutOfSpace()).isTrue());
      assertThat(ledger.archivedHeight()).isEqualTo(40);
      full.limitBytes(Long.MAX_VALUE);
      ledger.archiver().archive(ArchiveRequest.upTo(45));
      assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
    }
  }

  @Test
  void aDamagedSegmentIsNotRestoredFromAndNotReusedForDeleting() {
    String segment = segments().get(0);
    InMemoryArchiveStore damaged = store.reopen();
    try (Ledger ledger = open(damaged)) {
      ledger.restorer().restore(RestoreRequest.downTo(5));
    }
    damaged = store.reopen();
    damaged.flipBit(segment, 8L * 250);
    try (Ledger ledger = open(damaged)) {
      assertThatThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(15)))
          .isInstanceOf(IntegrityException.class);
      assertThat(ledger.archivedHeight()).isEqualTo(4);
      for (Block block : blocks.subList(5, 60)) {
        assertThat(ledger.block(block.height())).contains(block);
      }
      assertThatThrownBy(() -> ledger.restorer().restore(RestoreRequest.downTo(1)))
          .isInstanceOf(IntegrityException.class);
      assertThat(ledger.archivedHeight()).isEqualTo(4);
      Verification found = ledger.verify(Verification.Request.of(Level.LEDGER));
      assertThat(found.findings()).isNotEmpty();
    }
  }

  @Test
  void theNodesOwnRuleHasTheLastWordInARestore() {
    try (Ledger ledger =
        builder(directory, disk, store.reopen())
            .blockVerifier(
                block -> {
                  if (block.height() == 30) {
                    throw new IntegrityException("not what we agreed on");
                  }
                })
            .open()) {
      assertThatThrownBy(() -> ledger.restorer().restore(RestoreRequest.downTo(1)))
          .hasMessage("not what we agreed on");
      assertThat(ledger.archivedHeight()).isGreaterThanOrEqualTo(30);
    }
  }

  @Test
  void everyByteOfTheManifestIsProvenByTheEntryThatTheLedgerRecorded() {
    List<String> entries =
        store.list("").stream().filter(name -> name.contains("/manifest/")).toList();
    assertThat(entries).hasSize(3);
    ArchiveNames names = ArchiveLocations.find(store, Optional.empty());
    Manifest.Head recorded = Manifest.open(store, names).orElseThrow().head();
    for (String entry : entries) {
      long size = store.size(entry).orElseThrow();
      for (long bit = 0; bit < 8 * size; bit++) {
        InMemoryArchiveStore damaged = store.copy();
        damaged.flipBit(entry, bit);
        assertThat(isTaken(damaged, names, recorded)).as("bit %d of %s", bit, entry).isFalse();
      }
      for (int length = 0; length < size; length++) {
        InMemoryArchiveStore cut = store.copy();
        cut.truncate(entry, length);
        assertThat(isTaken(cut, names, recorded)).as("%d bytes of %s", length, entry).isFalse();
      }
      InMemoryArchiveStore without = store.copy();
      without.remove(entry);
      assertThat(isTaken(without, names, recorded)).as("without %s", entry).isFalse();
    }
    InMemoryArchiveStore swapped = store.copy();
    Bytes first = swapped.get(entries.get(1), 0, 4096);
    swapped.replace(entries.get(1), swapped.get(entries.get(2), 0, 4096));
    swapped.replace(entries.get(2), first);
    assertThat(isTaken(swapped, names, recorded)).isFalse();
    assertThat(isTaken(store, names, recorded)).isTrue();
  }

  private static boolean isTaken(ArchiveStore archive, ArchiveNames names, Manifest.Head recorded) {
    try {
      return Manifest.open(archive, names)
          .filter(manifest -> manifest.holds(recorded.sequence(), recorded.digest()))
          .isPresent();
    } catch (IntegrityException | ConfigurationException | UnsupportedFormatException e) {
      return false;
    }
  }

  @Test
  void aLedgerWithNothingArchivedMayBeginAnotherArchive() {
    try (Ledger ledger = open(store.reopen())) {
      ledger.restorer().restore(RestoreRequest.downTo(1));
    }
    for (InMemoryArchiveStore other : List.of(new InMemoryArchiveStore(), older)) {
      try (Ledger ledger = open(other)) {
        ledger.archiver().archive(ArchiveRequest.upTo(45));
        assertThat(ledger.archivedHeight()).isEqualTo(45);
        ledger.restorer().restore(RestoreRequest.downTo(1));
        assertThat(ledger.block(45)).contains(blocks.get(45));
      }
    }
  }

  @Test
  void filesOfOthersAmongTheEntriesArePassedOver() {
    String entry =
        store.list("").stream().filter(name -> name.endsWith(".json")).findFirst().orElseThrow();
    for (String name : List.of("0.json", "notes.txt", "0000000000000001.json.bak")) {
      store.put(entry.replaceAll("[^/]*$", name), out -> out.write(1));
    }
    try (Ledger ledger = open(store.reopen())) {
      ledger.archiver().archive(ArchiveRequest.upTo(45));
      assertThat(ledger.archivedHeight()).isEqualTo(45);
    }
  }

  @Test
  void aCancelledRunReportsItAndGoesOnLater() {
    try (Ledger ledger = open(store.reopen())) {
      JobControl cancelled = JobControl.none().cancelledBy(() -> true);
      assertThat(ledger.archiver().archive(ArchiveRequest.upTo(45).with(cancelled)).cancelled())
          .isTrue();
      assertThat(ledger.restorer().restore(RestoreRequest.downTo(1).with(cancelled)).cancelled())
          .isTrue();
      assertThat(ledger.archivedHeight()).isEqualTo(40);
      ledger.restorer().restore(RestoreRequest.downTo(1));
      assertThat(ledger.block(1)).isEqualTo(Optional.of(blocks.get(1)));
    }
  }

  private void assertRefused(InMemoryArchiveStore wrong, Reason reason) {
    try (Ledger ledger = open(wrong)) {
      assertThat(ledger.height()).isEqualTo(59);
      assertThatThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(45)))
          .isInstanceOfSatisfying(
              ConflictException.class, e -> assertThat(e.reason()).isEqualTo(reason));
      assertThatThrownBy(() -> ledger.restorer().restore(RestoreRequest.downTo(1)))
          .isInstanceOf(ConflictException.class);
      assertThat(ledger.archivedHeight()).isEqualTo(40);
      assertThat(ledger.block(45)).contains(blocks.get(45));
    }
  }

  private List<String> segments() {
    return store.list("").stream().filter(name -> name.endsWith(".lks")).toList();
  }

  private Ledger open(ArchiveStore archive) {
    return open(directory, disk, archive);
  }

  private static Ledger open(Path place, MemoryDisk disk, ArchiveStore archive) {
    return builder(place, disk, archive).open();
  }

  private static Ledgerkeep.Builder builder(Path place, MemoryDisk disk, ArchiveStore archive) {
    return Ledgerkeep.builder()
        .directory(place.resolve("ledger"))
        .storage(new InMemoryStorage(disk), Options.none())
        .archiveStore(archive)
        .unarchivedBlocks(10)
        .reserveBytes(0);
  }
}
