package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys are replaced on the command line, and by processes that are killed on the way. */
@Timeout(600)
final class RotationTest {

  private static final String OLD = "hex:0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  private static final String NEW = "hex:f01e2d3c4b5a69788796a5b4c3d2e1f0";
  private static final int BLOCKS = 60;
  private static final String CHAIN = Place.chain(BLOCKS);

  @TempDir private Path directory;

  private Place with(String encryptor, String key) {
    return new Place(
        directory,
        directory.resolve("data"),
        directory.resolve("archive"),
        "reserve_bytes: 0",
        "encryptor: " + encryptor,
        "encrypt_key: \"" + key + "\"");
  }

  private Path newConfig(String encryptor, String key) {
    Path file = directory.resolve("new.yml");
    try {
      return Files.writeString(
          file, "storage:\n  encryptor: %s\n  encrypt_key: \"%s\"\n".formatted(encryptor, key));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Run done(Run run) {
    assertThat(run.exitCode()).as(run.err()).isZero();
    return run;
  }

  @Test
  void everythingIsSealedAnewAndTheOldKeyIsDestroyed() {
    Place place = with("aes", OLD).withChain(BLOCKS);
    done(place.run("tde", "rotate", "--suite", "SM4-GCM"));
    Run early = place.run("tde", "disable", 1);
    assertThat(early.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(early.err()).contains("reencrypt");
    assertThat(done(place.run("tde", "reencrypt", "--max-rate", 500)).out())
        .contains("sealed anew");
    assertThat(done(place.run("tde", "status", "--count")).out())
        .containsPattern("data key 1 +AES-128-GCM +read only.* 0 values")
        .containsPattern("data key 2 +SM4-GCM +active.* [1-9][0-9]* values");
    assertThat(place.run("tde", "destroy", 1, "--yes").exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(done(place.run("tde", "disable", 1)).out()).containsPattern("data key 1 .*disabled");
    done(place.run("tde", "enable", 1));
    done(place.run("tde", "disable", 1));
    assertThat(place.run("tde", "destroy", 1).exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(done(place.run("tde", "destroy", 1, "--yes", "--json")).out())
        .contains("\"state\":\"destroyed\"");
    assertThat(place.run("export", "-").out()).isEqualTo(CHAIN);
  }

  @Test
  void anotherMasterKeyIsGivenByAConfiguration() {
    Place place = with("aes", OLD).withChain(BLOCKS);
    Path next = newConfig("sm4", NEW);
    done(place.run("tde", "rewrap", "--new-config", next));
    assertThat(place.run("status").exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(with("sm4", NEW).run("export", "-").out()).isEqualTo(CHAIN);
    assertThat(place.run("tde", "rewrap").exitCode()).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void aConfigurationWithoutAKeyIsRefused() {
    Place place = with("aes", OLD).withChain(5);
    Path none = place.write("none.yml", "storage:\n  chain_id: chain1\n");
    Run run = place.run("tde", "rewrap", "--new-config", none);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("encrypt_key");
    done(place.run("status"));
  }

  @Test
  void exposedKeysAreShownUntilTheyAreDestroyed() {
    Place place = with("aes", OLD).withChain(BLOCKS);
    assertThat(done(place.run("tde", "mark-exposed")).out()).contains("exposed", "reencrypt");
    Path next = newConfig("aes", NEW);
    Run alone = place.run("tde", "rewrap", "--new-config", next);
    assertThat(alone.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(alone.err()).contains("reencrypt");
    done(place.run("tde", "rewrap", "--rotate", "--new-config", next));
    Place after = with("aes", NEW);
    done(after.run("tde", "reencrypt"));
    done(after.run("tde", "disable", 1));
    assertThat(done(after.run("tde", "destroy", 1, "--yes", "--json")).out())
        .contains("\"exposed\":false");
    assertThat(after.run("export", "-").out()).isEqualTo(CHAIN);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "keys.written:1",
        "keys.written:2",
        "reseal.read",
        "reseal.written",
        "reseal.written:2",
        "reseal.all",
        "reseal.compacted"
      })
  void aReencryptionKilledAtAStepIsRunAgain(String step) throws Exception {
    Place place = with("aes", OLD).withChain(BLOCKS);
    done(place.run("tde", "rotate", "--suite", "SM4-GCM"));
    assertThat(KillTest.killedAt(step, place.withData("tde", "reencrypt")))
        .isEqualTo(KillTest.KILLED);
    assertThat(place.run("export", "-").out()).isEqualTo(CHAIN);
    done(place.run("verify"));
    done(place.run("tde", "reencrypt"));
    assertThat(done(place.run("tde", "status", "--count")).out())
        .containsPattern("data key 1 .* 0 values");
    assertThat(place.run("export", "-").out()).isEqualTo(CHAIN);
  }

  /** Killed at whichever write of the registry, one of the two master keys opens it. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void aRewrapKilledAtAStepLeavesALedgerThatOneOfTheTwoKeysOpens(int write) throws Exception {
    Place place = with("aes", OLD).withChain(BLOCKS);
    Path next = newConfig("aes", NEW);
    assertThat(
            KillTest.killedAt(
                "keys.written:" + write, place.withData("tde", "rewrap", "--new-config", next)))
        .isEqualTo(KillTest.KILLED);
    boolean isOld = place.run("status").exitCode() == ExitCode.DONE;
    Place opened = isOld ? place : with("aes", NEW);
    assertThat(opened.run("export", "-").out()).isEqualTo(CHAIN);
    if (isOld) {
      with("aes", OLD);
      done(place.run("tde", "rewrap", "--new-config", next));
    }
    assertThat(with("aes", NEW).run("export", "-").out()).isEqualTo(CHAIN);
    assertThat(with("aes", OLD).run("status").exitCode()).isEqualTo(ExitCode.REFUSED);
  }

  // ------------------------------------------------------------------------------------ archive

  private Place archived() {
    Place place = with("aes", OLD).withChain(BLOCKS);
    done(place.runWithArchive("archive", "--to", 20, "--yes"));
    done(place.runWithArchive("archive", "--to", 41, "--yes"));
    return place;
  }

  private Run alone(String encryptor, String key, Object... command) {
    Place place = with(encryptor, key);
    return Run.of(
        Stream.concat(
                Stream.of("--config", place.config, "--archive", place.archive), Stream.of(command))
            .toArray());
  }

  @Test
  void theArchiveChangesHandsWithTheLedger() {
    Place place = archived();
    Path next = newConfig("sm4", NEW);
    Run without = place.run("tde", "rewrap", "--new-config", next);
    assertThat(without.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(without.err()).contains("archive");
    done(place.run("status"));
    done(place.runWithArchive("tde", "rewrap", "--new-config", next));
    assertThat(alone("aes", OLD, "query", "--height", 7).exitCode()).isEqualTo(ExitCode.REFUSED);
    done(alone("sm4", NEW, "query", "--height", 7));
    done(alone("sm4", NEW, "verify"));
    done(with("sm4", NEW).runWithArchive("verify"));
  }

  @Test
  void segmentsAreSealedAnewToo() {
    Place place = archived();
    done(place.runWithArchive("tde", "rotate", "--suite", "SM4-GCM"));
    assertThat(done(place.runWithArchive("tde", "reencrypt")).out()).contains("2 segments");
    assertThat(done(place.runWithArchive("tde", "reencrypt")).out()).contains("0 segments");
    done(place.runWithArchive("verify"));
    done(alone("aes", OLD, "verify"));
    done(place.runWithArchive("restore", "--down-to", 1, "--yes"));
    assertThat(place.run("export", "-").out()).isEqualTo(CHAIN);
  }

  @Test
  void anotherHolderOpensTheArchiveUntilItIsDropped() {
    Place place = archived();
    Path next = newConfig("sm4", NEW);
    assertThat(alone("sm4", NEW, "verify").exitCode()).isEqualTo(ExitCode.REFUSED);
    with("aes", OLD);
    Run added =
        done(place.runWithArchive("tde", "add-holder", "auditor", "--new-config", next, "--json"));
    assertThat(added.out()).contains("auditor").contains("\"own\":true");
    done(alone("sm4", NEW, "verify"));
    with("aes", OLD);
    String holders = done(place.runWithArchive("tde", "holders")).out();
    String id = holders.lines().filter(line -> line.contains("auditor")).findFirst().orElseThrow();
    done(place.runWithArchive("tde", "drop-holder", id.split(" ")[1]));
    assertThat(alone("sm4", NEW, "verify").exitCode()).isEqualTo(ExitCode.REFUSED);
    with("aes", OLD);
    assertThat(place.runWithArchive("tde", "drop-holder", "zz").exitCode())
        .isEqualTo(ExitCode.USAGE);
    done(place.runWithArchive("verify"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "reencrypt.begun",
        "reencrypt.sealed",
        "reencrypt.published",
        "reencrypt.verified",
        "reencrypt.listed",
        "reencrypt.recorded",
        "reencrypt.deleted"
      })
  void aReencryptionOfTheArchiveKilledAtAStepIsRunAgain(String step) throws Exception {
    Place place = archived();
    done(place.runWithArchive("tde", "rotate", "--suite", "SM4-GCM"));
    assertThat(KillTest.killedAt(step, place.withBoth("tde", "reencrypt")))
        .isEqualTo(KillTest.KILLED);
    done(place.runWithArchive("verify"));
    done(place.runWithArchive("tde", "reencrypt"));
    assertThat(done(place.runWithArchive("tde", "reencrypt")).out()).contains("0 segments");
    done(place.runWithArchive("verify"));
    done(place.runWithArchive("restore", "--down-to", 1, "--yes"));
    assertThat(place.run("export", "-").out()).isEqualTo(CHAIN);
  }

  /** Killed after the ledger changed hands: the archive follows with the next run on it. */
  @ParameterizedTest
  @ValueSource(strings = {"rewrap.saved", "rewrap.reconciled"})
  void theArchiveFollowsALedgerWhoseRewrapWasKilled(String step) throws Exception {
    Place place = archived();
    Path next = newConfig("aes", NEW);
    assertThat(KillTest.killedAt(step, place.withBoth("tde", "rewrap", "--new-config", next)))
        .isEqualTo(KillTest.KILLED);
    Place after = with("aes", NEW);
    done(after.runWithArchive("archive", "--to", 45, "--yes"));
    done(after.runWithArchive("verify"));
    done(alone("aes", NEW, "verify"));
    assertThat(alone("aes", OLD, "verify").exitCode()).isEqualTo(ExitCode.REFUSED);
  }

  /** The archive of a ledger that has all bodies back still opens with the old key. */
  @Test
  void theArchiveOfALedgerThatHasAllBodiesChangesHandsToo() {
    Place place = archived();
    done(place.runWithArchive("restore", "--down-to", 1, "--yes"));
    Path next = newConfig("aes", NEW);
    assertThat(place.run("tde", "rewrap", "--new-config", next).exitCode())
        .isEqualTo(ExitCode.USAGE);
    done(place.runWithArchive("tde", "rewrap", "--new-config", next));
    assertThat(alone("aes", OLD, "verify").exitCode()).isEqualTo(ExitCode.REFUSED);
    done(alone("aes", NEW, "verify"));
  }

  /** A copy from before has not the archive's newer keys, and learns them from the archive. */
  @Test
  void aCopyOfTheLedgerFromBeforeReadsTheArchiveAndGoesOnWithItsKeys() throws Exception {
    Place place = archived();
    setBackAfter(
        () -> {
          done(place.runWithArchive("tde", "rotate", "--suite", "SM4-GCM"));
          done(place.runWithArchive("tde", "reencrypt"));
        });
    done(place.runWithArchive("verify"));
    assertThat(done(place.runWithArchive("tde", "rotate")).out()).contains("archive key 3");
    done(place.runWithArchive("archive", "--to", 45, "--yes"));
    done(place.runWithArchive("verify"));
    done(alone("aes", OLD, "verify"));
    done(with("aes", OLD).runWithArchive("restore", "--down-to", 1, "--yes"));
    assertThat(place.run("export", "-").out()).isEqualTo(CHAIN);
  }

  private void setBackAfter(Runnable work) throws IOException {
    Path data = directory.resolve("data");
    Path copy = directory.resolve("copy");
    copyTree(data, copy);
    work.run();
    MoreFiles.deleteRecursively(data, RecursiveDeleteOption.ALLOW_INSECURE);
    copyTree(copy, data);
  }

  private static void copyTree(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file)));
      }
    }
  }
}
