package io.ledgerkeep.badger;

import io.grpc.Channel;
import io.ledgerkeep.badger.BadgerConfig.Bundled;
import io.ledgerkeep.badger.BadgerConfig.Tcp;
import io.ledgerkeep.badger.BadgerConfig.Unix;
import io.ledgerkeep.badger.BadgerConfig.Where;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** A sidecar and the connection to it, shared by the stores that use it; gone with the last one. */
final class Sidecar {

  /**
   * Which one it is.
   *
   * @param root what it serves; of one that runs already it is not known, and empty
   */
  private record Key(Where where, Path root) {}

  /** All that are in use. Also the lock for their beginnings and ends, which thus never meet. */
  private static final Map<Key, Sidecar> SHARED = new HashMap<>();

  private final Key key;
  private final Optional<Supervisor> supervisor;
  private final Link link;
  private int users;

  private Sidecar(Key key) {
    this.key = key;
    this.supervisor =
        key.where() instanceof Bundled bundled
            ? Optional.of(Supervisor.start(bundled, key.root()))
            : Optional.empty();
    this.link = link(key.where());
  }

  private Link link(Where where) {
    if (where instanceof Tcp tcp) {
      return Link.tcp(tcp);
    }
    return Link.unix(
        where instanceof Unix unix ? unix.socket() : supervisor.orElseThrow().socket());
  }

  /** Returns the sidecar for a store, started if need be; {@link #release} gives it back. */
  static Sidecar take(Where where, Path root) {
    synchronized (SHARED) {
      Sidecar sidecar = SHARED.computeIfAbsent(new Key(where, root), Sidecar::new);
      sidecar.users++;
      return sidecar;
    }
  }

  Channel channel() {
    return link.channel();
  }

  /** Says which one it is, for people. */
  String where() {
    Where where = key.where();
    if (where instanceof Tcp tcp) {
      return "the Badger sidecar at " + tcp.host() + ":" + tcp.port();
    }
    return where instanceof Unix unix
        ? "the Badger sidecar at unix:" + unix.socket()
        : "the bundled Badger sidecar of " + key.root();
  }

  /** Sees that it runs, as far as that is ours, and that the next call connects to it. */
  void revive() {
    supervisor.ifPresent(Supervisor::revive);
    link.retryNow();
  }

  /** Gives up one use; the last one ends all. */
  void release() {
    synchronized (SHARED) {
      users--;
      if (users == 0) {
        SHARED.remove(key);
        link.close();
        supervisor.ifPresent(Supervisor::stop);
      }
    }
  }
}
