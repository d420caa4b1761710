package io.ledgerkeep;

import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.Archiver;
import io.ledgerkeep.archive.Restorer;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Expected;
import io.ledgerkeep.encryption.Encryptor;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.UnsupportedFormatException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import java.util.concurrent.Executor;

/**
 * The door: opens ledgers and archives.
 *
 * <pre>{@code
 * try (Ledger ledger = Ledgerkeep.builder()
 *     .directory(Path.of("data"))
 *     .storage("leveldb", Options.none())
 *     .archiveStore("directory", Options.of("path", "/mnt/archive"))
 *     .open()) {
 *   ledger.commit(block);
 *   ledger.archiver().archive(ArchiveRequest.upTo(9_000_000));
 * }
 * }</pre>
 */
public final class Ledgerkeep {

  private Ledgerkeep() {}

  /** Returns a builder of a ledger. */
  public static Builder builder() {
    return implementation().ledger();
  }

  /** Returns a builder of an archive that is read on its own, without a node. */
  public static ArchiveBuilder archive() {
    return implementation().archive();
  }

  /**
   * Reaches the ledger of a directory that is open elsewhere and served by {@link Builder#control}.
   * Paths in requests are those of the process that has it open; what cannot be told to another
   * process, such as a {@link BlockVerifier} or a function in a policy, is refused with a {@link
   * ConfigurationException}.
   *
   * @throws ConflictException with {@link ConflictException.Reason#LOCKED} if nobody serves it, or
   *     not to this user
   * @throws UnsupportedFormatException if who serves it speaks another version
   */
  public static Connection connect(Path directory) {
    return implementation().connect(directory);
  }

  private static Implementation implementation() {
    Iterator<Implementation> found =
        ServiceLoader.load(Implementation.class, Ledgerkeep.class.getClassLoader()).iterator();
    if (!found.hasNext()) {
      throw new ConfigurationException(
          "no implementation of Ledgerkeep was found: put ledgerkeep-core on the class path or"
              + " module path");
    }
    return found.next();
  }

  /**
   * Collects the settings of a ledger and opens it. For one thread. Where nothing else is said, a
   * setting not given is taken from the ledger, or has its default when the ledger is created.
   */
  public interface Builder {

    /** Sets the directory of the ledger. Required. */
    Builder directory(Path directory);

    /** Sets the name of the chain, {@code chain1} by default; fixed at creation. */
    Builder chainId(String chainId);

    /** Sets the digest of the recorded roots, {@code sha256} by default; fixed at creation. */
    Builder digest(String digest);

    /** Sets the engine of all databases by its name. Fixed at creation. */
    Builder storage(String engine, Options options);

    /** Sets the engine of all databases by its provider. */
    Builder storage(StorageEngineProvider provider, Options options);

    /** Sets the engine of one database by its name, instead of that of {@link #storage}. */
    Builder database(Database database, String engine, Options options);

    /** Hands in the engine of one database; the caller closes it after the ledger. */
    Builder database(Database database, StorageEngine engine);

    /**
     * Encrypts all values under a master key that the options name; {@code aes} and {@code sm4} are
     * in ledgerkeep-crypto-soft. Begun with an empty directory, and needed at every opening from
     * then on. Keys of the databases (heights, ids, names and keys of the state) stay in plain.
     */
    Builder encryption(String encryptor, Options options);

    /** Encrypts all values under a master key that the provider opens. */
    Builder encryption(EncryptorProvider provider, Options options);

    /** Encrypts all values by an encryptor; the caller closes it after the ledger. */
    Builder encryption(Encryptor encryptor);

    /** Sets the store of the archive by its name. */
    Builder archiveStore(String store, Options options);

    /** Hands in the store of the archive; the caller closes it after the ledger. */
    Builder archiveStore(ArchiveStore store);

    /**
     * Sets how many of the newest blocks are never archived; 300 000 by default, and 10 where it is
     * less. May be changed at every opening; the next commit or archive run keeps it.
     */
    Builder unarchivedBlocks(long blocks);

    /** Sets whether archived bodies are read from the archive, verified; off by default. */
    Builder readThrough(boolean readThrough);

