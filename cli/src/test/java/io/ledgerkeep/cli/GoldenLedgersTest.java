package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.hash.Hashing;
import io.ledgerkeep.cli.GoldenLedgers.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a release has written is read by every later one, byte for byte, and goes on. */
final class GoldenLedgersTest {

  /** By the release and kind; a digest is added with a file, and never changed. */
  private static final Map<String, String> WRITTEN =
      Map.of(
          "0.1/PLAIN", "643865a4af37b8d053fb7a831a436704acce2d6e50b3cc38d6c1d1a0393979dc",
          "0.1/AES", "55add89f6c362dd54a1d2518cb50ddcaa822a464e46a8ea04b2ec6d8150e7eec",
          "0.1/SM4", "4fe5d4267a0742562f1210f1a2b7e21ca0f15c2ed94bc2b616031a48ceadd322");

  @TempDir private Path directory;

  @ParameterizedTest
  @EnumSource
  void theFilesAreThoseThatWereWrittenThen(Kind kind) throws IOException {
    Path file = kind.file(GoldenLedgers.VERSION);
    assertThat(Hashing.sha256().hashBytes(Files.readAllBytes(file)).toString())
        .as(
            "%s was written by release %s and must stay as it is: a format that changed gets a directory of its own"
                .formatted(file, GoldenLedgers.VERSION))
        .isEqualTo(WRITTEN.get(GoldenLedgers.VERSION + "/" + kind));
    assertThat(Files.size(file)).isLessThan(40_000);
  }

  @Test
  void thereIsOneForTheFormatsOfThisRelease() {
    Place place = Kind.PLAIN.place(directory);
    assertThat(place.run("init").exitCode()).isZero();
    assertThat(place.run("status", "--json").json())
        .as("a release with other formats needs golden ledgers of its own")
        .containsEntry("compatibilityVersion", GoldenLedgers.VERSION)
        .containsEntry("formatVersion", 1L);
  }

  @ParameterizedTest
  @EnumSource
  void aLedgerIsReadAndGoesOnAsItWasBegun(Kind kind) throws IOException {
    String chain = GoldenLedgers.unpack(kind.file(GoldenLedgers.VERSION), directory);
    Place place = kind.place(directory);
    Map<String, Object> status = place.run("status", "--json").json();
    assertThat(status)
        .containsEntry("compatibilityVersion", GoldenLedgers.VERSION)
        .containsEntry("height", GoldenLedgers.BLOCKS - 1L)
        .containsEntry("archivedHeight", (long) GoldenLedgers.PIVOT);
    assertThat(place.run("status").out()).containsPattern("compatibility version +0\\.1\n");
    new Aftermath(place, chain).assertNothingIsLost();

    assertThat(place.runWithArchive("rebuild-dbs", "--yes").exitCode()).isZero();
    place.archivedTo(GoldenLedgers.PIVOT + 3);
    new Aftermath(place, chain).assertNothingIsLost();
    new Aftermath(place, chain).assertEqualAfterRestore();
    Run again = Run.reading(chain, place.withData("import", "-"));
    assertThat(again.out()).contains("imported 0 blocks, skipped " + GoldenLedgers.BLOCKS);
  }

  @ParameterizedTest
  @EnumSource
  void anArchiveIsReadWithoutItsLedger(Kind kind) throws IOException {
    String chain = GoldenLedgers.unpack(kind.file(GoldenLedgers.VERSION), directory);
    Place place = kind.place(directory);
    Object[] archive = {"--config", place.config, "--archive", place.archive};
    Run verify = Run.of(with(archive, "verify", "--level", "content"));
    assertThat(verify.exitCode()).as(verify.out() + verify.err()).isZero();
    String line = chain.lines().skip(17).findFirst().orElseThrow();
    assertThat(Run.of(with(archive, "query", "--height", 17)).out())
        .isEqualToIgnoringNewLines(line);
  }

  private static Object[] with(Object[] first, Object... more) {
    return Stream.concat(Arrays.stream(first), Arrays.stream(more)).toArray();
  }

  /** Also to what it is made into by this release. */
  @ParameterizedTest
  @EnumSource
  void aLedgerIsMigratedAndEqualToTheOneItWas(Kind kind) throws IOException {
    String chain = GoldenLedgers.unpack(kind.file(GoldenLedgers.VERSION), directory);
    Place place = kind.place(directory);
    Path there = directory.resolve("there");
    Run migrated = place.run("migrate", "--to", there, "--yes");
    assertThat(migrated.exitCode()).as(migrated.err()).isZero();
    Object[] command = {
      "--config", place.config, "--data", there, "--archive", place.archive,
    };
    assertThat(Run.of(with(command, "export", "-")).out()).isEqualTo(chain);
  }
}
