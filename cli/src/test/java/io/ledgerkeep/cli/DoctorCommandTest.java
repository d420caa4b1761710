package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.storage.WriteBatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What doctor finds on LevelDB, that it changes nothing, and that what it tells to do helps. */
@Timeout(300)
final class DoctorCommandTest {

  private static final String KEY = "hex:0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  private static final int BLOCKS = 60;
  private static final String CHAIN = Place.chain(BLOCKS);

  @TempDir private static Path templates;
  @TempDir private Path directory;
  private Path template;
  private Place place;

  /**
   * A ledger at height 39, and the same at height 59, archived up to height 25 both; in plain, and
   * encrypted.
   */
  @BeforeAll
  static void makeLedgers() throws IOException {
    for (boolean sealed : new boolean[] {false, true}) {
      Place made = place(Files.createDirectory(template(sealed)), sealed);
      made.withChain(40).archivedTo(25);
      copy(made.data, template(sealed).resolve("earlier"));
      assertThat(Run.reading(CHAIN, made.withData("import", "-")).exitCode()).isZero();
    }
  }

  private static Path template(boolean sealed) {
    return templates.resolve(sealed ? "sealed" : "plain");
  }

  private static Place place(Path directory, boolean sealed) {
    List<String> lines = new ArrayList<>(List.of("reserve_bytes: 0"));
    if (sealed) {
      lines.addAll(List.of("encryptor: sm4", "encrypt_key: \"" + KEY + "\""));
    }
    return new Place(
        directory,
        directory.resolve("data"),
        directory.resolve("archive"),
        lines.toArray(String[]::new));
  }

  @BeforeEach
  void copyLedger() throws IOException {
    use(false);
  }

  private void use(boolean sealed) throws IOException {
    template = template(sealed);
    place = place(Files.createDirectory(directory.resolve(template.getFileName())), sealed);
    copy(template.resolve("data"), place.data);
    copy(template.resolve("archive"), place.archive);
  }

  /** Damage of a ledger that makes no block unreadable: what is told puts it right. */
  enum Repaired {
    LAYOUT_IS_GONE(4, "doctor --fix", test -> test.remove("LAYOUT")),
    LAYOUT_IS_CUT(4, "doctor --fix", test -> test.empty("LAYOUT")),
    STATE_IS_GONE(4, "rebuild-dbs --yes", test -> test.remove("state")),
    HISTORY_HAS_NO_STORE(4, "rebuild-dbs --yes", test -> test.remove("history/db")),
    STATE_IS_OLDER(4, "rebuild-dbs --yes", test -> test.putEarlier("state")),
    BLOCKS_ARE_OLDER(4, "rebuild-dbs --yes", test -> test.putEarlier("block")),
    CURRENT_IS_EMPTY(4, "rebuild-dbs --yes", test -> test.empty("state/db/CURRENT")),
    MANIFEST_IS_EMPTY(4, "rebuild-dbs --yes", test -> test.emptyManifest("history/db")),
    STATE_HAS_NO_RECORD(
        4, "rebuild-dbs --yes", test -> test.delete("state", KeyRange.prefix(key(1)))),
    A_VALUE_IS_GONE(4, "rebuild-dbs --yes", test -> test.delete("state", KeyRange.prefix(key(2)))),
    AN_INDEX_IS_GONE(4, "rebuild-dbs --yes", test -> test.delete("block", KeyRange.prefix(key(6)))),
    A_FILE_WAS_NEVER_RENAMED(1, "doctor --fix", test -> test.write("LAYOUT.new")),
    AN_ORPHAN_LIES_THERE(
        1, "rm -r ", test -> test.write("state.rebuilt-20260101T000000Z/db/CURRENT"));

    private final int exitCode;
    private final String command;
    private final Consumer<DoctorCommandTest> damage;

