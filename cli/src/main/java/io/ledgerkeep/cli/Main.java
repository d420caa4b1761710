package io.ledgerkeep.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Where the command line starts. */
public final class Main {

  /** Set this system property to have the stack trace of a failure too. */
  private static final String STACK_TRACE = "ledgerkeep.stacktrace";

  private Main() {}

  /**
   * Runs one command and ends the process with its exit code.
   *
   * @param args the command and its options
   */
  public static void main(String[] args) {
    Console console =
        new Console(
            System.in,
            utf8(FileDescriptor.out),
            utf8(FileDescriptor.err),
            Console.processHasTerminal(),
            Interruption.bySignal());
    System.exit(run(args, console));
  }

  /**
   * Runs one command in this process, not at a terminal.
   *
   * @param args the command and its options
   * @param in what {@code -} reads
   * @param out receives results
   * @param err receives messages and progress
   * @return the exit code
   */
  public static int run(String[] args, InputStream in, PrintStream out, PrintStream err) {
    return run(args, new Console(in, out, err, false, Interruption.byRequest()));
  }

  static int run(String[] args, Console console) {
    int exitCode;
    try {
      exitCode = commandLine(args, console).execute(args);
    } catch (Error e) {
      exitCode = tell(e, args, console);
    }
    console.err().flush();
    if (console.out().checkError() && exitCode == ExitCode.DONE) {
      console.err().println("standard output cannot be written");
      exitCode = ExitCode.FAILED;
    }
    return exitCode;
  }

  private static CommandLine commandLine(String[] args, Console console) {
    IParameterExceptionHandler onUsage = (thrown, arguments) -> tell(usage(thrown), args, console);
    return new CommandLine(new GlobalOptions(console))
        .setOut(new java.io.PrintWriter(console.out(), true, StandardCharsets.UTF_8))
        .setErr(new java.io.PrintWriter(console.err(), true, StandardCharsets.UTF_8))
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setAllowSubcommandsAsOptionParameters(true)
        .setParameterExceptionHandler(onUsage)
        .setExecutionExceptionHandler((thrown, command, parsed) -> tell(thrown, args, console));
  }

  private static CommandException usage(ParameterException thrown) {
    String command = thrown.getCommandLine().getCommandSpec().qualifiedName();
    return CommandException.usage(
        thrown.getMessage()
            + nearest(thrown)
            + System.lineSeparator()
            + "Try: "
            + command
            + " --help");
  }

  /** Returns what was meant, perhaps, where a word is unknown. */
  private static String nearest(ParameterException thrown) {
    List<String> near =
        thrown instanceof UnmatchedArgumentException unmatched
            ? unmatched.getSuggestions()
            : List.of();
    return near.isEmpty() ? "" : "; perhaps " + String.join(" or ", near);
  }

  /** Tells a failure to people and, where they asked for it, to programs. */
  private static int tell(Throwable thrown, String[] args, Console console) {
    Failure failure = Failure.of(thrown);
    failure.message().lines().map(Outcome::printable).forEach(console.err()::println);
    if (Boolean.getBoolean(STACK_TRACE)) {
      thrown.printStackTrace(console.err());
    }
    if (Arrays.asList(args).contains("--json")) {
      LedgerCommand.printJson(failure.asJson(), console.out());
    }
    return failure.exitCode();
  }

  private static PrintStream utf8(FileDescriptor descriptor) {
    return new PrintStream(new FileOutputStream(descriptor), false, StandardCharsets.UTF_8);
  }
}
