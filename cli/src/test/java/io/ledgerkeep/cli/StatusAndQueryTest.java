package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class StatusAndQueryTest {

  @TempDir private Path directory;
  private Place place;
  private Block sample;

  @BeforeEach
  void makeLedger() {
    place = new Place(directory).withChain(40);
    sample =
        Place.blocks(40).stream()
            .filter(b -> !b.transactions().isEmpty())
            .findFirst()
            .orElseThrow();
  }

  @Test
  void statusShowsHeightsForPeopleAndForPrograms() {
    Run people = place.run("status");
    assertThat(people.out())
        .containsPattern("\nheight +39\n")
        .containsPattern("\narchived height +0\n");
    assertThat(place.run("status", "--json").json())
        .containsEntry("source", "ledger")
        .containsEntry("height", 39L)
        .containsEntry("unarchivedBlocks", 10L)
        .containsEntry("highestArchivableHeight", 29L);
  }

  @Test
  void whileTheLedgerIsOwnedElsewhereStatusReadsTheFileAndOthersAnswerLocked() {
    try (Ledger owner = Ledgerkeep.builder().directory(place.data).reserveBytes(0).open()) {
      assertThat(owner.height()).isEqualTo(39);
      Run status = place.run("status", "--json");
      assertThat(status.exitCode()).isZero();
      assertThat(status.json()).containsEntry("source", "status.json").containsEntry("height", 39L);
      assertThat(place.run("status").out()).contains("pid");

      Run query = place.run("query", "--height", 1, "--json");
      assertThat(query.exitCode()).isEqualTo(ExitCode.LOCKED);
      assertThat(query.json()).containsEntry("error", "locked").containsEntry("exitCode", 5L);
      assertThat(query.err()).contains("pid " + ProcessHandle.current().pid());
    }
    assertThat(place.run("status", "--json").json()).containsEntry("source", "ledger");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{\"height\":3", "{\"heights\":[1,", "[]", "no status", "{} {}"})
  void aStatusFileThatIsDamagedIsNamedWithTheOwner(String damaged) throws IOException {
    Path file = place.data.resolve("status.json");
    try (Ledger owner = Ledgerkeep.builder().directory(place.data).reserveBytes(0).open()) {
      assertThat(owner.height()).isEqualTo(39);
      Files.writeString(file, damaged);
      Run status = place.run("status", "--json");
      assertThat(status.exitCode()).isEqualTo(ExitCode.LOCKED);
      assertThat(status.json()).containsEntry("error", "locked");
      assertThat(status.err())
          .contains("pid " + ProcessHandle.current().pid(), file + " cannot be read");
    }
  }

  @Test
  void aBlockIsFoundByHeightAndByHash() {
    String line = Place.chain(40).lines().skip(sample.height()).findFirst().orElseThrow() + "\n";
    assertThat(place.run("query", "--height", sample.height()).out()).isEqualTo(line);
    assertThat(place.run("query", "--hash", sample.hash().hex()).out()).isEqualTo(line);
    assertThat(place.run("query", "--json", "--height", sample.height()).out()).isEqualTo(line);
  }

  @Test
  void aTransactionAndItsRwSetAreFoundById() {
    String id = sample.transactions().get(0).id();
    String line = Place.lines(java.util.List.of(sample));
    Run transaction = place.run("query", "--tx", id);
    assertThat(transaction.out()).startsWith("{\"id\":\"" + id + "\",\"payload\":\"");
    assertThat(line).contains(transaction.out().strip());
    Run rwSet = place.run("query", "--rwset", id);
    assertThat(rwSet.out()).startsWith("{\"txId\":\"" + id + "\",\"reads\":[");
    assertThat(line).contains(rwSet.out().strip());
  }

  @ParameterizedTest
  @ValueSource(strings = {"--height 40", "--hash 00", "--tx none", "--rwset none"})
  void whatIsUnknownIsAFailureAndPrintsNothing(String subject) {
    String[] parts = subject.split(" ");
    Run run = place.run("query", parts[0], parts[1]);
    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).startsWith("there is no such ");
    Run json = place.run("query", "--json", parts[0], parts[1]);
    assertThat(json.json()).containsEntry("error", "not-found");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--height -1", "--hash xyz", "--hash 0"})
  void whatCannotBeIsWrongUsage(String subject) {
    String[] parts = subject.split(" ");
    assertThat(place.run("query", parts[0], parts[1]).exitCode()).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void readThroughNeedsAnArchive() {
    Run run = place.run("query", "--read-through", "--height", 1);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("--archive");
  }
}
