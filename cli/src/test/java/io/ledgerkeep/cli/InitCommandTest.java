package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class InitCommandTest {

  @TempDir private Path directory;
  private Place place;

  @BeforeEach
  void choosePlace() {
    place = new Place(directory);
  }

  @Test
  void aNewLedgerHasWhatTheOptionsSay() {
    Run run =
        place.run(
            "init",
            "--json",
            "--chain-id",
            "org1",
            "--unarchived-blocks",
            77,
            "--digest",
            "sha256");
    assertThat(run.exitCode()).isZero();
    assertThat(run.json()).containsEntry("chainId", "org1").containsEntry("unarchivedBlocks", 77L);
    // The place's configuration speaks of 10, and comes back into force without the option.
    assertThat(place.run("status", "--json").json())
        .containsEntry("chainId", "org1")
        .containsEntry("digest", "sha256")
        .containsEntry("unarchivedBlocks", 10L)
        .containsEntry("height", -1L);
  }

  @Test
  void withoutOptionsTheDefaultsHold() {
    Run run = Run.of("init", "--data", place.data, "--json");
    assertThat(run.json())
        .containsEntry("chainId", "chain1")
        .containsEntry("digest", "sha256")
        .containsEntry("unarchivedBlocks", 300_000L);
  }

  @Test
  void aSettingBelowTenBecomesTen() {
    assertThat(place.run("init", "--unarchived-blocks", 3, "--json").json())
        .containsEntry("unarchivedBlocks", 10L);
  }

  @Test
  void aNegativeSettingIsWrongUsage() {
    Run run = place.run("init", "--unarchived-blocks", -3);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("--unarchived-blocks");
    assertThat(place.data).doesNotExist();
  }

  @Test
  void aFileIsNotTakenForADirectory() {
    Path file = place.write("mine.txt", "mine");
    for (String command : new String[] {"init", "status"}) {
      Run run = Run.of(command, "--data", file);
      assertThat(run.exitCode()).as(command).isEqualTo(ExitCode.USAGE);
      assertThat(run.err()).contains(file + " is a file, not a directory");
    }
    assertThat(file).hasContent("mine");
  }

  @Test
  void anExistingLedgerIsRefused() {
    place.withChain(3);
    Run run = place.run("init");
    assertThat(run.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(run.err()).contains("already");
    assertThat(place.run("status", "--json").json()).containsEntry("height", 2L);
  }

  @Test
  void aDirectoryWithOtherFilesIsNotTaken() {
    place.write("mine.txt", "mine");
    Run run = Run.of("init", "--data", directory);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(directory.resolve("mine.txt")).hasContent("mine");
  }

  @Test
  void anEngineThatIsNotThereIsWrongConfiguration() {
    Run run = place.run("init", "--provider", "rocksdb");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("rocksdb", "badgerdb", "leveldb");
    assertThat(place.run("init").exitCode()).as("it is not in the way").isZero();
  }

  @Test
  void anUnknownDigestIsWrongConfiguration() {
    assertThat(place.run("init", "--digest", "md5").exitCode()).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void otherCommandsDoNotCreateALedger() {
    for (String command : new String[] {"status", "verify"}) {
      Run run = place.run(command);
      assertThat(run.exitCode()).as(command).isEqualTo(ExitCode.USAGE);
      assertThat(run.err()).contains("init");
    }
    assertThat(place.data).doesNotExist();
  }

  @Test
  void theChainIdOfTheConfigurationIsUsedAndChecked() {
    Path one = place.write("one.yml", "storage:\n  chain_id: one\n  reserve_bytes: 0\n");
    Path two = place.write("two.yml", "storage:\n  chain_id: two\n  reserve_bytes: 0\n");
    assertThat(Run.of("init", "--config", one, "--data", place.data).exitCode()).isZero();
    assertThat(Run.of("status", "--config", one, "--data", place.data).exitCode()).isZero();
    assertThat(Run.of("status", "--config", two, "--data", place.data).exitCode())
        .isEqualTo(ExitCode.REFUSED);
  }

  @Test
  void theConfigurationGivesThePlaceWhereNoOptionDoes() {
    Path config =
        place.write(
            "place.yml",
            "storage:\n  store_path: "
                + place.data
                + "\n  provider: leveldb\n  reserve_bytes: 0\n");
    assertThat(Run.of("init", "--config", config).exitCode()).isZero();
    assertThat(place.data).isDirectory();
    Path other = directory.resolve("other");
    assertThat(Run.of("init", "--config", config, "--data", other).exitCode()).isZero();
    assertThat(other).as("an option wins").isDirectory();
  }

  @Test
  void tuningReachesTheEngineWhichKnowsItsOwnNames() {
    Path config =
        place.write(
            "tuned.yml", "storage:\n  reserve_bytes: 0\n  leveldb:\n    no_such_option: 5\n");
    Run run = Run.of("init", "--config", config, "--data", place.data);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("no_such_option");
  }
}
