package io.ledgerkeep.cli.monitor;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** The machine the monitor runs on; what only Linux tells comes from {@code /proc}. */
public final class ThisMachine implements Machine {

  private static final int CONNECT_MILLIS = 5000;
  private static final String UNIX = "unix:";
  private static final long KIBIBYTE = 1024;

  @Override
  public Instant now() {
    return Instant.now();
  }

  @Override
  public void pause(Duration duration) throws InterruptedException {
    Thread.sleep(duration.toMillis());
  }

  @Override
  public Optional<Running> process(long pid) {
    return ProcessHandle.of(pid).filter(ProcessHandle::isAlive).map(ThisMachine::running);
  }

  private static Running running(ProcessHandle process) {
    Path tells = Path.of("/proc", Long.toString(process.pid()));
    return new Running(
        process.info().startInstant(),
        process.info().totalCpuDuration(),
        number(tells.resolve("status"), "VmRSS:", KIBIBYTE),
        number(tells.resolve("io"), "read_bytes:", 1),
        number(tells.resolve("io"), "write_bytes:", 1),
        process
            .children()
            .map(child -> child.info().arguments().map(List::of).orElse(List.of()))
            .toList());
  }

  /** Returns the number behind a name; a file that is absent, or another user's, tells nothing. */
  private static OptionalLong number(Path file, String name, long unit) {
    try {
      for (String line : Files.readAllLines(file)) {
        if (line.startsWith(name)) {
          String digits = line.replaceAll("[^0-9]", "");
          return OptionalLong.of(Long.parseLong(digits) * unit);
        }
      }
    } catch (IOException | NumberFormatException e) {
      return OptionalLong.empty();
    }
    return OptionalLong.empty();
  }

  @Override
  public Room room(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      throw new IOException("there is no directory " + directory);
    }
    FileStore store = Files.getFileStore(directory);
    return new Room(store.getTotalSpace(), store.getUsableSpace());
  }

  @Override
  public void connect(String address) throws IOException {
    if (address.startsWith(UNIX)) {
      SocketChannel.open(UnixDomainSocketAddress.of(address.substring(UNIX.length()))).close();
      return;
    }
    int colon = address.lastIndexOf(':');
    try (Socket socket = new Socket()) {
      String host = address.substring(0, Math.max(colon, 0));
      socket.connect(
          new InetSocketAddress(host, Integer.parseInt(address.substring(colon + 1))),
          CONNECT_MILLIS);
    } catch (IllegalArgumentException e) {
      throw new IOException("'" + address + "' is no address", e);
    }
  }
}
