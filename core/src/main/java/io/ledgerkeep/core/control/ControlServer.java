package io.ledgerkeep.core.control;

import com.google.common.base.Throwables;
import io.ledgerkeep.Ledgerkeep.Maintenance;
import io.ledgerkeep.core.audit.JobBook;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.Progress;
import java.io.EOFException;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.net.StandardProtocolFamily;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the control socket of a ledger that is open: for each caller a thread, which answers one
 * request after the other. A job whose caller is gone ends at the next safe place, as if the caller
 * had run it himself.
 */
public final class ControlServer implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);
  private static final int MAX_REQUEST_BYTES = 1 << 20;
  private static final int MAX_CALLERS = 32;
  private static final long LOOK_MILLIS = 200;
  private static final long MOST_IDLE_NANOS = Duration.ofMinutes(1).toNanos();
  private static final long AFTER_FAILURE_NANOS = Duration.ofMillis(200).toNanos();
  private static final long PROGRESS_NANOS = Duration.ofMillis(100).toNanos();
  private static final Duration FOR_ANSWERS = Duration.ofSeconds(5);

  private final Path directory;
  private final Maintenance ledger;
  private final Executor executor;
  private final ServerSocketChannel server;
  private final String owner;
  private final Set<SocketChannel> callers = ConcurrentHashMap.newKeySet();
  private volatile boolean closing;

  /** Guarded by this: requests that are being answered. */
  private int answering;

  private ControlServer(
      Path directory, Maintenance ledger, Executor executor, ServerSocketChannel server)
      throws IOException {
    this.directory = directory;
    this.ledger = ledger;
    this.executor = executor;
    this.server = server;
    this.owner = Files.getOwner(socket(directory)).getName();
  }

  private static Path socket(Path directory) {
    return directory.resolve(ControlSocket.NAME);
  }

  /**
   * Begins to serve.
   *
   * @param directory the directory of the ledger, which this process owns
   * @throws ConfigurationException if the executor has no threads of its own
   */
  public static ControlServer start(Path directory, Maintenance ledger, Executor executor) {
    ControlServer control = bound(directory, ledger, executor);
    Thread opener = Thread.currentThread();
    try {
      executor.execute(
          () -> {
            if (Thread.currentThread() == opener) {
              throw new ConfigurationException(
                  "the control socket needs an executor with threads of its own");
            }
            control.accept();
          });
    } catch (RejectedExecutionException | ConfigurationException e) {
      control.close();
      throw e instanceof ConfigurationException told
          ? told
          : new ConfigurationException(
              "the executor of the control socket takes no work: " + e.getMessage(), e);
    }
    return control;
  }

  private static ControlServer bound(Path directory, Maintenance ledger, Executor executor) {
    try {
      Files.deleteIfExists(socket(directory)); // of a process that died
      ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        ControlSocket.use(directory, server::bind);
        Files.setPosixFilePermissions(
            socket(directory), PosixFilePermissions.fromString("rw-------"));
        return new ControlServer(directory, ledger, executor, server);
      } catch (IOException | RuntimeException e) {
        server.close();
        throw e;
      }
    } catch (IOException | UnsupportedOperationException e) {
      throw new ConfigurationException(
          "cannot make the control socket %s (%s): remove what is in its place, or see whether the file system takes sockets"
              .formatted(socket(directory), e),
          e);
    }
  }

  private void accept() {
    while (!closing) {
      try {
        SocketChannel caller = server.accept();
        if (callers.size() < MAX_CALLERS && isOwner(caller)) {
          serve(caller);
        } else {
          caller.close();
        }
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException | RuntimeException e) {
        LOG.warn(
            "a caller of the control socket in {} was not served: {}", directory, e.toString());
        LockSupport.parkNanos(AFTER_FAILURE_NANOS); // no descriptors may be left for a while
      }
    }
  }

  /** The mode of the socket keeps others out too, but not while it is being made. */
  private boolean isOwner(SocketChannel caller) throws IOException {
    try {
      String user = caller.getOption(ExtendedSocketOptions.SO_PEERCRED).user().getName();
      if (!user.equals(owner)) {
        LOG.warn("the user {} was refused at the control socket in {}", user, directory);
      }
      return user.equals(owner);
    } catch (UnsupportedOperationException e) {
      return true;
    }
  }

  private void serve(SocketChannel caller) throws IOException {
    callers.add(caller);
    try {
      executor.execute(() -> answerAll(caller));
    } catch (RejectedExecutionException e) {
      callers.remove(caller);
      caller.close();
    }
  }

  private void answerAll(SocketChannel caller) {
    try (Lines lines = new Lines(caller, MAX_REQUEST_BYTES)) {
      Map<String, @Nullable Object> greeting = new LinkedHashMap<>();
      greeting.put("ledgerkeep", "control");
      greeting.put("version", ControlSocket.VERSION);
      greeting.put("pid", ProcessHandle.current().pid());
      lines.write(Wire.line(greeting));
      long idleSince = System.nanoTime();
      while (!closing && System.nanoTime() - idleSince < MOST_IDLE_NANOS) {
        String line = lines.read(LOOK_MILLIS);
        if (line != null) {
          answer(line, lines);
          idleSince = System.nanoTime();
        }
      }
    } catch (EOFException | ClosedChannelException e) {
      // The caller has what he wanted, or the ledger is closed.
    } catch (IOException | RuntimeException e) {
      LOG.warn("a caller of the control socket in {} was left: {}", directory, e.toString());
    } finally {
      callers.remove(caller);
      close(caller);
    }
  }

  private static void close(SocketChannel caller) {
    try {
      caller.close();
    } catch (IOException e) {
      LOG.debug("a caller of the control socket is gone: {}", e.toString());
    }
  }

  private void answer(String line, Lines lines) throws IOException {
    synchronized (this) {
      answering++;
    }
    try {
      Map<String, @Nullable Object> answer = new LinkedHashMap<>();
      try {
        Call call = Call.of(Wire.object(line), new Caller(lines).control());
        JobBook.by(
            "%s/%s".formatted(owner, call.pid()),
            () -> answer.put("result", Wire.tree(call.on(ledger))));
      } catch (IOException e) {
        answer.put("error", Failures.tree(new IllegalArgumentException("no request: " + e)));
      } catch (RuntimeException | Error e) {
        if (!Failures.isTold(e)) {
          LOG.error("a request at the control socket in {} failed", directory, e);
        }
        answer.put("error", Failures.tree(e));
      }
      lines.write(Wire.line(answer));
    } finally {
      synchronized (this) {
        answering--;
        notifyAll();
      }
    }
  }

  /** A request. */
  private record Call(String service, Method method, List<@Nullable Object> arguments, long pid) {

    static Call of(Map<String, @Nullable Object> request, JobControl control) {
      String service = String.valueOf(request.get("service"));
      String name = String.valueOf(request.get("method"));
      List<?> trees = request.get("arguments") instanceof List<?> list ? list : List.of();
      Method method =
          Services.find(service)
              .flatMap(is -> Services.method(is, name, trees.size()))
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "there is no %s.%s that takes %s arguments"
                              .formatted(service, name, trees.size())));
      Type[] types = method.getGenericParameterTypes();
      List<@Nullable Object> arguments = new ArrayList<>();
      try {
        for (int i = 0; i < types.length; i++) {
          arguments.add(Objects.requireNonNull(Wire.value(types[i], trees.get(i), control)));
        }
      } catch (ClassCastException | NullPointerException e) {
        throw new IllegalArgumentException(
            "the arguments of %s.%s are not what it takes".formatted(service, name), e);
      }
      long pid = request.get("pid") instanceof Long of ? of : 0;
      return new Call(service, method, arguments, pid);
    }

    @Nullable Object on(Maintenance ledger) {
      try {
        return method.invoke(Services.target(ledger, service), arguments.toArray());
      } catch (InvocationTargetException e) {
        Throwables.throwIfUnchecked(e.getTargetException());
        throw new IllegalStateException(e.getTargetException());
      } catch (IllegalAccessException e) {
        throw new AssertionError(method + " is public", e);
      }
    }
  }

  /** Who waits for an answer: is told of progress, may cancel, and cancels by going away. */
  private static final class Caller {

    private final Lines lines;
    private String phase = "";
    private long toldAt;
    private boolean cancelled;

    Caller(Lines lines) {
      this.lines = lines;
    }

    JobControl control() {
      return JobControl.none().onProgress(this::tell).cancelledBy(this::hasCancelled);
    }

    private void tell(Progress progress) {
      long now = System.nanoTime();
      boolean isEnd = progress.doneBlocks() == progress.totalBlocks();
      if (isEnd || !progress.phase().equals(phase) || now - toldAt >= PROGRESS_NANOS) {
        phase = progress.phase();
        toldAt = now;
        Map<String, @Nullable Object> line = new LinkedHashMap<>();
        line.put("progress", Wire.tree(progress));
        try {
          lines.offer(Wire.line(line));
        } catch (IOException e) {
          cancelled = true;
        }
      }
    }

    private boolean hasCancelled() {
      try {
        for (String line = lines.read(0); line != null; line = lines.read(0)) {
          cancelled |= Boolean.TRUE.equals(Wire.object(line).get("cancel"));
        }
      } catch (IOException e) {
        cancelled = true;
      }
      return cancelled;
    }
  }

  /** Ends all connections, once what is being answered was told, and removes the socket. */
  @Override
  public void close() {
    synchronized (this) {
      if (closing) {
        return; // the socket may be another's by now
      }
      closing = true;
    }
    try {
      server.close();
      Files.deleteIfExists(socket(directory));
    } catch (IOException e) {
      LOG.warn("the control socket is not removed: {}", SmallFile.failed("", e).getMessage());
    }
    awaitAnswers();
    callers.forEach(ControlServer::close);
  }

  private synchronized void awaitAnswers() {
    long end = System.nanoTime() + FOR_ANSWERS.toNanos();
    try {
      for (long left = FOR_ANSWERS.toMillis(); answering > 0 && left > 0; ) {
        wait(left);
        left = (end - System.nanoTime()) / 1_000_000;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
