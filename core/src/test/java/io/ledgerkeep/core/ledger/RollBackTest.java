package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.Rebuilder.Plan;
import io.ledgerkeep.Rebuilder.Report;
import io.ledgerkeep.Rebuilder.Request;
import io.ledgerkeep.Rebuilder.RollBack;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.chain.ChainKeys;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.error.ArchivedException;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import io.ledgerkeep.testkit.FaultPlan;
import io.ledgerkeep.testkit.FaultPlan.Call;
import io.ledgerkeep.testkit.FaultPlan.Fault;
import io.ledgerkeep.testkit.FaultyArchiveStore;
import io.ledgerkeep.testkit.FaultyStorage;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.MachineCrash;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A ledger that is rolled back to a height is one that never was above it. */
final class RollBackTest {

  private static final int COUNT = 40;
  private static final long UNARCHIVED = 12;
  private static final long PIVOT = 20;
  private static final Clock NOON =
      Clock.fixed(Instant.parse("2026-05-04T12:00:00Z"), ZoneOffset.UTC);
  private static final String BACKUP = "backup-20260504T120000Z-rollback";

  @TempDir Path temporary;

  private final List<Block> blocks = chain();
  private final MemoryDisk disk = new MemoryDisk();
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private boolean encrypted;
  private @Nullable Path elsewhere;

  // ------------------------------------------------------------------------------------ chains

  /** Keys are written again and again, deleted, and some for the first time at the end. */
  private static List<Block> chain() {
    List<Block> chain = new ArrayList<>();
    SampleChain.builder()
        .seed(9)
        .transactionsPerBlock(2)
        .configAt(height -> height % 9 == 5)
        .build()
        .blocks(COUNT)
        .forEach(sample -> chain.add(withWrites(Blocks.like(sample), "S").build()));
    return chain;
  }

  private static Blocks withWrites(Blocks next, String id) {
    long h = next.height;
    next.put(id + h, "token", Bytes.ofUtf8("k" + h % 7), Bytes.ofUtf8(id + " value " + h));
    next.put(id + "N" + h, "new", Bytes.ofUtf8("at " + h), Bytes.ofUtf8("first"));
    next.put(id + "A" + h, "token", Bytes.ofUtf8("always"), Bytes.ofUtf8(id + h));
    if (h % 7 == 6) {
      next.delete(id + "D" + h, "token", Bytes.ofUtf8("k" + h % 7));
    }
    return next;
  }

  /** Another branch above a height, which has ids of the former one again. */
  private List<Block> branch(long height, int count) {
    List<Block> branch = new ArrayList<>(blocks.subList(0, (int) height + 1));
    for (int i = 0; i < count; i++) {
      Blocks next = Blocks.after(branch.get(branch.size() - 1));
      next.hash = Bytes.ofUtf8("other hash " + next.height);
      next.kind = next.height % 11 == 3 ? Block.Kind.CONFIG : Block.Kind.NORMAL;
      branch.add(withWrites(next, next.height % 2 == 0 ? "S" : "T").build());
    }
    return branch;
  }

  // ------------------------------------------------------------------------------------ settings

  private Settings settings() {
    return settings(disk, new FaultPlan(), store.reopen());
  }

  private Settings settings(MemoryDisk on, FaultPlan plan, @Nullable ArchiveStore archive) {
    Settings settings = new Settings();
    settings.directory = root();
    settings.engine =
        new Settings.ProvidedEngine(new FaultyStorage(new LandStorage(on), plan), Options.none());
    settings.store = archive == null ? null : new Settings.BuiltStore(archive);
    settings.reserveBytes = 0;
    settings.readThrough = true;
    if (encrypted) {
      settings.encryption = new Encryption.Named("aes", Options.of("key", Keys.AES));
    }
    return settings;
  }

  private Path root() {
    return elsewhere == null ? temporary.resolve("ledger") : elsewhere;
  }

  private static Report rollBack(Settings settings, Request request) {
    return new LedgerRebuilder(settings, NOON).rebuild(request);
  }

  private RollBack rollBack(long height) {
    Report report = rollBack(settings(), Request.upTo(height));
    assertThat(report.height()).isEqualTo(height);
    assertThat(report.backup()).contains(root().resolve(BACKUP));
    return report.rollBack().orElseThrow();
  }

  private static Ledger open(Settings settings) {
    return new LedgerOpener(settings).open(false);
  }

  private void fill(boolean archived) {
    fill(settings(), archived);
  }

  /** The archive has the segments 0 to 8, 9 to 15 and 16 to 20. */
  private void fill(Settings settings, boolean archived) {
    settings.unarchivedBlocks = UNARCHIVED;
    try (Ledger made = new LedgerOpener(settings).open(true)) {
      made.commitAll(blocks);
      if (archived) {
        for (long to : List.of(8L, 15L, PIVOT)) {
          made.archiver().archive(ArchiveRequest.upTo(to));
        }
      }
    }
  }