    /** Sets the node's own rule, which every block has to pass before a restore writes it. */
    Builder blockVerifier(BlockVerifier verifier);

    /**
     * Hands in threads for the parallel part of jobs and of {@link Ledger#commitAll}; the caller
     * ends them after the ledger. By default everything runs on the calling thread.
     */
    Builder executor(Executor executor);

    /**
     * Serves a control socket in the directory of the ledger while it is open, so that the command
     * line and {@link Ledgerkeep#connect} can look after it: a Unix domain socket that only the
     * user who runs this process may use. One thread of the executor waits for callers, and each
     * caller takes one; the caller of this method ends them after the ledger. By default nothing is
     * served.
     */
    Builder control(Executor executor);

    /**
     * Sets the size of the file that each database keeps in reserve for a full disk; 64 MiB by
     * default, 0 for none.
     */
    Builder reserveBytes(long bytes);

    /** Sets where providers are looked for; by default where Ledgerkeep itself was found. */
    Builder classLoader(ClassLoader classLoader);

    /**
     * Opens the ledger of the directory, or creates it where the directory is empty or absent.
     *
     * @throws ConfigurationException if a setting is missing, unknown or does not fit the ledger
     * @throws ConflictException if the ledger is owned elsewhere, or is another chain's
     * @throws IntegrityException if the databases do not fit each other or are damaged
     * @throws KeyUnavailableException if the ledger is encrypted and the key is missing or wrong
     * @throws UnsupportedFormatException if the ledger was written in a newer format
     * @throws StorageException if an engine fails
     */
    Ledger open();

    /**
     * Opens the ledger of the directory as {@link #open()} does, but never creates one.
     *
     * @throws ConfigurationException also if there is no ledger in the directory
     */
    Ledger openExisting();

    /**
     * Encrypts the ledger of the directory under the key given by {@link #encryption}, or brings an
     * encrypted one back into plain, for which the same settings give the key that opens it.
     *
     * <p>It is done by copy, verify, switch. A new ledger, with an identity and keys of its own, is
     * filled block by block beside the old one, on the same engines; where bodies are archived, it
     * archives into the same store under its own name as it goes, so that the node needs no room
     * for them. Then it is verified at level {@code LEDGER} and compared with the old one: every
     * block, every meta, the whole state and history. Only then the directory switches to it, in
     * one step. The old databases, and the old archive, stay as they are: whoever encrypts has them
     * in plain until he removes them, and the report says what to remove.
     *
     * <p>The ledger is owned meanwhile. Until the switch it is not changed, whatever fails. Killed
     * at any instant, or cancelled, the same call goes on where it was; the ledger can be opened as
     * before in between. A key file is emptied, if at all, once an encrypted ledger has been
     * switched to and opened; never when it was decrypted.
     *
     * @throws ConfigurationException if there is no ledger, no key to encrypt with, an engine was
     *     handed in, or bodies are archived and no archive store is set
     * @throws ConflictException if the ledger is owned elsewhere, or the archive is not the one it
     *     last wrote
     * @throws IntegrityException if a block is not what was committed, or the copy is not equal;
     *     nothing was switched
     * @throws KeyUnavailableException if the key is not the one of the ledger, or of the copy begun
     * @throws StorageException if an engine or a disk fails; {@link StorageException#isOutOfSpace}
     *     before anything is written where the room will not suffice
     */
    Conversion.Report convert(Conversion conversion);

