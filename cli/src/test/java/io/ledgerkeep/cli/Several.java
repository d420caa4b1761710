package io.ledgerkeep.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Commands in one process of their own, one after the other until one fails. */
final class Several {

  private static final String THEN = "--then";

  private Several() {}

  static Run apart(Object[]... commands) throws IOException, InterruptedException {
    List<Object> all = new ArrayList<>();
    for (Object[] command : commands) {
      all.addAll(Arrays.asList(command));
      all.add(THEN);
    }
    try (Child child = Child.of(Child.java(Child.SHORT_LIVED, Several.class, all.toArray()))) {
      return child.finish();
    }
  }

  public static void main(String[] args) {
    int exitCode = ExitCode.DONE;
    int from = 0;
    for (int at = 0; at < args.length && exitCode == ExitCode.DONE; at++) {
      if (args[at].equals(THEN)) {
        exitCode = Main.run(Arrays.copyOfRange(args, from, at), System.in, System.out, System.err);
        from = at + 1;
      }
    }
    System.exit(exitCode);
  }
}
