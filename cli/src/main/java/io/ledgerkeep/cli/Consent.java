package io.ledgerkeep.cli;

import java.io.IOException;
import picocli.CommandLine.Option;

/** Whether a command that changes data only shows what it would do, asks, or just does it. */
final class Consent {

  @Option(names = "--dry-run", description = "Show what would be done; change nothing.")
  private boolean dryRun;

  @Option(names = "--yes", description = "Do not ask.")
  private boolean yes;

  boolean dryRun() {
    return dryRun;
  }

  /** Returns whether there is a plan to be shown, and maybe agreed to, first. */
  boolean wantsPlan() {
    return dryRun || !yes;
  }

  /** Shows a plan and returns if it may be carried out; asks, unless that was said already. */
  void ask(Console console, Outcome plan) throws IOException {
    if (yes) {
      return;
    }
    plan.lines().forEach(console.err()::println);
    if (!console.terminal()) {
      throw CommandException.usage("this changes data: add --yes, or --dry-run to only look");
    }
    if (!console.confirms("Go on?")) {
      throw CommandException.refused("nothing was changed");
    }
  }
}
