package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.hash.Hashing;
import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.cli.interchange.BlockLines;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ImportExportTest {

  @TempDir private Path directory;
  private Place place;

  @BeforeEach
  void makeLedger() {
    place = new Place(directory);
    assertThat(place.run("init").exitCode()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"chain.jsonl", "chain.jsonl.gz", "chain.jsonl.zst"})
  void exportGivesByteForByteWhatImportRead(String name) throws IOException {
    Path in = directory.resolve("in-" + name);
    try (OutputStream out = BlockLines.compress(name, Files.newOutputStream(in))) {
      out.write(Place.chain(60).getBytes(StandardCharsets.UTF_8));
    }
    Run imported = place.run("import", in, "--json");
    assertThat(imported.json())
        .containsEntry("imported", 60L)
        .containsEntry("skipped", 0L)
        .containsEntry("height", 59L);

    Path out = directory.resolve("out-" + name);
    Run exported = place.run("export", out, "--json");
    String sha256 = Hashing.sha256().hashString(Place.chain(60), StandardCharsets.UTF_8).toString();
    assertThat(exported.json())
        .containsEntry("blocks", 60L)
        .containsEntry("lastHeight", 59L)
        .containsEntry("sha256", sha256);
    try (InputStream content = BlockLines.decompress(name, Files.newInputStream(out))) {
      assertThat(content.readAllBytes())
          .asString(StandardCharsets.UTF_8)
          .isEqualTo(Place.chain(60));
    }
  }

  @Test
  void standardStreamsArePlain() {
    assertThat(importing(Place.chain(20)).exitCode()).isZero();
    Run exported = place.run("export", "-");
    assertThat(exported.out()).isEqualTo(Place.chain(20));
  }

  @Test
  void aRangeIsExportedWithBothEnds() {
    importing(Place.chain(20));
    assertThat(place.run("export", "-", "--from", 5, "--to", 7).out())
        .isEqualTo(Place.lines(Place.blocks(20).subList(5, 8)));
    assertThat(place.run("export", "-", "--from", 18).out().lines()).hasSize(2);
    assertThat(place.run("export", "-", "--to", 0).out().lines()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--from 8 --to 7", "--to 20", "--from 20", "--from -1"})
  void aRangeThatTheChainDoesNotHaveIsWrongUsage(String range) {
    importing(Place.chain(20));
    Path file = place.write("out", "old");
    Run run = place.run(args("export", file, range));
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(file).hasContent("old");
  }

  @Test
  void anEmptyLedgerExportsNothing() {
    assertThat(place.run("export", "-")).isEqualTo(new Run(0, "", ""));
  }

  @Test
  void anExportIntoTheLedgerOrTheArchiveIsRefusedBeforeAnythingIsWritten() throws IOException {
    importing(Place.chain(20));
    place.archivedTo(5);
    Path layout = place.data.resolve("LAYOUT");
    byte[] before = Files.readAllBytes(layout);
    Path way = Files.createSymbolicLink(directory.resolve("way"), place.data);
    Path link = Files.createSymbolicLink(directory.resolve("link"), place.data.resolve("none"));
    for (Path file :
        List.of(
            layout,
            way.resolve("LAYOUT"),
            directory.resolve("way/../data/state/new.jsonl"),
            link,
            place.archive.resolve("new.jsonl"))) {
      Run run = place.runWithArchive("export", file);
      assertThat(run.exitCode()).as(file.toString()).isEqualTo(ExitCode.USAGE);
      assertThat(run.err()).contains("lies in the directory of the");
    }
    Run alone = place.runOnArchive("export", place.archive.resolve("new.jsonl"));
    assertThat(alone.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(layout).hasBinaryContent(before);
    assertThat(place.data.resolve("none")).doesNotExist();
    assertThat(place.archive.resolve("new.jsonl")).doesNotExist();
    assertThat(place.runWithArchive("export", directory.resolve("data.jsonl")).exitCode()).isZero();
  }

  /** The real path of a pipe is not that of any file. */
  @Test
  void anExportToAPipeIsWrittenThere() throws Exception {
    importing(Place.chain(20));
    Run run = Run.apart(place.withData("export", "/dev/stdout"));
    assertThat(run.err()).isEmpty();
    assertThat(run.out()).startsWith(Place.chain(20));
  }

  @Test
  void anExportToADirectoryThatIsNotThereNamesIt() {
    Run run = place.run("export", directory.resolve("absent/x.jsonl"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(run.err())
        .isEqualToIgnoringNewLines("there is no directory: " + directory.resolve("absent"));
  }

  @Test
  void anImportRunAgainSkipsWhatIsThereAndGoesOn() {
    importing(Place.chain(30));
    Run again = Run.reading(Place.chain(50), place.withData("import", "-", "--json"));
    assertThat(again.json())
        .containsEntry("imported", 20L)
        .containsEntry("skipped", 30L)
        .containsEntry("height", 49L);
    assertThat(place.run("export", "-").out()).isEqualTo(Place.chain(50));
  }

  @Test
  void aDifferingBlockAtACommittedHeightIsRefusedNamingItsLine() {
    importing(Place.chain(30));
    List<Block> chain = Place.blocks(40);
    chain.set(12, withHeader(chain.get(12), "other"));
    Run run = importing(Place.lines(chain));
    assertThat(run.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(run.err()).contains("line 13", "height 12");
    assertThat(place.run("export", "-").out()).isEqualTo(Place.chain(30));
  }

  @Test
  void aBlockThatDoesNotLinkEndsTheImportAtTheLastGoodOne() {
    List<Block> chain = Place.blocks(40);
    chain.remove(12);
    Run run = importing(Place.lines(chain));
    assertThat(run.exitCode()).as("something was changed").isEqualTo(ExitCode.FAILED);
    assertThat(run.err()).contains("line 13", "height 11");
    assertThat(place.run("export", "-").out()).isEqualTo(Place.chain(12));
    assertThat(importing(Place.chain(40)).exitCode()).isZero();
  }

  @Test
  void malformedInputNamesLineAndFieldAndLeavesTheLastGoodBlock() {
    String[] lines = Place.chain(40).split("\n");
    lines[25] = lines[25].replace("\"additional\":\"", "\"additional\":\"?");
    Run run = Run.reading(String.join("\n", lines), place.withData("import", "-", "--json"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(run.err()).startsWith("line 26, field additional: ");
    assertThat(run.json()).containsEntry("error", "input").containsEntry("exitCode", 1L);
    assertThat(place.run("export", "-").out()).isEqualTo(Place.chain(25));
    assertThat(importing(Place.chain(40)).exitCode()).isZero();
    assertThat(place.run("export", "-").out()).isEqualTo(Place.chain(40));
  }

  @Test
  void aFileThatIsNotThereIsAFailure() {
    Run run = place.run("import", directory.resolve("absent"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(run.err())
        .isEqualToIgnoringNewLines("there is no file " + directory.resolve("absent"));
  }

  @Test
  void aFileThatIsNotCompressedAsItsNameSaysIsAFailure() {
    for (String name : new String[] {"x.gz", "x.zst"}) {
      Run run = place.run("import", place.write(name, Place.chain(3)));
      assertThat(run.exitCode()).as(name).isEqualTo(ExitCode.FAILED);
      assertThat(run.err()).doesNotContain("Exception");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain text", "\u001f", ""})
  void aFileThatIsNoGzipIsNamed(String content) {
    Path file = place.write("x.gz", content);
    assertThat(place.run("import", file).err())
        .isEqualToIgnoringNewLines(file + " ends in .gz, but its content is not gzip");
  }

  @Test
  void anInterruptedImportCanBeRunAgain() {
    Run run = Run.interrupted(place.withData("import", place.write("c", Place.chain(40))));
    assertThat(run.exitCode()).isEqualTo(ExitCode.INTERRUPTED);
    assertThat(run.err()).contains("run the same import again");
  }

  @Test
  void anInterruptedExportLeavesTheOldFile() {
    importing(Place.chain(20));
    Path file = place.write("out", "old");
    Run run = Run.interrupted(place.withData("export", file, "--json"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.INTERRUPTED);
    assertThat(run.json()).containsEntry("error", "interrupted").containsEntry("exitCode", 130L);
    assertThat(file).hasContent("old");
    assertThat(directory).isDirectoryNotContaining("glob:**.part");
  }

  @Test
  void aStandardOutputThatCannotBeWrittenIsAFailure() {
    importing(Place.chain(20));
    java.io.PrintStream full =
        new java.io.PrintStream(
            new OutputStream() {
              @Override
              public void write(int b) throws IOException {
                throw new IOException("full");
              }
            });
    String[] args =
        java.util.Arrays.stream(place.withData("export", "-"))
            .map(Object::toString)
            .toArray(String[]::new);
    int exitCode = Main.run(args, InputStream.nullInputStream(), full, System.err);
    assertThat(exitCode).isEqualTo(ExitCode.FAILED);
  }

  private Run importing(String lines) {
    return Run.reading(lines, place.withData("import", "-"));
  }

  private static Object[] args(String command, Path file, String more) {
    return java.util.stream.Stream.concat(
            java.util.stream.Stream.of(command, file), java.util.Arrays.stream(more.split(" ")))
        .toArray();
  }

  private static Block withHeader(Block block, String header) {
    return new Block(
        block.height(),
        block.kind(),
        block.hash(),
        block.previousHash(),
        Bytes.ofUtf8(header),
        block.transactions(),
        block.rwSets(),
        block.additional());
  }
}