  private static long highestNormal(List<Block> of, long height) {
    long at = Math.max(0, height);
    while (at > 0 && of.get((int) at).kind() != Block.Kind.NORMAL) {
      at--;
    }
    return at;
  }

  private long pivotAt(long height, boolean archived) {
    return archived ? highestNormal(blocks, Math.min(PIVOT, height - UNARCHIVED)) : 0;
  }

  private void assertIs(Settings settings, List<Block> chain, long pivot) {
    try (Ledger ledger = open(settings)) {
      assertIs(ledger, chain, pivot);
    }
  }

  private static void assertIs(Ledger ledger, List<Block> chain, long pivot) {
    assertTells(ledger, chain, pivot);
    for (Level level : Level.values()) {
      assertThat(ledger.verify(Verification.Request.of(level)).findings())
          .as("%s", level)
          .isEmpty();
    }
  }

  private static void assertTells(Ledger ledger, List<Block> chain, long pivot) {
    Replay.of(chain).assertToldBy(ledger);
    assertThat(ledger.archivedHeight()).isEqualTo(pivot);
    assertThat(ledger.status().job()).isEmpty();
  }

  private void assertIsWhole(boolean archived) {
    assertIs(settings(), blocks, archived ? PIVOT : 0);
    assertNothingIsLeft();
  }

  private void assertNothingIsLeft() {
    assertThat(root().resolve("ROLLINGBACK")).doesNotExist();
    if (root().equals(temporary.resolve("ledger"))) {
      assertThat(content(Database.BLOCK)).doesNotContainKey(ChainKeys.record("rollback"));
    }
  }

  private TreeMap<Bytes, Bytes> content(Database database) {
    Path home = root().resolve(Layout.read(root()).place(database).directory());
    try (StorageEngine engine = new LandStorage(disk).open(home.resolve("db"), Options.none())) {
      return World.content(engine);
    }
  }

  private void change(Database database, Consumer<WriteBatch> change) {
    WriteBatch batch = new WriteBatch();
    change.accept(batch);
    Path home = root().resolve(Layout.read(root()).place(database).directory());
    try (StorageEngine engine = new LandStorage(disk).open(home.resolve("db"), Options.none())) {
      engine.write(batch, Durability.DURABLE);
    }
  }

  private Map<Database, TreeMap<Bytes, Bytes>> content() {
    Map<Database, TreeMap<Bytes, Bytes>> all = new TreeMap<>();
    for (Database database : Database.values()) {
      all.put(database, content(database));
    }
    return all;
  }

  private Archive backup() {
    Ledgerkeep.ArchiveBuilder builder =
        Ledgerkeep.archive()
            .store("directory", Options.of("path", root().resolve(BACKUP).toString()));
    return encrypted
        ? builder.encryption("aes", Options.of("key", Keys.AES)).open()
        : builder.open();
  }

