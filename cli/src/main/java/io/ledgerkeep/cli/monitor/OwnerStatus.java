package io.ledgerkeep.cli.monitor;

import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What the owner of a ledger last wrote down in {@code status.json}.
 *
 * @param open whether it had the ledger open then
 * @param pid its process
 * @param since when it opened the ledger
 * @param written when it wrote this
 * @param height the newest block, or -1
 * @param archivedHeight the pivot
 * @param highestArchivableHeight what an archive run may reach at most
 * @param derivedThrough up to where state and history are known to be durable
 * @param genesisHash in hexadecimal digits; empty while there is none
 * @param ledgerId the identity of the ledger
 * @param encryption the suite of new values; empty for a ledger in plain
 * @param archivePlace where the archive lies; empty where none was given
 * @param job the maintenance job in progress or interrupted; empty where there is none
 * @param jobs what is known of jobs beside the name of the one in progress
 * @param bytesOnDisk the size of each database
 * @param keyBudget what may be sealed before a fresh key is derived; empty where nothing was sealed
 * @param deviceCalls how often the key in a token sealed and may still; empty where none does
 */
public record OwnerStatus(
    boolean open,
    long pid,
    Instant since,
    Instant written,
    long height,
    long archivedHeight,
    long highestArchivableHeight,
    long derivedThrough,
    String genesisHash,
    String ledgerId,
    String encryption,
    String archivePlace,
    String job,
    JobNews jobs,
    Map<String, Long> bytesOnDisk,
    Optional<KeyBudget> keyBudget,
    Optional<DeviceCalls> deviceCalls) {

  /** Copies the map. */
  public OwnerStatus {
    bytesOnDisk = Map.copyOf(bytesOnDisk);
  }

  /**
   * What is known of jobs.
   *
   * @param lastBackup when the newest backup was done
   * @param lastVerification when all was last verified, and nothing wrong
   * @param done how much of its phase the job in progress has dealt with, from 0 to 1
   * @param ended how jobs ended since the ledger was opened
   */
  public record JobNews(
      Optional<Instant> lastBackup,
      Optional<Instant> lastVerification,
      OptionalDouble done,
      List<Ended> ended) {

    /** Copies the list. */
    public JobNews {
      ended = List.copyOf(ended);
    }
  }

  /** How often jobs of a name ended in one way, and how long they took all together. */
  public record Ended(String job, String state, long count, long millis) {}

  /** What may be sealed before a fresh key is derived. */
  public record KeyBudget(long values, long bytes, Instant until) {}

  /** Calls that seal in a device: those taken for used, and those left. */
  public record DeviceCalls(long leased, long left) {}

  /** Where the status comes from, time and again. */
  public interface Source {

    /**
     * Returns the status as it is now, or null where nobody wrote one.
     *
     * @throws IOException if it cannot be read
     */
    @Nullable OwnerStatus read() throws IOException;
  }

  /**
   * Returns what the fields of the file say.
   *
   * @throws IOException if one is not there, or not what it should be
   */
  public static OwnerStatus of(Map<String, Object> fields) throws IOException {
    return new OwnerStatus(
        field(fields, "open", Boolean.class),
        field(fields, "pid", Long.class),
        time(fields, "since"),
        time(fields, "written"),
        field(fields, "height", Long.class),
        field(fields, "archivedHeight", Long.class),
        field(fields, "highestArchivableHeight", Long.class),
        field(fields, "derivedThrough", Long.class),
        field(fields, "genesisHash", String.class),
        field(fields, "ledgerId", String.class),
        field(fields, "encryption", String.class),
        field(fields, "archivePlace", String.class),
        field(fields, "job", String.class),
        jobNews(fields),
        sizes(fields),
        keyBudget(fields),
        deviceCalls(fields));
  }

  private static JobNews jobNews(Map<String, Object> fields) throws IOException {
    List<Ended> ended = new ArrayList<>();
    Map<String, Object> written =
        fields.containsKey("jobsEnded") ? inner(fields, "jobsEnded") : Map.of();
    for (String name : new TreeSet<>(written.keySet())) {
      Map<String, Object> one = inner(written, name);
      int space = name.lastIndexOf(' ');
      ended.add(
          new Ended(
              name.substring(0, Math.max(0, space)),
              name.substring(space + 1),
              field(one, "count", Long.class),
              field(one, "millis", Long.class)));
    }
    return new JobNews(
        knownTime(fields, "lastBackup"),
        knownTime(fields, "lastVerification"),
        done(fields),
        ended);
  }

  private static OptionalDouble done(Map<String, Object> fields) throws IOException {
    if (!fields.containsKey("jobProgress")) {
      return OptionalDouble.empty();
    }
    Map<String, Object> progress = inner(fields, "jobProgress");
    double total = field(progress, "totalBlocks", Long.class);
    return total == 0
        ? OptionalDouble.empty()
        : OptionalDouble.of(field(progress, "doneBlocks", Long.class) / total);
  }

  private static Optional<Instant> knownTime(Map<String, Object> fields, String name)
      throws IOException {
    return fields.containsKey(name) ? Optional.of(time(fields, name)) : Optional.empty();
  }

  private static Map<String, Long> sizes(Map<String, Object> fields) throws IOException {
    Map<String, Object> written = inner(fields, "bytesOnDisk");
    Map<String, Long> sizes = new TreeMap<>();
    for (String database : written.keySet()) {
      sizes.put(database, field(written, database, Long.class));
    }
    return sizes;
  }

  private static Map<String, Object> inner(Map<String, Object> fields, String name)
      throws IOException {
    Map<String, Object> inner = new TreeMap<>();
    Map<?, ?> written = field(fields, name, Map.class);
    written.forEach((key, value) -> inner.put(String.valueOf(key), value));
    return inner;
  }

  private static Optional<KeyBudget> keyBudget(Map<String, Object> fields) throws IOException {
    if (!fields.containsKey("keyBudget")) {
      return Optional.empty();
    }
    Map<String, Object> budget = inner(fields, "keyBudget");
    return Optional.of(
        new KeyBudget(
            field(budget, "values", Long.class),
            field(budget, "bytes", Long.class),
            time(budget, "until")));
  }

  private static Optional<DeviceCalls> deviceCalls(Map<String, Object> fields) throws IOException {
    if (!fields.containsKey("deviceCalls")) {
      return Optional.empty();
    }
    Map<String, Object> calls = inner(fields, "deviceCalls");
    return Optional.of(
        new DeviceCalls(field(calls, "leased", Long.class), field(calls, "left", Long.class)));
  }

  private static final String INTERRUPTED = "(interrupted)";

  boolean isJobInterrupted() {
    return job.endsWith(INTERRUPTED);
  }

  boolean isJobRunning() {
    return !job.isEmpty() && !isJobInterrupted();
  }

  private static <T> T field(Map<String, Object> fields, String name, Class<T> type)
      throws IOException {
    Object value = fields.get(name);
    if (!type.isInstance(value)) {
      throw new IOException("it says nothing of '" + name + "' that can be understood");
    }
    return type.cast(value);
  }

  private static Instant time(Map<String, Object> fields, String name) throws IOException {
    try {
      return Instant.parse(field(fields, name, String.class));
    } catch (DateTimeException e) {
      throw new IOException("its '" + name + "' is no time", e);
    }
  }
}
