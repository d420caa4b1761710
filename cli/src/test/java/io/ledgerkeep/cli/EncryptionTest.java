package io.ledgerkeep.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A ledger that is encrypted, by way of the configuration file. */
final class EncryptionTest {

  private static final String KEY = "hex:0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  private static final String CHAIN = Place.chain(60);
  private static final String MARKED = Place.lines(MarkedChain.blocks(60));

  @TempDir private Path directory;

  private Place place(String... storage) {
    List<String> lines = new ArrayList<>(List.of("reserve_bytes: 0"));
    lines.addAll(List.of(storage));
    return new Place(
        directory,
        directory.resolve("data"),
        directory.resolve("archive"),
        lines.toArray(String[]::new));
  }

  private Place encrypted(String encryptor) {
    return place("encryptor: " + encryptor, "encrypt_key: \"" + KEY + "\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"aes", "sm4"})
  void whatWasImportedIsExported(String encryptor) throws IOException {
    Place place = encrypted(encryptor);
    assertThat(place.run("init").exitCode()).isZero();
    Run imported = Run.reading(CHAIN, place.withData("import", "-"));
    assertThat(imported.exitCode()).as(imported.err()).isZero();
    assertThat(place.run("export", "-").out()).isEqualTo(CHAIN);
    assertThat(place.run("verify").exitCode()).isZero();
    assertThat(filesWith(place.data, payload())).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"aes", "sm4"})
  void theArchiveIsEncryptedTooAndStandsAlone(String encryptor) throws IOException {
    Place place = encrypted(encryptor);
    assertThat(place.run("init", "--unarchived-blocks", 10).exitCode()).isZero();
    assertThat(Run.reading(CHAIN, place.withData("import", "-")).exitCode()).isZero();
    Run archived = place.runWithArchive("archive", "--to", 41, "--yes");
    assertThat(archived.exitCode()).as(archived.err()).isZero();
    assertThat(filesWith(place.archive, payload())).isEmpty();
    assertThat(place.run("status").out()).contains(encryptor.equals("aes") ? "AES-128-GCM" : "SM4");

    assertThat(alone(place, "verify").exitCode()).isZero();
    assertThat(alone(place, "query", "--height", 7).exitCode()).isZero();
    Place keyless = place();
    assertThat(alone(keyless, "verify", "--level", "bytes").exitCode()).isZero();
    Run query = alone(keyless, "query", "--height", 7);
    assertThat(query.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(query.err()).contains("encrypted").contains("encrypt_key");

    encrypted(encryptor);
    assertThat(place.runWithArchive("verify").exitCode()).isZero();
    assertThat(place.runWithArchive("restore", "--down-to", 1, "--yes").exitCode()).isZero();
    assertThat(place.run("export", "-").out()).isEqualTo(CHAIN);
  }

  /** Whatever a kill leaves on the disk is sealed, and the job goes on from it. */
  @ParameterizedTest
  @MethodSource("io.ledgerkeep.cli.KillTest#stepsOfArchive")
  void anArchiveRunKilledAtAStepLeavesNothingInPlain(String step) throws Exception {
    Place place = encrypted("aes").withChain(MARKED);
    assertNothingInPlain(place);
    assertThat(KillTest.killedAt(step, place.withBoth("archive", "--to", 41, "--yes")))
        .isEqualTo(KillTest.KILLED);
    assertNothingInPlain(place);
    assertThat(place.runWithArchive("archive", "--to", 41, "--yes").exitCode()).isZero();
    assertNothingInPlain(place);
    assertThat(place.runWithArchive("export", "-").out()).isEqualTo(MARKED);
  }

  @ParameterizedTest
  @MethodSource("io.ledgerkeep.cli.KillTest#stepsOfRestore")
  void aRestoreKilledAtAStepLeavesNothingInPlain(String step) throws Exception {
    Place place = encrypted("aes").withChain(MARKED).archivedTo(41);
    assertThat(KillTest.killedAt(step, place.withBoth("restore", "--down-to", 1, "--yes")))
        .isEqualTo(KillTest.KILLED);
    assertNothingInPlain(place);
    assertThat(place.runWithArchive("restore", "--down-to", 1, "--yes").exitCode()).isZero();
    assertNothingInPlain(place);
    assertThat(place.run("export", "-").out()).isEqualTo(MARKED);
  }

  /** Neither anything of the blocks, nor a key, nor what keys are derived from. */
  private static void assertNothingInPlain(Place place) throws Exception {
    List<String> hidden = new ArrayList<>(MarkedChain.markers(60));
    List<String> secrets =
        KeysByTheBook.secrets(place.data.resolve("block/KEYS"), KEY.substring("hex:".length()));
    assertThat(secrets).hasSizeGreaterThan(6);
    hidden.addAll(secrets);
    assertThat(MarkedChain.filesWith(hidden, place.data)).isEmpty();
    assertThat(MarkedChain.filesWith(hidden, place.archive)).isEmpty();
  }

  /** The search finds each kind of marker in a ledger in plain, and in its archive. */
  @Test
  void whatIsSearchedForIsFoundInPlain() throws IOException {
    Place place = place().withChain(MARKED).archivedTo(41);
    List<String> markers = MarkedChain.markers(60);
    for (int kind = 0; kind < MarkedChain.KINDS; kind++) {
      assertThat(MarkedChain.filesWith(List.of(markers.get(kind)), place.archive)).hasSize(1);
      String onNode = markers.get(markers.size() - MarkedChain.KINDS + kind);
      assertThat(MarkedChain.filesWith(List.of(onNode), place.data)).isNotEmpty();
    }
    String state = markers.get(markers.size() - 1);
    assertThat(MarkedChain.filesWith(List.of(state), place.data.resolve("state"))).isNotEmpty();
  }

  private static Run alone(Place place, Object... command) {
    List<Object> args = new ArrayList<>();
    args.addAll(List.of("--config", place.config, "--archive", place.archive));
    args.addAll(List.of(command));
    return Run.of(args.toArray());
  }

  @Test
  void theDemoIsEncryptedWhereTheConfigurationSaysSo() throws IOException {
    Place place = encrypted("sm4");
    Path chain = Files.writeString(directory.resolve("chain.jsonl"), CHAIN);
    Run demo = place.runWithArchive("demo", chain);
    assertThat(demo.exitCode()).as(demo.err()).isZero();
    assertThat(filesWith(place.data, payload())).isEmpty();
    assertThat(filesWith(place.archive, payload())).isEmpty();
    assertThat(filesWith(place.data, KEY.substring(4))).isEmpty();
    assertThat(place.run("status").out()).contains("SM4-GCM");
  }

  @Test
  void anExportIsInPlainAndSaysSoAndIsTheOwnersAlone() throws IOException {
    Place place = encrypted("aes").withChain(30);
    Path export = directory.resolve("export.jsonl");
    Run run = place.run("export", export);
    assertThat(run.exitCode()).isZero();
    assertThat(run.err()).contains("in plain");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(export)))
        .isEqualTo("rw-------");
  }