    /**
     * Brings the ledger of the directory, or one of its databases, to another directory, another
     * engine, or both; the settings open it as it is.
     *
     * <p>It is done by copy, verify, switch. All rows are copied, of an encrypted ledger as they
     * lie there, sealed; so the ledger keeps its identity, its keys and its archive. A digest over
     * all rows, as they read, is taken of the original and of the copy, which is opened for that;
     * only if they are equal, one replacement of {@code LAYOUT} switches. The originals stay until
     * they are removed. A ledger that was brought to another directory is refused in the one it
     * came from, with the place where it is: two of one identity would write to one archive.
     *
     * <p>The ledger is owned meanwhile, and until the switch not changed, whatever fails. Killed at
     * any instant, or cancelled, the same call goes on where it was.
     *
     * @throws ConfigurationException if there is no ledger, nothing was asked for that is not so
     *     already, a place is not empty, or an engine was handed in
     * @throws ConflictException if the ledger is owned elsewhere, or was moved away; or if the new
     *     engine holds data there
     * @throws IntegrityException if a row is damaged or the copy is not equal; nothing was switched
     * @throws KeyUnavailableException if the key is not the one of the ledger
     * @throws StorageException if an engine or a disk fails; {@link StorageException#isOutOfSpace}
     *     before anything is written where the room will not suffice
     */
    Migration.Report migrate(Migration migration);

    /**
     * Compares the ledger of the directory with that of another builder, whatever engines, keys and
     * archives they have. Both are owned meanwhile, and not changed but for what any opening ends
     * after a crash. Bodies that are archived are read from the archives that are set; where one is
     * not, the digests recorded when the block was committed stand for it.
     *
     * @throws ConfigurationException if there is no ledger in either directory
     * @throws ConflictException if either is owned elsewhere, or was moved away
     * @throws IntegrityException if what is stored in either is not what was committed
     * @throws KeyUnavailableException if a key is missing or wrong
     * @throws StorageException if an engine or an archive fails
     */
    Comparison compare(Builder other, JobControl control);

    /**
     * Returns what makes state, history and indexes of the ledger of the directory anew. Nothing is
     * opened before it is asked to.
     */
    Rebuilder rebuilder();

    /**
     * Restores a ledger from its backups into the directory, which is empty or absent. It is the
     * ledger that was backed up: of the same identity, with the same pivot, and it goes on with the
     * same archive, which has the bodies up to the pivot.
     *
     * <p>Whatever fails, there is no ledger in the directory before everything was restored and
     * verified: files and manifests against their digests and links, each body on the node against
     * what was recorded when it was committed, state and history against the blocks, the archive's
     * included if it is given. Killed at any instant, or cancelled, the same call goes on where it
     * was. The engines are those of the backup where the settings name no others. A key file is
     * emptied, if at all, at the end, and never by a rehearsal.
     *
     * @throws ConfigurationException if there is no such backup, the directory is not empty, an
     *     engine was handed in, or the backup is in plain and a key is given
     * @throws ConflictException if the backups do not belong together: one is missing, another's,
     *     or follows another one; or if the directory is in use
     * @throws IntegrityException if a file of a backup is missing, cut, changed or another, or what
     *     was restored does not pass; no ledger was made
     * @throws KeyUnavailableException if the backup is encrypted and the key is missing or wrong
     * @throws UnsupportedFormatException if a backup was written in another format
     * @throws StorageException if an engine or a disk fails; {@link StorageException#isOutOfSpace}
     *     before anything is written where the room will not suffice
     */
    Backup.Restored restoreBackup(Backup.Restoring restoring);

    /**
     * Makes the ledger of a full node out of what others have: fast sync. The directory is empty or
     * absent; it holds a ledger only when every block was taken over, state, history and indexes
     * were made of them, and all of it was verified. Killed or cancelled, the same call goes on
     * where it was.
     *
     * <p>The blocks come from an archive, from closed ledgers, of which only the block database
     * need be there and which are owned meanwhile, or from several of them: each block from the
     * first that has it whole. So what is damaged in one is regained from another. A block counts
     * if it is what the archive's digests say or what the ledger recorded at commit, if no other
     * ledger among them recorded another, and if it continues the chain.
     *
     * <p>All this proves that the blocks are what their keeper had, not that he had those of the
     * chain: that takes a {@link #blockVerifier}, a hash that the caller knows ({@link
     * Sync#expecting}), or the caller's word ({@link Sync#trusting}).
     *
     * @throws ConfigurationException if there is a ledger already or anything else in the
     *     directory, there is no source, nothing says why they are to be trusted, an engine was
     *     handed in, a ledger to read is within the directory or the other way round, or a
     *     successor could not go on with its archive
     * @throws ConflictException if the sources are not of one chain, or one is owned elsewhere
     * @throws IntegrityException if no source has a block whole, two ledgers recorded different
     *     ones, or one is not what is expected or allowed by the verifier; the message names the
     *     first such block. What was made so far stays: another source may have it
     * @throws KeyUnavailableException if a key is missing or wrong
     * @throws StorageException if an engine, a store or a disk fails; {@link
     *     StorageException#isOutOfSpace} before anything is written where the room will not suffice
     */
    Sync.Report sync(Sync sync);

