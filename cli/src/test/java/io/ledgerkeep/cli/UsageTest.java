package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class UsageTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "no-such-command",
        "--no-such-option status",
        "init",
        "init --data",
        "import --data d",
        "import f",
        "export --data d",
        "status",
        "archive --data d",
        "archive --data d --to x",
        "archive --data d --to -1",
        "archive --data d --to 5 --max-rate 0",
        "archive --data d --to 5 --max-rate NaN",
        "restore --data d",
        "query --data d",
        "rebuild-dbs",
        "rebuild-dbs --data d --need-verify=perhaps",
        "rebuild-dbs --data d --max-rate 0",
        "backup --data d",
        "backup --to b",
        "backup --data d --to b --max-rate 0",
        "restore-backup --data d",
        "restore-backup --from b --data d",
        "restore-backup --from b --data d --dry-run --rehearse",
        "monitor",
        "sync --data d",
        "sync --from b --data d",
        "sync --from b --data d --expect 5",
        "sync --from b --trust-source",
        "query --data d --height 1 --tx a",
        "query --height 1",
        "verify --data d --level deep",
        "verify --archive a --level ledger",
        "--data a status --data b",
        "query --data d --ledger 00 --height 1",
        "export --archive a --json -"
      })
  void wrongUsageIsExitTwoAndSaysWhy(String line) {
    Run run = Run.of((Object[]) line.split(" "));
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).isNotBlank().doesNotContain("Exception");
  }

  @ParameterizedTest
  @CsvSource({
    "archiv --to 5, archive",
    "--datta d status, --data",
    "archive --data d --dryrun --to 5, --dry-run",
    "jobs lst, list"
  })
  void aMistypedWordIsToldWithTheNearestOnes(String line, String meant) {
    assertThat(Run.of((Object[]) line.split(" ")).err()).contains("perhaps ").contains(meant);
  }

  @ParameterizedTest
  @ValueSource(strings = {"status", "verify", "query --height 1", "export -"})
  void whatReadsALedgerOrAnArchiveAsksForEither(String line) {
    assertThat(Run.of((Object[]) line.split(" ")).err()).contains("--data DIR", "--archive DIR");
  }

  @Test
  void wrongUsageIsToldInJsonWhereItWasAskedFor() {
    Run run = Run.of("--json", "archive", "--data", "d");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.json()).containsEntry("error", "usage").containsEntry("exitCode", 2L);
    assertThat(run.json().get("message")).asString().contains("--to");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--help", "-h", "archive --help", "help archive", "--version", "-V"})
  void helpAndVersionAreExitZero(String line) {
    Run run = Run.of((Object[]) line.split(" "));
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).contains("ledgerkeep");
    assertThat(run.err()).isEmpty();
  }

  /** A directory may well be called as a command is. */
  @Test
  void aDirectoryMayHaveTheNameOfACommand() {
    for (String name : new String[] {"archive", "status", "demo"}) {
      Run run = Run.of("--archive", name, "--data", name, "verify");
      assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
      assertThat(run.err()).contains("there is no ledger in").contains(name);
    }
  }

  @Test
  void everyCommandHasHelp() {
    String help = Run.of("--help").out();
    for (String command :
        new String[] {
          "demo",
          "init",
          "import",
          "export",
          "status",
          "archive",
          "restore",
          "query",
          "verify",
          "tde",
          "rebuild-dbs",
          "backup",
          "restore-backup",
          "sync",
          "certs",
          "deploy",
          "monitor"
        }) {
      assertThat(help).contains("  " + command + " ");
      assertThat(Run.of(command, "--help").out()).contains("--data", "--json");
    }
    assertThat(help).contains("130");
  }
}
