package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Backup.Report;
import io.ledgerkeep.Backup.Request;
import io.ledgerkeep.Backup.Restored;
import io.ledgerkeep.Backup.Restoring;
import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.MachineCrash;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A ledger, its backups, and where they are restored to. The engines have the smallest limits, so
 * that some rows have several pieces, and the files of a backup are small, so that it has many.
 */
final class BackupWorld {

  static final String MARKER = "find-me-if-you-can";

  final Path temporary;
  final List<Block> blocks = markedChain(40);
  final MemoryDisk disk = new MemoryDisk();
  final InMemoryArchiveStore store = new InMemoryArchiveStore();
  final boolean encrypted;

  /** The engines that were opened last, by where they lie. */
  final Map<Path, StorageEngine> engines = new HashMap<>();

  @Nullable Bytes ledgerId;
  StorageEngine.Limits limits = Keys.SMALLEST_LIMITS;

  BackupWorld(Path temporary, boolean encrypted) {
    this.temporary = temporary;
    this.encrypted = encrypted;
  }

  static List<Block> markedChain(int count) {
    List<Block> chain = new ArrayList<>();
    SampleChain.builder()
        .seed(9)
        .transactionsPerBlock(1)
        .configAt(height -> height % 9 == 5)
        .build()
        .blocks(count)
        .forEach(
            sample -> {
              Blocks next = Blocks.like(sample);
              long h = sample.height();
              next.header = Bytes.ofUtf8(MARKER + " header " + h);
              next.additional = Bytes.ofUtf8(MARKER + " additional " + h);
              next.put("S" + h, "token", Bytes.ofUtf8("k" + h % 7), Bytes.ofUtf8(MARKER + h));
              if (h % 7 == 6) {
                next.delete("D" + h, "token", Bytes.ofUtf8("k" + h % 7));
              }
              if (h % 10 == 8) { // in several pieces
                next.put("L" + h, "token", Bytes.ofUtf8("large"), Blocks.noise(h, 70_000));
              }
              chain.add(next.build());
            });
    return chain;
  }

  Path ledger() {
    return temporary.resolve("ledger");
  }

  Path backups() {
    return temporary.resolve("backups");
  }

  Path restored() {
    return temporary.resolve("restored");
  }

  // ------------------------------------------------------------------------------------ settings

  Settings settings(Path directory) {
    Settings settings = inPlain(directory, store.reopen());
    if (encrypted) {
      settings.encryption = new Encryption.Named("aes", Options.of("key", Keys.AES));
    }
    return settings;
  }

  Settings inPlain(Path directory, @Nullable ArchiveStore archive) {
    Settings settings = new Settings();
    settings.directory = directory;
    settings.engine = new Settings.ProvidedEngine(new Remembering(), Options.none());
    settings.store = archive == null ? null : new Settings.BuiltStore(archive);
    settings.reserveBytes = 0;
    settings.readThrough = true;
    settings.unarchivedBlocks = 10L;
    settings.ledgerId = ledgerId;
    settings.backupFileBytes = 4_000;
    return settings;
  }

  /** Opens engines, and remembers where. */
  private final class Remembering implements StorageEngineProvider {
    @Override
    public String name() {
      return "memory";
    }

    @Override
    public StorageEngine open(Path place, Options options) {
      StorageEngine engine = new LandStorage(disk, limits).open(place, options);
      engines.put(place, engine);
      return engine;
    }
  }

  Ledger open() {
    return new LedgerOpener(settings(ledger())).open(true);
  }

  Ledger openRestored() {
    return new LedgerOpener(settings(restored())).open(false);
  }

  // ------------------------------------------------------------------------------------ what is
  // done

  /** Commits up to a number of blocks, and archives up to a height unless that is 0. */
  void grow(int count, long pivot) {
    try (Ledger ledger = open()) {
      grow(ledger, count);
      if (pivot > 0) {
        ledger.archiver().archive(ArchiveRequest.upTo(pivot));
      }
    }
  }

  void grow(Ledger ledger, int count) {
    ledger.commitAll(blocks.subList((int) ledger.height() + 1, count));
  }

  Report full() {
    return run(Request.full(backups()));
  }

  Report incremental() {
    return run(Request.incremental(backups()));
  }

