package io.ledgerkeep.encryption;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobControl;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The keys of an encrypted ledger, and how they are replaced while it is in use. Serves any number
 * of threads.
 *
 * <p>A master key wraps the registry of keys; data keys in there seal the values, archive keys the
 * archive. What was changed is durable when a method returns, and a failed call has changed nothing
 * unless it says otherwise. All methods may throw {@link StorageException} where the registry, a
 * database or the archive cannot be read or written.
 */
public interface LedgerKeys {

  /** What a data key may be used for. */
  enum State {
    /** To seal new values and to open those it sealed. */
    ACTIVE,
    /** To open what it sealed before. */
    READ_ONLY,
    /** For nothing, until it is enabled again. */
    DISABLED,
    /** For nothing, for ever. */
    DESTROYED
  }

  /**
   * A data key. Values are sealed under keys derived from it.
   *
   * @param number counted from 1 within the ledger
   * @param suite the name of its cipher suite
   * @param state what it may be used for
   * @param exposed whether somebody may know it
   * @param createdAt when it was made
   */
  record DataKey(int number, String suite, State state, boolean exposed, Instant createdAt) {}

  /**
   * A key of the archive. Segments and manifest entries are sealed under keys derived from it.
   *
   * @param number counted from 1 within the ledger's archive
   * @param suite the name of its cipher suite
   * @param exposed whether somebody may know it
   */
  record ArchiveKey(int number, String suite, boolean exposed) {}

  /**
   * What lies in the databases under a data key.
   *
   * @param dataKey its number
   * @param values how many values
   * @param bytes what they take, sealed
   */
  record Usage(int dataKey, long values, long bytes) {}

  /**
   * What may be sealed before a fresh key is derived, which then happens by itself.
   *
   * @param values how many values
   * @param bytes how many bytes of values
   * @param until at the latest then
   */
  record Budget(long values, long bytes, Instant until) {}

  /**
   * A key in a device that seals values itself ({@link KeyWrapper.Direct}), under which or in place
   * of which data keys were made.
   *
   * @param identity tells it from others, in hexadecimal digits
   * @param suite the name of its cipher suite
   * @param inUse whether it is the one that the ledger was opened with
   * @param leasedCalls how many calls that seal are taken for used: more than were made, as they
   *     are counted in blocks
   * @param leftCalls how many may still be leased
   */
  record DirectKey(
      String identity, String suite, boolean inUse, long leasedCalls, long leftCalls) {}

  /**
   * What a re-encryption did.
   *
   * @param values the values that were sealed anew
   * @param valueBytes what they take
   * @param segments the segments of the archive that were written anew
   * @param segmentBytes what they take
   * @param complete false if it was cancelled; call again to go on
   * @param elapsed how long it took
   */
  record Reencryption(
      long values,
      long valueBytes,
      long segments,
      long segmentBytes,
      boolean complete,
      Duration elapsed) {}

  /**
   * Who can open the archive without the ledger, with a master key of its own.
   *
   * @param id identifies the holder, in hexadecimal digits
   * @param name for people
   * @param suite the name of the suite of its master key
   * @param own whether it is the ledger itself
   */
  record Holder(String id, String name, String suite, boolean own) {}

  /**
   * Returns where the master key lies, as {@link KeyWrapper#place} has it, for people: which file,
   * or which token, key and mode; no secrets.
   */
  String masterKey();

  /** Returns all data keys, in the order of their numbers. */
  List<DataKey> dataKeys();

  /**
   * Counts what lies under each data key; reads all values of the databases, and opens none.
   *
   * @throws IntegrityException if a value is in plain, or under a key that there never was
   */
  List<Usage> usage(JobControl control);

  /**
   * Returns what is left for the key that this opening of the ledger seals with, if there is one.
   */
  Optional<Budget> budget();

  /** Returns the keys in devices that values were sealed under directly, or will be. */
  List<DirectKey> directKeys();

  /**
   * Makes a new data key and a new archive key; every value and every segment written from now on
   * is sealed under them. What was written before stays as it is, under keys that from now on only
   * open.
   *
   * @param suite the name of the cipher suite of the new keys, such as {@code SM4-GCM}
   * @throws ConfigurationException if no such suite is at hand
   * @throws KeyUnavailableException if the archive is given and has keys that this ledger has not:
   *     its registry is an older copy
   * @throws ConflictException if the archive would be sealed in a device that its other holders do
   *     not have
   */
  DataKey rotate(String suite);