  @Test
  void aNewDataKeyIsMadeAndShown() throws IOException {
    Place place = encrypted("aes").withChain(30);
    Run rotated = place.run("tde", "rotate", "--suite", "SM4-GCM");
    assertThat(rotated.exitCode()).as(rotated.err()).isZero();
    assertThat(rotated.out()).contains("data key 2");
    Run again = Run.reading(CHAIN, place.withData("import", "-"));
    assertThat(again.exitCode()).as(again.err()).isZero();
    assertThat(place.run("tde", "status").out())
        .containsPattern("data key 1 +AES-128-GCM +read only")
        .containsPattern("data key 2 +SM4-GCM +active");
    assertThat(place.run("export", "-").out()).isEqualTo(CHAIN);
    assertThat(place.run("tde", "rotate", "--suite", "AES").exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(place.run("tde", "status", "--suite", "x").exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(place.run("tde").exitCode()).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void aPlainLedgerHasNoKeysToShow() {
    Place place = place().withChain(5);
    Run run = place.run("tde", "status");
    assertThat(run.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(run.err()).contains("in plain");
  }

  /** Without encryption the search finds what it looks for. */
  @Test
  void aPlainLedgerHasItsPayloadsInPlain() throws IOException {
    Place place = place();
    assertThat(place.run("init").exitCode()).isZero();
    assertThat(Run.reading(CHAIN, place.withData("import", "-")).exitCode()).isZero();
    assertThat(filesWith(place.data, payload())).isNotEmpty();
  }

  private static String payload() {
    return Place.blocks(60).stream()
        .flatMap(block -> block.transactions().stream())
        .map(transaction -> new String(transaction.payload().toArray(), ISO_8859_1))
        .filter(payload -> payload.length() > 12)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void withoutItsKeyOrWithAnotherItIsRefused() throws IOException {
    assertThat(encrypted("sm4").run("init").exitCode()).isZero();
    Run without = place().run("status");
    assertThat(without.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(without.err()).contains("is encrypted").contains("encrypt_key");
    Run other =
        place("encryptor: sm4", "encrypt_key: hex:00112233445566778899aabbccddeeff").run("status");
    assertThat(other.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(other.err()).contains("not the one").doesNotContain("00112233");
    assertThat(encrypted("sm4").run("status").exitCode()).isZero();
  }

  @Test
  void aKeyAndItsEncryptorBelongTogether() throws IOException {
    for (String line : new String[] {"encryptor: aes", "encrypt_key: \"" + KEY + "\""}) {
      Run run = place(line).run("init");
      assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
      assertThat(run.err()).contains("belong together").doesNotContain("0f1e2d3c");
    }
  }

  /** A one-shot command leaves the file as it is unless it is told otherwise. */
  @Test
  void aKeyFileIsEmptiedOnlyOnRequest() throws IOException {
    Path file = directory.resolve("ledger.key");
    Files.write(
        Files.createFile(
            file,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))),
        "0123456789abcdeF".getBytes(US_ASCII));
    String key = "encrypt_key: " + file;
    assertThat(place("encryptor: sm4", key).run("init").exitCode()).isZero();
    assertThat(place("encryptor: sm4", key).run("status").exitCode()).isZero();
    assertThat(file).hasSize(16);
    Run emptying = place("encryptor: sm4", key, "empty_key_file: true").run("status");
    assertThat(emptying.exitCode()).as(emptying.err()).isZero();
    assertThat(file).isEmptyFile();
    Run again = place("encryptor: sm4", key).run("status");
    assertThat(again.exitCode()).isNotZero();
    assertThat(again.err()).contains(file.toString());
  }

  private static Stream<Path> filesWith(Path root, String text) throws IOException {
    return Files.walk(root)
        .filter(Files::isRegularFile)
        .filter(
            file -> {
              try {
                return Files.readString(file, ISO_8859_1).contains(text);
              } catch (IOException e) {
                return false;
              }
            });
  }
}
