package io.ledgerkeep.core.archiving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.testkit.FaultPlan;
import io.ledgerkeep.testkit.FaultPlan.Call;
import io.ledgerkeep.testkit.FaultPlan.Fault;
import io.ledgerkeep.testkit.FaultyArchiveStore;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Segments under an old archive key are sealed anew, and nothing but that changes. */
@Timeout(120)
final class ReencryptTest {

  private static final String SOMEBODY = Keys.OTHER_AES;

  @TempDir Path directory;

  private final ExecutorService threads = Executors.newFixedThreadPool(4);
  private final MemoryDisk disk = new MemoryDisk(1);
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final List<Block> blocks =
      SampleChain.builder().seed(5).configAt(h -> h % 10 == 6).build().blocks(60).toList();
  private List<Archive.Segment> before = List.of();

  @BeforeEach
  void archive() {
    before = Workshop.archived(directory, memory(), store, blocks, 10, 25, 40);
  }

  @AfterEach
  void endThreads() {
    threads.shutdownNow();
  }

  private InMemoryStorage memory() {
    return new InMemoryStorage(disk);
  }

  private Workshop workshop() {
    return new Workshop(directory, memory(), store, threads);
  }

  private Ledger ledger() {
    return Workshop.ledger(directory, memory(), store);
  }

  private static ReencryptReport underNewKey(Workshop workshop) {
    workshop.newArchiveKey("SM4-GCM");
    assertThat(workshop.archiving.reconcileKeys()).isTrue();
    return workshop.reencryptSegments(JobControl.none());
  }

  private List<String> segments() {
    return store.list("").stream().filter(name -> name.endsWith(".lks")).toList();
  }

  private Archive alone(String provider, String master) {
    return alone(store, provider, master);
  }

  private static Archive alone(InMemoryArchiveStore at, String provider, String master) {
    return Ledgerkeep.archive()
        .store(at.reopen())
        .encryption(provider, Options.of("key", master))
        .open();
  }

  private void assertAllBlocks(Archive archive) {
    for (Block block : blocks.subList(0, 41)) {
      assertThat(archive.block(block.height())).contains(block);
      assertThat(archive.blockByHash(block.hash())).contains(block);
    }
    assertThat(archive.verify(Verification.Request.of(Level.CONTENT)).findings()).isEmpty();
  }

  @Test
  void everySegmentIsUnderTheNewestKeyAndHoldsTheSameBlocks() {
    try (Workshop workshop = workshop()) {
      ReencryptReport report = underNewKey(workshop);
      assertThat(report.segments()).isEqualTo(3);
      assertThat(report.blocks()).isEqualTo(41);
      assertThat(report.segmentsLeft()).isZero();
      assertThat(report.cancelled()).isFalse();
      List<Archive.Segment> after = workshop.archiving.archive().segments();
      assertThat(segments())
          .containsExactlyElementsOf(after.stream().map(Archive.Segment::name).toList())
          .doesNotContainAnyElementsOf(before.stream().map(Archive.Segment::name).toList());
      for (int i = 0; i < after.size(); i++) {
        assertThat(after.get(i).contentRoot()).isEqualTo(before.get(i).contentRoot());
        assertThat(after.get(i).digest()).isNotEqualTo(before.get(i).digest());
        assertThat(after.get(i).rawBytes()).isEqualTo(before.get(i).rawBytes());
      }
      assertThat(workshop.reencryptSegments(JobControl.none()).segments()).isZero();
      assertThat(workshop.archiving.archive().segments()).isEqualTo(after);
      assertThat(workshop.chain.job()).isEmpty();
    }
    try (Archive archive = alone("aes", Keys.AES)) {
      assertAllBlocks(archive);
    }
    try (Ledger ledger = ledger()) {
      assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
      ledger.archiver().archive(ArchiveRequest.upTo(48));
      assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
      ledger.restorer().restore(RestoreRequest.downTo(1));
      for (Block block : blocks) {
        assertThat(ledger.block(block.height())).contains(block);
      }
    }
  }

