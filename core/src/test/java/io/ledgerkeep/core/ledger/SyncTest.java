package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Ledgerkeep.Conversion.Outcome;
import io.ledgerkeep.Ledgerkeep.Sync;
import io.ledgerkeep.Options;
import io.ledgerkeep.Rebuilder.Request;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.files.Directories;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobControl;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A new node has what others have, proven, or it has nothing. */
final class SyncTest {

  private static final int BODIES = 3;
  private static final int TRANSACTION = 0;
  private static final int RW_SET = 1;

  @TempDir Path temporary;

  @AfterEach
  void nobodyIsTold() {
    FailPoint.tell(null);
  }

  // ------------------------------------------------------------------------------------ settings

  private BackupWorld world(boolean encrypted) {
    return new BackupWorld(temporary, encrypted);
  }

  private Path node() {
    return temporary.resolve("node");
  }

  private Settings settings(BackupWorld world) {
    Settings settings = world.settings(node());
    settings.copyArchiveBytes = 2_000;
    settings.handOverBytes = 2_000;
    return settings;
  }

  private static Ledgerkeep.Builder of(Settings settings) {
    return new LedgerBuilder(settings);
  }

  private static Ledgerkeep.Builder ledger(BackupWorld world) {
    return of(world.settings(world.ledger()));
  }

  private static Ledgerkeep.ArchiveBuilder archive(BackupWorld world) {
    Ledgerkeep.ArchiveBuilder builder = new AloneArchiveBuilder().store(world.store.reopen());
    return world.encrypted ? builder.encryption("aes", Options.of("key", Keys.AES)) : builder;
  }

  private Sync.Report sync(BackupWorld world, Sync sync) {
    return of(settings(world)).sync(sync);
  }

  private Ledger open(BackupWorld world) {
    return new LedgerOpener(settings(world)).open(false);
  }