    Repaired(int exitCode, String command, Consumer<DoctorCommandTest> damage) {
      this.exitCode = exitCode;
      this.command = command;
      this.damage = damage;
    }
  }

  @Test
  void aWholeLedgerHasNothingWrong() throws IOException {
    Map<String, String> before = files();
    Run run = place.runWithArchive("doctor", "--full", "--json");
    assertThat(run.exitCode()).as(run.out() + run.err()).isZero();
    assertThat(run.json())
        .containsEntry("ok", true)
        .containsEntry("coherentHeight", 59L)
        .containsEntry("archivedHeight", 25L)
        .containsEntry("heights", Map.of("block", 59L, "state", 59L, "history", 59L))
        .containsEntry("findings", List.of());
    assertThat(files()).isEqualTo(before);
  }

  static Stream<Arguments> told() {
    return each(false);
  }

  static Stream<Arguments> fixed() {
    Set<Repaired> notFixed = EnumSet.of(Repaired.BLOCKS_ARE_OLDER, Repaired.AN_ORPHAN_LIES_THERE);
    return each(true).filter(arguments -> !notFixed.contains(arguments.get()[0]));
  }

  /** Each damage in the ledger in plain or the encrypted one; with the long tests in both. */
  private static Stream<Arguments> each(boolean sealed) {
    return Stream.of(sealed, !sealed)
        .limit(Boolean.getBoolean("ledgerkeep.long") ? 2 : 1)
        .flatMap(kind -> Stream.of(Repaired.values()).map(damage -> Arguments.of(damage, kind)));
  }

  @ParameterizedTest
  @MethodSource("told")
  void whatIsToldRepairsIt(Repaired repaired, boolean sealed) throws IOException {
    if (sealed) {
      use(true);
    }
    repaired.damage.accept(this);
    Map<String, String> before = files();
    Run run = place.runWithArchive("doctor", "--json");
    assertThat(files()).as("nothing is changed").isEqualTo(before);
    assertThat(run.exitCode()).as(run.out() + run.err()).isEqualTo(repaired.exitCode);
    String told =
        commands(run).stream()
            .filter(command -> command.contains(repaired.command))
            .findFirst()
            .orElseThrow(() -> new AssertionError(run.out()));
    follow(told);
    assertIsWhole(repaired == Repaired.BLOCKS_ARE_OLDER ? 39 : 59);
  }

  /** Everything that loses nothing is done at one go; an older block database is left alone. */
  @ParameterizedTest
  @MethodSource("fixed")
  void fixRepairsIt(Repaired repaired, boolean sealed) throws IOException {
    if (sealed) {
      use(true);
    }
    repaired.damage.accept(this);
    Run run = place.runWithArchive("doctor", "--fix", "--json");
    assertThat(run.exitCode()).as(run.out() + run.err()).isZero();
    assertThat((List<?>) run.json().get("fixed")).isNotEmpty();
    assertIsWhole(59);
  }