  private static void delete(Path path) {
    try {
      MoreFiles.deleteRecursively(path, RecursiveDeleteOption.ALLOW_INSECURE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // ------------------------------------------------------------------------------------ equal

  @ParameterizedTest
  @CsvSource({
    "false,false,38", "false,false,14", "false,false,0", "true,false,25", "false,true,38",
    "false,true,30", "false,true,20", "true,true,18", "false,true,15", "false,true,14",
    "true,true,12", "false,true,8", "false,true,1", "true,true,0"
  })
  void itIsAsIfItHadNeverBeenHigher(boolean sealing, boolean archived, int height) {
    encrypted = sealing;
    fill(archived);
    List<Block> kept = blocks.subList(0, height + 1);
    List<Block> removed = blocks.subList(height + 1, COUNT);
    long pivot = pivotAt(height, archived);
    RollBack told = rollBack(height);
    assertThat(told.heightBefore()).isEqualTo(39);
    assertThat(told.blocks()).isEqualTo(39 - height);
    assertThat(told.archivedHeightBefore()).isEqualTo(archived ? PIVOT : 0);
    assertThat(told.archivedHeight()).isEqualTo(pivot);
    assertThat(told.restoredBlocks())
        .isEqualTo(
            kept.stream()
                .filter(block -> archived && block.kind() == Block.Kind.NORMAL)
                .filter(block -> block.height() > pivot && block.height() <= PIVOT)
                .count());
    assertIs(settings(), kept, pivot);
    assertNothingIsLeft();
    try (Ledger ledger = open(settings())) {
      Replay.assertUnknownTo(ledger, removed);
      if (archived) {
        Archive archive = ledger.archive();
        assertThat(archive.lastHeight()).isEqualTo(Math.min(height, PIVOT));
        for (Block block : removed) {
          assertThat(archive.block(block.height())).isEmpty();
          assertThat(archive.blockByHash(block.hash())).isEmpty();
          for (Transaction transaction : block.transactions()) {
            assertThat(archive.transaction(transaction.id())).isEmpty();
            assertThat(archive.rwSet(transaction.id())).isEmpty();
          }
        }
        assertThat(archive.retiredSegments())
            .extracting(Archive.Segment::firstHeight)
            .isEqualTo(Stream.of(9L, 16L).filter(first -> first > height).toList());
      }
    }
  }

  /** To the byte: every row but the few records of how it came about. */
  @ParameterizedTest
  @CsvSource({"false,29", "false,0", "true,38", "true,25", "true,12", "true,0"})
  void theRowsAreThoseOfALedgerThatNeverWasHigher(boolean archived, int height) {
    fill(archived);
    rollBack(height);
    Map<Database, TreeMap<Bytes, Bytes>> rolledBack = content();
    elsewhere = temporary.resolve("never higher");
    Settings settings = settings(disk, new FaultPlan(), new InMemoryArchiveStore());
    settings.unarchivedBlocks = UNARCHIVED;
    try (Ledger never = new LedgerOpener(settings).open(true)) {
      never.commitAll(blocks.subList(0, height + 1));
      if (pivotAt(height, archived) > 0) {
        never.archiver().archive(ArchiveRequest.upTo(pivotAt(height, archived)));
      }
    }
    Map<Database, TreeMap<Bytes, Bytes>> expected = content();
    for (Database database : Database.values()) {
      assertThat(rows(rolledBack, database)).as("%s", database).isEqualTo(rows(expected, database));
      Bytes height0 = ChainKeys.record("height");
      assertThat(rolledBack.get(database).get(height0))
          .isEqualTo(expected.get(database).get(height0));
    }
  }

  private static Map<Bytes, Bytes> rows(
      Map<Database, TreeMap<Bytes, Bytes>> content, Database database) {
    return content.get(database).tailMap(Bytes.wrap(new byte[] {2}));
  }

  @Test
  void largeValuesComeBackWholeAndLeaveNoPieces() {
    long[] sizes = {3 << 20, 10, (2 << 20) + 5, 1 << 20, 7, 3 << 20};
    for (int i = 0; i < sizes.length; i++) {
      Blocks next = Blocks.after(blocks.get(blocks.size() - 1));
      next.put("L" + i, "large", Bytes.ofUtf8("k"), Blocks.noise(i, (int) sizes[i]));
      blocks.add(next.build());
    }
    fill(true);
    for (int height = COUNT + sizes.length - 2; height >= COUNT - 1; height--) {
      rollBack(settings(), Request.upTo(height));
      assertIs(settings(), blocks.subList(0, height + 1), PIVOT);
    }
    for (Database database : Database.values()) {
      assertThat(content(database).keySet()).noneMatch(key -> (key.get(0) & 0x80) != 0);
    }
  }

  @Test
  void howManyBlocksStayOnTheNodeIsAsItWas() {
    fill(true);
    rollBack(30);
    try (Ledger ledger = open(settings())) {
      assertThat(ledger.status().unarchivedBlocks()).isEqualTo(UNARCHIVED);
      assertThat(ledger.status().highestArchivableHeight()).isEqualTo(18);
    }
  }

  // ------------------------------------------------------------------------------------ afterwards

  @ParameterizedTest
  @CsvSource({
    "false,false,25",
    "true,true,38",
    "false,true,20",
    "true,true,18",
    "false,true,15",
    "true,true,12",
    "false,true,0"
  })
  void anotherBranchIsCommittedArchivedAndRestored(boolean sealing, boolean archived, int height) {
    encrypted = sealing;
    fill(archived);
    rollBack(height);
    List<Block> branch = branch(height, 45 - height);
    try (Ledger ledger = open(settings())) {
      ledger.commitAll(branch.subList(height + 1, branch.size()));
      assertIs(ledger, branch, pivotAt(height, archived));
      long target = highestNormal(branch, branch.size() - 1 - UNARCHIVED);
      ledger.archiver().archive(ArchiveRequest.upTo(target));
      assertIs(ledger, branch, target);
      Archive archive = ledger.archive();
      for (Block block : blocks) {
        boolean counts = block.height() <= height;
        assertThat(archive.blockByHash(block.hash()).isPresent())
            .isEqualTo(counts && block.height() <= target);
      }
      for (Block block : branch.subList(0, (int) target + 1)) {
        assertThat(archive.block(block.height())).contains(block);
        assertThat(archive.blockByHash(block.hash())).contains(block);
        for (Transaction transaction : block.transactions()) {
          assertThat(archive.transaction(transaction.id())).contains(transaction);
        }
      }
      for (Archive.Segment retired : archive.retiredSegments()) {
        assertThat(store.size(retired.name())).isPresent();
      }
    }
    Settings off = settings();
    off.readThrough = false;
    try (Ledger ledger = open(off)) {
      assertThatExceptionOfType(ArchivedException.class).isThrownBy(() -> ledger.block(1));
    }
    try (Ledger ledger = open(settings())) {
      ledger.restorer().restore(RestoreRequest.downTo(0));
      assertIs(ledger, branch, 0);
    }
    assertIs(settings(disk, new FaultPlan(), null), branch, 0);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatWasTakenAwayIsInTheBackupAndIsCommittedAgain(boolean sealing) {
    encrypted = sealing;
    fill(true);
    rollBack(12);
    List<Block> found = new ArrayList<>();
    try (Archive backup = backup()) {
      assertThat(backup.firstHeight()).isEqualTo(13);
      assertThat(backup.lastHeight()).isEqualTo(39);
      assertThat(backup.block(12)).isEmpty();
      assertThat(backup.verify(Verification.Request.of(Level.CONTENT)).findings()).isEmpty();
      for (long height = 13; height <= 39; height++) {
        found.add(backup.block(height).orElseThrow());
      }
      assertThat(backup.transaction(blocks.get(20).transactions().get(1).id()))
          .contains(blocks.get(20).transactions().get(1));
    }
    try (Ledger ledger = open(settings())) {
      ledger.commitAll(found);
      ledger.archiver().archive(ArchiveRequest.upTo(PIVOT));
      assertThat(ledger.archive().retiredSegments()).hasSize(1); // written anew, not taken over
    }
    assertIsWhole(true);
  }

  @Test
  void aBackupIsNoArchiveOfTheLedger() {
    fill(false);
    rollBack(30);
    Settings wrong = settings(disk, new FaultPlan(), null);
    wrong.store =
        new Settings.NamedStore("directory", Options.of("path", root().resolve(BACKUP).toString()));
    try (Ledger ledger = open(wrong)) {
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(10)))
          .withMessageContaining("it is a backup");
    }
    try (Archive backup = backup()) {
      assertThat(
              backup
                  .verify(
                      Verification.Request.of(Level.CONTENT)
                          .expecting(3, blocks.get(3).hash())
                          .expecting(33, blocks.get(33).hash()))
                  .findings())
          .singleElement()
          .asString()
          .contains("begins at height 31");
    }
  }

  @Test
  void itIsRolledBackAgainAndAgain() {
    fill(true);
    List<Block> chain = new ArrayList<>(blocks);
    for (int height : new int[] {35, 19, 17, 10, 2}) {
      rollBack(settings(), Request.upTo(height));
      assertIs(settings(), chain.subList(0, height + 1), pivotAt(height, true));
      List<Block> more = branch(height, 3); // of the first blocks, all of which are there still
      chain = new ArrayList<>(chain.subList(0, height + 1));
      try (Ledger ledger = open(settings())) {
        ledger.commitAll(more.subList(height + 1, more.size()));
      }
      chain.addAll(more.subList(height + 1, more.size()));
      assertIs(settings(), chain, pivotAt(height, true));
      if (height > 17) {
        rollBack(settings(), Request.upTo(height));
        chain = new ArrayList<>(chain.subList(0, height + 1));
      } else {
        rollBack(settings(), Request.upTo(height));
        chain = new ArrayList<>(chain.subList(0, height + 1));
      }
    }
    try (Stream<Path> names = Files.list(root())) {
      assertThat(names.filter(name -> name.toString().endsWith("-rollback"))).hasSize(10);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** An archive that was not at hand learns of the deepest of them later. */
  @Test
  void anArchiveThatIsNotAtHandEndsWhenItIsWrittenNext() {
    fill(true);
    try (Ledger ledger = open(settings())) {
      ledger.restorer().restore(RestoreRequest.downTo(0));
    }
    Settings without = settings(disk, new FaultPlan(), null);
    rollBack(without, Request.upTo(18));
    rollBack(without, Request.upTo(10));
    List<Block> branch = branch(10, 30);
    try (Ledger ledger = open(without)) {
      ledger.commitAll(branch.subList(11, branch.size()));
    }
    rollBack(without, Request.upTo(35));
    branch = branch.subList(0, 36);
    try (Ledger ledger = open(settings())) {
      assertThat(ledger.archiver().plan(ArchiveRequest.upTo(20)).bytesNeeded()).isPositive();
      assertThat(ledger.archive().lastHeight()).isEqualTo(10);
      ledger.archiver().archive(ArchiveRequest.upTo(20));
      assertIs(ledger, branch, 20);
    }
  }

  /** Its first run died after it had listed a segment, so the ledger knows of none. */
  @Test
  void aSegmentThatTheLedgerDoesNotKnowOfIsNotTakenOver() {
    fill(true);
    try (Ledger ledger = open(settings())) {
      ledger.restorer().restore(RestoreRequest.downTo(0));
    }
    change(Database.BLOCK, batch -> batch.delete(ChainKeys.record("pivot")));
    rollBack(settings(), Request.upTo(12));
    List<Block> branch = branch(12, 30);
    try (Ledger ledger = open(settings())) {
      ledger.commitAll(branch.subList(13, branch.size()));
      ledger.archiver().archive(ArchiveRequest.upTo(21));
      assertIs(ledger, branch, 21);
    }
  }

  @Test
  void aSegmentThatReachesBeyondIsSealedAnew() {
    encrypted = true;
    fill(true);
    rollBack(12);
    List<Block> branch = branch(12, 30);
    try (Ledger ledger = open(settings())) {
      ledger.commitAll(branch.subList(13, branch.size()));
      ledger.archiver().archive(ArchiveRequest.upTo(21));
      ledger.keys().orElseThrow().rotate("AES-128-GCM");
      assertThat(ledger.keys().orElseThrow().reencrypt(JobControl.none()).segments()).isEqualTo(3);
      assertIs(ledger, branch, 21);
      assertThat(ledger.archive().retiredSegments()).hasSize(1);
    }
  }

  // ------------------------------------------------------------------------------------ ids

  /** What a power cut leaves of the filter may be as old as the last checkpoint. */
  @Test
  void noIdIsLetInTwiceAfterACrash() throws IOException {
    fill(false);
    rollBack(30);
    Path layer = root().resolve("block/ids/layer-00");
    byte[] before = Files.readAllBytes(layer);
    List<Block> branch = new ArrayList<>(blocks.subList(0, 31));
    Blocks next = Blocks.after(branch.get(30));
    branch.add(withWrites(next, "fresh").build());
    MemoryDisk machine = disk;
    Ledger ledger = open(settings());
    ledger.commit(branch.get(31));
    machine.crash();
    try {
      ledger.close();
    } catch (MachineCrash e) {
      // nothing runs any more; but this process goes on, and gave the directory free
    }
    Files.write(layer, before);
    try (Ledger again = open(settings())) {
      assertThat(again.height()).isEqualTo(31);
      Block repeated = Blocks.after(branch.get(31)).transaction("fresh31", Bytes.EMPTY).build();
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> again.commit(repeated))
          .satisfies(
              e ->
                  assertThat(e.reason()).isEqualTo(ConflictException.Reason.DUPLICATE_TRANSACTION));
    }
  }

  @Test
  void anIdBelowIsRefusedAndOneAboveIsNot() {
    fill(true);
    rollBack(15);
    try (Ledger ledger = open(settings())) {
      Block low = Blocks.after(blocks.get(15)).transaction("S9", Bytes.EMPTY).build();
      assertThatExceptionOfType(ConflictException.class).isThrownBy(() -> ledger.commit(low));
      ledger.commit(Blocks.after(blocks.get(15)).transaction("S16", Bytes.EMPTY).build());
      assertThat(ledger.metaOfTransaction("S16").orElseThrow().height()).isEqualTo(16);
    }
  }

  // ------------------------------------------------------------------------------------ plan

  @Test
  void aPlanTellsWhatWouldGoAndChangesNothing() {
    fill(true);
    Map<Database, TreeMap<Bytes, Bytes>> before = content();
    Plan plan = new LedgerRebuilder(settings(), NOON).plan(Request.upTo(15));
    assertThat(plan.height()).isEqualTo(15);
    assertThat(plan.blocks()).isEqualTo(24);
    RollBack told = plan.rollBack().orElseThrow();
    assertThat(told.archivedHeight()).isEqualTo(3);
    assertThat(told.restoredBlocks()).isEqualTo(10);
    assertThat(plan.archivedBlocks()).isEqualTo(15);
    assertThat(plan.bytesNeeded().get(Database.BLOCK)).isPositive();
    assertThat(content()).isEqualTo(before);
    assertThat(new LedgerRebuilder(settings(), NOON).plan(Request.upTo(39)).rollBack()).isEmpty();
    RollBack done = rollBack(15);
    assertThat(done).isEqualTo(told);
  }

  @Test
  void whereTheRoomWillNotSufficeNothingIsBegun() {
    fill(true);
    Map<Database, TreeMap<Bytes, Bytes>> before = content();
    Settings small = settings();
    small.usableBytes = place -> 1000;
    assertThatExceptionOfType(StorageException.class)
        .isThrownBy(() -> rollBack(small, Request.upTo(15)))
        .satisfies(e -> assertThat(e.isOutOfSpace()).isTrue());
    assertThat(content()).isEqualTo(before);
    assertNothingIsLeft();
  }

  @Test
  void withoutTheArchiveNothingIsBegun() {
    fill(true);
    Map<Database, TreeMap<Bytes, Bytes>> before = content();
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> rollBack(settings(disk, new FaultPlan(), null), Request.upTo(38)))
        .withMessageContaining("--archive DIR");
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(
            () ->
                rollBack(
                    settings(disk, new FaultPlan(), new InMemoryArchiveStore()), Request.upTo(38)));
    assertThat(content()).isEqualTo(before);
  }

  @Test
  void noOtherProcessHasTheLedgerMeanwhile() {
    fill(true);
    try (Ledger owner = open(settings())) {
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> rollBack(settings(), Request.upTo(15)))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(ConflictException.Reason.LOCKED));
    }
    AtomicInteger refused = new AtomicInteger();
    JobControl control =
        JobControl.none()
            .onProgress(
                progress -> {
                  assertThatExceptionOfType(ConflictException.class)
                      .isThrownBy(() -> open(settings()));
                  refused.incrementAndGet();
                });
    rollBack(settings(), Request.upTo(15).with(control));
    assertThat(refused).hasValueGreaterThan(3);
  }

