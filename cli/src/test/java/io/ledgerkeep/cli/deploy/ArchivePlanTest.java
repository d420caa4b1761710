package io.ledgerkeep.cli.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.SyncSource;
import io.ledgerkeep.cli.deploy.ArchivePlan.Limit;
import io.ledgerkeep.cli.deploy.Deployment.Member;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** How far nodes may archive while others are behind. */
final class ArchivePlanTest {

  private static Member node(String name, long height, long archived, long retained) {
    return new Member(name, "o", "p", true, 1, OptionalLong.of(height), archived, retained);
  }

  private static ArchivePlan plan(Member... nodes) {
    return ArchivePlan.of(new Deployment(List.of(nodes), OptionalLong.empty(), Map.of()));
  }

  @Test
  void nodesThatAreLevelArchiveUpToWhatTheyKeep() {
    ArchivePlan plan = plan(node("a", 1000, 0, 100), node("b", 1000, 950, 100));
    assertThat(plan.limits())
        .isEqualTo(Map.of("a", new Limit(0, 900, List.of()), "b", new Limit(950, 950, List.of())));
    assertThat(plan.findings()).isEmpty();
  }

  @Test
  void oneKeepsForAllThatAreBehind() {
    ArchivePlan plan =
        plan(
            node("a", 1000, 40, 10),
            node("b", 1000, 0, 10),
            node("late", 50, 0, 10),
            node("later", 20, 0, 10));
    assertThat(plan.limits().get("b")).isEqualTo(new Limit(0, 19, List.of("later", "late")));
    assertThat(plan.limits().get("a")).isEqualTo(new Limit(40, 990, List.of()));
  }

  @Test
  void aNewNodeIsServedByWhoNeverArchived() {
    ArchivePlan plan = plan(node("a", 1000, 0, 10), node("new", -1, 0, 10));
    assertThat(plan.limits().get("a")).isEqualTo(new Limit(0, 0, List.of("new")));
    assertThat(plan(node("a", 1000, 1, 10), node("new", -1, 0, 10)).findings())
        .singleElement()
        .satisfies(finding -> assertThat(finding.line()).startsWith("wrong: node new: "));
  }

  @Test
  void withoutHeightsNothingIsWorkedOut() {
    Member member = new Member("a", "o", "p", true, 1, OptionalLong.empty(), 0, 10);
    assertThat(plan(member).limits()).isEmpty();
  }

  /** Whatever the network: with all at their limits, who could be served before still can. */
  @Test
  void allMayArchiveAtOnce() {
    for (int seed = 0; seed < 2000; seed++) {
      Random random = new Random(seed);
      List<Member> nodes = new ArrayList<>();
      int count = 2 + random.nextInt(6);
      for (int i = 0; i < count; i++) {
        long height = random.nextInt(42) - 1;
        long archived = random.nextBoolean() ? 0 : random.nextInt((int) Math.max(height, 0) + 1);
        nodes.add(node("n" + i, height, archived, 1 + random.nextInt(20)));
      }
      ArchivePlan plan = plan(nodes.toArray(Member[]::new));
      List<SyncSource> before = new ArrayList<>();
      List<SyncSource> after = new ArrayList<>();
      for (Member node : nodes) {
        long height = node.height().orElseThrow();
        long highest = plan.limits().get(node.name()).highest();
        assertThat(highest).as("seed " + seed).isGreaterThanOrEqualTo(node.archivedHeight());
        before.add(new SyncSource(node.name(), height, node.archivedHeight()));
        after.add(new SyncSource(node.name(), height, highest));
      }
      for (SyncSource each : before) {
        boolean could = !SyncSource.eligible(each.height(), before).isEmpty();
        boolean can = !SyncSource.eligible(each.height(), after).isEmpty();
        assertThat(can).as("seed " + seed + ", " + each).isEqualTo(could);
      }
    }
  }
}