  @Test
  void fixLeavesAloneWhatMayLoseSomething() throws IOException {
    putEarlier("block");
    Map<String, String> before = files();
    assertThat(place.runWithArchive("doctor", "--fix").exitCode()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(files()).isEqualTo(before);
  }

  @Test
  void aDryRunOfFixChangesNothing() throws IOException {
    remove("state");
    Map<String, String> before = files();
    Run run = place.runWithArchive("doctor", "--fix", "--dry-run");
    assertThat(run.exitCode()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(run.out()).contains("doctor --fix does what loses nothing");
    assertThat(files()).isEqualTo(before);
  }

  /** The blocks that are there are taken over, the others come from a peer. */
  @Test
  void lostBlocksAreNamedAndTheRestIsTakenOver() throws IOException {
    delete("block", KeyRange.of(body(40), body(44)));
    delete("block", KeyRange.of(body(50), body(51)));
    Run run = place.runWithArchive("doctor", "--json");
    assertThat(run.exitCode()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(run.json())
        .containsEntry("coherentHeight", 39L)
        .containsEntry("missing", List.of(range(40, 43), range(50, 50)));
    assertThat(run.out()).contains("blocks 40 to 43, 50: the body is not whole");
    List<String> told = commands(run);
    assertThat(told).noneMatch(command -> command.contains("rebuild-dbs"));
    takeOver(told, true);
  }

  @Test
  void aBlockDatabaseThatDoesNotOpenIsNoEndOfTheDiagnosis() throws IOException {
    empty("block/db/CURRENT");
    remove("history");
    Run run = place.runWithArchive("doctor", "--json");
    assertThat(run.exitCode()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(run.out()).contains("CURRENT", "the history database in", "is gone");
    assertThat(run.json()).containsEntry("heights", Map.of("state", 59L));
    assertThat(commands(run))
        .anyMatch(
            line ->
                line.contains("sync --from PEER --from-archive")
                    && line.endsWith("--trust-source"));
  }

  @Test
  void bodiesThatTheArchiveHasAreNotLost() throws IOException {
    follow(commandFor("restore --down-to 10 --yes"));
    delete("block", KeyRange.of(body(20), body(23)));
    Run run = place.runWithArchive("doctor", "--json");
    assertThat(run.exitCode()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(run.json()).containsEntry("missing", List.of(range(20, 22)));
    takeOver(commands(run), false);
  }

  @Test
  void anArchiveThatIsNotGivenIsAskedFor() {
    Run run = place.run("doctor");
    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(run.out()).contains("unseen: archive", "--archive DIR");
  }

  @Test
  void aDamagedSegmentIsNamed() throws IOException {
    Path segment;
    try (Stream<Path> files = Files.walk(place.archive)) {
      segment = files.filter(file -> file.toString().endsWith(".lks")).findFirst().orElseThrow();
    }
    byte[] bytes = Files.readAllBytes(segment);
    bytes[bytes.length / 2] ^= 1;
    segment.toFile().setWritable(true);
    Files.write(segment, bytes);
    Run run = place.runWithArchive("doctor", "--full");
    assertThat(run.exitCode()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(run.out()).contains("damage: archive", segment.getFileName().toString());
  }

  @Test
  void whatIsNoLedgerIsRefused() throws IOException {
    Path empty = Files.createDirectory(directory.resolve("empty"));
    assertThat(Run.of("--data", empty, "doctor").exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(Run.of("--data", empty.resolve("none"), "doctor").exitCode())
        .isEqualTo(ExitCode.USAGE);
    assertThat(empty.resolve("EXAMINING")).doesNotExist();
  }

  // ------------------------------------------------------------------------------------ follow

  private String commandFor(String command) {
    return "ledgerkeep --config %s --data %s --archive %s %s"
        .formatted(place.config, place.data, place.archive, command);
  }

  private static List<String> commands(Run run) {
    return ((List<?>) run.json().get("findings"))
        .stream()
            .flatMap(finding -> ((List<?>) ((Map<?, ?>) finding).get("commands")).stream())
            .map(String::valueOf)
            .toList();
  }

  private static void follow(String told) throws IOException {
    String[] words = told.split(" ");
    if (words[0].equals("rm")) {
      MoreFiles.deleteRecursively(Path.of(words[2]), RecursiveDeleteOption.ALLOW_INSECURE);
      return;
    }
    Run run = Run.of((Object[]) Arrays.copyOfRange(words, 1, words.length));
    assertThat(run.exitCode()).as(told + "\n" + run.out() + run.err()).isZero();
  }

  /** Follows the command that makes a ledger NEW; what is missing then comes from a peer. */
  private void takeOver(List<String> told, boolean fromPeerToo) throws IOException {
    Path fresh = directory.resolve("NEW");
    Path peer = directory.resolve("PEER");
    if (fromPeerToo) {
      assertThat(Run.of("--data", peer, "init").exitCode()).isZero();
      assertThat(Run.reading(CHAIN, "--data", peer, "import", "-").exitCode()).isZero();
    }
    String line = told.stream().filter(next -> next.contains(" sync ")).findFirst().orElseThrow();
    assertThat(line.contains("PEER")).isEqualTo(fromPeerToo);
    follow(line.replace("NEW", fresh.toString()).replace("PEER", peer.toString()));
    Place made = new Place(directory, fresh, place.archive, "reserve_bytes: 0");
    assertThat(made.runWithArchive("export", "-").out()).isEqualTo(CHAIN);
    assertThat(made.runWithArchive("verify").exitCode()).isZero();
  }

  private void assertIsWhole(long height) {
    Run verify = place.runWithArchive("verify");
    assertThat(verify.exitCode()).as(verify.out() + verify.err()).isZero();
    assertThat(place.runWithArchive("export", "-").out()).isEqualTo(Place.chain((int) height + 1));
    Run again = place.runWithArchive("doctor", "--full");
    assertThat(again.exitCode()).as(again.out()).isZero();
  }

  private static Map<String, Object> range(long first, long last) {
    return Map.of("first", first, "last", last);
  }

  // ------------------------------------------------------------------------------------ damage

  private static Bytes key(int table) {
    return Bytes.wrap(new byte[] {(byte) table});
  }

  private static Bytes body(long height) {
    return Bytes.wrap(ByteBuffer.allocate(9).put((byte) 3).putLong(height).array());
  }

  private void remove(String name) {
    try {
      MoreFiles.deleteRecursively(place.data.resolve(name), RecursiveDeleteOption.ALLOW_INSECURE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void empty(String name) {
    try {
      Files.write(place.data.resolve(name), new byte[0]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void emptyManifest(String store) {
    try (Stream<Path> files = Files.list(place.data.resolve(store))) {
      files
          .map(file -> place.data.relativize(file).toString())
          .filter(name -> name.contains("MANIFEST-"))
          .forEach(this::empty);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void write(String name) {
    try {
      Files.createDirectories(place.data.resolve(name).getParent());
      Files.write(place.data.resolve(name), new byte[] {1});
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void putEarlier(String name) {
    remove(name);
    try {
      copy(template.resolve("earlier").resolve(name), place.data.resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void delete(String database, KeyRange range) {
    StorageEngineProvider leveldb =
        ServiceLoader.load(StorageEngineProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(provider -> provider.name().equals("leveldb"))
            .findFirst()
            .orElseThrow();
    try (StorageEngine engine =
        leveldb.open(place.data.resolve(database).resolve("db"), Options.none())) {
      WriteBatch batch = new WriteBatch();
      try (StorageEngine.Cursor cursor = engine.scan(range)) {
        while (cursor.next()) {
          batch.delete(cursor.key());
        }
      }
      assertThat(batch.size()).isPositive();
      engine.write(batch, database.equals("block") ? Durability.DURABLE : Durability.BUFFERED);
      engine.flush();
    }
  }

  // ------------------------------------------------------------------------------------ files

  /** Every file of the ledger and its archive by content, time of change, and inode. */
  private Map<String, String> files() throws IOException {
    Map<String, String> all = new TreeMap<>();
    try (Stream<Path> files = Stream.concat(Files.walk(place.data), Files.walk(place.archive))) {
      for (Path file : (Iterable<Path>) files::iterator) {
        String name = file.getFileName().toString();
        if (Files.isRegularFile(file) && !name.equals("LOCK")) {
          BasicFileAttributes attributes =
              Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
          all.put(
              file.toString(),
              attributes.fileKey()
                  + " "
                  + attributes.lastModifiedTime()
                  + " "
                  + Bytes.wrap(Files.readAllBytes(file)).hex());
        } else if (Files.isDirectory(file)) {
          all.put(file.toString(), "");
        }
      }
    }
    return all;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }
}
