package io.ledgerkeep.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/**
 * Turns Ctrl-C and a polite kill into a wish that a command asks for between two batches; a second
 * one ends the process at once.
 *
 * <p>Until {@link #arm} a signal does what it does to any Java program. So only what knows how to
 * stop halfway, and says so by arming, is waited for.
 */
final class Interruption {

  private final boolean listens;
  private volatile boolean requested;

  private Interruption(boolean listens) {
    this.listens = listens;
  }

  /** Returns an interruption that listens to the signals of this process once armed. */
  static Interruption bySignal() {
    return new Interruption(true);
  }

  /** Returns an interruption that comes by {@link #request} only. */
  static Interruption byRequest() {
    return new Interruption(false);
  }

  boolean requested() {
    return requested;
  }

  void request() {
    requested = true;
  }

  /** Begins to listen; tells the console when there was something to hear. */
  void arm(Console console) {
    if (listens) {
      handle("INT", console);
      handle("TERM", console);
      handle("HUP", console); // a session that ended
    }
  }

  private void onSignal(Console console) {
    if (requested) {
      Runtime.getRuntime().halt(ExitCode.INTERRUPTED);
    }
    request();
    if (console.terminal()) {
      console.err().println(); // a progress bar may stand in the line
    }
    console.err().println("stopping at the next safe place; once more to end at once");
  }

  /**
   * Calls {@code sun.misc.Signal.handle} by name: it is the only way to hear of a second Ctrl-C, is
   * supported by every JDK, and cannot be named in code that is compiled without warnings.
   */
  private void handle(String signal, Console console) {
    try {
      Class<?> signalType = Class.forName("sun.misc.Signal");
      Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
      Object handler =
          Proxy.newProxyInstance(
              Interruption.class.getClassLoader(),
              new Class<?>[] {handlerType},
              (proxy, method, arguments) -> {
                onSignal(console);
                return null;
              });
      signalType
          .getMethod("handle", signalType, handlerType)
          .invoke(null, signalType.getConstructor(String.class).newInstance(signal), handler);
    } catch (InvocationTargetException e) {
      // The VM was told to leave signals alone (-Xrs), so the operating system deals with them.
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("jdk.unsupported is required by this module", e);
    }
  }
}
