package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Backs up and restores real ledgers with the real command line. */
@Timeout(300)
final class BackupCommandTest {

  private static final String KEY = "hex:0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  private static final String[] SEALED = {"encryptor: sm4", "encrypt_key: \"" + KEY + "\""};
  private static final int BLOCKS = 60;
  private static final int PIVOT = 40;
  private static final String CHAIN = Place.lines(MarkedChain.blocks(BLOCKS));
  private static final String BEGINNING = Place.lines(MarkedChain.blocks(BLOCKS - 7));

  @TempDir private Path directory;

  private Place place(boolean encrypted, String data) {
    List<String> lines = new ArrayList<>(List.of("reserve_bytes: 0"));
    lines.addAll(encrypted ? List.of(SEALED) : List.of());
    return new Place(
        directory,
        directory.resolve(data),
        directory.resolve("archive"),
        lines.toArray(String[]::new));
  }

  private Path backups() {
    return directory.resolve("backups");
  }

  private static Run done(Run run) {
    assertThat(run.exitCode()).as(run.out() + run.err()).isZero();
    return run;
  }

  private static void assertWhole(Place place) {
    new Aftermath(place, CHAIN).assertNothingIsLost();
    new Aftermath(place, CHAIN).assertPivotIs(PIVOT);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aLedgerComesBackFromAFullAndAnIncrementalBackup(boolean encrypted) throws IOException {
    Place place = place(encrypted, "data").withChain(BEGINNING).archivedTo(PIVOT - 5);
    assertThat(done(place.run("backup", "--to", backups())).out()).contains("full backup 1 has 53");
    done(Run.reading(CHAIN, place.withData("import", "-")));
    place.archivedTo(PIVOT);
    Run incremental = done(place.run("backup", "--to", backups(), "--incremental", "--json"));
    assertThat(incremental.json())
        .containsEntry("kind", "incremental")
        .containsEntry("blocks", 7L)
        .containsEntry("changed", true);
    assertThat(done(place.run("backup", "--to", backups(), "--incremental")).out())
        .contains("nothing to back up");
    assertThat(MarkedChain.filesWith(MarkedChain.markers(BLOCKS), backups()).isEmpty())
        .isEqualTo(encrypted);

    Place back = place(encrypted, "back");
    assertThat(done(back.run("restore-backup", "--from", backups(), "--dry-run")).out())
        .contains("would restore", "backups          1, 2");
    assertThat(back.data).doesNotExist();
    assertThat(done(back.runWithArchive("restore-backup", "--from", backups(), "--rehearse")).out())
        .contains("restored, verified and removed");
    assertThat(back.data).doesNotExist();
    assertThat(done(back.run("restore-backup", "--from", backups())).out())
        .contains("39 blocks are in the archive only");
    assertWhole(back);
    assertThat(MarkedChain.filesWith(MarkedChain.markers(BLOCKS), back.data).isEmpty())
        .isEqualTo(encrypted);
    new Aftermath(back, CHAIN).assertEqualAfterRestore();
  }

  @Test
  void exitCodesTellWhatWentWrong() throws IOException {
    Place place = place(true, "data").withChain(CHAIN);
    Run none = place.run("backup", "--to", backups(), "--incremental");
    assertThat(none.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(none.err()).contains("make a full one first");
    done(place.run("backup", "--to", backups()));
    assertThat(place.run("restore-backup", "--from", backups()).exitCode())
        .isEqualTo(ExitCode.USAGE);
    Path other =
        place.write(
            "other.yml", "storage:\n  encryptor: sm4\n  encrypt_key: " + "x".repeat(16) + "\n");
    Path back = directory.resolve("back");
    assertThat(
            Run.of("--config", other, "--data", back, "restore-backup", "--from", backups())
                .exitCode())
        .isEqualTo(ExitCode.REFUSED);
    Path file = backups().resolve("000001/state-000001.lkb");
    byte[] content = Files.readAllBytes(file);
    content[content.length / 2] ^= 1;
    Files.write(file, content);
    Run damaged = place(true, "back").run("restore-backup", "--from", backups());
    assertThat(damaged.exitCode()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(damaged.err()).contains(file.toString());
    assertThat(place(true, "back").run("status").exitCode()).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void theRestoredLedgerMayBeUnderAnotherKey() {
    Place place = place(true, "data").withChain(CHAIN);
    done(place.run("backup", "--to", backups()));
    Path other =
        place.write(
            "other.yml", "storage:\n  encryptor: aes\n  encrypt_key: " + "y".repeat(16) + "\n");
    Path back = directory.resolve("back");
    done(place(true, "back").run("restore-backup", "--from", backups(), "--new-config", other));
    assertThat(Run.of("--config", other, "--data", back, "export", "-").out()).isEqualTo(CHAIN);
    assertThat(place(true, "back").run("status").exitCode()).isEqualTo(ExitCode.REFUSED);
  }

  @Test
  void aLedgerThatANodeHasIsNotBackedUpFromOutside() {
    Place place = place(false, "data").withChain(CHAIN);
    GlobalOptions options =
        new GlobalOptions(
            new Console(System.in, System.out, System.err, false, Interruption.byRequest()));
    options.config = place.config;
    options.data = place.data;
    try (OpenLedger node = OpenLedger.existing(Settings.of(options).ledger())) {
      assertThat(place.run("backup", "--to", backups()).exitCode()).isEqualTo(ExitCode.LOCKED);
    }
  }

  /** The way without us: stop the node, pack its directory, unpack it elsewhere. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theDirectoryOfAStoppedLedgerIsABackup(boolean encrypted) throws Exception {
    Place place = place(encrypted, "data").withChain(CHAIN).archivedTo(PIVOT);
    Path packed = directory.resolve("data.tar.gz");
    Path back = Files.createDirectory(directory.resolve("back"));
    shell("tar", "-C", place.data, "-czf", packed, ".");
    MoreFiles.deleteRecursively(place.data, RecursiveDeleteOption.ALLOW_INSECURE);
    shell("tar", "-C", back, "-xzf", packed);
    assertWhole(place(encrypted, "back"));
    done(place(encrypted, "back").runWithArchive("archive", "--to", PIVOT + 2, "--yes"));
  }

  private static void shell(Object... command) throws IOException, InterruptedException {
    List<String> words = Stream.of(command).map(Object::toString).toList();
    assertThat(new ProcessBuilder(words).inheritIO().start().waitFor()).isZero();
  }
}
