package io.ledgerkeep;

import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.storage.StorageEngineProvider;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Asks to bring a ledger, or one of its databases, to another directory, another engine, or both.
 *
 * <pre>{@code
 * Ledgerkeep.builder().directory(Path.of("data"))
 *     .migrate(Migration.of(Database.STATE).toDirectory(Path.of("/fast/state")));
 * }</pre>
 *
 * @param database the one database to bring there; empty for the whole ledger
 * @param directory where to: the directory of the new ledger, or of the one database; if empty, a
 *     directory beside each original is chosen
 * @param engine on which engine; if empty, on the same
 * @param removeSource whether to remove the originals once the ledger was switched and opened
 * @param dryRun whether only to tell what would be done
 * @param control progress, rate and cancel
 */
public record Migration(
    Optional<Database> database,
    Optional<Path> directory,
    Optional<Engine> engine,
    boolean removeSource,
    boolean dryRun,
    JobControl control) {

  /**
   * An engine to bring databases to.
   *
   * @param name the name that the ledger keeps
   * @param options of the engine
   * @param provider opens it; if empty, the provider of the name is looked for
   */
  public record Engine(String name, Options options, Optional<StorageEngineProvider> provider) {}

  /** How a migration ended. */
  public enum Outcome {
    /** The ledger is where it was to be. */
    DONE,
    /** It was there already; nothing was changed. */
    NOTHING_TO_DO,
    /** Ended before its end; make the same call again to go on. */
    CANCELLED,
    /** A dry run: this would be done. */
    PLANNED
  }

  /**
   * What a migration did, or would do.
   *
   * @param outcome how it ended
   * @param ledgerId the identity of the ledger, which stays the same
   * @param directory the directory of the ledger from now on
   * @param places where each database that was brought elsewhere is, or would be
   * @param rows the rows of those databases, as this call read them; 0 in a plan
   * @param bytes the bytes of keys and values of those rows
   * @param bytesNeeded what the copy needs, about, in bytes
   * @param contentDigests the digest over all rows of each database, proven to be the same of the
   *     original and of what took its place; empty unless both were read by this call
   * @param backup a directory with the file {@code LAYOUT.before}: put in the place of {@code
   *     LAYOUT}, it brings the originals back; empty unless something was switched
   * @param originals what is left of the originals, the backup included: to be rid of them, remove
   *     all of these, and nothing else
   * @param elapsed how long it took
   */
  public record Report(
      Outcome outcome,
      String ledgerId,
      Path directory,
      Map<Database, Path> places,
      long rows,
      long bytes,
      long bytesNeeded,
      Map<Database, Bytes> contentDigests,
      Optional<Path> backup,
      List<Path> originals,
      Duration elapsed) {

    /** Copies the collections. */
    public Report {
      places = Map.copyOf(places);
      contentDigests = Map.copyOf(contentDigests);
      originals = List.copyOf(originals);
    }
  }

  /** Asks to bring the whole ledger elsewhere, at full speed. */
  public static Migration ofLedger() {
    return new Migration(
        Optional.empty(), Optional.empty(), Optional.empty(), false, false, JobControl.none());
  }

  /** Asks to bring one database elsewhere, at full speed. */
  public static Migration of(Database database) {
    return new Migration(
        Optional.of(database), Optional.empty(), Optional.empty(), false, false, JobControl.none());
  }

  /** Returns the same request, to a directory. */
  public Migration toDirectory(Path newDirectory) {
    return new Migration(
        database, Optional.of(newDirectory), engine, removeSource, dryRun, control);
  }

  /** Returns the same request, to the engine of the name. */
  public Migration onEngine(String name, Options options) {
    return on(new Engine(name, options, Optional.empty()));
  }

  /** Returns the same request, to an engine that the provider opens. */
  public Migration onEngine(StorageEngineProvider provider, Options options) {
    return on(new Engine(provider.name(), options, Optional.of(provider)));
  }

  private Migration on(Engine newEngine) {
    return new Migration(
        database, directory, Optional.of(newEngine), removeSource, dryRun, control);
  }

  /** Returns the same request, that leaves nothing of the originals. */
  public Migration removingSource() {
    return new Migration(database, directory, engine, true, dryRun, control);
  }

  /** Returns the same request, only to tell what would be done. */
  public Migration asDryRun() {
    return new Migration(database, directory, engine, removeSource, true, control);
  }

  /** Returns the same request under the given control. */
  public Migration with(JobControl newControl) {
    return new Migration(database, directory, engine, removeSource, dryRun, newControl);
  }
}