    /**
     * Examines the ledger of the directory, also one that does not open: its databases, archive and
     * files are looked at one by one, and what is wrong with one is a finding, not the end.
     *
     * <p>The ledger is owned meanwhile. Its databases are copied into the directory {@code
     * EXAMINING} within its own, large files by hard links where the engine allows it, and only the
     * copies are opened; they are removed at the end. The archive is only read. Nothing else is
     * changed unless {@link Diagnosis.Request#fix} is set, and then only what loses nothing.
     *
     * @throws ConfigurationException if there is no such directory, or a setting is wrong
     * @throws ConflictException if the ledger is owned elsewhere
     * @throws StorageException if there is no room for the copies
     */
    Diagnosis examine(Diagnosis.Request request);
  }

  /**
   * What looks after a ledger that is open: in the process that owns it, or from another one
   * through its control socket ({@link #connect}). Safe for any number of threads.
   */
  public interface Maintenance {

    /** Returns what moves old bodies to the archive. */
    Archiver archiver();

    /** Returns what brings archived bodies back. */
    Restorer restorer();

    /** Returns what backs the ledger up. */
    Backup backup();

    /**
     * Checks the ledger: links, recorded digests of every body on the node, its audit file, and, as
     * far as the level says, the archived bodies; without an archive store these are counted as
     * unchecked. Changes nothing but a line in the audit file; reads and commits go on.
     */
    Verification verify(Verification.Request request);

    /** Returns identity, heights and sizes. */
    LedgerStatus status();

    /** Returns the keys of the ledger, or empty where it has none of its own. */
    Optional<LedgerKeys> keys();

    /** Returns where this ledger's archive lies, or empty where no archive store is configured. */
    Optional<String> archivePlace();

    /** Returns the maintenance jobs of the ledger. */
    Ledger.Jobs jobs();
  }

  /**
   * Reaches a ledger that another process has open. Closing it ends what it has begun there, at the
   * next safe place, and leaves the ledger as it is.
   */
  public interface Connection extends Maintenance, AutoCloseable {
    @Override
    void close();
  }

  /**
   * What a comparison of two ledgers found.
   *
   * @param height the height of the first
   * @param otherHeight the height of the other
   * @param blocks how many blocks were found equal
   * @param blocksByDigest of how many of them a body could not be read, so that recorded digests
   *     were compared
   * @param first the first difference; empty if they are equal, or it was cancelled
   * @param cancelled whether it ended before its end
   */
  public record Comparison(
      long height,
      long otherHeight,
      long blocks,
      long blocksByDigest,
      Optional<Difference> first,
      boolean cancelled) {

    /** In what two ledgers differ. */
    public enum Part {
      /** One has more blocks. */
      HEIGHT,
      /** Something of a block but its transactions and read/write sets. */
      BLOCK,
      /** A transaction. */
      TRANSACTION,
      /** A read/write set. */
      RW_SET,
      /** The newest values. */
      STATE,
      /** Which transactions wrote a key. */
      HISTORY
    }

    /**
     * A difference.
     *
     * @param part in what
     * @param height at which height, or -1 in state and history
     * @param namespace of the key, in state and history
     * @param what it is, in words; never a payload, a value or a key
     */
    public record Difference(Part part, long height, Optional<String> namespace, String what) {

      /** Returns a difference at a height. */
      public static Difference at(Part part, long height, String what) {
        return new Difference(part, height, Optional.empty(), what);
      }
    }

    /** Returns whether they were compared to the end and are equal. */
    public boolean isEqual() {
      return first.isEmpty() && !cancelled;
    }
  }

