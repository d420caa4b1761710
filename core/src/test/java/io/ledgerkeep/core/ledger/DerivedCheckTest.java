package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A check of the whole ledger compares state and history with the blocks: what was set back or
 * removed there shows, also where every value is sealed and none is forged.
 */
final class DerivedCheckTest {

  /** What the ledger is like. */
  enum Kind {
    PLAIN,
    ARCHIVED,
    ENCRYPTED
  }

  /** No keys but those of the engine's records. */
  private static final byte ROWS = 2;

  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final List<Block> blocks =
      SampleChain.builder().seed(6).keys(12).configAt(h -> h % 9 == 4).build().blocks(40).toList();

  @TempDir Path directory;

  private World filled(Kind kind, int height) {
    World world = new World(directory.resolve(kind + "-" + height));
    try (Ledger ledger = world.open(settings(world, kind))) {
      ledger.commitAll(blocks.subList(0, height));
      if (kind == Kind.ARCHIVED) {
        ledger.archiver().archive(ArchiveRequest.upTo(18));
      }
    }
    return world;
  }

  private Settings settings(World world, Kind kind) {
    Settings settings = world.settings();
    settings.unarchivedBlocks = 10L;
    settings.store = new Settings.BuiltStore(store);
    if (kind == Kind.ENCRYPTED) {
      settings.encryption = new Encryption.Named("aes", Options.of("key", Keys.AES));
    }
    return settings;
  }

  private List<String> findings(World world, Kind kind, Level level) {
    try (Ledger ledger = world.open(settings(world, kind))) {
      return ledger.verify(Verification.Request.of(level)).findings();
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void nothingIsFoundWhereNothingIsWrong(Kind kind) {
    assertThat(findings(filled(kind, 40), kind, Level.LEDGER)).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void everyRowThatIsMissingIsFound(Kind kind) {
    World world = filled(kind, 40);
    for (Database database : List.of(Database.STATE, Database.HISTORY)) {
      contentOf(world, database)
          .forEach(
              (key, value) -> {
                if (key.get(0) == ROWS) {
                  apply(world, database, new WriteBatch().delete(key));
                  assertThat(findings(world, kind, Level.LEDGER))
                      .as("%s without %s", database, key.hex())
                      .isNotEmpty();
                  apply(world, database, new WriteBatch().put(key, value));
                }
              });
    }
    assertThat(findings(world, kind, Level.LEDGER)).isEmpty();
  }

  /** Of the same ledger, under the same keys, at the same place: no seal can tell. */
  @ParameterizedTest
  @EnumSource(Kind.class)
  void everyOlderValueThatWasPutBackIsFound(Kind kind) {
    World world = filled(kind, 30);
    TreeMap<Bytes, Bytes> older = contentOf(world, Database.STATE);
    try (Ledger ledger = world.open(settings(world, kind))) {
      ledger.commitAll(blocks.subList(30, 40));
    }
    TreeMap<Bytes, Bytes> newer = contentOf(world, Database.STATE);
    int putBack = 0;
    for (Bytes key : older.keySet()) {
      Bytes now = newer.get(key);
      if (key.get(0) == ROWS && !older.get(key).equals(now)) {
        apply(world, Database.STATE, new WriteBatch().put(key, older.get(key)));
        assertThat(findings(world, kind, Level.BYTES)).as("looks at blocks only").isEmpty();
        assertThat(findings(world, kind, Level.LEDGER)).as(key.hex()).isNotEmpty();
        apply(
            world,
            Database.STATE,
            now == null ? new WriteBatch().delete(key) : new WriteBatch().put(key, now));
        putBack++;
      }
    }
    assertThat(putBack).isGreaterThan(3);
    assertThat(findings(world, kind, Level.LEDGER)).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void everyRowTooManyIsFound(Kind kind) {
    World world = filled(kind, 40);
    for (Database database : List.of(Database.STATE, Database.HISTORY)) {
      Bytes key = contentOf(world, database).ceilingKey(Bytes.wrap(new byte[] {ROWS}));
      Bytes value = contentOf(world, database).get(key);
      Bytes longer = Bytes.fromHex(key.hex() + "00");
      Bytes tooShort = Bytes.wrap(new byte[] {ROWS});
      for (Bytes another : List.of(longer, tooShort)) {
        apply(world, database, new WriteBatch().put(another, value));
        assertThat(findings(world, kind, Level.LEDGER))
            .as("%s with %s", database, another.hex())
            .isNotEmpty();
        apply(world, database, new WriteBatch().delete(another));
      }
    }
    assertThat(findings(world, kind, Level.LEDGER)).isEmpty();
  }

  private static TreeMap<Bytes, Bytes> contentOf(World world, Database database) {
    TreeMap<Bytes, Bytes> content = new TreeMap<>();
    world.withStore(database, engine -> content.putAll(World.content(engine)));
    return content;
  }

  private static void apply(World world, Database database, WriteBatch batch) {
    world.withStore(database, engine -> engine.write(batch, Durability.DURABLE));
  }
}