  @Test
  void onlySegmentsUnderAnOlderKeyAreReplaced() {
    try (Workshop workshop = workshop()) {
      workshop.newArchiveKey("AES-256-GCM");
    }
    List<Archive.Segment> both;
    try (Ledger ledger = ledger()) {
      ledger.archiver().archive(ArchiveRequest.upTo(48));
      both = ledger.archive().segments();
    }
    try (Workshop workshop = workshop()) {
      assertThat(workshop.reencryptSegments(JobControl.none()).segments()).isEqualTo(3);
      assertThat(workshop.archiving.archive().segments().get(3)).isEqualTo(both.get(3));
      assertThat(
              workshop
                  .archiving
                  .archive()
                  .verify(Verification.Request.of(Level.CONTENT))
                  .findings())
          .isEmpty();
    }
  }

  /** Else it would say that it is done, and exposed segments would stay. */
  @Test
  void withoutTheArchiveThatBodiesLieInNothingIsSealedAnew() {
    try (Ledger ledger =
        Ledgerkeep.builder()
            .directory(directory)
            .storage(memory(), Options.none())
            .encryption("aes", Options.of("key", Keys.AES))
            .reserveBytes(0)
            .open()) {
      LedgerKeys keys = ledger.keys().orElseThrow();
      keys.markExposed();
      assertThatThrownBy(() -> keys.reencrypt(JobControl.none()))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("no archive store");
    }
  }

  /** Whoever is told only that something failed might throw away the key that is needed now. */
  @Test
  void whereTheArchiveCannotFollowANewMasterKeyTheFailureSaysWhichKeysToKeep() {
    FaultPlan plan = new FaultPlan();
    try (Ledger ledger =
        Workshop.ledger(directory, memory(), new FaultyArchiveStore(store.reopen(), plan))) {
      plan.at(Set.of(Call.STORE_PUT), 1, Fault.FAIL);
      LedgerKeys keys = ledger.keys().orElseThrow();
      assertThatThrownBy(() -> keys.rewrap("aes", Options.of("key", SOMEBODY), Optional.empty()))
          .isInstanceOf(StorageException.class)
          .hasMessageContaining("under the new master key");
    }
    assertThatThrownBy(this::ledger).isInstanceOf(KeyUnavailableException.class);
    try (Archive archive = alone("aes", Keys.AES)) {
      assertAllBlocks(archive);
    }
  }

  @Test
  void aSegmentThatIsDamagedStaysAsItIs() {
    store.flipBit(before.get(1).name(), 8 * before.get(1).storedBytes() / 2);
    try (Workshop workshop = workshop()) {
      assertThatThrownBy(() -> underNewKey(workshop)).isInstanceOf(IntegrityException.class);
      assertThat(segments()).contains(before.get(1).name(), before.get(2).name()).hasSize(3);
      store.flipBit(before.get(1).name(), 8 * before.get(1).storedBytes() / 2);
      assertThat(workshop.reencryptSegments(JobControl.none()).segments()).isEqualTo(2);
    }
    try (Archive archive = alone("aes", Keys.AES)) {
      assertAllBlocks(archive);
    }
  }

  @Test
  void aSegmentThatIsNotWhatTheNodeRecordedStaysAsItIs() {
    try (Workshop workshop = workshop()) {
      workshop.recordOtherwise(workshop.chain.reader().requiredMeta(20).meta().transactionRoot());
      assertThatThrownBy(() -> underNewKey(workshop))
          .isInstanceOf(IntegrityException.class)
          .hasMessageContaining("block 20");
      assertThat(segments()).contains(before.get(1).name(), before.get(2).name()).hasSize(3);
    }
  }