  /**
   * Puts all keys under another master key, and touches no data. The key objects of the archive
   * follow before the call returns; where that fails, the ledger is under the new master key and
   * the archive still under the old one until the next archive run: keep the old one until then.
   *
   * <p>Where the new master key seals in its device ({@link KeyWrapper.Direct}), new keys of its
   * suite are made in the same step if the active one is another's. What was sealed in the device
   * of the old one cannot be opened without: make keys of a suite in software ({@link #rotate}),
   * {@link #reencrypt}, and {@link #disable} the data keys of the old device first.
   *
   * @param encryptor the name of the encryptor, such as {@code aes}
   * @param options name the new master key, as {@link io.ledgerkeep.Ledgerkeep.Builder#encryption
   *     encryption} has them
   * @param rotateTo the suite of new keys, as {@link #rotate} makes them, in the same step; or
   *     empty
   * @throws ConfigurationException if the new master key is malformed or refused, or if the ledger
   *     has an archive and it is not given; or if its device makes values so much longer that an
   *     engine does not take them
   * @throws ConflictException if keys are exposed, and none are to be made or the master key is the
   *     one there is; or if the device of the old one is still needed; or as {@link #rotate}
   * @throws KeyUnavailableException if the new master key cannot be used
   */
  void rewrap(String encryptor, Options options, Optional<String> rotateTo);

  /**
   * Says that somebody may know the keys of the ledger, all there are, and makes new ones as {@link
   * #rotate}. From then on a {@link #rewrap} has to make new keys too, and takes the archive from
   * its other holders, whose secrets may be known as well. What to do: that, {@link #reencrypt},
   * and {@link #destroy} the exposed data keys.
   *
   * @return the new data key
   */
  DataKey markExposed();

  /**
   * Seals every value that is under another data key than the active one anew, and writes the
   * segments of the archive that are under another archive key than the newest anew, while the
   * ledger is in use. The newest value always wins. May be killed or cancelled at any time, and
   * goes on where it was.
   *
   * @throws ConfigurationException if the ledger has an archive, and it is not given
   * @throws ConflictException if another job runs
   * @throws IntegrityException if a value or a segment does not fit its seal; it stays as it is
   */
  Reencryption reencrypt(JobControl control);

  /**
   * Lets a data key open nothing more, after all values were looked through: a step before {@link
   * #destroy} that can be taken back.
   *
   * @return whether it was disabled; false where the look was cancelled
   * @throws ConflictException if it is the active one, or is not in use, if values lie under it, or
   *     another job runs
   */
  boolean disable(int dataKey, JobControl control);

  /**
   * Lets a disabled data key open again what it sealed.
   *
   * @throws ConflictException if it is not disabled
   * @throws KeyUnavailableException if it seals in a device that is not at hand
   */
  void enable(int dataKey);

  /**
   * Forgets a disabled data key for ever, after all values were looked through once more. Reaches
   * no copy of the registry elsewhere.
   *
   * @return whether it was destroyed; false where the look was cancelled
   * @throws ConflictException if it is not disabled, if values lie under it, or another job runs
   */
  boolean destroy(int dataKey, JobControl control);

  /** Returns all archive keys, in the order of their numbers; the last is the one in use. */
  List<ArchiveKey> archiveKeys();

  /** Returns who can open the archive, the ledger itself first. */
  List<Holder> holders();

  /**
   * Lets another master key open the archive: what is there and what comes. Nothing is encrypted
   * anew.
   *
   * @throws ConfigurationException if the master key or the name is refused, or a holder has it
   * @throws ConflictException if the archive is sealed in a device: nobody opens it without
   */
  Holder addHolder(String name, String encryptor, Options options);

  /**
   * Takes from a holder what opens the archive. Who kept a copy of it can still open the segments
   * there are; those written after a {@link #rotate} he cannot.
   *
   * @throws ConfigurationException if there is no such holder
   * @throws ConflictException if it is the ledger itself, which is given another key by {@link
   *     #rewrap}
   */
  void dropHolder(String id);
}