  /**
   * Asks to turn a ledger in plain into an encrypted one, or back.
   *
   * @param direction what it shall become
   * @param dryRun whether only to tell what would be done
   * @param control progress, rate and cancel
   */
  public record Conversion(Direction direction, boolean dryRun, JobControl control) {

    /** What a ledger shall become. */
    public enum Direction {
      /** Encrypted. */
      ENCRYPT,
      /** In plain. */
      DECRYPT
    }

    /** How a conversion ended. */
    public enum Outcome {
      /** The ledger is now what it was to become. */
      DONE,
      /** It was so already; nothing was changed. */
      NOTHING_TO_DO,
      /** Ended before its end; make the same call again to go on. */
      CANCELLED,
      /** A dry run: this would be done. */
      PLANNED
    }

    /**
     * What a conversion did, or would do.
     *
     * @param outcome how it ended
     * @param ledgerIdBefore the identity of the ledger before
     * @param ledgerIdAfter its identity from now on; empty in a plan
     * @param blocks the blocks copied by this call, or those left to copy in a plan
     * @param bytesNeeded what the copy needs on the disks of the ledger, about, in bytes
     * @param backup a directory that is a ledger directory of the old databases, which opens them
     *     where they lie; empty unless something was switched
     * @param originals what the old ledger consists of, the backup included: to be rid of it,
     *     remove all of these, and nothing else
     * @param archiveBefore the beginning of the names that the old ledger's archive has in the
     *     store, where it has one there
     * @param elapsed how long it took
     */
    public record Report(
        Outcome outcome,
        String ledgerIdBefore,
        String ledgerIdAfter,
        long blocks,
        long bytesNeeded,
        Optional<Path> backup,
        List<Path> originals,
        Optional<String> archiveBefore,
        Duration elapsed) {

      /** Copies the list. */
      public Report {
        originals = List.copyOf(originals);
      }
    }

    /** Asks to encrypt, at full speed. */
    public static Conversion encrypt() {
      return new Conversion(Direction.ENCRYPT, false, JobControl.none());
    }

    /** Asks to decrypt, at full speed. */
    public static Conversion decrypt() {
      return new Conversion(Direction.DECRYPT, false, JobControl.none());
    }

    /** Returns the same request, only to tell what would be done. */
    public Conversion asDryRun() {
      return new Conversion(direction, true, control);
    }

    /** Returns the same request under the given control. */
    public Conversion with(JobControl newControl) {
      return new Conversion(direction, dryRun, newControl);
    }
  }