  @Test
  void aRunThatIsCancelledIsGoneOnWith() {
    AtomicInteger asked = new AtomicInteger();
    JobControl cancelling = JobControl.none().cancelledBy(() -> asked.incrementAndGet() > 20);
    try (Workshop workshop = workshop()) {
      workshop.newArchiveKey("AES-256-GCM");
      ReencryptReport first = workshop.reencryptSegments(cancelling);
      assertThat(first.cancelled()).isTrue();
      assertThat(first.segments()).isEqualTo(1);
      assertThat(first.segmentsLeft()).isEqualTo(2);
      assertThat(workshop.chain.job()).isEmpty();
      assertThat(segments()).hasSize(3);
      assertThat(workshop.reencryptSegments(JobControl.none()).segments()).isEqualTo(2);
    }
  }

  @Test
  void aCopyOfTheArchiveFromBeforeIsRefused() {
    InMemoryArchiveStore copy = store.copy();
    try (Workshop workshop = workshop()) {
      underNewKey(workshop);
    }
    try (Workshop workshop = new Workshop(directory, memory(), copy, threads)) {
      assertThatThrownBy(() -> workshop.archiving.archive())
          .isInstanceOfSatisfying(
              ConflictException.class,
              e -> assertThat(e.reason()).isEqualTo(ConflictException.Reason.ARCHIVE));
      List<String> names = copy.list("");
      assertThatThrownBy(workshop.archiving::reconcileKeys).isInstanceOf(ConflictException.class);
      assertThat(copy.list("")).as("what is not its archive stays as it is").isEqualTo(names);
    }
  }

  /** Else there would be an instant at which an older copy is taken, and lacks nothing yet. */
  @Test
  void theLedgerDependsOnTheNewEntryBeforeTheOldSegmentGoes() {
    InMemoryArchiveStore copy = store.copy();
    FaultPlan plan = new FaultPlan();
    try (Workshop workshop =
        new Workshop(directory, memory(), new FaultyArchiveStore(store, plan), threads)) {
      workshop.newArchiveKey("SM4-GCM");
      plan.at(Call.STORE_DELETE, 1, Fault.FAIL);
      assertThatThrownBy(() -> workshop.reencryptSegments(JobControl.none()))
          .isInstanceOf(StorageException.class);
    }
    assertThat(segments()).contains(before.get(0).name()).hasSize(4);
    try (Workshop workshop = new Workshop(directory, memory(), copy, threads)) {
      assertThatThrownBy(() -> workshop.archiving.archive()).isInstanceOf(ConflictException.class);
    }
    try (Ledger ledger = ledger()) {
      ledger.archiver().archive(ArchiveRequest.upTo(48));
      assertThat(segments())
          .as("any job removes what was replaced")
          .isEqualTo(ledger.archive().segments().stream().map(Archive.Segment::name).toList());
    }
  }

  @Test
  void aSegmentThatTheStoreSpoiledTakesNoPlace() {
    PublishedSegmentTest.ChangingStore spoiling =
        new PublishedSegmentTest.ChangingStore(store, ".lks", ReencryptTest::spoiled);
    try (Workshop workshop = new Workshop(directory, memory(), spoiling, threads)) {
      workshop.newArchiveKey("SM4-GCM");
      assertThatThrownBy(() -> workshop.reencryptSegments(JobControl.none()))
          .isInstanceOf(IntegrityException.class);
      assertThat(workshop.archiving.archive().segments()).isEqualTo(before);
    }
    try (Workshop workshop = workshop()) {
      assertThat(workshop.reencryptSegments(JobControl.none()).segments()).isEqualTo(3);
    }
    assertThat(segments()).hasSize(3);
    try (Archive archive = alone("aes", Keys.AES)) {
      assertAllBlocks(archive);
    }
  }

  private static Bytes spoiled(Bytes segment) {
    byte[] bytes = segment.toArray();
    bytes[bytes.length / 2] ^= 1;
    return Bytes.wrap(bytes);
  }

