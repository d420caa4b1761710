package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Database;
import io.ledgerkeep.Ledgerkeep.Conversion.Direction;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Action;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Remedy;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Severity;
import io.ledgerkeep.core.doctor.Findings;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.core.rollback.RestOfRollBack;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Looks at what lies beside the databases: records of jobs, leftovers, backups. */
final class LedgerFiles {

  private static final Pattern OURS =
      Pattern.compile(
          "LOCK|LAYOUT|ARRIVING|status\\.json|control\\.sock|EXAMINING|LAYOUT\\.damaged");

  /** A small file that was to replace another one when the process died. */
  private static final Pattern NEVER_RENAMED =
      Pattern.compile(
          "(LAYOUT|CREATING|CONVERTING|REBUILDING|MIGRATING|ARRIVING|RESTORING|SYNCING|status\\.json|KEYS|KEYS\\.copy)\\.new");

  private static final Pattern BACKUP = Pattern.compile("backup-[0-9]{8}T[0-9]{6}Z.*");

  private final Path directory;
  private final Layout layout;
  private final boolean layoutIsSure;
  private final Findings findings;
  private final Set<Path> known = new HashSet<>();

  /**
   * Looks into the directory of a ledger.
   *
   * @param layoutIsSure whether a directory that the layout does not name is none of the ledger's
   */
  LedgerFiles(Path directory, Layout layout, boolean layoutIsSure, Findings findings) {
    this.directory = directory;
    this.layout = layout;
    this.layoutIsSure = layoutIsSure;
    this.findings = findings;
    knowPlacesOf(layout);
  }

  private void knowPlacesOf(Layout places) {
    places.databases().values().forEach(place -> known.add(home(place)));
  }

  private Path home(Layout.Place place) {
    return directory.resolve(place.directory()).normalize();
  }

  /**
   * Looks at everything.
   *
   * @param rollsBack whether the block database records a roll back that is not finished
   */
  void look(boolean rollsBack) {
    lookAtRebuild();
    lookAtConversion();
    lookAtMigration();
    lookAtRestore();
    lookAtRollBack(rollsBack);
    if (Files.exists(directory.resolve("CREATING"))) {
      findings.add(
          Severity.UNFINISHED,
          "CREATING",
          "the mark of a ledger that is being made is still there",
          Remedy.of(Action.OPEN).asFix());
    }
    List<Path> entries = entries(directory);
    entries.stream().filter(this::isBackup).forEach(this::lookAtBackup);
    entries.forEach(this::lookAt);
    Stream.of(Database.values())
        .map(layout::place)
        .map(this::home)
        .distinct()
        .forEach(this::lookIntoHome);
  }

  private void lookAtRebuild() {
    Path file = directory.resolve("REBUILDING");
    known.add(file);
    Remedy again = Remedy.of(Action.REBUILD).asFix();
    findings
        .look("REBUILDING", again, () -> RebuildRecord.read(directory))
        .flatMap(found -> found)
        .ifPresent(
            record -> {
              record.homes(directory).forEach(home -> known.add(home.normalize()));
              known.add(record.backup(directory));
              knowPlacesOf(record.original());
              findings.add(
                  Severity.UNFINISHED,
                  "REBUILDING",
                  "a rebuild of %s was begun and not ended".formatted(record.stamp()),
                  again);
            });
  }

  private void lookAtConversion() {
    known.add(directory.resolve("CONVERTING"));
    known.add(CopyRecord.workshop(directory));
    Remedy none = Remedy.of(Action.ENCRYPT);
    findings
        .look("CONVERTING", none, () -> CopyRecord.read(directory))
        .flatMap(found -> found)
        .ifPresent(
            record -> {
              boolean encrypts = record.direction() == Direction.ENCRYPT;
              record.homes(directory).forEach(home -> known.add(home.normalize()));
              known.add(record.backup(directory));
              knowPlacesOf(record.original());
              findings.add(
                  Severity.UNFINISHED,
                  "CONVERTING",
                  "that the ledger is %s was begun on %s and not ended"
                      .formatted(encrypts ? "encrypted" : "decrypted", record.stamp()),
                  Remedy.of(encrypts ? Action.ENCRYPT : Action.DECRYPT));
            });
  }

  private void lookAtMigration() {
    known.add(directory.resolve("MIGRATING"));
    Remedy again = Remedy.of(Action.MIGRATE);
    findings
        .look("MIGRATING", again, () -> MigrationRecord.read(directory))
        .flatMap(found -> found)
        .ifPresent(
            record -> {
              for (Database database : record.moved()) {
                known.add(record.home(directory, database).normalize());
              }
              known.add(record.backup(directory));
              knowPlacesOf(record.original());
              findings.add(
                  Severity.UNFINISHED,
                  "MIGRATING",
                  "a migration was begun on %s and not ended".formatted(record.stamp()),
                  again);
            });
  }

