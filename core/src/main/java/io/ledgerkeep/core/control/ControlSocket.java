package io.ledgerkeep.core.control;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where the control socket of a ledger is. */
final class ControlSocket {

  static final String NAME = "control.sock";

  /** The version of what is spoken. */
  static final long VERSION = 1;

  /** Systems take 103 bytes and more as the name of a socket. */
  private static final int MAX_PATH_BYTES = 100;

  private ControlSocket() {}

  /** Does something with the address of a socket. */
  interface Use<R> {
    R with(UnixDomainSocketAddress address) throws IOException;
  }

  /**
   * Does something with the address of the socket in a directory. Where its name is too long for a
   * socket, it is reached through a link that nobody else can put there.
   */
  static <R> R use(Path directory, Use<R> use) throws IOException {
    Path socket = directory.toAbsolutePath().resolve(NAME);
    if (socket.toString().getBytes(StandardCharsets.UTF_8).length <= MAX_PATH_BYTES) {
      return use.with(UnixDomainSocketAddress.of(socket));
    }
    Path own = Files.createTempDirectory("lk");
    Path link = own.resolve("d");
    try {
      Files.createSymbolicLink(link, directory.toAbsolutePath());
      return use.with(UnixDomainSocketAddress.of(link.resolve(NAME)));
    } finally {
      Files.deleteIfExists(link);
      Files.delete(own);
    }
  }
}
