package io.ledgerkeep.core.ledger;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import io.ledgerkeep.Database;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.files.Directories;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The directory that a job makes a ledger in: empty before, a ledger after, or empty again. A
 * record, a file in it, says that the job was begun. Until it has come to its end only the workshop
 * opens what is there: a directory with a {@code LAYOUT} that points to the databases.
 */
final class FreshPlace {

  private final Settings settings;
  private final Path directory;
  private final Layout layout;
  private final Path record;
  private final Path workshop;

  /** What the names of its fail points begin with. */
  private final String job;

  /** What may lie there and is nobody's; a directory only if it is empty. */
  private final Set<String> ofNoAccount;

  FreshPlace(Settings settings, Layout layout, Path record, Path workshop, String job) {
    this.settings = settings;
    this.directory = settings.requiredDirectory();
    this.layout = layout;
    this.record = record;
    this.workshop = workshop;
    this.job = job;
    this.ofNoAccount =
        Set.of("LOCK", "lost+found", record.getFileName() + ".new", "block", "state", "history");
  }

  /** Refuses engines that were handed in: what lies on them is not in the directory. */
  static void requireOwnEngines(Settings settings, Layout layout) {
    for (Database database : Database.values()) {
      if (layout.place(database).engine().equals(Settings.BuiltEngine.NAME)
          || settings.choice(database).filter(choice -> !choice.isOurs()).isPresent()) {
        throw new ConfigurationException(
            "an engine that is handed in cannot be filled here; name the engine of the %s database"
                .formatted(database.lowerCaseName()));
      }
    }
  }

  /** Refuses two directories one of which is within the other, or that are one. */
  static void requireApart(Path ledger, Path other, String what) {
    Path one = real(ledger);
    Path two = real(other);
    if (one.startsWith(two) || two.startsWith(one)) {
      throw new ConfigurationException(
          "%s in %s and the ledger in %s lie within each other; keep them apart, best on different disks"
              .formatted(what, other, ledger));
    }
  }

  private static Path real(Path path) {
    Path at = path.toAbsolutePath().normalize();
    Path there = at;
    while (there.getParent() != null && !Files.exists(there)) {
      there = there.getParent();
    }
    try {
      return there.toRealPath().resolve(there.relativize(at));
    } catch (IOException e) {
      throw SmallFile.failed("cannot look at " + path, e);
    }
  }

  Layout layout() {
    return layout;
  }

  /** Returns the directory of a database, which is made if it is not there. */
  Path home(Database database) {
    return made(directory.resolve(layout.place(database).directory()));
  }

  private static Path made(Path path) {
    try {
      return Files.createDirectories(path);
    } catch (IOException e) {
      throw SmallFile.failed("cannot make " + path, e);
    }
  }

  // ------------------------------------------------------------------------------------ before

  /** Makes the directory; returns whether it was not there. */
  boolean make() {
    if (Files.isRegularFile(directory)) {
      throw new ConfigurationException(directory + " is a file, not a directory; choose another");
    }
    boolean isNew = !Files.exists(directory);
    made(directory);
    return isNew;
  }

  void requireEmpty() {
    try (Stream<Path> entries = Files.list(directory)) {
      entries
          .filter(entry -> !isOfNoAccount(entry))
          .sorted()
          .findFirst()
          .ifPresent(
              strange -> {
                throw new ConfigurationException(
                    "%s is not empty (found: %s); choose an empty directory"
                        .formatted(directory, strange.getFileName()));
              });
    } catch (IOException e) {
      throw SmallFile.failed("cannot look into " + directory, e);
    }
  }

  private boolean isOfNoAccount(Path entry) {
    if (!ofNoAccount.contains(entry.getFileName().toString())) {
      return false;
    }
    if (!Files.isDirectory(entry) || entry.endsWith("lost+found")) {
      return true;
    }
    try (Stream<Path> within = Files.list(entry)) {
      return within.allMatch(inner -> inner.endsWith("lost+found"));
    } catch (IOException e) {
      throw SmallFile.failed("cannot look into " + entry, e);
    }
  }

  // ------------------------------------------------------------------------------------ meanwhile

  /** Returns settings to open databases in the directory with. */
  Settings opening() {
    Settings opening = settings.copy();
    opening.unarchivedBlocks = null;
    opening.layout = null;
    return opening;
  }

  /** Returns settings that open the ledger although it is none yet. */
  Settings workshop() {
    layout.fromBelow().write(made(workshop));
    Settings settingsThere = opening();
    settingsThere.directory = workshop;
    return settingsThere;
  }

  // ------------------------------------------------------------------------------------ after

  /** The commit point: from here on there is a ledger in the directory. */
  void switchTo() {
    try {
      for (Database database : Database.values()) {
        SmallFile.syncDirectory(home(database));
      }
      SmallFile.syncDirectory(directory);
      SmallFile.syncDirectory(directory.toAbsolutePath().resolveSibling(""));
    } catch (IOException e) {
      throw SmallFile.failed("cannot make durable what was written to " + directory, e);
    }
    FailPoint.pass(job + ".durable");
    layout.write(directory);
    FailPoint.pass(job + ".switched");
  }

  /** What the switch leaves to do, as often as it takes. */
  void tidyUp() {
    Directories.delete(workshop);
    FailPoint.pass(job + ".tidied");
    CheckedText.remove(record);
    FailPoint.pass(job + ".done");
  }

  /** Removes everything that was made; directories in which a disk is mounted stay. */
  void removeAll() {
    Directories.delete(workshop);
    for (Database database : Database.values()) {
      Path home = directory.resolve(layout.place(database).directory());
      if (Files.isDirectory(home) && Beside.isDoorToADisk(home)) {
        deleteContents(home);
      } else {
        Directories.delete(home);
      }
    }
    CheckedText.remove(record);
  }

  private static void deleteContents(Path root) {
    try {
      MoreFiles.deleteDirectoryContents(root, RecursiveDeleteOption.ALLOW_INSECURE);
    } catch (IOException e) {
      throw SmallFile.failed("cannot empty " + root, e);
    }
  }

  /** Removes a directory that was made for a rehearsal. */
  void removeIfEmpty() {
    try {
      Files.deleteIfExists(directory.resolve("LOCK"));
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      // It is not empty, or somebody took it: then it is not ours any more.
    }
  }
}
