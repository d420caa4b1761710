package io.ledgerkeep.badger;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The settings of one store, checked. Each has one option of the same meaning:
 *
 * <table>
 * <caption>Options of the provider {@code badgerdb}</caption>
 * <tr><th>option</th><th>default</th><th>range</th></tr>
 * <tr><td>{@code sidecar}</td><td>{@code bundled}</td>
 *     <td>{@code bundled}, {@code unix:PATH}, {@code HOST:PORT}</td></tr>
 * <tr><td>{@code deadline-seconds}</td><td>120</td><td>1 to 3600</td></tr>
 * <tr><td>{@code reconnect-seconds}</td><td>30</td><td>0 to 3600</td></tr>
 * <tr><th colspan="3">of the bundled sidecar</th></tr>
 * <tr><td>{@code sidecar-binary}</td><td>that of the artifact</td><td>a file that can be run</td></tr>
 * <tr><td>{@code sidecar-directory}</td><td>the temporary directory</td><td>a directory</td></tr>
 * <tr><td>{@code memtable-bytes}</td><td>the sidecar's</td><td>8 MiB to 1 GiB</td></tr>
 * <tr><td>{@code block-cache-bytes}</td><td>the sidecar's</td><td>0 to 64 GiB</td></tr>
 * <tr><td>{@code min-free-bytes}</td><td>the sidecar's</td><td>0 to 1 TiB</td></tr>
 * <tr><th colspan="3">of one that runs already</th></tr>
 * <tr><td>{@code database}</td><td>none</td><td>the first parts of the store's name</td></tr>
 * <tr><td>{@code tls-certificate}, {@code tls-key}, {@code tls-ca}</td><td>required with
 *     {@code HOST:PORT}</td><td>files</td></tr>
 * <tr><td>{@code plaintext}</td><td>none</td><td>{@code loopback}</td></tr>
 * </table>
 *
 * @param where which sidecar
 * @param database what the names of its stores begin with, where it runs already
 * @param deadline how long one call may take; deleting a range and compacting may take longer
 * @param patience how long a call waits for a sidecar that went away
 */
record BadgerConfig(Where where, Optional<String> database, Duration deadline, Duration patience) {

  /** Which sidecar. */
  sealed interface Where {}

  /**
   * One that is started when it is needed.
   *
   * @param binary what to run instead of the bundled binary
   * @param directory where that is unpacked to
   * @param flags what the sidecar is told beside its place
   */
  record Bundled(Optional<Path> binary, Optional<Path> directory, List<String> flags)
      implements Where {

    /** Keeps a copy of the flags. */
    Bundled {
      flags = List.copyOf(flags);
    }
  }

  /** One that listens on a Unix domain socket. */
  record Unix(Path socket) implements Where {}

  /** One that listens at a port; without TLS only on this machine. */
  record Tcp(String host, int port, Optional<Tls> tls) implements Where {}

  /** The files of mutual TLS, in PEM. */
  record Tls(Path certificate, Path key, Path authority) {}

  private static final String SIDECAR = "sidecar";
  private static final String DEADLINE = "deadline-seconds";
  private static final String RECONNECT = "reconnect-seconds";
  private static final String BINARY = "sidecar-binary";
  private static final String DIRECTORY = "sidecar-directory";
  private static final String MEMTABLE = "memtable-bytes";
  private static final String CACHE = "block-cache-bytes";
  private static final String MIN_FREE = "min-free-bytes";
  private static final String DATABASE = "database";
  private static final String CERTIFICATE = "tls-certificate";
  private static final String KEY = "tls-key";
  private static final String AUTHORITY = "tls-ca";
  private static final String PLAINTEXT = "plaintext";

  private static final String BUNDLED_NAME = "bundled";
  private static final String UNIX_SCHEME = "unix:";
  private static final String[] COMMON = {SIDECAR, DEADLINE, RECONNECT};
  private static final String[] OF_BUNDLED = {BINARY, DIRECTORY, MEMTABLE, CACHE, MIN_FREE};
  private static final String[] OF_TCP = {CERTIFICATE, KEY, AUTHORITY, PLAINTEXT};

