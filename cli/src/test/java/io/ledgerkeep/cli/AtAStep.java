package io.ledgerkeep.cli;

import io.ledgerkeep.core.failpoint.FailPoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** The command line in a process of its own, to which something happens at a step. */
final class AtAStep {

  static final String HELD = "held";

  private AtAStep() {}

  /** Returns the command of a process that says so at the step, and stays there. */
  static List<String> holding(String step, Object... args) {
    return command(step, "", args);
  }

  /** Returns the command of a process under which somebody fills the disk at the step. */
  static List<String> filling(OwnDisk disk, String step, Object... args) {
    return command(step, disk.root(), args);
  }

  private static List<String> command(String step, Object disk, Object... args) {
    Object[] all = new Object[args.length + 2];
    all[0] = step;
    all[1] = disk;
    System.arraycopy(args, 0, all, 2, args.length);
    return Child.java(Child.SHORT_LIVED, AtAStep.class, all);
  }

  public static void main(String[] args) {
    AtomicBoolean isThere = new AtomicBoolean();
    FailPoint.tell(
        step -> {
          if (step.equals(args[0]) && !isThere.getAndSet(true)) {
            happen(args[1]);
          }
        });
    Main.main(Arrays.copyOfRange(args, 2, args.length));
  }

  private static void happen(String disk) {
    try {
      if (disk.isEmpty()) {
        System.out.println(HELD);
        System.out.flush();
        System.in.read();
      } else {
        OwnDisk.mountedAt(Path.of(disk)).fill();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