  private void assertNode(BackupWorld world, int count, long pivot) {
    try (Ledger whole = open(world)) {
      Replay.of(world.blocks.subList(0, count)).assertToldBy(whole);
      assertThat(whole.archivedHeight()).isEqualTo(pivot);
      assertThat(whole.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
    }
    assertThat(node().resolve("SYNCING")).doesNotExist();
    assertThat(node().resolve("SYNCING.ledger")).doesNotExist();
  }

  private static Bytes hash(BackupWorld world, long height) {
    return world.blocks.get((int) height).hash();
  }

  private String idOf(Path directory, BackupWorld world) {
    Settings settings = settings(world);
    settings.directory = directory;
    try (Ledger ledger = new LedgerOpener(settings).open(false)) {
      return ledger.status().ledgerId();
    }
  }

  // ------------------------------------------------------------------------------------ sources

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anArchiveAloneBecomesALedgerOfItsOwn(boolean encrypted) {
    BackupWorld world = world(encrypted);
    world.grow(40, 24);
    Sync.Report report =
        sync(world, Sync.fromArchive(archive(world)).expecting(24, hash(world, 24)));
    assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    assertThat(List.of(report.height(), report.blocks(), report.archivedHeight()))
        .containsExactly(24L, 25L, 0L);
    assertNode(world, 25, 0);
    assertThat(idOf(node(), world))
        .isEqualTo(report.ledgerId())
        .isNotEqualTo(idOf(world.ledger(), world));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aSuccessorStartsArchivedAndGoesOnWithTheArchive(boolean encrypted) {
    BackupWorld world = world(encrypted);
    world.grow(40, 24);
    String id = idOf(world.ledger(), world);
    Directories.delete(world.ledger());
    long objects = world.store.list("").size();

    Sync.Report report =
        sync(world, Sync.fromArchive(archive(world)).asSuccessor().leavingArchived().trusting());
    assertThat(report.ledgerId()).isEqualTo(id);
    assertThat(report.archivedHeight()).isEqualTo(13); // block 14 is a config block
    assertThat(world.store.list("")).hasSize((int) objects);
    assertNode(world, 25, 13);
    try (Ledger ledger = open(world)) {
      world.grow(ledger, 40);
      ledger.archiver().archive(ArchiveRequest.upTo(28));
    }
    assertNode(world, 40, 28);
    try (var alone = archive(world).open()) {
      assertThat(alone.lastHeight()).isEqualTo(28);
      assertThat(alone.verify(Verification.Request.of(Level.CONTENT)).findings()).isEmpty();
    }
  }

  @Test
  void aLedgerOfItsOwnMayStartArchivedToo() {
    BackupWorld world = world(true);
    world.grow(40, 24);
    sync(world, Sync.fromLedger(ledger(world)).leavingArchived().trusting());
    assertNode(world, 40, 29);
    try (Ledger before = world.open()) {
      assertThat(before.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void ofACopiedLedgerOnlyTheBlockDatabaseIsNeeded(boolean encrypted) {
    BackupWorld world = world(encrypted);
    world.grow(40, 24);
    Directories.delete(world.ledger().resolve("state"));
    Directories.delete(world.ledger().resolve("history"));
    sync(world, Sync.fromLedger(ledger(world)).trusting());
    assertNode(world, 40, 0);
  }

  /** A copy from the middle of a roll back would end the archive where the original goes on. */
  @Test
  void nothingIsWrittenToTheArchiveOfASource() {
    BackupWorld world = world(false);
    world.grow(40, 24);
    world.crash(
        "rollback.committed",
        1,
        () -> of(world.settings(world.ledger())).rebuilder().rebuild(Request.upTo(18)));
    List<String> objects = world.store.list("");
    sync(world, Sync.fromLedger(ledger(world)).trusting());
    assertNode(world, 19, 0);
    assertThat(world.store.list("")).isEqualTo(objects);
  }

  @Test
  void whatALedgerHasArchivedComesFromTheArchive() {
    BackupWorld world = world(false);
    world.grow(40, 24);
    Settings bare = world.inPlain(world.ledger(), null);
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> sync(world, Sync.fromLedger(of(bare)).trusting()))
        .withMessageContaining("no source has block 1 whole");
    sync(world, Sync.fromLedger(of(bare)).andArchive(archive(world)).trusting());
    assertNode(world, 40, 0);
  }

  @Test
  void theNodeMayBeEncryptedWhateverTheSourceIs() {
    BackupWorld world = world(false);
    world.grow(40, 24);
    Settings settings = settings(world);
    settings.store = null;
    settings.encryption = new Encryption.Named("aes", Options.of("key", Keys.AES));
    of(settings).sync(Sync.fromArchive(archive(world)).trusting());
    try (Ledger ledger = new LedgerOpener(settings).open(false)) {
      Replay.of(world.blocks.subList(0, 25)).assertToldBy(ledger);
    }
    assertThat(world.filesWithMarker(node())).isEmpty();
  }

  // ------------------------------------------------------------------------------------ trust

  @Test
  void nothingIsTakenThatNothingVouchesFor() {
    BackupWorld world = world(false);
    world.grow(40, 24);
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> sync(world, Sync.fromLedger(ledger(world))))
        .withMessageContaining("--expect HEIGHT:HASH");
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(
            () -> sync(world, Sync.fromLedger(ledger(world)).expecting(30, hash(world, 29))))
        .withMessageContaining("of another chain or branch");
    assertThat(node()).doesNotExist();

    sync(world, Sync.fromLedger(ledger(world)).expecting(30, hash(world, 30)));
    assertNode(world, 31, 0);
  }

  @Test
  void theVerifierOfTheNodeHasTheLastWord() {
    BackupWorld world = world(false);
    world.grow(40, 24);
    Settings settings = settings(world);
    settings.verifier =
        block -> {
          if (block.height() == 27) {
            throw new IntegrityException("block 27 is not signed");
          }
        };
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> of(settings).sync(Sync.fromLedger(ledger(world))))
        .withMessageContaining("block 27 is not signed");
    AtomicInteger asked = new AtomicInteger();
    settings.verifier = block -> asked.incrementAndGet();
    of(settings).sync(Sync.fromLedger(ledger(world)));
    assertThat(asked.get()).isGreaterThanOrEqualTo(40);
    assertNode(world, 40, 0);
  }

  @Test
  void whatWasTakenOnTrustIsNotKeptWithoutIt() {
    BackupWorld world = world(false);
    world.grow(40, 0);
    cancelAfter(world, "sync.copied", Sync.fromLedger(ledger(world)).trusting());
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> sync(world, Sync.fromLedger(ledger(world)).expecting(3, hash(world, 3))))
        .withMessageContaining("nothing is given that vouches for those above 3");
  }

  private void cancelAfter(BackupWorld world, String place, Sync sync) {
    boolean[] passed = {false};
    FailPoint.tell(at -> passed[0] |= at.equals(place));
    JobControl control = new JobControl(progress -> {}, OptionalLong.empty(), () -> passed[0]);
    assertThat(sync(world, sync.with(control)).outcome()).isEqualTo(Outcome.CANCELLED);
    FailPoint.tell(null);
  }

  // ------------------------------------------------------------------------------------ damage

  private static Bytes row(long height, int ordinal, int part) {
    return new ByteWriter(16).u8(BODIES).u64(height).u32(ordinal).u8(part).take();
  }

  private static void damage(BackupWorld world, Path ledger, long height, int part) {
    world.disk.damage(ledger.resolve("block/db"), row(height, 0, part));
  }

  /** Makes another node of the same chain, with an archive nowhere. */
  private Path peer(BackupWorld world, List<Block> blocks) {
    Path peer = temporary.resolve("peer");
    Settings settings = world.inPlain(peer, null);
    try (Ledger ledger = new LedgerOpener(settings).open(true)) {
      ledger.commitAll(blocks);
    }
    return peer;
  }

  @Test
  void whatOneHasLostAnotherHas() {
    BackupWorld world = world(false);
    world.grow(40, 13);
    damage(world, world.ledger(), 30, TRANSACTION);
    damage(world, world.ledger(), 37, RW_SET);
    Sync damaged = Sync.fromLedger(ledger(world)).trusting();
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> sync(world, damaged))
        .withMessageContaining("no source has block 30 whole")
        .withMessageContaining("give another one");
    assertThat(node().resolve("LAYOUT")).doesNotExist();

    Path peer = peer(world, world.blocks);
    Sync.Report report =
        sync(
            world, damaged.andLedger(of(world.inPlain(peer, null))).expecting(37, hash(world, 37)));
    assertThat(report.regained()).isEqualTo(2);
    assertNode(world, 40, 0);
  }

