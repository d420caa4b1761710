package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What operators are told of a network they plan. */
final class DeployCommandTest {

  private static final String GOOD =
      """
      faults: 1
      nodes:
        - {name: a1, organisation: A, partition: east}
        - {name: a2, organisation: A, partition: west, role: observer}
        - {name: b1, organisation: B, partition: west}
        - {name: b2, organisation: B, partition: east, role: observer}
        - {name: c1, organisation: C, partition: north}
        - {name: c2, organisation: C, partition: east, role: observer}
        - {name: d1, organisation: D, partition: south}
        - {name: d2, organisation: D, partition: east, role: observer}
      weights: {A: 1, B: 1, C: 1, D: 1}
      """;

  @TempDir private Path directory;

  private Run check(String yaml, String... more) throws IOException {
    Path file = Files.writeString(directory.resolve("network.yml"), yaml);
    Object[] args = new Object[more.length + 3];
    args[0] = "deploy";
    args[1] = "check";
    args[2] = file;
    System.arraycopy(more, 0, args, 3, more.length);
    return Run.of(args);
  }

  @Test
  void aNetworkThatKeepsTheRulesHasNoFindings() throws IOException {
    Run run = check(GOOD);
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out())
        .contains("8 nodes, 4 of them in the consensus, where 1 may fail: the rules are kept")
        .doesNotContain("wrong:", "note:");
    assertThat(check(GOOD, "--json").json())
        .containsEntry("findings", List.of())
        .containsEntry("faults", 1L)
        .containsEntry("exitCode", 0L);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "b1, organisation: B, partition: west | b1, organisation: B, partition: west, role: observer"
            + " | wrong: consensus: 3 consensus nodes",
        "faults: 1 | faults: 2 | wrong: consensus: to stand 2 faults takes 7 consensus nodes",
        "partition: north | partition: south | wrong: partition south: has 2 consensus nodes",
        "partition: north} | partition: north, weight: 3}"
            + " | wrong: partition north: has weight 3 of 6, and only 1 may fail at once",
        "a2, organisation: A | a2, organisation: D | wrong: organisation A: has one node",
        "weights: {A: 1 | weights: {A: 2 | wrong: organisation A: has weight 1, and 2 was agreed on",
        "weights: {A: 1, | weights: { | wrong: organisation A: has weight 1, and none was agreed on"
      })
  void aBrokenRuleIsNamedAndTheExitCodeIsFour(String good, String bad, String finding)
      throws IOException {
    assertThat(GOOD).contains(good);
    Run run = check(GOOD.replace(good, bad));
    assertThat(run.out()).contains(finding).contains("the rules are broken");
    assertThat(run.exitCode()).isEqualTo(ExitCode.INTEGRITY);
  }

  @Test
  void adviceDoesNotChangeTheExitCode() throws IOException {
    String yaml = GOOD.replaceFirst("partition: west, role: observer", "partition: far");
    Run run = check(yaml.substring(0, yaml.indexOf("weights")));
    assertThat(run.out())
        .contains(
            "note: consensus: 5 consensus nodes stand as many faults as 4 do",
            "note: organisation A: has no observer",
            "note: weights: none were agreed on",
            "no heights are given");
    assertThat(run.exitCode()).isZero();
  }

  @Test
  void namesThatAreAlmostAlikeAreNoted() throws IOException {
    Run run = check(GOOD.replace("partition: south", "partition: EAST"));
    assertThat(run.out()).contains("note: partition east: is called almost as EAST");
    assertThat(run.exitCode()).isZero();
  }

  @Test
  void observersAloneAreNoNetwork() throws IOException {
    Run run = check("nodes: [{name: a, organisation: A, partition: p, role: observer}]");
    assertThat(run.out())
        .contains("wrong: consensus: 0 consensus nodes, where none may fail")
        .doesNotContain("to stand");
    assertThat(run.exitCode()).isEqualTo(ExitCode.INTEGRITY);
  }

  @Test
  void howFarEachMayArchiveIsTold() throws IOException {
    String yaml =
        GOOD.replace("a1, ", "a1, height: 1000, archived_height: 300, retained_blocks: 100, ")
            .replace("b1, ", "b1, height: 200, ")
            .replace("c1, ", "c1, archived_height: 10, retained_blocks: 100, ");
    Run run = check(yaml, "--json");
    assertThat(run.exitCode()).as(run.out()).isZero();
    assertThat(run.json().get("archiving"))
        .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.LIST)
        .contains(
            Map.of(
                "node",
                "a1",
                "archivedHeight",
                300L,
                "highestArchivable",
                900L,
                "keepsFor",
                List.of()),
            Map.of(
                "node",
                "a2",
                "archivedHeight",
                0L,
                "highestArchivable",
                0L,
                "keepsFor",
                List.of("b1")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "weights: | weight: | line 11: unknown key 'weight' under the file; the nearest known one is 'weights'",
        "partition: north | partitoin: north | line 7: unknown key 'partitoin' under nodes; the nearest known one is 'partition'",
        "{A: 1, | {E: 1, | line 11: unknown key 'E' under weights; the nearest known one is",
        "faults: 1 | faults: one | line 1: 'faults' must be a whole number of 1 or more",
        "name: c1, | '' | line 7: this node has no 'name'",
        "name: c1, | name: a1, | line 7: there are two nodes called 'a1'",
        "west, role: observer | west, role: watcher | line 4: expected consensus or observer as role",
        "west, role: observer | west, role: observer, weight: 2 | line 4: an observer has no weight",
        "name: c1, | 'name: c1, height: 5, archived_height: 6, ' | line 7: a node at height 5 has archived no more",
        "name: c1, | 'name: c1, retained_blocks: 9, ' | line 7: 'retained_blocks' must be a whole number of 10 or more",
        "'- {name: a1, organisation: A, partition: east}' | - 5 | line 3: expected keys with values",
        "faults: 1 | 'faults: 1\nfaults: 2' | line 2: 'faults' is given twice"
      })
  void aDescriptionThatIsNoneIsRefusedWithItsLine(String good, String bad, String message)
      throws IOException {
    assertThat(GOOD).contains(good);
    Run run = check(GOOD.replace(good, bad));
    assertThat(run.err()).contains("network.yml").contains(message);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void withoutNodesItIsNone() throws IOException {
    assertThat(check("faults: 1\n").err()).contains("no node is described");
    assertThat(check("").exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(Run.of("deploy", "check", directory.resolve("none")).exitCode())
        .isEqualTo(ExitCode.USAGE);
  }
}