  private static final long MIB = 1 << 20;
  private static final long GIB = 1 << 30;

  /** The range of each option that is a flag of the sidecar. */
  private static final Map<String, List<Long>> NUMBERS =
      Map.of(
          MEMTABLE, List.of(8 * MIB, GIB),
          CACHE, List.of(0L, 64 * GIB),
          MIN_FREE, List.of(0L, 1024 * GIB));

  /** Returns the settings that the options stand for; all that is not given has its default. */
  static BadgerConfig of(Options options) {
    options.onlyAllow(joined(COMMON, OF_BUNDLED, new String[] {DATABASE}, OF_TCP));
    return new BadgerConfig(
        where(options),
        options.text(DATABASE),
        Duration.ofSeconds(options.number(DEADLINE, 120, 1, 3600)),
        Duration.ofSeconds(options.number(RECONNECT, 30, 0, 3600)));
  }

  private static Where where(Options options) {
    String sidecar = options.text(SIDECAR).orElse(BUNDLED_NAME);
    if (sidecar.equals(BUNDLED_NAME)) {
      refuse(options, "a sidecar that runs already", joined(OF_TCP, new String[] {DATABASE}));
      return bundled(options);
    }
    refuse(options, "the bundled sidecar", OF_BUNDLED);
    if (sidecar.startsWith(UNIX_SCHEME)) {
      refuse(options, "a sidecar at HOST:PORT", OF_TCP);
      return new Unix(Path.of(sidecar.substring(UNIX_SCHEME.length())));
    }
    return tcp(sidecar, options);
  }

  private static Bundled bundled(Options options) {
    List<String> flags =
        NUMBERS.keySet().stream()
            .sorted()
            .filter(name -> options.text(name).isPresent())
            .map(name -> flag(name, options))
            .toList();
    Optional<Path> binary = options.text(BINARY).map(Path::of);
    if (binary.isPresent() && !Files.isExecutable(binary.get())) {
      throw new ConfigurationException(
          "option '" + BINARY + "' must name a file that can be run, unlike " + binary.get());
    }
    return new Bundled(binary, options.text(DIRECTORY).map(Path::of), flags);
  }

  private static String flag(String name, Options options) {
    List<Long> range = NUMBERS.getOrDefault(name, List.of());
    return "--" + name + "=" + options.number(name, 0, range.get(0), range.get(1));
  }

  private static Tcp tcp(String sidecar, Options options) {
    int colon = sidecar.lastIndexOf(':');
    String host = colon < 0 ? "" : sidecar.substring(0, colon);
    int port = port(sidecar.substring(colon + 1));
    if (host.isEmpty() || port == 0) {
      throw new ConfigurationException(
          "option '" + SIDECAR + "' must be bundled, unix:PATH or HOST:PORT");
    }
    Optional<String> plaintext = options.text(PLAINTEXT);
    if (plaintext.isEmpty()) {
      return new Tcp(
          host,
          port,
          Optional.of(
              new Tls(
                  Path.of(options.requiredText(CERTIFICATE)),
                  Path.of(options.requiredText(KEY)),
                  Path.of(options.requiredText(AUTHORITY)))));
    }
    refuse(options, "connections without " + PLAINTEXT, CERTIFICATE, KEY, AUTHORITY);
    if (!plaintext.get().equals("loopback") || !isLoopback(host)) {
      throw new ConfigurationException(
          "option '" + PLAINTEXT + "' must be loopback, and the host one of this machine's own");
    }
    return new Tcp(host, port, Optional.empty());
  }

  private static int port(String text) {
    try {
      int port = Integer.parseInt(text);
      return port > 0 && port < 1 << 16 ? port : 0;
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  private static boolean isLoopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false;
    }
  }

  /** An option that has no effect is one that somebody relies on and does not have. */
  private static void refuse(Options options, String whose, String... names) {
    for (String name : names) {
      if (options.text(name).isPresent()) {
        throw new ConfigurationException("option '" + name + "' is one of " + whose + " only");
      }
    }
  }

  private static String[] joined(String[]... names) {
    return Arrays.stream(names).flatMap(Arrays::stream).toArray(String[]::new);
  }
}