  /** The archive could not be opened by a holder if something were under it at once. */
  @Test
  void aKeyThatIsMadeWhileAJobRunsIsForTheNextOne() {
    try (Workshop workshop = workshop()) {
      AtomicBoolean made = new AtomicBoolean();
      JobControl control =
          JobControl.none()
              .onProgress(
                  progress -> {
                    if (made.compareAndSet(false, true)) {
                      workshop.newArchiveKey("AES-256-GCM");
                    }
                  });
      workshop
          .archiving
          .archiver(() -> Long.MAX_VALUE)
          .archive(ArchiveRequest.upTo(48).with(control));
      assertThat(made).isTrue();
      assertThat(store.list("").stream().filter(name -> name.contains("/keys/"))).hasSize(1);
    }
    try (Archive archive = alone("aes", Keys.AES)) {
      assertThat(archive.block(48)).contains(blocks.get(48));
    }
  }

  @Test
  void readersOfTheNodeSeeEveryBlockMeanwhile() throws Exception {
    try (Workshop workshop = workshop()) {
      AtomicBoolean done = new AtomicBoolean();
      AtomicInteger reads = new AtomicInteger();
      List<BlockMeta> metas =
          workshop.chain.reader().metas(0, 40).stream().map(row -> row.meta()).toList();
      Archive taken = workshop.archiving.archive();
      List<Future<?>> readers =
          IntStream.range(0, 2)
              .<Future<?>>mapToObj(
                  seed ->
                      threads.submit(
                          () -> {
                            Random random = new Random(seed);
                            while (!done.get() || reads.get() < 100) {
                              int height = random.nextInt(41);
                              assertThat(workshop.archiving.bodies().block(metas.get(height)))
                                  .isEqualTo(blocks.get(height));
                              assertThat(taken.block(height)).contains(blocks.get(height));
                              reads.incrementAndGet();
                            }
                          }))
              .toList();
      for (int round = 0; round < 5; round++) {
        underNewKey(workshop);
        assertThat(taken.verify(Verification.Request.of(Level.BYTES)).findings()).isEmpty();
      }
      done.set(true);
      for (Future<?> reader : readers) {
        reader.get();
      }
    }
  }

  @Test
  void anArchiveOpenedAloneBeforeGoesOnOrSaysThatItIsToBeOpenedAgain() {
    try (Archive listed = Ledgerkeep.archive().store(store.reopen()).open();
        Archive reads = alone("aes", Keys.AES)) {
      assertThat(reads.block(3)).contains(blocks.get(3));
      try (Workshop workshop = workshop()) {
        underNewKey(workshop);
      }
      assertThatThrownBy(() -> reads.block(30))
          .isInstanceOf(KeyUnavailableException.class)
          .hasMessageContainingAll("archive key 2", "open the archive again");
      assertThat(listed.verify(Verification.Request.of(Level.BYTES)).findings()).isEmpty();
    }
    try (Workshop workshop = workshop()) {
      workshop.newArchiveKey("AES-256-GCM");
      workshop.archiving.reconcileKeys();
      try (Archive hasTheKey = alone("aes", Keys.AES)) {
        assertThat(hasTheKey.block(3)).contains(blocks.get(3));
        workshop.reencryptSegments(JobControl.none());
        assertAllBlocks(hasTheKey);
      }
    }
  }

  @Test
  void aHolderIsGivenTheArchiveAndWhoIsDroppedOpensNothingThatIsInItNow() {
    assertThatThrownBy(() -> alone("aes", SOMEBODY)).isInstanceOf(KeyUnavailableException.class);
    InMemoryArchiveStore kept;
    try (Workshop workshop = workshop()) {
      LedgerKeys.Holder holder = add(workshop, "auditor");
      workshop.archiving.reconcileKeys();
      try (Archive archive = alone("aes", SOMEBODY)) {
        assertAllBlocks(archive);
      }
      kept = store.copy();
      workshop.dropHolder(holder);
      workshop.archiving.reconcileKeys();
      assertThatThrownBy(() -> alone("aes", SOMEBODY)).isInstanceOf(KeyUnavailableException.class);
    }
    List<String> objects = kept.list("").stream().filter(n -> n.contains("/keys/")).toList();
    try (Archive archive = alone(kept, "aes", SOMEBODY)) {
      assertThat(archive.block(3)).as("dropping is no revocation").contains(blocks.get(3));
    }
    give(kept, objects);
    try (Archive archive = alone("aes", SOMEBODY)) {
      assertThat(archive.block(3)).as("who kept the object").contains(blocks.get(3));
    }
    try (Workshop workshop = workshop()) {
      underNewKey(workshop);
    }
    give(kept, objects);
    assertThatThrownBy(() -> alone("aes", SOMEBODY).block(3))
        .as("a new root is closed to him")
        .isInstanceOf(KeyUnavailableException.class);
  }