  // ------------------------------------------------------------------------------------ damage

  @Test
  void aBlockThatCannotBeBackedUpStaysWhereItIs() {
    fill(true);
    Bytes row =
        content(Database.BLOCK).keySet().stream()
            .filter(key -> key.get(0) == 3 && key.get(8) == 33)
            .findFirst()
            .orElseThrow();
    Bytes good = content(Database.BLOCK).get(row);
    change(Database.BLOCK, batch -> batch.put(row, flipped(good)));
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> rollBack(settings(), Request.upTo(15)))
        .withMessageContaining("nothing was rolled back");
    change(Database.BLOCK, batch -> batch.put(row, good));
    assertIsWhole(true);
  }

  private static Bytes flipped(Bytes bytes) {
    byte[] array = bytes.toArray();
    array[array.length - 1] ^= 1;
    return Bytes.wrap(array);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aHistoryThatIsNotWholeIsMadeAnewFirst(boolean above) {
    fill(true);
    List<Bytes> rows =
        content(Database.HISTORY).keySet().stream()
            .filter(key -> key.get(0) == 2 && key.toString().length() > 0)
            .filter(key -> isAbove(key, 30) == above)
            .toList();
    change(Database.HISTORY, batch -> rows.forEach(row -> batch.put(row, Bytes.ofUtf8("\u0001x"))));
    change(
        Database.HISTORY,
        batch -> {
          if (above) {
            rows.forEach(batch::delete);
          }
        });
    assertThatExceptionOfType(LedgerkeepException.class)
        .isThrownBy(() -> rollBack(settings(), Request.upTo(30)));
    assertNothingIsLeft();
    rollBack(settings(), Request.all());
    assertIs(settings(), blocks, PIVOT);
    rollBack(settings(), Request.upTo(30));
    assertIs(settings(), blocks.subList(0, 31), pivotAt(30, true));
  }

  private static boolean isAbove(Bytes historyKey, long height) {
    return ~historyKey.asBuffer().getLong(historyKey.size() - 12) > height;
  }

  /** The archive is needed for what comes back, and is looked at before anything is cut off. */
  @Test
  void anArchiveThatIsDamagedIsNoticedBeforeTheCommit() {
    fill(true);
    String name;
    try (Ledger ledger = open(settings())) {
      name = ledger.archive().segments().get(1).name();
    }
    Bytes good = store.get(name, 0, (int) store.size(name).orElseThrow());
    byte[] bad = good.toArray();
    for (int at = 300; at < bad.length - 400; at++) {
      bad[at] ^= 1;
    }
    store.replace(name, Bytes.wrap(bad));
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> rollBack(settings(), Request.upTo(18)));
    store.replace(name, good);
    assertIsWhole(true);
    rollBack(18);
    assertIs(settings(), blocks.subList(0, 19), pivotAt(18, true));
  }

  // ------------------------------------------------------------------------------------ cancelled

  @ParameterizedTest
  @ValueSource(ints = {38, 18})
  void cancelledAtAnyQuestionNothingIsChanged(int height) {
    fill(true);
    Map<Database, TreeMap<Bytes, Bytes>> before = content();
    int questions = 0;
    while (cancelledAfter(height, questions)) {
      assertThat(content()).isEqualTo(before);
      assertNothingIsLeft();
      questions++;
    }
    assertThat(questions).isGreaterThan(1);
    assertIs(settings(), blocks.subList(0, height + 1), pivotAt(height, true));
  }

  private boolean cancelledAfter(int height, int questions) {
    AtomicInteger asked = new AtomicInteger();
    JobControl control = JobControl.none().cancelledBy(() -> asked.incrementAndGet() > questions);
    return rollBack(settings(), Request.upTo(height).with(control)).cancelled();
  }

  // ------------------------------------------------------------------------------------ faults

  @ParameterizedTest
  @EnumSource(Fault.class)
  void whateverChangeGoesWrongItIsBackOrAsItWas(Fault fault) {
    boolean atEach = fault == Fault.CRASH_AFTER || fault == Fault.LOSE_ANSWER;
    long n = 1;
    while (oneFault(Call.CHANGES, fault, n, 18)) {
      n += atEach ? 1 : 3;
    }
    assertThat(n).isGreaterThan(8);
  }

  @ParameterizedTest
  @ValueSource(ints = {38, 12})
  void whateverReadGoesWrongItIsBackOrAsItWas(int height) {
    long n = 1;
    while (oneFault(Call.ALL, Fault.FAIL, n, height)) {
      n += 73;
    }
    assertThat(n).isGreaterThan(100);
  }

  private boolean oneFault(Set<Call> calls, Fault fault, long n, int height) {
    encrypted = n % 2 == 0;
    elsewhere = temporary.resolve(fault + "-" + n);
    MemoryDisk on = new MemoryDisk(n);
    InMemoryArchiveStore archive = new InMemoryArchiveStore();
    fill(settings(on, new FaultPlan(), archive.reopen()), true);
    FaultPlan plan = new FaultPlan().whenCrashing(on::crash).at(calls, n, fault);
    try {
      rollBack(
          settings(on, plan, new FaultyArchiveStore(archive.reopen(), plan)), Request.upTo(height));
    } catch (LedgerkeepException | MachineCrash e) {
      // what it left is looked at below
    }
    boolean reached = plan.calls(calls) >= n;
    plan.repair();
    assertItIsBackOrAsItWas(on, archive, height);
    return reached;
  }

  @ParameterizedTest
  @CsvSource({"false,38", "true,12"})
  void killedAtAnyStepItIsBackOrAsItWas(boolean sealing, int height) {
    encrypted = sealing;
    elsewhere = temporary.resolve("first");
    MemoryDisk first = new MemoryDisk();
    InMemoryArchiveStore archived = new InMemoryArchiveStore();
    fill(settings(first, new FaultPlan(), archived.reopen()), true);
    Settings whole = settings(first, new FaultPlan(), archived.reopen());
    Set<String> steps = CrashAt.stepsOf(() -> rollBack(whole, Request.upTo(height)));
    assertThat(steps).hasSizeGreaterThan(9).contains("rollback.prepared", "rollback.committed");
    for (String step : steps) {
      elsewhere = temporary.resolve(step);
      MemoryDisk on = new MemoryDisk();
      InMemoryArchiveStore archive = new InMemoryArchiveStore();
      fill(settings(on, new FaultPlan(), archive.reopen()), true);
      Settings killed = settings(on, new FaultPlan(), archive.reopen());
      CrashAt.step(step, on, () -> rollBack(killed, Request.upTo(height)));
      assertItIsBackOrAsItWas(on, archive, height);
    }
  }

  private void assertItIsBackOrAsItWas(MemoryDisk on, InMemoryArchiveStore archive, int height) {
    long now;
    // What is left to do is done without the archive.
    try (Ledger ledger = open(settings(on, new FaultPlan(), null))) {
      now = ledger.height();
      assertThat(now).isIn(39L, (long) height);
      assertThat(Files.exists(root().resolve(BACKUP))).isEqualTo(now == height);
      assertNothingIsLeft();
    }
    if (now == 39) {
      try (Ledger ledger = open(settings(on, new FaultPlan(), archive.reopen()))) {
        // What a dead run put back is there until the next job, and seen by nobody.
        ledger.archiver().archive(ArchiveRequest.upTo(PIVOT));
        assertTells(ledger, blocks, PIVOT);
      }
      rollBack(settings(on, new FaultPlan(), archive.reopen()), Request.upTo(height));
    }
    try (Ledger ledger = open(settings(on, new FaultPlan(), archive.reopen()))) {
      assertTells(ledger, blocks.subList(0, height + 1), pivotAt(height, true));
      assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
    }
  }

  /** Killed after the commit, it is ended by the same call, which tells what was done. */
  @Test
  void theSameCallEndsWhatWasCommitted() {
    fill(true);
    crashAfterTheCommit(18);
    Report report = rollBack(settings(), Request.upTo(18));
    assertThat(report.backup()).contains(root().resolve(BACKUP));
    assertThat(report.rollBack()).contains(new RollBack(39, 18, PIVOT, pivotAt(18, true), 0));
    assertIs(settings(), blocks.subList(0, 19), pivotAt(18, true));
    assertNothingIsLeft();
  }

  /** Lets the first write crash the machine that the rest of a roll back does. */
  private void crashAfterTheCommit(int height) {
    for (long n = 1; ; n++) {
      FaultPlan plan =
          new FaultPlan().whenCrashing(disk::crash).at(Call.CHANGES, n, Fault.CRASH_AFTER);
      try {
        rollBack(settings(disk, plan, store.reopen()), Request.upTo(height));
        throw new AssertionError("no write came after the commit");
      } catch (MachineCrash e) {
        if (content(Database.BLOCK).containsKey(ChainKeys.record("rollback"))) {
          return;
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whereTheRestCannotBeDoneARebuildDoesIt(boolean gone) throws IOException {
    fill(true);
    crashAfterTheCommit(18);
    Path changes = root().resolve("ROLLINGBACK").resolve("CHANGES");
    if (gone) {
      Files.delete(changes);
    } else {
      Files.write(changes, flipped(Bytes.wrap(Files.readAllBytes(changes))).toArray());
    }
    for (int i = 0; i < 2; i++) {
      assertThatExceptionOfType(IntegrityException.class)
          .isThrownBy(() -> open(settings()))
          .withMessageContaining("rebuild-dbs without a height");
    }
    Report report = rollBack(settings(), Request.all());
    assertThat(report.blocks()).isEqualTo(19);
    assertIs(settings(), blocks.subList(0, 19), pivotAt(18, true));
    assertNothingIsLeft();
    try (Archive backup = backup()) {
      assertThat(backup.firstHeight()).isEqualTo(19);
    }
    try (Ledger ledger = open(settings())) {
      Replay.assertUnknownTo(ledger, blocks.subList(19, COUNT));
    }
  }

  @Test
  void anotherCopyOfADatabaseIsNotChanged() {
    List<Block> all = List.copyOf(blocks);
    blocks.subList(35, COUNT).clear();
    fill(true);
    TreeMap<Bytes, Bytes> older = content(Database.STATE);
    blocks.addAll(all.subList(35, COUNT));
    fill(true);
    crashAfterTheCommit(18);
    TreeMap<Bytes, Bytes> newer = content(Database.STATE);
    change(
        Database.STATE,
        batch -> {
          newer.keySet().forEach(batch::delete);
          older.forEach(batch::put);
        });
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> open(settings()))
        .withMessageContaining("another copy");
    assertThat(content(Database.STATE)).isEqualTo(older);
  }

  // ------------------------------------------------------------------------------------ archiving

  @ParameterizedTest
  @EnumSource(names = {"FAIL", "CRASH_AFTER"})
  void whateverGoesWrongInArchivingTheBranchTheNextRunEndsIt(Fault fault) {
    long n = 1;
    while (oneFaultInArchiving(fault, n)) {
      n++;
    }
    assertThat(n).isGreaterThan(8);
  }

  private boolean oneFaultInArchiving(Fault fault, long n) {
    encrypted = n % 2 == 0;
    elsewhere = temporary.resolve(fault + "-" + n);
    MemoryDisk on = new MemoryDisk(n);
    InMemoryArchiveStore archive = new InMemoryArchiveStore();
    Settings first = settings(on, new FaultPlan(), archive.reopen());
    fill(first, true);
    try (Ledger ledger = open(settings(on, new FaultPlan(), archive.reopen()))) {
      ledger.restorer().restore(RestoreRequest.downTo(0));
    }
    rollBack(settings(on, new FaultPlan(), null), Request.upTo(12));
    List<Block> branch = branch(12, 30);
    FaultPlan plan = new FaultPlan();
    boolean reached;
    try (Ledger ledger = open(settings(on, new FaultPlan(), null))) {
      ledger.commitAll(branch.subList(13, branch.size()));
    }
    plan.whenCrashing(on::crash).at(Call.CHANGES, n, fault);
    try (Ledger ledger = open(settings(on, plan, new FaultyArchiveStore(archive.reopen(), plan)))) {
      ledger.archiver().archive(ArchiveRequest.upTo(21));
    } catch (LedgerkeepException | MachineCrash e) {
      // what it left is looked at below
    }
    reached = plan.calls(Call.CHANGES) >= n;
    plan.repair();
    try (Ledger ledger = open(settings(on, new FaultPlan(), archive.reopen()))) {
      ledger.archiver().archive(ArchiveRequest.upTo(21));
      assertTells(ledger, branch, 21);
      assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
      assertThat(ledger.archive().retiredSegments()).hasSize(1);
    }
    return reached;
  }
}
