package io.ledgerkeep.cli;

/** Where the command line starts. */
public final class Main {
  private Main() {}

  /**
   * Runs one command.
   *
   * @param args the command and its options
   */
  public static void main(String[] args) {
    System.out.println("ledgerkeep " + Main.class.getPackage().getImplementationVersion());
    for (String arg : args) {
      System.out.println("  [" + arg + "]");
    }
  }
}
