package io.ledgerkeep.crypto.hsm;

import java.io.FilterOutputStream;
import java.io.PrintStream;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Catches the lines that a piece of work prints to the standard output, where it has no other way
 * to tell them. What other threads print meanwhile goes where it went.
 */
final class StandardOutput {

  /** Held while the standard output is ours, so that two do not put back each other's. */
  private static final Object ONE_AT_A_TIME = new Object();

  private StandardOutput() {}

  /**
   * What came of the work.
   *
   * @param result what it returned; empty if it failed
   * @param failure what it threw, if it did
   * @param lines what it printed
   */
  record Caught<T>(Optional<T> result, Optional<RuntimeException> failure, String lines) {}

  /** Runs the work in this thread. */
  static <T> Caught<T> caught(Supplier<T> work) {
    synchronized (ONE_AT_A_TIME) {
      PrintStream usual = System.out;
      Catcher catcher = new Catcher(usual);
      System.setOut(catcher);
      try {
        return new Caught<>(Optional.of(work.get()), Optional.empty(), catcher.lines());
      } catch (RuntimeException e) {
        return new Caught<>(Optional.empty(), Optional.of(e), catcher.lines());
      } finally {
        catcher.stop();
        if (System.out == catcher) {
          System.setOut(usual);
        }
      }
    }
  }

  /**
   * Keeps the lines of the thread that made it, and passes on all else as text, so that it is
   * encoded by the usual stream only. Works on as a mere passage if somebody kept it.
   */
  private static final class Catcher extends PrintStream {

    private final PrintStream usual;
    private final StringBuilder lines = new StringBuilder();
    private volatile @Nullable Thread caught = Thread.currentThread();

    Catcher(PrintStream usual) {
      // Not the stream itself, which a close would reach.
      super(new FilterOutputStream(usual), true);
      this.usual = usual;
    }

    String lines() {
      return lines.toString();
    }

    void stop() {
      caught = null;
    }

    private void line(String text) {
      if (Thread.currentThread() == caught) {
        lines.append(text).append('\n');
      } else {
        usual.println(text);
      }
    }

    @Override
    public void println(@Nullable String text) {
      line(String.valueOf(text));
    }

    @Override
    public void println(@Nullable Object value) {
      line(String.valueOf(value));
    }

    @Override
    public void println(char value) {
      usual.println(value);
    }

    @Override
    public void println(char[] text) {
      usual.println(text);
    }

    @Override
    public void print(@Nullable String text) {
      usual.print(text);
    }

    @Override
    public void print(@Nullable Object value) {
      usual.print(value);
    }

    @Override
    public void print(char value) {
      usual.print(value);
    }

    @Override
    public void print(char[] text) {
      usual.print(text);
    }

    @Override
    public void write(int value) {
      usual.write(value);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      usual.write(bytes, offset, length);
    }

    @Override
    public void flush() {
      usual.flush();
    }

    @Override
    public void close() {
      usual.close();
    }
  }
}
