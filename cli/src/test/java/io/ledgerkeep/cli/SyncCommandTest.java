package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import io.ledgerkeep.Block;
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

/** New nodes out of real ledgers and archives, with the real command line. */
@Timeout(300)
final class SyncCommandTest {

  private static final String KEY = "hex:0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  private static final String[] SEALED = {"encryptor: sm4", "encrypt_key: \"" + KEY + "\""};
  private static final int BLOCKS = 60;
  private static final int PIVOT = 40;
  private static final String CHAIN = Place.lines(MarkedChain.blocks(BLOCKS));
  private static final String ARCHIVED = Place.lines(MarkedChain.blocks(PIVOT + 1));

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

  private static Run done(Run run) {
    assertThat(run.exitCode()).as(run.out() + run.err()).isZero();
    return run;
  }

  private static String anchor(int height) {
    Block block = MarkedChain.blocks(height + 1).get(height);
    return height + ":" + block.hash().hex();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anArchiveAndItsKeyAreEnough(boolean encrypted) throws IOException {
    Place lost = place(encrypted, "data").withChain(CHAIN).archivedTo(PIVOT);
    String id = String.valueOf(lost.run("status", "--json").json().get("ledgerId"));
    MoreFiles.deleteRecursively(lost.data, RecursiveDeleteOption.ALLOW_INSECURE);
    Place node = place(encrypted, "node");

    Run untrusted = node.run("sync", "--from-archive", node.archive);
    assertThat(untrusted.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(untrusted.err()).contains("--expect HEIGHT:HASH", "--trust-source");
    Run other =
        node.run("sync", "--from-archive", node.archive, "--expect", "40:" + "00".repeat(32));
    assertThat(other.exitCode()).isEqualTo(ExitCode.INTEGRITY);
    Run planned =
        done(
            node.run(
                "sync", "--from-archive", node.archive, "--expect", anchor(PIVOT), "--dry-run"));
    assertThat(planned.out()).contains("would take over 41 blocks");
    assertThat(node.data).doesNotExist();

    done(node.run("sync", "--from-archive", node.archive, "--expect", anchor(PIVOT)));
    assertThat(done(node.run("export", "-")).out()).isEqualTo(ARCHIVED);

    Place successor = place(encrypted, "successor");
    Run made =
        done(
            successor.runWithArchive(
                "sync",
                "--from-archive",
                node.archive,
                "--trust-source",
                "--successor",
                "--leave-archived",
                "--json"));
    assertThat(made.json()).containsEntry("ledgerId", id).containsEntry("height", (long) PIVOT);
    assertThat((Long) made.json().get("archivedHeight")).isBetween(1L, PIVOT - 10L);
    assertThat(successor.run("query", "--height", 3).exitCode()).isEqualTo(ExitCode.FAILED);
    done(Run.reading(CHAIN, successor.withData("import", "-")));
    successor.archivedTo(PIVOT + 2);
    new Aftermath(successor, CHAIN).assertNothingIsLost();
  }

  /** As the manual of the field has it: copy the block database of a peer, make the rest. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theCopiedBlockDatabaseOfAPeerIsEnough(boolean encrypted) throws Exception {
    Place peer = place(encrypted, "data").withChain(CHAIN).archivedTo(PIVOT);
    Path copied = Files.createDirectory(directory.resolve("copied"));
    shell("cp", "-R", peer.data.resolve("LAYOUT"), peer.data.resolve("block"), copied);
    Place node = place(encrypted, "node");
    Run strayed = node.run("sync", "--from", copied, "--of", "ab", "--trust-source");
    assertThat(strayed.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(strayed.err()).contains("--of", "--from-archive");
    Run without = node.run("sync", "--from", copied, "--trust-source");
    assertThat(without.exitCode()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(without.err()).contains("no source has block 1 whole");
    done(node.run("sync", "--from", copied, "--from-archive", peer.archive, "--trust-source"));
    assertThat(done(node.run("export", "-")).out()).isEqualTo(CHAIN);
    assertThat(
            done(Run.of(
                    "--config",
                    node.config,
                    "--archive",
                    peer.archive,
                    "compare",
                    node.data,
                    peer.data))
                .out())
        .contains("equal: 60 blocks, state and history");
  }

  @Test
  void aLedgerThatIsOpenIsNoSource() {
    Place peer = place(false, "data").withChain(CHAIN);
    GlobalOptions options =
        new GlobalOptions(
            new Console(System.in, System.out, System.err, false, Interruption.byRequest()));
    options.config = peer.config;
    options.data = peer.data;
    try (OpenLedger open = OpenLedger.existing(Settings.of(options).ledger())) {
      Run run = place(false, "node").run("sync", "--from", peer.data, "--trust-source");
      assertThat(run.exitCode()).isEqualTo(ExitCode.LOCKED);
    }
  }

  private static void shell(Object... command) throws IOException, InterruptedException {
    List<String> words = Stream.of(command).map(Object::toString).toList();
    assertThat(new ProcessBuilder(words).inheritIO().start().waitFor()).isZero();
  }
}
