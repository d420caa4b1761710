package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.testkit.MachineCrash;
import io.ledgerkeep.testkit.MemoryDisk;
import java.util.LinkedHashSet;
import java.util.Set;

/** A crash of the machine at a step of a job: what was buffered may be gone. */
final class CrashAt {

  private CrashAt() {}

  /** Runs a job and returns the steps that it passed. */
  static Set<String> stepsOf(Runnable job) {
    Set<String> steps = new LinkedHashSet<>();
    FailPoint.tell(
        step -> {
          synchronized (steps) {
            steps.add(step);
          }
        });
    try {
      job.run();
    } finally {
      FailPoint.tell(null);
    }
    return steps;
  }

  /** Runs a job that ends when it comes to the step for the first time. */
  static void step(String wanted, MemoryDisk disk, Runnable job) {
    FailPoint.tell(
        step -> {
          if (step.equals(wanted)) {
            disk.crash();
            throw new MachineCrash("at " + step);
          }
        });
    try {
      job.run();
      throw new AssertionError("it was to crash at " + wanted);
    } catch (MachineCrash expected) {
      // what it left is looked at by the test
    } catch (LedgerkeepException e) {
      assertThat(e).hasRootCauseInstanceOf(MachineCrash.class);
    } finally {
      FailPoint.tell(null);
    }
  }
}
