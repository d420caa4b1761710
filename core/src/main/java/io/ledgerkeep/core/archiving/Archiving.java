package io.ledgerkeep.core.archiving;

import io.ledgerkeep.archive.*;
import java.util.Optional;

public final class Archiving {
  private final Site site;

  public Archiving(Site site, boolean readThrough) {
    this.site = site;
  }

  public ArchivedBodies bodies() {
    return ArchivedBodies.refused(place().orElse(""));
  }

  public Archiver archiver() {
    throw new IllegalStateException();
  }

  public Restorer restorer() {
    throw new IllegalStateException();
  }

  public Archive archive() {
    throw new IllegalStateException();
  }

  public Optional<String> place() {
    return site.store().map(ArchiveStore::place);
  }

  public long highestArchivableHeight() {
    return site.highestTarget();
  }

  public Verification verify(Verification.Request request, long height) {
    throw new IllegalStateException();
  }
}