  /**
   * Asks for the ledger of a new node, made of what others have.
   *
   * @param archive the archive to take blocks from, asked first
   * @param ledgers the ledgers to take blocks from, asked in their order
   * @param successor whether the new ledger takes the identity of the archive, or of the first
   *     ledger where there is no archive, and with it its archive; otherwise it has its own
   * @param leaveArchived whether it starts archived: as far as its rule allows, bodies are left to
   *     its own archive, those of a successor where they are
   * @param expected a block that is known to be the chain's; none above it is taken unless the
   *     sources are trusted or a verifier is set
   * @param trusted whether the caller vouches for the sources
   * @param executor what regains read/write sets that no source has
   * @param dryRun whether only to tell what would be done
   * @param control progress, rate and cancel
   */
  public record Sync(
      Optional<ArchiveBuilder> archive,
      List<Builder> ledgers,
      boolean successor,
      boolean leaveArchived,
      Optional<Expected> expected,
      boolean trusted,
      Optional<BlockExecutor> executor,
      boolean dryRun,
      JobControl control) {

    /** Copies the list. */
    public Sync {
      ledgers = List.copyOf(ledgers);
    }

    /**
     * Executes a block again. What it returns counts only if it has the digests that were recorded
     * when the block was committed.
     */
    @FunctionalInterface
    public interface BlockExecutor {

      /**
       * Returns the read/write sets of the block, one for each transaction and in their order.
       *
       * @param block what is known of the block
       * @param transactions its transactions
       * @param before the ledger as it is before the block; only for this call
       */
      List<RwSet> execute(BlockMeta block, List<Transaction> transactions, LedgerReader before);
    }

    /**
     * What a sync did, or would do.
     *
     * @param outcome how it ended; never {@link Conversion.Outcome#NOTHING_TO_DO}
     * @param chainId the name of the chain
     * @param ledgerId the identity of the new ledger; empty in a plan, unless it is a successor
     * @param height the newest height of the new ledger, in a plan the one it would have
     * @param archivedHeight its archived height; 0 in a plan
     * @param blocks the blocks taken over by this call, in a plan those to take over
     * @param regained how many of them the first source that should have had them did not have
     *     whole
     * @param bytesNeeded what it needs on its disk, about, in bytes
     * @param elapsed how long it took
     */
    public record Report(
        Conversion.Outcome outcome,
        String chainId,
        String ledgerId,
        long height,
        long archivedHeight,
        long blocks,
        long regained,
        long bytesNeeded,
        Duration elapsed) {}

    private static final Sync NOTHING =
        new Sync(
            Optional.empty(),
            List.of(),
            false,
            false,
            Optional.empty(),
            false,
            Optional.empty(),
            false,
            JobControl.none());

    /** Asks to take all blocks of an archive. */
    public static Sync fromArchive(ArchiveBuilder archive) {
      return NOTHING.andArchive(archive);
    }

    /** Asks to take all blocks of a ledger; its builder says where its archive is, if any. */
    public static Sync fromLedger(Builder ledger) {
      return NOTHING.andLedger(ledger);
    }

    /** Returns the same request with an archive, which is asked first. */
    public Sync andArchive(ArchiveBuilder source) {
      return new Sync(
          Optional.of(source),
          ledgers,
          successor,
          leaveArchived,
          expected,
          trusted,
          executor,
          dryRun,
          control);
    }

    /** Returns the same request with one more ledger, which is asked last. */
    public Sync andLedger(Builder source) {
      List<Builder> more = new ArrayList<>(ledgers);
      more.add(source);
      return new Sync(
          archive, more, successor, leaveArchived, expected, trusted, executor, dryRun, control);
    }

    /**
     * Returns the same request for a ledger that takes the place of one that is no more: it has its
     * identity, and goes on with its archive. Two nodes of one identity must never run: both write
     * to that archive, and nothing tells before their blocks differ.
     */
    public Sync asSuccessor() {
      return new Sync(
          archive, ledgers, true, leaveArchived, expected, trusted, executor, dryRun, control);
    }

    /** Returns the same request for a ledger that starts archived. */
    public Sync leavingArchived() {
      return new Sync(
          archive, ledgers, successor, true, expected, trusted, executor, dryRun, control);
    }

    /** Returns the same request, where the block at the height must have the hash. */
    public Sync expecting(long height, Bytes hash) {
      Optional<Expected> known = Optional.of(new Expected(height, hash));
      return new Sync(
          archive, ledgers, successor, leaveArchived, known, trusted, executor, dryRun, control);
    }

    /** Returns the same request for sources that the caller vouches for. */
    public Sync trusting() {
      return new Sync(
          archive, ledgers, successor, leaveArchived, expected, true, executor, dryRun, control);
    }

    /** Returns the same request, where lost read/write sets are regained by executing. */
    public Sync executing(BlockExecutor byNode) {
      Optional<BlockExecutor> by = Optional.of(byNode);
      return new Sync(
          archive, ledgers, successor, leaveArchived, expected, trusted, by, dryRun, control);
    }

    /** Returns the same request, only to tell what would be done. */
    public Sync asDryRun() {
      return new Sync(
          archive, ledgers, successor, leaveArchived, expected, trusted, executor, true, control);
    }

    /** Returns the same request under the given control. */
    public Sync with(JobControl newControl) {
      return new Sync(
          archive,
          ledgers,
          successor,
          leaveArchived,
          expected,
          trusted,
          executor,
          dryRun,
          newControl);
    }
  }

