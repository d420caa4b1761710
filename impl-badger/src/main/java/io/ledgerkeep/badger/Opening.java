package io.ledgerkeep.badger;

import io.grpc.StatusRuntimeException;
import io.ledgerkeep.badger.BadgerConfig.Bundled;
import io.ledgerkeep.badger.BadgerConfig.Tcp;
import io.ledgerkeep.badger.proto.Failure;
import io.ledgerkeep.badger.proto.HoldEvent;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.StorageException.Kind;
import io.ledgerkeep.storage.StorageEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** Opens a store: finds its sidecar and takes the lease. */
final class Opening {

  /** How long a sidecar may take to notice that the owner of a store has died, and to close it. */
  private static final Duration OWNER_GONE = Duration.ofMinutes(2);

  private final Path directory;
  private final BadgerConfig config;
  private final Place place;
  private final Sidecar sidecar;
  private final Lease lease;

  private Opening(Path directory, BadgerConfig config, Place place, Sidecar sidecar) {
    this.directory = directory;
    this.config = config;
    this.place = place;
    this.sidecar = sidecar;
    this.lease = new Lease(sidecar, place.store());
  }

  static StorageEngine open(Path directory, BadgerConfig config) {
    Place place = Place.of(directory, config);
    Sidecar sidecar = Sidecar.take(config.where(), place.root());
    boolean opened = false;
    try {
      StorageEngine engine = new Opening(directory, config, place, sidecar).engine();
      opened = true;
      return engine;
    } finally {
      if (!opened) {
        sidecar.release();
      }
    }
  }

  private StorageEngine engine() {
    HoldEvent held = hold();
    boolean recorded = false;
    try {
      if (!(config.where() instanceof Bundled) && !place.isKnown()) {
        StandIn.record(directory, place.store());
      }
      recorded = true;
    } catch (IOException e) {
      throw new StorageException(
          Kind.FATAL, "nothing can be written to " + directory + ": " + e.getMessage(), e);
    } finally {
      if (!recorded) {
        lease.close();
      }
    }
    return new BadgerEngine(sidecar, lease, config, held.getLimits());
  }

  private HoldEvent hold() {
    Pauses unreachable = new Pauses(config.patience());
    Pauses ownerGone = new Pauses(OWNER_GONE);
    while (true) {
      try {
        return lease.hold(place.isKnown());
      } catch (StatusRuntimeException e) {
        Pauses pauses = isHeldByTheDead(e) ? ownerGone : unreachable;
        boolean mayPass = BadgerErrors.mayPass(e) || isHeldByTheDead(e);
        if (!mayPass || !pauses.pause()) {
          throw BadgerErrors.translated(
              "opening the Badger store " + place.store() + " of " + directory, sidecar.where(), e);
        }
        sidecar.revive();
      }
    }
  }

  /** A sidecar that lost its owner closes the store and, where it was bundled with it, ends. */
  private boolean isHeldByTheDead(StatusRuntimeException e) {
    Failure failure = BadgerErrors.failure(e);
    return failure.getReason() == Failure.Reason.LEASED
        && !(config.where() instanceof Tcp)
        && failure.getOwnerProcess() > 0
        && ProcessHandle.of(failure.getOwnerProcess()).isEmpty();
  }
}