  Report run(Request request) {
    try (Ledger ledger = open()) {
      return ledger.backup().run(request);
    }
  }

  Restored restore() {
    return restore(Restoring.from(backups()));
  }

  Restored restore(Restoring restoring) {
    return new RestoreBackupJob(settings(restored()), restoring).run();
  }

  /** Runs a job; the machine crashes when a place is passed for the n-th time. */
  void crash(String wanted, int n, Runnable job) {
    int[] passed = {0};
    FailPoint.tell(
        place -> {
          if (place.equals(wanted) && ++passed[0] == n) {
            FailPoint.tell(null);
            disk.crash();
            throw new MachineCrash("at " + place);
          }
        });
    try {
      job.run();
      throw new AssertionError("it was to crash at " + wanted + " " + n);
    } catch (MachineCrash expected) {
      // as it should be
    } catch (LedgerkeepException e) {
      assertThat(e).hasRootCauseInstanceOf(MachineCrash.class);
    }
    FailPoint.tell(null);
  }

  // ------------------------------------------------------------------------------------ what holds

  /** Checks that the restored ledger is the one that was backed up when it had so many blocks. */
  void assertRestored(int count, long pivot) {
    try (Ledger whole = openRestored()) {
      Replay.of(blocks.subList(0, count)).assertToldBy(whole);
      assertThat(whole.archivedHeight()).isEqualTo(pivot);
      assertThat(whole.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
      assertThat(whole.status().unarchivedBlocks()).isEqualTo(10);
    }
    assertThat(restored().resolve(RestoreRecord.NAME)).doesNotExist();
    assertThat(RestoreRecord.workshop(restored())).doesNotExist();
  }

  /**
   * Checks that the same rows lie on the engines of both, but those that only one of them needs.
   */
  void assertSameRows() {
    openRestored().close(); // both were opened and closed since
    open().close();
    Map<Database, TreeMap<Bytes, Bytes>> expected = contents(ledger());
    Map<Database, TreeMap<Bytes, Bytes>> found = contents(restored());
    for (Database database : Database.values()) {
      assertThat(found.get(database).keySet()).isEqualTo(expected.get(database).keySet());
      if (!encrypted) {
        assertThat(found.get(database).equals(expected.get(database))).isTrue();
      }
    }
  }

  Map<Database, TreeMap<Bytes, Bytes>> contents(Path directory) {
    Map<Database, TreeMap<Bytes, Bytes>> contents = new EnumMap<>(Database.class);
    for (Database database : Database.values()) {
      Path home = directory.resolve(database.lowerCaseName());
      try (StorageEngine engine =
          new LandStorage(disk, limits).open(home.resolve("db"), Options.none())) {
        TreeMap<Bytes, Bytes> content = World.content(engine);
        content.keySet().remove(Bytes.ofUtf8("\u0001filter"));
        content.keySet().remove(Bytes.ofUtf8("\u0001audit"));
        content.keySet().remove(Bytes.ofUtf8("\u0001branches")); // being restored begins one
        contents.put(database, content);
      }
    }
    return contents;
  }

  List<Path> files(Path root) {
    if (!Files.exists(root)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(root)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  List<Path> filesWithMarker(Path root) {
    return files(root).stream().filter(BackupWorld::hasMarker).toList();
  }

  /** Sees through the compression of the files of a backup. */
  private static boolean hasMarker(Path file) {
    try {
      if (Files.readString(file, StandardCharsets.ISO_8859_1).contains(MARKER)) {
        return true;
      }
      return file.toString().endsWith(".lkb") && rows(file).contains(MARKER);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static String rows(Path file) throws IOException {
    byte[] content = Files.readAllBytes(file);
    StringBuilder rows = new StringBuilder();
    for (int at = 9; at < content.length; ) {
      java.nio.ByteBuffer header = java.nio.ByteBuffer.wrap(content, at, 13);
      int how = header.get();
      int rawBytes = header.getInt();
      int storedBytes = header.getInt();
      byte[] stored = java.util.Arrays.copyOfRange(content, at + 13, at + 13 + storedBytes);
      byte[] raw = how == 1 ? com.github.luben.zstd.Zstd.decompress(stored, rawBytes) : stored;
      rows.append(new String(raw, StandardCharsets.ISO_8859_1));
      at += 13 + storedBytes;
    }
    return rows.toString();
  }
}
