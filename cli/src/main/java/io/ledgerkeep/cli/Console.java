package io.ledgerkeep.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;

/**
 * Where a run of the command line reads and writes.
 *
 * @param in standard input
 * @param out results only
 * @param err messages, progress, questions and logs
 * @param terminal whether a person sits there
 * @param interruption the wish to stop
 */
record Console(
    InputStream in, PrintStream out, PrintStream err, boolean terminal, Interruption interruption) {

  /** Returns whether standard input and output of this process are a terminal. */
  @SuppressWarnings("SystemConsoleNull") // what is no longer null is asked below
  static boolean processHasTerminal() {
    java.io.Console console = System.console();
    if (console == null) {
      return false;
    }
    try {
      // From Java 22 on there is a console without a terminal too, and this to tell them apart.
      return (boolean) java.io.Console.class.getMethod("isTerminal").invoke(console);
    } catch (ReflectiveOperationException e) {
      return true;
    }
  }

  /** Returns standard output as a stream that tells when it cannot be written. */
  OutputStream results() {
    return new OutputStream() {
      @Override
      public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        out.write(bytes, offset, length);
        requireNoError();
      }

      @Override
      public void flush() throws IOException {
        requireNoError();
      }

      @Override
      public void close() throws IOException {
        requireNoError();
      }

      private void requireNoError() throws IOException {
        if (out.checkError()) {
          throw new IOException("standard output cannot be written");
        }
      }
    };
  }

  /** Asks a question; anything but yes is no. */
  boolean confirms(String question) throws IOException {
    err.print(question + " [y/N] ");
    err.flush();
    StringBuilder answer = new StringBuilder();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
      answer.append((char) c);
    }
    String text = answer.toString().strip();
    return text.equalsIgnoreCase("y") || text.equalsIgnoreCase("yes");
  }
}