  @Test
  void verifyTellsWhatIsLeftOfWhoWasDropped() {
    try (Workshop workshop = workshop()) {
      LedgerKeys.Holder holder = add(workshop, "auditor");
      workshop.archiving.reconcileKeys();
      assertThat(findings(workshop)).isEmpty();
      workshop.dropHolder(holder);
      assertThat(findings(workshop)).hasSize(1).allMatch(text -> text.contains("former holder"));
      workshop.archiving.reconcileKeys();
      assertThat(findings(workshop)).isEmpty();
      assertThat(workshop.keyring.retired()).isEmpty();
    }
  }

  private static List<String> findings(Workshop workshop) {
    return workshop.archiving.archive().verify(Verification.Request.of(Level.STRUCTURE)).findings();
  }

  /** Whoever was dropped while the archive could not be reached is not forgotten. */
  @Test
  void anArchiveThatCannotBeReachedIsPutRightByTheNextRun() {
    try (Workshop workshop = workshop()) {
      LedgerKeys.Holder holder = add(workshop, "auditor");
      workshop.archiving.reconcileKeys();
      workshop.dropHolder(holder);
      store.setReachable(false);
      assertThatThrownBy(workshop.archiving::reconcileKeys).isInstanceOf(StorageException.class);
      store.setReachable(true);
    }
    try (Ledger ledger = ledger()) {
      ledger.archiver().archive(ArchiveRequest.upTo(48));
    }
    assertThatThrownBy(() -> alone("aes", SOMEBODY)).isInstanceOf(KeyUnavailableException.class);
    try (Workshop workshop = workshop()) {
      assertThat(workshop.keyring.retired()).isEmpty();
    }
  }

  /** Not even where the ledger has all bodies itself and there is only its archive of before. */
  @Test
  void anotherPlaceWithoutAnArchiveForgetsNobody() {
    try (Ledger ledger = ledger()) {
      ledger.restorer().restore(RestoreRequest.downTo(0));
    }
    try (Workshop workshop =
        new Workshop(directory, memory(), new InMemoryArchiveStore(), threads)) {
      workshop.dropHolder(add(workshop, "auditor"));
      assertThat(workshop.archiving.reconcileKeys()).isFalse();
      assertThat(workshop.keyring.retired()).hasSize(1);
    }
  }

  private static LedgerKeys.Holder add(Workshop workshop, String name) {
    try (KeyWrapper wrapper = Keys.wrapper("aes", SOMEBODY)) {
      return workshop.encryptor.addHolder(name, wrapper, Set.of());
    }
  }

  private void give(InMemoryArchiveStore from, List<String> objects) {
    for (String name : objects) {
      if (store.size(name).isEmpty()) {
        store.put(name, from.get(name, 0, 4096)::writeTo);
      }
    }
  }

  @Test
  void aLedgerWithoutAnArchiveHasNothingToDo() {
    InMemoryArchiveStore empty = new InMemoryArchiveStore();
    try (Ledger ledger = ledger()) {
      ledger.restorer().restore(RestoreRequest.downTo(0));
    }
    try (Workshop workshop = new Workshop(directory, memory(), empty, threads)) {
      assertThat(workshop.archiving.reconcileKeys()).isFalse();
      assertThat(workshop.reencryptSegments(JobControl.none()).segments()).isZero();
      assertThat(empty.list("")).isEmpty();
    }
  }
}
