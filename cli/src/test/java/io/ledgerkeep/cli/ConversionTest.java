package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Encrypts and decrypts real ledgers with the real command line, killed at its steps: the export
 * before and after is the same, byte for byte.
 */
@Timeout(600)
final class ConversionTest {

  private static final String KEY = "hex:0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  private static final String[] SEALED = {"encryptor: sm4", "encrypt_key: \"" + KEY + "\""};
  private static final int BLOCKS = 120;
  private static final int PIVOT = 100;
  private static final String CHAIN = Place.lines(MarkedChain.blocks(BLOCKS));

  @TempDir private Path directory;

  static Stream<String> steps() {
    return Steps.of(
        List.of(
            "convert.copied",
            "archive.committed",
            "convert.verified",
            "convert.switched",
            "convert.tidied"),
        List.of(
            "convert.begun",
            "convert.removing",
            "convert.created",
            "archive.begun",
            "archive.published",
            "archive.listed",
            "convert.archived",
            "convert.filled",
            "convert.durable",
            "convert.kept",
            "convert.opened",
            "convert.done"));
  }

  private Place plain() {
    return place();
  }

  private Place encrypted() {
    return place(SEALED);
  }

  private Place place(String... storage) {
    List<String> lines = new ArrayList<>(List.of("reserve_bytes: 0"));
    lines.addAll(List.of(storage));
    return new Place(
        directory,
        directory.resolve("data"),
        directory.resolve("archive"),
        lines.toArray(String[]::new));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatIsExportedIsTheSameBeforeAndAfter(boolean archived) throws IOException {
    Place place = plain().withChain(CHAIN);
    if (archived) {
      place.archivedTo(PIVOT);
    }
    Run encryption = encrypted().runWithArchive("tde", "encrypt", "--yes");
    assertThat(encryption.exitCode()).as(encryption.err()).isZero();
    assertThat(encryption.out())
        .contains("copied 120 blocks", "is in plain and stays so until you remove it", "rm -r ")
        .contains(archived ? "Its archive is in plain too" : "rm -r ");
    Place sealed = encrypted();
    new Aftermath(sealed, CHAIN).assertNothingIsLost();
    new Aftermath(sealed, CHAIN).assertPivotIs(archived ? PIVOT : 0);
    assertThat(sealed.run("status").out()).contains("SM4-GCM");
    assertThat(plain().run("status").exitCode()).isEqualTo(ExitCode.REFUSED);

    Run decryption = encrypted().runWithArchive("tde", "decrypt", "--yes");
    assertThat(decryption.exitCode()).as(decryption.err()).isZero();
    assertThat(decryption.out()).contains("in plain now", "stays, encrypted, until you remove it");
    Place again = plain();
    new Aftermath(again, CHAIN).assertNothingIsLost();
    new Aftermath(again, CHAIN).assertPivotIs(archived ? PIVOT : 0);
  }

  @ParameterizedTest
  @MethodSource("steps")
  void encryptingKilledAtAStepIsRunAgain(String step) throws Exception {
    Place place = plain().withChain(CHAIN).archivedTo(PIVOT);
    place = encrypted();
    assertThat(KillTest.killedAt(step, place.withBoth("tde", "encrypt", "--yes")))
        .isEqualTo(KillTest.KILLED);
    assertWhole(isEncrypted() ? encrypted() : plain());
    Run again = encrypted().runWithArchive("tde", "encrypt", "--yes");
    assertThat(again.exitCode()).as(again.err()).isZero();
    assertWhole(encrypted());
    assertThat(directory.resolve("data/CONVERTING")).doesNotExist();
    assertOnlyTheOriginalIsInPlain();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "convert.created",
        "convert.copied",
        "convert.filled",
        "convert.durable",
        "convert.switched",
        "convert.tidied"
      })
  void decryptingKilledAtAStepIsRunAgain(String step) throws Exception {
    Place place = encrypted().withChain(CHAIN).archivedTo(PIVOT);
    assertThat(KillTest.killedAt(step, place.withBoth("tde", "decrypt", "--yes")))
        .isEqualTo(KillTest.KILLED);
    assertWhole(isEncrypted() ? encrypted() : plain());
    Run again = encrypted().runWithArchive("tde", "decrypt", "--yes");
    assertThat(again.exitCode()).as(again.err()).isZero();
    assertWhole(plain());
  }

  private boolean isEncrypted() {
    return plain().run("status").exitCode() == ExitCode.REFUSED;
  }

  private static void assertWhole(Place place) {
    new Aftermath(place, CHAIN).assertNothingIsLost();
    new Aftermath(place, CHAIN).assertPivotIs(PIVOT);
  }

  /** Everything but what the backup names was written under the key. */
  private void assertOnlyTheOriginalIsInPlain() throws IOException {
    Path data = directory.resolve("data");
    List<Path> names = list(data);
    assertThat(filesWithMarkers(data.resolve("block"))).as("the original").isNotEmpty();
    for (String original : List.of("block", "state", "history")) {
      delete(data.resolve(original));
    }
    Path backup =
        names.stream()
            .filter(path -> path.getFileName().toString().startsWith("backup-"))
            .findFirst()
            .orElseThrow();
    String before = status(encrypted());
    delete(backup);
    Path genesis = list(directory.resolve("archive")).get(0);
    List<Path> archives = list(genesis);
    assertThat(archives).hasSize(2);
    for (Path archive : archives) {
      if (!before.contains(archive.getFileName().toString())) {
        assertThat(filesWithMarkers(archive)).as("the original's archive").isNotEmpty();
        delete(archive);
      }
    }
    assertThat(filesWithMarkers(data)).isEmpty();
    assertThat(filesWithMarkers(directory.resolve("archive"))).isEmpty();
    assertWhole(encrypted());
  }

  private static String status(Place place) {
    return String.valueOf(place.run("status", "--json").json().get("ledgerId"));
  }

  private static List<Path> list(Path place) throws IOException {
    try (Stream<Path> files = Files.list(place)) {
      return files.sorted().toList();
    }
  }

  private static void delete(Path path) throws IOException {
    MoreFiles.deleteRecursively(path, RecursiveDeleteOption.ALLOW_INSECURE);
  }

  private static List<Path> filesWithMarkers(Path root) throws IOException {
    return MarkedChain.filesWith(MarkedChain.markers(BLOCKS), root);
  }

  /** What the report names, and nothing else, is the original: without it the ledger goes on. */
  @Test
  void theReportIsOneObjectForProgramsAndTellsWhatToRemove() throws IOException {
    plain().withChain(CHAIN).archivedTo(PIVOT);
    Map<String, Object> plan =
        encrypted().runWithArchive("tde", "encrypt", "--dry-run", "--json").json();
    assertThat(plan).containsEntry("dryRun", true).containsEntry("blocks", 120L);
    Map<String, Object> report =
        encrypted().runWithArchive("tde", "encrypt", "--yes", "--json").json();
    assertThat(report).containsEntry("changed", true).containsEntry("blocks", 120L);
    Path backup = Path.of((String) report.get("backup"));
    assertThat(backup.getFileName().toString()).matches("backup-[0-9]{8}T[0-9]{6}Z-plain");
    Place original = new Place(directory, backup, directory.resolve("archive"), "reserve_bytes: 0");
    assertWhole(original);

    encrypted();
    for (Object path : (List<?>) report.get("originals")) {
      delete(Path.of((String) path));
    }
    delete(Path.of((String) report.get("archiveBefore")));
    assertWhole(encrypted());
    assertThat(filesWithMarkers(directory.resolve("data"))).isEmpty();
    assertThat(filesWithMarkers(directory.resolve("archive"))).isEmpty();
  }

  @Test
  void anOriginalInPlainIsNotForgottenWhenTheLedgerIsEncryptedAgain() {
    plain().withChain(BLOCKS);
    Run first = encrypted().run("tde", "encrypt", "--yes", "--json");
    assertThat(first.json().get("earlierInPlain")).isEqualTo(List.of());
    assertThat(encrypted().run("tde", "decrypt", "--yes").exitCode()).isZero();
    Run again = encrypted().run("tde", "encrypt", "--yes");
    assertThat(again.exitCode()).as(again.err()).isZero();
    assertThat(again.out()).contains(String.valueOf(first.json().get("backup")));
  }

  @Test
  void nothingIsDoneWithoutAYesAndNothingTwice() {
    plain().withChain(CHAIN);
    Run unasked = encrypted().runWithArchive("tde", "encrypt");
    assertThat(unasked.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(unasked.err()).contains("would encrypt 120 blocks").contains("--yes");
    Run declined = Run.answering("n\n", encrypted().withBoth("tde", "encrypt"));
    assertThat(declined.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(plain().run("export", "-").out()).isEqualTo(CHAIN);

    assertThat(plain().runWithArchive("tde", "decrypt").out()).contains("nothing to decrypt");
    assertThat(encrypted().runWithArchive("tde", "encrypt", "--yes").exitCode()).isZero();
    Run again = encrypted().runWithArchive("tde", "encrypt");
    assertThat(again.exitCode()).isZero();
    assertThat(again.out()).contains("nothing to encrypt: the ledger is encrypted");
  }

  @Test
  void whatCannotBeDoneIsRefusedBeforeAnythingIs() throws IOException {
    plain().withChain(CHAIN).archivedTo(PIVOT);
    List<Path> before = list(directory.resolve("data"));
    Run keyless = plain().runWithArchive("tde", "encrypt", "--yes");
    assertThat(keyless.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(keyless.err()).contains("encrypt_key");
    Run without = encrypted().run("tde", "encrypt", "--yes");
    assertThat(without.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(without.err()).contains("archive");
    Run rate = encrypted().runWithArchive("tde", "encrypt", "--yes", "--max-rate", "0");
    assertThat(rate.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(list(directory.resolve("data"))).isEqualTo(before);
  }

  @Test
  void stoppedByASignalItGoesOnLater() {
    plain().withChain(CHAIN).archivedTo(PIVOT);
    Run stopped = Run.interrupted(encrypted().withBoth("tde", "encrypt", "--yes"));
    assertThat(stopped.exitCode()).isEqualTo(ExitCode.INTERRUPTED);
    assertThat(stopped.err()).contains("the ledger is as it was");
    assertWhole(plain());
    assertThat(encrypted().runWithArchive("tde", "encrypt", "--yes").exitCode()).isZero();
    assertWhole(encrypted());
  }

  @Test
  void aDiskWithTooLittleRoomIsToldBeforeAnythingIsWritten() throws Exception {
    try (OwnDisk disk = OwnDisk.inMemory(directory.resolve("disk"), 96)) {
      Path file =
          LargeBlocks.write(directory.resolve("chain.jsonl"), LargeBlocks.chain(300, 64 << 10));
      Path data = disk.root().resolve("data");
      assertThat(onDisk(data).run("init").exitCode()).isZero();
      assertThat(onDisk(data).run("import", file).exitCode()).isZero();
      String before = onDisk(data).run("export", "-").out();
      Run planned = onDisk(data, SEALED).run("tde", "encrypt", "--dry-run", "--json");
      assertThat(planned.exitCode()).as(planned.out() + planned.err()).isZero();
      Map<String, Object> plan = planned.json();
      disk.fillUpTo((Long) plan.get("bytesNeeded") - (1 << 20));
      Run refused = onDisk(data, SEALED).run("tde", "encrypt", "--yes");
      assertThat(refused.exitCode()).as(refused.err()).isEqualTo(ExitCode.FAILED);
      assertThat(refused.err()).contains("the copy needs about", "make room there");
      assertThat(list(data).stream().map(path -> path.getFileName().toString()))
          .noneMatch(name -> name.startsWith("CONVERTING") || name.contains("encrypted"));
      assertThat(onDisk(data).run("export", "-").out()).isEqualTo(before);
    }
  }

  private Place onDisk(Path data, String... more) {
    List<String> lines =
        new ArrayList<>(
            List.of(
                "reserve_bytes: 0",
                "leveldb:",
                "  write-buffer-bytes: 262144",
                "  low-space-bytes: 1048576"));
    lines.addAll(0, List.of(more));
    return new Place(directory, data, directory.resolve("archive"), lines.toArray(String[]::new))
        .apart();
  }

  /** How much room an archive needs is not known before. */
  @Test
  void anArchiveThatIsFullInTheMiddleLeavesTheLedgerAsItIs() throws Exception {
    try (OwnDisk disk = OwnDisk.inMemory(directory.resolve("archive"), 8)) {
      plain().withChain(CHAIN).archivedTo(PIVOT);
      disk.fill();
      Run full = encrypted().runWithArchive("tde", "encrypt", "--yes");
      assertThat(full.exitCode()).as(full.err()).isEqualTo(ExitCode.FAILED);
      assertWhole(plain());
      disk.makeRoom();
      assertThat(encrypted().runWithArchive("tde", "encrypt", "--yes").exitCode()).isZero();
      assertWhole(encrypted());
    }
  }
}