  /**
   * What an examination found.
   *
   * @param heights the height of each database; -1 where it has no block, and none where that
   *     cannot be read
   * @param derivedThrough up to where the block database knows state and history to be durable
   * @param archivedHeight the pivot
   * @param archive what the archive has, where it could be read
   * @param coherentHeight up to which height every block is there and proven as far as was looked,
   *     on the node or in the archive; -1 where not even the first is; empty where that cannot be
   *     told
   * @param missing the heights of blocks that are lost or damaged, in their order
   * @param findings what there is to tell, the worst first
   * @param fixed what was repaired, if that was asked for
   * @param checkedBlocks how many bodies on the node were read and compared with their digests
   * @param cancelled whether it was ended before its end
   */
  public record Diagnosis(
      Map<Database, Long> heights,
      OptionalLong derivedThrough,
      OptionalLong archivedHeight,
      Optional<ArchiveCoverage> archive,
      OptionalLong coherentHeight,
      List<Heights> missing,
      List<Finding> findings,
      List<String> fixed,
      long checkedBlocks,
      boolean cancelled) {

    /** Copies the lists. */
    public Diagnosis {
      heights = Map.copyOf(heights);
      missing = List.copyOf(missing);
      findings = List.copyOf(findings);
      fixed = List.copyOf(fixed);
    }

    /** Returns the worst that was found. */
    public Severity worst() {
      return findings.stream()
          .map(Finding::severity)
          .max(Comparator.naturalOrder())
          .orElse(Severity.NOTE);
    }

    /**
     * Asks for an examination.
     *
     * @param full whether every body and value is read, and not only a sample of them
     * @param fix whether to repair what can be repaired without losing anything
     * @param control progress, rate and cancel
     */
    public record Request(boolean full, boolean fix, JobControl control) {

      /** Asks to look at a sample and to change nothing. */
      public static Request sample() {
        return new Request(false, false, JobControl.none());
      }

      /** Returns the same request for everything. */
      public Request ofEverything() {
        return new Request(true, fix, control);
      }

      /** Returns the same request, with the repair of what loses nothing. */
      public Request withFix() {
        return new Request(full, true, control);
      }

      /** Returns the same request under the given control. */
      public Request with(JobControl newControl) {
        return new Request(full, fix, newControl);
      }
    }

    /**
     * Heights that follow one another.
     *
     * @param first the lowest
     * @param last the highest
     */
    public record Heights(long first, long last) {}

    /**
     * What the archive has.
     *
     * @param place where it is
     * @param segments how many segments count
     * @param retiredSegments how many are kept that count no longer
     * @param blocks which heights the segments have; more than one range means gaps
     */
    public record ArchiveCoverage(
        String place, long segments, long retiredSegments, List<Heights> blocks) {

      /** Copies the list. */
      public ArchiveCoverage {
        blocks = List.copyOf(blocks);
      }
    }

    /** How bad a finding is. */
    public enum Severity {
      /** Nothing is wrong; somebody may want to know it. */
      NOTE,
      /** A job or an opening has something to finish, or something can be removed; no damage. */
      UNFINISHED,
      /** A part could not be looked at. */
      UNSEEN,
      /** Something is damaged, missing, or does not fit the rest. */
      DAMAGE
    }

    /**
     * One thing that was found.
     *
     * @param severity how bad it is
     * @param part where: a database, the archive, or a file
     * @param what what is wrong, in words
     * @param remedy what repairs it
     */
    public record Finding(Severity severity, String part, String what, Remedy remedy) {}

    /**
     * What repairs a finding.
     *
     * @param action what is to be done
     * @param height up to which height, for actions that have one
     * @param paths files or directories it is about
     * @param isFix whether an examination with {@link Request#fix} does it
     */
    public record Remedy(Action action, OptionalLong height, List<Path> paths, boolean isFix) {

      /** Copies the list. */
      public Remedy {
        paths = List.copyOf(paths);
      }

      /** Returns a remedy without height and paths. */
      public static Remedy of(Action action) {
        return new Remedy(action, OptionalLong.empty(), List.of(), false);
      }

      /** Returns the same remedy, which an examination with fix carries out. */
      public Remedy asFix() {
        return new Remedy(action, height, paths, true);
      }

      /** Returns the same remedy up to a height. */
      public Remedy upTo(long newHeight) {
        return new Remedy(action, OptionalLong.of(newHeight), paths, isFix);
      }

      /** Returns the same remedy of files or directories. */
      public Remedy on(List<Path> newPaths) {
        return new Remedy(action, height, newPaths, isFix);
      }
    }

    /** What can be done. */
    public enum Action {
      /** Nothing has to be done. */
      NOTHING,
      /** Open the ledger: that finishes it. */
      OPEN,
      /** Create the ledger again: nothing was in it yet. */
      CREATE,
      /** Make state, history and indexes anew ({@link Rebuilder}). */
      REBUILD,
      /** Run the archive job again, up to the height. */
      ARCHIVE,
      /** Run the restore job again, down to the height. */
      RESTORE,
      /** Seal the segments anew again. */
      REENCRYPT,
      /** Make the call that encrypts the ledger again. */
      ENCRYPT,
      /** Make the call that brings the ledger into plain again. */
      DECRYPT,
      /** Make the call that migrates the ledger again. */
      MIGRATE,
      /** Make the call that restored the ledger from a backup again. */
      RESTORE_BACKUP,
      /** Make the call that synced the ledger again. */
      SYNC,
      /** Write the file {@code LAYOUT} as the databases say. */
      WRITE_LAYOUT,
      /** Remove the files. */
      REMOVE,
      /** Put the files back from a copy of this ledger. */
      PUT_BACK,
      /** Give the archive, or the one that this ledger wrote. */
      GIVE_ARCHIVE,
      /** Put the same segment of another copy of the archive in the place of the damaged one. */
      REPLACE_SEGMENT,
      /** Give the key of the ledger. */
      GIVE_KEY,
      /** Look at the parts where they are. */
      LOOK_ELSEWHERE,
      /**
       * Take the blocks up to the height over into a new ledger, the others from a copy or a peer.
       */
      REPLACE_BLOCKS,
      /**
       * Take the blocks up to the height over into a new ledger from the archive, which has all
       * that are lost, and those above from this ledger.
       */
      REPLACE_BLOCKS_FROM_ARCHIVE,
      /** Use the release that knows the format. */
      OTHER_RELEASE
    }
  }

