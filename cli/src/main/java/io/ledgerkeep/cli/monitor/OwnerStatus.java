package io.ledgerkeep.cli.monitor;

import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
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
    String job) {

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
        field(fields, "job", String.class));
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