  /** As a node that comes back after its disk lost blocks: its archive goes on being its own. */
  @Test
  void aDamagedLedgerHasASuccessor() {
    BackupWorld world = world(true);
    world.grow(40, 13);
    String id = idOf(world.ledger(), world);
    damage(world, world.ledger(), 30, TRANSACTION);
    Path peer = peer(world, world.blocks);
    sync(
        world,
        Sync.fromLedger(ledger(world))
            .andLedger(of(world.inPlain(peer, null)))
            .asSuccessor()
            .leavingArchived()
            .trusting());
    assertThat(idOf(node(), world)).isEqualTo(id);
    assertNode(world, 40, 29);
  }

  @Test
  void aPeerOnAnotherBranchIsNoHelp() {
    BackupWorld world = world(false);
    world.grow(40, 0);
    damage(world, world.ledger(), 30, TRANSACTION);
    List<Block> others = new ArrayList<>(world.blocks.subList(0, 30));
    Blocks other = Blocks.after(others.get(29));
    other.put("other", "token", Bytes.ofUtf8("k"), Bytes.ofUtf8("v"));
    others.add(other.build());
    Path peer = peer(world, others);
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(
            () ->
                sync(
                    world,
                    Sync.fromLedger(ledger(world))
                        .andLedger(of(world.inPlain(peer, null)))
                        .trusting()))
        .withMessageContaining("block 30: the ledger in")
        .withMessageContaining("recorded different ones");
  }