  private void lookAtRestore() {
    lookAtMaking(
        RestoreRecord.file(directory),
        RestoreRecord.workshop(directory),
        "restored from a backup",
        Action.RESTORE_BACKUP);
    lookAtMaking(
        SyncRecord.file(directory), SyncRecord.workshop(directory), "made by a sync", Action.SYNC);
  }

  private void lookAtMaking(Path record, Path workshop, String how, Action again) {
    known.add(record);
    known.add(workshop);
    if (Files.exists(record)) {
      findings.add(
          Severity.UNFINISHED,
          record.getFileName().toString(),
          "the ledger was %s, and tidying up after that was not ended".formatted(how),
          Remedy.of(again));
    }
  }

  private void lookAtRollBack(boolean isCommitted) {
    Path workshop = RestOfRollBack.workshop(directory);
    known.add(workshop);
    if (Files.exists(workshop) && !isCommitted) {
      findings.add(
          Severity.UNFINISHED,
          "ROLLINGBACK",
          "a roll back was begun and not committed: the ledger is as it was before; what it left is removed by any opening",
          Remedy.of(Action.OPEN).asFix());
    }
  }

  private boolean isBackup(Path entry) {
    return BACKUP.matcher(entry.getFileName().toString()).matches();
  }

  /** A backup tells of directories that it consists of beside itself. */
  private void lookAtBackup(Path backup) {
    if (!known.add(backup)) {
      return;
    }
    for (String name : List.of("LAYOUT", "LAYOUT.before")) {
      Path file = backup.resolve(name);
      if (Files.exists(file)) {
        findings
            .look(
                backup.getFileName().toString(),
                Remedy.of(Action.NOTHING),
                () -> Layout.readFile(file))
            .ifPresent(named -> knowPlacesOf(name.equals("LAYOUT") ? above(named) : named));
      }
    }
    findings.add(
        Severity.NOTE,
        backup.getFileName().toString(),
        "a backup that stays until you remove it",
        Remedy.of(Action.NOTHING).on(List.of(backup)));
  }

  /** The layout in a backup sees the databases from one directory further down. */
  private static Layout above(Layout below) {
    java.util.Map<Database, Layout.Place> places = new java.util.EnumMap<>(Database.class);
    below
        .databases()
        .forEach(
            (database, place) ->
                places.put(
                    database,
                    place.directory().startsWith("../")
                        ? new Layout.Place(place.engine(), place.directory().substring(3))
                        : place));
    return new Layout(places);
  }

  private void lookAt(Path entry) {
    String name = entry.getFileName().toString();
    if (known.contains(entry.normalize()) || OURS.matcher(name).matches()) {
      return;
    }
    if (NEVER_RENAMED.matcher(name).matches()) {
      neverRenamed(entry);
    } else if (Files.isDirectory(entry.resolve("db")) && layoutIsSure) {
      findings.add(
          Severity.UNFINISHED,
          name,
          entry + " holds a database that neither LAYOUT nor a backup nor a job names",
          Remedy.of(Action.REMOVE).on(List.of(entry)));
    } else if (!name.equals("CREATING")) {
      findings.note(name, entry + " is none of the files that are known to be the ledger's");
    }
  }

  private void neverRenamed(Path file) {
    findings.add(
        Severity.UNFINISHED,
        file.getFileName().toString(),
        file + " was to replace another file when the process died",
        Remedy.of(Action.REMOVE).on(List.of(file)).asFix());
  }

  private void lookIntoHome(Path home) {
    if (!Files.isDirectory(home)) {
      return;
    }
    entries(home).stream()
        .filter(file -> NEVER_RENAMED.matcher(file.getFileName().toString()).matches())
        .forEach(this::neverRenamed);
    boolean has = Files.exists(home.resolve("KEYS"));
    boolean hasCopy = Files.exists(home.resolve("KEYS.copy"));
    if (has != hasCopy) {
      findings.add(
          Severity.UNFINISHED,
          "keys",
          "%s is missing; its twin suffices, and any opening writes it again"
              .formatted(home.resolve(has ? "KEYS.copy" : "KEYS")),
          Remedy.of(Action.OPEN).asFix());
    }
    Path store = home.resolve("db");
    if (Files.isDirectory(store)) {
      entries(store).stream()
          .filter(file -> file.getFileName().toString().startsWith("torn-"))
          .forEach(
              torn ->
                  findings.add(
                      Severity.NOTE,
                      torn.getFileName().toString(),
                      "a copy of what was cut off after a power cut",
                      Remedy.of(Action.NOTHING).on(List.of(torn))));
    }
  }

  private static List<Path> entries(Path directory) {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.sorted().toList();
    } catch (IOException e) {
      throw SmallFile.failed("cannot look into " + directory, e);
    }
  }
}
