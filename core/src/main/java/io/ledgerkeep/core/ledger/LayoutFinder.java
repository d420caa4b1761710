package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Database;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Action;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Remedy;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Severity;
import io.ledgerkeep.core.doctor.Findings;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.storage.StorageEngineProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Finds out where the databases of a ledger are, also where its {@code LAYOUT} is lost. */
final class LayoutFinder {

  private final Settings settings;
  private final Path directory;
  private final Findings findings;
  private boolean isSure = true;

  LayoutFinder(Settings settings, Findings findings) {
    this.settings = settings;
    this.directory = settings.requiredDirectory();
    this.findings = findings;
  }

  /** Returns whether what was found is beyond doubt. */
  boolean isSure() {
    return isSure;
  }

  /** Returns the layout as the file has it, or as the directories tell. */
  Optional<Layout> find() {
    Remedy remedy = Remedy.of(Action.PUT_BACK).on(List.of(directory.resolve("LAYOUT")));
    if (Layout.exists(directory)) {
      Optional<Layout> read = findings.look("LAYOUT", remedy, this::whole);
      return read.isPresent() || findings.has(Severity.UNSEEN, "LAYOUT") ? read : guess(remedy);
    }
    return guess(remedy);
  }

  private Layout whole() {
    Layout layout = Layout.read(directory);
    Stream.of(Database.values()).forEach(layout::place);
    return layout;
  }

  private Optional<Layout> guess(Remedy otherwise) {
    Map<Database, Layout.Place> places = new EnumMap<>(Database.class);
    isSure &= !mayHaveBeenMoved();
    originals().ifPresent(layout -> places.putAll(layout.databases()));
    for (Database database : Database.values()) {
      if (!places.containsKey(database)) {
        guess(database).ifPresent(place -> places.put(database, place));
      }
    }
    if (!places.containsKey(Database.BLOCK)) {
      return Optional.empty();
    }
    for (Database database : Database.values()) { // one that is gone can be made anew
      Layout.Place block = places.get(Database.BLOCK);
      places.putIfAbsent(database, new Layout.Place(block.engine(), database.lowerCaseName()));
    }
    Layout layout = new Layout(places);
    Remedy write = Remedy.of(Action.WRITE_LAYOUT).on(List.of(directory.resolve("LAYOUT")));
    findings.add(
        Severity.DAMAGE,
        "LAYOUT",
        "LAYOUT is missing or damaged; by the directories it was: "
            + String.join(", ", layout.lines()),
        isSure ? write.asFix() : otherwise);
    return Optional.of(layout);
  }

  /** Then the ledger may be in another directory, and must not be in this one too. */
  private boolean mayHaveBeenMoved() {
    return entries().anyMatch(name -> name.equals("MIGRATING") || name.endsWith("-migrate"));
  }

  /** A job that is not ended knows what it began with. */
  private Optional<Layout> originals() {
    try {
      return RebuildRecord.read(directory)
          .map(RebuildRecord::original)
          .or(() -> CopyRecord.read(directory).map(CopyRecord::original));
    } catch (RuntimeException e) {
      return Optional.empty();
    }
  }

  private Optional<Layout.Place> guess(Database database) {
    String name = database.lowerCaseName();
    List<String> candidates = homes(name);
    if (candidates.isEmpty()) {
      return Optional.empty();
    }
    isSure &= candidates.size() == 1;
    String newest = candidates.get(candidates.size() - 1);
    return engineOf(database, directory.resolve(newest).resolve("db"))
        .map(engine -> new Layout.Place(engine, newest));
  }

  private Optional<String> engineOf(Database database, Path store) {
    return settings
        .choice(database)
        .map(Settings.EngineChoice::name)
        .or(
            () ->
                Providers.found(
                        "storage engine",
                        StorageEngineProvider.class,
                        StorageEngineProvider::name,
                        settings.classLoader)
                    .values()
                    .stream()
                    .filter(provider -> provider.recognizes(store))
                    .map(StorageEngineProvider::name)
                    .findFirst());
  }

  /** Returns the directories that may be that of the database, the newest last. */
  private List<String> homes(String name) {
    return entries()
        .filter(entry -> entry.equals(name) || entry.startsWith(name + "."))
        .filter(entry -> Files.isDirectory(directory.resolve(entry)))
        .sorted()
        .toList();
  }

  private Stream<String> entries() {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(entry -> entry.getFileName().toString()).toList().stream();
    } catch (IOException e) {
      throw SmallFile.failed("cannot look into " + directory, e);
    }
  }
}