  /** Hashes are the node's own: two keepers may have the same ones above different bodies. */
  @Test
  void ledgersThatRecordedDifferentBlocksAreNotOneChain() {
    BackupWorld world = world(false);
    world.grow(40, 0);
    Path peer = peer(world, changedAt(world, 20));
    Sync sync = Sync.fromLedger(of(world.inPlain(peer, null))).andLedger(ledger(world)).trusting();
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> sync(world, sync))
        .withMessageContaining("block 20")
        .withMessageContaining(peer.toString())
        .withMessageContaining(world.ledger().toString())
        .withMessageContaining("leave one of them out");
    assertThat(node().resolve("LAYOUT")).doesNotExist();
  }

  @Test
  void whatAnEarlierCallTookIsComparedWithWhatLaterSourcesRecorded() {
    BackupWorld world = world(false);
    world.grow(40, 0);
    Path peer = peer(world, changedAt(world, 20));
    cancelAfter(world, "sync.copied", Sync.fromLedger(of(world.inPlain(peer, null))).trusting());
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> sync(world, Sync.fromLedger(ledger(world)).trusting()))
        .withMessageContaining("block 20")
        .withMessageContaining(world.ledger().toString())
        .withMessageContaining("empty " + node());
    assertThat(node().resolve("LAYOUT")).doesNotExist();
  }

  /** Returns the chain with the same headers, and another value in a block. */
  private static List<Block> changedAt(BackupWorld world, int height) {
    List<Block> blocks = new ArrayList<>(world.blocks);
    Block block = blocks.get(height);
    List<RwSet> sets = new ArrayList<>(block.rwSets());
    sets.set(0, new RwSet(sets.get(0).txId(), List.of(), List.of()));
    blocks.set(
        height,
        new Block(
            block.height(),
            block.kind(),
            block.hash(),
            block.previousHash(),
            block.header(),
            block.transactions(),
            sets,
            block.additional()));
    return blocks;
  }

  @Test
  void anotherChainIsNoSource() {
    BackupWorld world = world(false);
    world.grow(40, 0);
    Path peer = peer(world, List.of(Blocks.genesis().build()));
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(
            () ->
                sync(
                    world,
                    Sync.fromLedger(ledger(world))
                        .andLedger(of(world.inPlain(peer, null)))
                        .trusting()));
  }

  @Test
  void executingRegainsReadWriteSetsThatExistNowhere() {
    BackupWorld world = world(false);
    world.grow(40, 0);
    damage(world, world.ledger(), 30, RW_SET);
    damage(world, world.ledger(), 31, RW_SET);
    Sync damaged = Sync.fromLedger(ledger(world)).trusting();
    List<Long> states = new ArrayList<>();
    Sync.BlockExecutor node =
        (block, transactions, before) -> {
          states.add(before.height());
          List<RwSet> sets = world.blocks.get((int) block.height()).rwSets();
          assertThat(sets).hasSameSizeAs(transactions);
          return sets;
        };
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(
            () ->
                sync(
                    world,
                    damaged.executing(
                        (block, transactions, before) -> world.blocks.get(3).rwSets())))
        .withMessageContaining("no source has block 30 whole");
    Sync.Report report = sync(world, damaged.executing(node));
    assertThat(report.regained()).isEqualTo(2);
    assertThat(states).containsExactly(29L, 30L);
    assertNode(world, 40, 0);
  }

  // ------------------------------------------------------------------------------------ refusals

  @Test
  void aDirectoryWithAnythingInItIsNoPlace() throws Exception {
    BackupWorld world = world(false);
    world.grow(40, 24);
    Sync sync = Sync.fromLedger(ledger(world)).trusting();
    Files.writeString(node(), "mine");
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> sync(world, sync))
        .withMessageContaining("is a file");
    Files.delete(node());
    Files.createDirectories(node());
    Files.writeString(node().resolve("notes.txt"), "mine");
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> sync(world, sync))
        .withMessageContaining("notes.txt");
    Files.delete(node().resolve("notes.txt"));
    sync(world, sync);
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> sync(world, sync))
        .withMessageContaining("there is a ledger");
    Settings within = settings(world);
    within.directory = world.ledger().resolve("new");
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> of(within).sync(sync))
        .withMessageContaining("within each other");
  }

  @Test
  void aWrongKeyAndALedgerInUseAreRefused() {
    BackupWorld world = world(true);
    world.grow(40, 24);
    Ledgerkeep.ArchiveBuilder wrong =
        new AloneArchiveBuilder()
            .store(world.store.reopen())
            .encryption("aes", Options.of("key", Keys.OTHER_AES));
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(() -> sync(world, Sync.fromArchive(wrong).trusting()));
    try (Ledger open = world.open()) {
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> sync(world, Sync.fromLedger(ledger(world)).trusting()))
          .withMessageContaining(world.ledger().toString());
      assertThat(open.height()).isEqualTo(39);
    }
    assertThat(node()).doesNotExist();
  }

  /** The archive's keys are opened by the master key that is to be the node's. */
  @Test
  void aSuccessorUnderAnotherKeyIsRefused() {
    BackupWorld world = world(true);
    world.grow(40, 24);
    Settings settings = settings(world);
    settings.encryption = new Encryption.Named("aes", Options.of("key", Keys.OTHER_AES));
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(
            () -> of(settings).sync(Sync.fromArchive(archive(world)).asSuccessor().trusting()))
        .withMessageContaining("unlocks no key object");
    assertThat(node().resolve("LAYOUT")).doesNotExist();
    sync(world, Sync.fromArchive(archive(world)).asSuccessor().trusting());
    assertNode(world, 25, 0);
  }

  @Test
  void aSuccessorIsEncryptedAsItsArchiveIs() {
    BackupWorld world = world(true);
    world.grow(40, 24);
    Settings plain = settings(world);
    plain.encryption = Encryption.NONE;
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> of(plain).sync(Sync.fromArchive(archive(world)).asSuccessor().trusting()))
        .withMessageContaining("which is encrypted: give its key");
    assertThat(node()).doesNotExist();
  }

  @Test
  void aSuccessorOfALedgerIsEncryptedAsThatIs() {
    BackupWorld world = world(true);
    world.grow(40, 0);
    Settings plain = settings(world);
    plain.encryption = Encryption.NONE;
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> of(plain).sync(Sync.fromLedger(ledger(world)).asSuccessor().trusting()))
        .withMessageContaining("which is encrypted: give its key");
    assertThat(node()).doesNotExist();
  }

  /** The keys of the archive are in the archive alone; others of the same number never open it. */
  @Test
  void anEncryptedSuccessorNeedsTheArchive() {
    BackupWorld world = world(true);
    world.grow(40, 24);
    Path whole = peer(world, world.blocks);
    Settings settings = settings(world);
    settings.store = null;
    Sync sync =
        Sync.fromLedger(ledger(world))
            .andLedger(of(world.inPlain(whole, null)))
            .asSuccessor()
            .trusting();
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> of(settings).sync(sync))
        .withMessageContaining("--archive DIR");
    assertThat(node()).doesNotExist();
  }

  @Test
  void aSuccessorReachesTheEndOfItsArchive() {
    BackupWorld world = world(false);
    world.grow(40, 24);
    Sync sync = Sync.fromArchive(archive(world)).asSuccessor();
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> sync(world, sync.leavingArchived().expecting(20, hash(world, 20))))
        .withMessageContaining("height 24")
        .withMessageContaining("height 20");
    assertThat(node()).doesNotExist();
    sync(world, sync.leavingArchived().expecting(24, hash(world, 24)));
    assertNode(world, 25, 13);
  }

  @Test
  void theRestOfASyncIsDoneForItsChainOnly() {
    BackupWorld world = world(false);
    world.grow(40, 0);
    Sync sync = Sync.fromLedger(ledger(world)).trusting();
    world.crash("sync.switched", 1, () -> sync(world, sync));
    Path peer = peer(world, List.of(Blocks.genesis().build()));
    Sync other = Sync.fromLedger(of(world.inPlain(peer, null))).trusting();
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> sync(world, other))
        .withMessageContaining("another sync was begun");
    assertThat(sync(world, sync).outcome()).isEqualTo(Outcome.DONE);
    assertNode(world, 40, 0);
  }

  @Test
  void aCopyWithoutItsBlockDatabaseIsLeftAlone() throws Exception {
    BackupWorld world = world(false);
    world.grow(40, 0);
    Path copy = Files.createDirectories(temporary.resolve("copy"));
    Files.copy(world.ledger().resolve("LAYOUT"), copy.resolve("LAYOUT"));
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> sync(world, Sync.fromLedger(of(world.inPlain(copy, null))).trusting()))
        .withMessageContaining(copy.resolve("block").toString())
        .withMessageContaining("LAYOUT and the block database are needed");
    assertThat(copy.resolve("block")).doesNotExist();
  }

  @Test
  void theRoomIsCheckedBefore() {
    BackupWorld world = world(false);
    world.grow(40, 0);
    Settings settings = settings(world);
    settings.usableBytes = path -> 1;
    assertThatExceptionOfType(StorageException.class)
        .isThrownBy(() -> of(settings).sync(Sync.fromLedger(ledger(world)).trusting()))
        .matches(StorageException::isOutOfSpace);
    assertThat(node().resolve("SYNCING")).doesNotExist();
  }

  @Test
  void aDryRunWritesNothing() {
    BackupWorld world = world(false);
    world.grow(40, 24);
    Sync.Report report = sync(world, Sync.fromLedger(ledger(world)).trusting().asDryRun());
    assertThat(report.outcome()).isEqualTo(Outcome.PLANNED);
    assertThat(List.of(report.height(), report.blocks())).containsExactly(39L, 40L);
    assertThat(report.bytesNeeded()).isPositive();
    assertThat(node()).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"sync.copied", "sync.switched"})
  void anotherLedgerInItsPlaceIsNotGoneOnWith(String place) {
    BackupWorld world = world(false);
    world.grow(40, 0);
    Sync sync = Sync.fromLedger(ledger(world)).trusting();
    world.crash(place, 1, () -> sync(world, sync));
    SyncRecord record = SyncRecord.read(node()).orElseThrow();
    new SyncRecord(record.genesisHash(), Bytes.fromHex("00".repeat(16)), record.layout())
        .write(node());
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(() -> sync(world, sync))
        .withMessageContaining(record.ledgerId().hex());
    record.write(node());
    sync(world, sync);
    assertNode(world, 40, 0);
  }

  @Test
  void whatAnEarlierCallLeftToAnArchiveIsProvenWithIt() {
    BackupWorld world = world(false);
    world.grow(40, 0);
    Sync sync = Sync.fromLedger(ledger(world)).trusting();
    world.crash("sync.archived", 1, () -> sync(world, sync.leavingArchived()));
    Settings settings = settings(world);
    settings.store = null;
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> of(settings).sync(sync))
        .withMessageContaining("--archive DIR");
    sync(world, sync);
    assertNode(world, 40, 29);
  }

  // ------------------------------------------------------------------------------------ kills

  @ParameterizedTest
  @CsvSource({"false, false", "true, true"})
  void killedAnywhereItGoesOn(boolean encrypted, boolean successor) {
    BackupWorld world = world(encrypted);
    world.grow(40, 24);
    Sync wanted = Sync.fromLedger(ledger(world)).leavingArchived().trusting();
    Sync sync = successor ? wanted.andArchive(archive(world)).asSuccessor() : wanted;
    Map<String, Integer> places = new TreeMap<>();
    FailPoint.tell(place -> places.merge(place, 1, Integer::sum));
    sync(world, sync);
    places.keySet().removeIf(place -> !place.startsWith("sync."));
    assertThat(places).hasSizeGreaterThan(7);
    for (Map.Entry<String, Integer> place : places.entrySet()) {
      Directories.delete(node());
      world.crash(place.getKey(), (place.getValue() + 1) / 2, () -> sync(world, sync));
      if (!Files.exists(node().resolve("LAYOUT"))) {
        assertThatExceptionOfType(ConfigurationException.class)
            .as(place.getKey())
            .isThrownBy(() -> new LedgerOpener(settings(world)).open(true))
            .withMessageContaining("ledgerkeep sync");
      }
      if (!place.getKey().equals("sync.done")) {
        assertThat(sync(world, sync).outcome()).as(place.getKey()).isEqualTo(Outcome.DONE);
      }
      if (encrypted) {
        assertThat(world.filesWithMarker(node())).isEmpty();
      }
      assertNode(world, 40, 29);
    }
  }

  @Test
  void aCreationThatWasKilledIsBegunAnew() throws Exception {
    BackupWorld world = world(false);
    world.grow(40, 0);
    Sync sync = Sync.fromLedger(ledger(world)).trusting();
    world.crash("sync.begun", 1, () -> sync(world, sync));
    for (Database database : Database.values()) {
      Files.createDirectories(node().resolve(database.lowerCaseName() + "/db"));
      Files.writeString(node().resolve(database.lowerCaseName() + "/db/torn"), "torn");
    }
    assertThat(sync(world, sync).outcome()).isEqualTo(Outcome.DONE);
    assertNode(world, 40, 0);
  }
}
