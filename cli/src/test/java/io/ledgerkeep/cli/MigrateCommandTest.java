package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real ledgers go to other disks and engines: the export before and after is the same. */
@Timeout(600)
final class MigrateCommandTest {

  private static final String KEY = "hex:0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  private static final int BLOCKS = 120;
  private static final int PIVOT = 100;
  private static final String CHAIN = Place.lines(MarkedChain.blocks(BLOCKS));

  @TempDir private Path directory;

  private Path elsewhere() {
    return directory.resolve("elsewhere");
  }

  private Place place(Path data, boolean encrypted, String... more) {
    List<String> lines = new ArrayList<>(List.of("reserve_bytes: 0"));
    if (encrypted) {
      lines.addAll(List.of("encryptor: sm4", "encrypt_key: \"" + KEY + "\""));
    }
    lines.addAll(List.of(more));
    return new Place(directory, data, directory.resolve("archive"), lines.toArray(String[]::new));
  }

  private Place here(boolean encrypted) {
    return place(directory.resolve("data"), encrypted);
  }

  private static void assertWhole(Place place) {
    new Aftermath(place, CHAIN).assertNothingIsLost();
    new Aftermath(place, CHAIN).assertPivotIs(PIVOT);
  }

  private static Run migrated(Place place, Object... args) {
    List<Object> all = new ArrayList<>(List.of("migrate", "--yes"));
    all.addAll(List.of(args));
    Run run = place.run(all.toArray());
    assertThat(run.exitCode()).as(run.out() + run.err()).isZero();
    return run;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aLedgerGoesToAnotherDirectoryAndIsRefusedInTheOldOne(boolean encrypted) {
    Place place = here(encrypted).withChain(CHAIN).archivedTo(PIVOT);
    String id = (String) place.run("status", "--json").json().get("ledgerId");
    Run run = migrated(place, "--to", elsewhere());
    assertThat(run.out())
        .contains("Content digests", "From now on: --data " + elsewhere(), "rm -r ");
    Place there = place(elsewhere(), encrypted);
    assertWhole(there);
    assertThat(there.run("status", "--json").json()).containsEntry("ledgerId", id);

    Run refused = place.run("status");
    assertThat(refused.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(refused.err()).contains("was moved to " + elsewhere(), "LAYOUT.before");
    assertThat(place.runWithArchive("archive", "--to", 105, "--yes").exitCode())
        .isEqualTo(ExitCode.REFUSED);
    assertThat(there.runWithArchive("restore", "--down-to", 0, "--yes").exitCode()).isZero();
    assertThat(there.run("export", "-").out()).isEqualTo(CHAIN);
  }

  @ParameterizedTest
  @ValueSource(strings = {"block", "state", "history"})
  void oneDatabaseGoesToItsOwnDisk(String database) throws IOException {
    Place place = here(true).withChain(CHAIN).archivedTo(PIVOT);
    Path fast = directory.resolve("fast");
    Map<String, Object> plan =
        place.run("migrate", "--database", database, "--to", fast, "--dry-run", "--json").json();
    assertThat(plan).containsEntry("changed", false).containsEntry("dryRun", true);
    assertThat(fast).doesNotExist();
    Map<String, Object> done =
        migrated(place, "--database", database, "--to", fast, "--remove-source", "--json").json();
    assertThat(done)
        .containsEntry("changed", true)
        .containsEntry("places", Map.of(database, fast.toString()))
        .containsEntry("originals", List.of());
    assertThat(((Map<?, ?>) done.get("contentDigests")).keySet().toString())
        .isEqualTo("[" + database + "]");
    assertThat(place.data.resolve(database)).doesNotExist();
    assertThat(Files.isDirectory(fast.resolve("db"))).isTrue();
    assertWhole(place);
    assertThat(migrated(place, "--database", database, "--to", fast).out())
        .contains("nothing to migrate");
  }

  @Test
  void nothingIsDoneWithoutAYes() {
    Place place = here(false).withChain(CHAIN);
    Run run = place.run("migrate", "--to", elsewhere());
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("would migrate ledger", "add --yes");
    assertThat(place.run("migrate", "--yes").exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(elsewhere()).doesNotExist();
  }

  /**
   * The instant at which the ledger is in neither directory, with the command line that ends it.
   */
  @Test
  void killedInTheMiddleOfTheSwitchItSaysHowToGoOn() throws Exception {
    Place place = here(true).withChain(CHAIN).archivedTo(PIVOT);
    Object[] command = place.withData("migrate", "--to", elsewhere(), "--yes");
    assertThat(KillTest.killedAt("migrate.switched", command)).isEqualTo(KillTest.KILLED);
    Place there = place(elsewhere(), true);
    assertThat(place.run("status").exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(there.run("status").err()).contains("has not arrived", "ledgerkeep migrate");
    migrated(place, "--to", elsewhere());
    assertWhole(there);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aLedgerGoesToBadgerAndBack(boolean encrypted) {
    OwnDisk.requireOrSkip(
        BadgerLedgerTest.hasSidecar(), "no Badger sidecar was built, which takes Go");
    here(encrypted).withChain(CHAIN).archivedTo(PIVOT);
    Place place =
        place(directory.resolve("data"), encrypted, "badgerdb:", "  memtable-bytes: 16777216");
    Run there = migrated(place, "--provider", "badgerdb", "--remove-source", "--json");
    Place badger = place(place.data, encrypted, "provider: badgerdb");
    assertWhole(badger);
    Run back = migrated(badger, "--provider", "leveldb", "--to", elsewhere(), "--json");
    assertThat(back.json().get("contentDigests")).isEqualTo(there.json().get("contentDigests"));
    assertWhole(place(elsewhere(), encrypted));
  }
}
