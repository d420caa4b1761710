package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Database;
import io.ledgerkeep.Migration;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;

/** Whether the places that a migration names can take what it brings there. */
final class MigrationPlaces {

  /** What a disk of its own may have at its root, and what a job that owns a directory makes. */
  private static final Set<String> OF_NO_ACCOUNT = Set.of("lost+found", "LOCK");

  /** What is left in a directory whose ledger was moved away and removed; it may come back. */
  private static final Set<String> LEFT = Set.of("LAYOUT", "status.json");

  private final Migration migration;
  private final Path directory;

  MigrationPlaces(Migration migration, Path directory) {
    this.migration = migration;
    this.directory = directory;
  }

  /** Returns whether the ledger is to have another directory. */
  boolean isElsewhere() {
    return migration.database().isEmpty()
        && migration
            .directory()
            .filter(wanted -> !real(wanted).equals(real(directory)))
            .isPresent();
  }

  /** Returns the directory that was asked for as LAYOUT names it. */
  String named(Path wanted) {
    Path there = wanted.toAbsolutePath().normalize();
    Path root = directory.toAbsolutePath().normalize();
    return (there.startsWith(root) ? root.relativize(there) : there).toString();
  }

  /** Refuses places that hold something, overlap, or may lie on a disk that is not there. */
  void requireFree(MigrationRecord record) {
    if (migration.directory().isEmpty()) {
      return; // the names were chosen, and are free
    }
    Path wanted = migration.directory().get().toAbsolutePath().normalize();
    if (wanted.getParent() != null && !Files.isDirectory(wanted.getParent())) {
      throw new ConfigurationException(
          "there is no directory %s to make %s in; is the disk mounted?"
              .formatted(wanted.getParent(), wanted));
    }
    requireEmpty(wanted);
    if (isElsewhere() && real(wanted).startsWith(real(directory))) {
      throw new ConfigurationException(
          "%s lies within %s, which is no ledger afterwards; choose a directory outside of it"
              .formatted(wanted, directory));
    }
    for (Database moved : record.moved()) {
      for (Database original : Database.values()) {
        Path there = real(record.home(directory, moved));
        Path here = real(Beside.home(directory, record.original().place(original)));
        if (there.startsWith(here) || here.startsWith(there)) {
          throw new ConfigurationException(
              "%s and %s, where the ledger has a database, lie within each other; choose another directory"
                  .formatted(there, here));
        }
      }
    }
  }

  private static void requireEmpty(Path wanted) {
    if (!Files.exists(wanted)) {
      return;
    }
    try (Stream<Path> files = Files.list(wanted)) {
      boolean hadLedger = Layout.moved(wanted).isPresent();
      if (files
          .map(file -> file.getFileName().toString())
          .anyMatch(file -> !OF_NO_ACCOUNT.contains(file) && !(hadLedger && LEFT.contains(file)))) {
        throw new ConfigurationException(wanted + " is not empty; choose an empty directory");
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot look into " + wanted, e);
    }
  }

  /** One place must not have two names. */
  private static Path real(Path path) {
    Path at = path.toAbsolutePath().normalize();
    Path parent = at.getParent();
    try {
      return Files.exists(at) || parent == null
          ? at.toRealPath()
          : real(parent).resolve(at.getFileName());
    } catch (IOException e) {
      throw SmallFile.failed("cannot find " + path, e);
    }
  }
}