  /** Collects the settings of an archive and opens it. For one thread. */
  public interface ArchiveBuilder {

    /** Sets the store of the archive by its name. */
    ArchiveBuilder store(String store, Options options);

    /** Hands in the store of the archive; the caller closes it after the archive. */
    ArchiveBuilder store(ArchiveStore store);

    /**
     * Chooses among several ledgers at one place: {@code GENESIS} or {@code GENESIS/LEDGER} in
     * hexadecimal digits; a beginning of either suffices where it is unique.
     */
    ArchiveBuilder ledger(String ledger);

    /**
     * Opens an encrypted archive with the master key that the options name: that of the ledger, or
     * of another holder of the archive's key. Without it an encrypted archive can be listed, and
     * checked at levels {@code STRUCTURE} and {@code BYTES}; with it anything in plain is refused.
     */
    ArchiveBuilder encryption(String encryptor, Options options);

    /** Opens an encrypted archive with the master key that the provider opens. */
    ArchiveBuilder encryption(EncryptorProvider provider, Options options);

    /** Sets where providers are looked for; by default where Ledgerkeep itself was found. */
    ArchiveBuilder classLoader(ClassLoader classLoader);

    /**
     * Opens the archive.
     *
     * @throws ConfigurationException if there is none, or more than one and none was chosen; the
     *     message lists them
     * @throws IntegrityException if the manifest is damaged, or in plain and a key was given
     * @throws KeyUnavailableException if the archive is encrypted under another key than that given
     * @throws UnsupportedFormatException if the archive was written in a newer format
     * @throws StorageException if the store fails
     */
    Archive open();
  }

  /** What stands behind this class; provided by ledgerkeep-core, for no one else to use. */
  public interface Implementation {

    /** Returns a builder of a ledger. */
    Builder ledger();

    /** Returns a builder of an archive. */
    ArchiveBuilder archive();

    /** Reaches a ledger that is open elsewhere. */
    Connection connect(Path directory);
  }
}
