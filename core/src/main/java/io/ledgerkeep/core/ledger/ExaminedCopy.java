package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Database;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.audit.AuditLog;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.files.Directories;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.core.rollback.RestOfRollBack;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A ledger directory of copies, within the directory of the ledger so that files can be shared:
 * what is opened there and changed by opening is not the ledger. Close it, and it is gone.
 */
final class ExaminedCopy implements AutoCloseable {

  private static final String NAME = "EXAMINING";

  private final Settings settings;
  private final Path ledger;
  private final Path directory;
  private final Layout original;
  private final Layout layout;

  private ExaminedCopy(Settings settings, Layout original) {
    this.settings = settings;
    this.ledger = settings.requiredDirectory();
    this.directory = ledger.resolve(NAME);
    this.original = original;
    Map<Database, Layout.Place> places = new EnumMap<>(Database.class);
    original
        .databases()
        .forEach(
            (database, place) ->
                places.put(database, new Layout.Place(place.engine(), database.lowerCaseName())));
    this.layout = new Layout(places);
  }

  /** Begins a copy that has nothing yet; what a killed examination left goes. */
  static ExaminedCopy begin(Settings settings, Layout original) {
    ExaminedCopy copy = new ExaminedCopy(settings, original);
    copy.close();
    try {
      Files.createDirectory(copy.directory);
    } catch (IOException e) {
      throw SmallFile.failed("cannot make " + copy.directory, e);
    }
    FailPoint.pass("examine.begun");
    return copy;
  }

  /**
   * Copies a database with all that belongs to it; returns whether it is there.
   *
   * @throws io.ledgerkeep.error.ConfigurationException if it cannot be copied
   */
  boolean take(Database database) {
    Layout.Place place = original.place(database);
    Path home = home(database);
    Path target = directory.resolve(database.lowerCaseName());
    try {
      Files.createDirectory(target);
      if (Files.isDirectory(home)) {
        copyBelongings(home, target);
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot copy " + home, e);
    }
    boolean isThere =
        settings
            .choice(database)
            .orElseGet(() -> new Settings.NamedEngine(place.engine(), io.ledgerkeep.Options.none()))
            .copy(home.resolve("db"), target.resolve("db"), settings.classLoader);
    FailPoint.pass("examine.copied");
    return isThere;
  }

  /** Copies what is written to while a ledger is open: keys, the audit file and the id filter. */
  private void copyBelongings(Path home, Path target) throws IOException {
    List<Path> files = new ArrayList<>();
    addFiles(files, home, "KEYS");
    addFiles(files, home, AuditLog.FILE);
    if (Files.isDirectory(home.resolve("ids"))) {
      Files.createDirectory(target.resolve("ids"));
      addFiles(files, home.resolve("ids"), "");
    }
    long bytes = 0;
    for (Path file : files) {
      bytes += Files.size(file);
    }
    CopyRoom.require(Map.of(target, bytes), settings);
    for (Path file : files) {
      Files.copy(file, target.resolve(home.relativize(file).toString()));
    }
  }

  private static void addFiles(List<Path> files, Path directory, String prefix) throws IOException {
    try (Stream<Path> names = Files.list(directory)) {
      names
          .filter(Files::isRegularFile)
          .filter(file -> file.getFileName().toString().startsWith(prefix))
          .forEach(files::add);
    }
  }

  /** Copies what a roll back has left to do; its files are read and renamed, never written to. */
  void takeRollBack() {
    Path workshop = RestOfRollBack.workshop(ledger);
    if (!Files.isDirectory(workshop)) {
      return;
    }
    try (Stream<Path> files = Files.walk(workshop)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Path target =
            RestOfRollBack.workshop(directory).resolve(workshop.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectory(target);
        } else {
          linkOrCopy(file, target);
        }
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot copy " + workshop, e);
    }
  }

  private static void linkOrCopy(Path file, Path target) throws IOException {
    try {
      Files.createLink(target, file);
    } catch (UnsupportedOperationException | FileSystemException e) {
      Files.copy(file, target);
    }
  }

  /** Says where the copies are, so that they are a ledger. */
  void complete() {
    layout.write(directory);
  }

  Layout layout() {
    return layout;
  }

  /** Returns where the copy of a database lies. */
  Path copyOf(Database database) {
    return directory.resolve(database.lowerCaseName());
  }

  private Path home(Database database) {
    return ledger.resolve(original.place(database).directory()).normalize();
  }

  /** Returns settings that open the copies, and keep nothing in mind. */
  Settings settings(@Nullable ArchiveStore store) {
    Settings opening = settings.copy();
    opening.directory = directory;
    opening.chainId = null;
    opening.digest = null;
    opening.store = store == null ? null : new Settings.BuiltStore(store);
    opening.unarchivedBlocks = null;
    opening.keepsUnarchivedBlocks = false;
    opening.reserveBytes = 0;
    return opening;
  }

  /** Returns a message about the copies as one about the ledger. */
  String told(String message) {
    String told = message;
    for (Database database : Database.values()) {
      told = told.replace(copyOf(database).toString(), home(database).toString());
    }
    return told.replace(directory.toString(), ledger.toString());
  }

  @Override
  public void close() {
    Directories.delete(directory);
  }
}
