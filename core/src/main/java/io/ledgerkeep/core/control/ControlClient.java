package io.ledgerkeep.core.control;

import io.ledgerkeep.Ledgerkeep.Connection;
import io.ledgerkeep.Ledgerkeep.Maintenance;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.UnsupportedFormatException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.Progress;
import java.io.EOFException;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Calls the process that has a ledger open. Each call has a connection of its own, so that one can
 * be made while another runs. Serves any number of threads.
 */
public final class ControlClient {

  private static final int MAX_ANSWER_BYTES = 64 << 20;
  private static final long LOOK_MILLIS = 100;
  private static final long GREETING_MILLIS = 5000;

  private final Path directory;
  private volatile boolean closed;

  private ControlClient(Path directory) {
    this.directory = directory;
  }

  /** Reaches the ledger of a directory. */
  public static Connection connect(Path directory) {
    ControlClient client = new ControlClient(directory);
    try (Lines greeted = client.dial()) {
      return client.proxy(Connection.class, Services.LEDGER);
    } catch (IOException e) {
      throw client.lost(e);
    }
  }

  private <T> T proxy(Class<T> type, String service) {
    return type.cast(
        Proxy.newProxyInstance(
            ControlClient.class.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> invoked(self, service, method, arguments)));
  }

  private @Nullable Object invoked(
      Object self, String service, Method method, @Nullable Object @Nullable [] given) {
    @Nullable Object[] arguments = given == null ? new Object[0] : given;
    if (method.getDeclaringClass() == Object.class) {
      return switch (method.getName()) {
        case "equals" -> self == arguments[0];
        case "hashCode" -> System.identityHashCode(self);
        default -> service + " of the ledger in " + directory;
      };
    }
    if (method.getName().equals("close")) {
      closed = true;
      return null;
    }
    if (method.getDeclaringClass() == Maintenance.class && method.getName().equals("keys")) {
      return hasKeys()
          ? Optional.of(proxy(Services.find(Services.KEYS).orElseThrow(), Services.KEYS))
          : Optional.empty();
    }
    if (Services.givesService(method)) {
      return proxy(method.getReturnType(), method.getName());
    }
    return call(service, method, arguments);
  }

  private boolean hasKeys() {
    String encryption = proxy(Maintenance.class, Services.LEDGER).status().encryption();
    return !encryption.isEmpty() && !encryption.equals("own");
  }

  // ------------------------------------------------------------------------------------ a call

  private @Nullable Object call(String service, Method method, @Nullable Object[] arguments) {
    List<@Nullable Object> trees = new ArrayList<>();
    for (Object argument : arguments) {
      trees.add(Wire.tree(argument));
    }
    Map<String, @Nullable Object> request = new LinkedHashMap<>();
    request.put("service", service);
    request.put("method", method.getName());
    request.put("arguments", trees);
    request.put("pid", ProcessHandle.current().pid());
    try (Lines lines = dial()) {
      lines.write(Wire.line(request));
      Map<String, @Nullable Object> answer = answer(lines, controlOf(arguments));
      if (answer.get("error") instanceof Map<?, ?> error) {
        throw Failures.exception(error);
      }
      return method.getReturnType() == void.class
          ? null
          : Wire.value(method.getGenericReturnType(), answer.get("result"), JobControl.none());
    } catch (IOException e) {
      throw lost(e);
    }
  }

  /** Returns the control of a job: an argument itself, or in a request. */
  private static JobControl controlOf(@Nullable Object[] arguments) {
    for (Object argument : arguments) {
      if (argument instanceof JobControl control) {
        return control;
      }
      if (argument instanceof Record request) {
        for (var component : request.getClass().getRecordComponents()) {
          if (component.getType() == JobControl.class) {
            try {
              return (JobControl) Objects.requireNonNull(component.getAccessor().invoke(request));
            } catch (ReflectiveOperationException e) {
              throw new LinkageError(component + " is public", e);
            }
          }
        }
      }
    }
    return JobControl.none();
  }

  private Map<String, @Nullable Object> answer(Lines lines, JobControl control) throws IOException {
    boolean isCancelled = false;
    while (true) {
      String line = lines.read(LOOK_MILLIS);
      Map<String, @Nullable Object> told = line == null ? Map.of() : Wire.object(line);
      if (told.containsKey("result") || told.containsKey("error")) {
        return told;
      }
      if (told.get("progress") instanceof Map<?, ?> progress) {
        Object now = Wire.value(Progress.class, progress, JobControl.none());
        control.listener().accept((Progress) Objects.requireNonNull(now));
      }
      if (!isCancelled && (closed || control.cancelled().getAsBoolean())) {
        isCancelled = true;
        lines.write(Wire.line(Map.of("cancel", true)));
      }
    }
  }

  // ------------------------------------------------------------------------------------ connect

  private Lines dial() throws IOException {
    if (!Files.exists(directory.resolve(ControlSocket.NAME))) {
      throw new ConflictException(
          Reason.LOCKED, "nobody serves a control socket in %s".formatted(directory));
    }
    Lines lines = new Lines(channel(), MAX_ANSWER_BYTES);
    try {
      requireGreeting(lines);
      return lines;
    } catch (IOException | RuntimeException e) {
      lines.close();
      throw e;
    }
  }

  private SocketChannel channel() {
    try {
      return ControlSocket.use(directory, SocketChannel::open);
    } catch (IOException e) {
      throw new ConflictException(
          Reason.LOCKED,
          "the control socket in %s does not answer: who served it has ended, or runs as another user (%s)"
              .formatted(directory, e.getMessage()));
    }
  }

  private void requireGreeting(Lines lines) throws IOException {
    String line;
    try {
      line = lines.read(GREETING_MILLIS);
    } catch (EOFException e) {
      throw refused("refuses user " + System.getProperty("user.name") + ", or has no place left");
    }
    if (line == null) {
      throw refused("does not greet: its threads may all be busy");
    }
    Map<String, @Nullable Object> greeting = Wire.object(line);
    if (!Objects.equals(greeting.get("version"), ControlSocket.VERSION)) {
      throw new UnsupportedFormatException(
          "the control socket in %s speaks version %s, this release version %s: use the release of the process that has the ledger open"
              .formatted(directory, greeting.get("version"), ControlSocket.VERSION));
    }
  }

  private ConflictException refused(String how) {
    return new ConflictException(
        Reason.LOCKED,
        "the process that has the ledger in %s open %s; only the user who runs it may use its control socket"
            .formatted(directory, how));
  }

  private StorageException lost(IOException e) {
    return new StorageException(
        StorageException.Kind.RETRYABLE,
        "the connection to the process that has the ledger in %s open was lost: %s; look what became of the job (ledgerkeep jobs)"
            .formatted(directory, e.getMessage()),
        e);
  }
}
