package io.ledgerkeep.cli.certs;

import io.ledgerkeep.cli.Main;
import java.util.Arrays;

/** The command line in a process of its own, which is killed at a step, the first argument. */
public final class KilledAtAStep {

  private KilledAtAStep() {}

  public static void main(String[] args) {
    int[] left = {Integer.parseInt(args[0])};
    Steps.tell(
        step -> {
          if (--left[0] == 0) {
            Runtime.getRuntime().halt(137);
          }
        });
    Main.main(Arrays.copyOfRange(args, 1, args.length));
  }
}
