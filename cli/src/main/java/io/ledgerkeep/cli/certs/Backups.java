package io.ledgerkeep.cli.certs;

import io.ledgerkeep.cli.report.FileTrouble;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The encrypted backups beside the certificates, numbered, and the record of the last change. Held
 * by one process at a time.
 */
final class Backups implements AutoCloseable {

  private static final Pattern NUMBERED = Pattern.compile("(\\d{6})\\.lkc");
  private static final Pattern RECORD =
      Pattern.compile(
          """
          ledgerkeep certs 1
          backup (\\d{6})
          to (former|next)
          ended (yes|no)
          sha256 ([0-9a-f]{64})
          """);
  private static final String RECORD_NAME = "CHANGE";
  private static final String LOCK = "LOCK";
  private static final String SPARE = "SPARE";
  private static final int SPARE_BYTES = 4096;
  private static final String PART = ".part";
  private static final int MAX_BACKUP_BYTES = 64 << 20;

  private final Path directory;
  private final BackupKey key;
  private final @Nullable FileChannel lock;

  private Backups(Path directory, BackupKey key, @Nullable FileChannel lock) {
    this.directory = directory;
    this.key = key;
    this.lock = lock;
  }

  /**
   * What the last change was.
   *
   * @param backup the number of its backup
   * @param toNext whether files were made to hold what was next in it, or put back
   * @param ended whether all of them were
   */
  record LastChange(int backup, boolean toNext, boolean ended) {

    /** Returns what it is called when all files are changed. */
    LastChange asEnded() {
      return new LastChange(backup, toNext, true);
    }
  }

  /** Takes hold of the backups of a directory. */
  static Backups hold(Path root, BackupKey key) throws IOException {
    return new Backups(directory(root), key, lock(root));
  }

  /** Takes hold of a directory of certificates, until what is returned is closed. */
  static FileChannel lock(Path root) throws IOException {
    Path directory = directory(root);
    try {
      boolean posix = root.getFileSystem().supportedFileAttributeViews().contains("posix");
      Files.createDirectory(
          directory,
          posix
              ? new FileAttribute<?>[] {
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
              }
              : new FileAttribute<?>[0]);
      SafeFile.syncDirectory(root);
    } catch (FileAlreadyExistsException e) {
      // as it should be
    }
    FileChannel lock =
        FileChannel.open(
            directory.resolve(LOCK),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            LinkOption.NOFOLLOW_LINKS);
    try {
      if (lock.tryLock() != null) {
        return lock;
      }
    } catch (OverlappingFileLockException e) {
      // told below
    }
    lock.close();
    throw new ConflictException(
        ConflictException.Reason.LOCKED,
        "another command changes the certificates in " + root + ": wait for it to end");
  }

  /** Looks at the backups of a directory, of which nothing is changed. */
  static Backups look(Path root, BackupKey key) {
    return new Backups(directory(root), key, null);
  }

  private static Path directory(Path root) {
    Path directory = root.resolve(CertificateDirectory.BACKUPS);
    if (Files.exists(directory, LinkOption.NOFOLLOW_LINKS)
        && !Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
      throw new ConfigurationException(
          directory + " must be a directory, and no link to one: backups are kept there");
    }
    return directory;
  }

  Path file(int number) {
    return directory.resolve("%06d.lkc".formatted(number));
  }

  /** Returns where the record of the last change lies. */
  Path recordFile() {
    return directory.resolve(RECORD_NAME);
  }

  /** Returns the numbers of all backups, the newest first. */
  List<Integer> numbers() throws IOException {
    List<Integer> numbers = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        Matcher name = NUMBERED.matcher(String.valueOf(file.getFileName()));
        if (name.matches()) {
          numbers.add(Integer.parseInt(name.group(1)));
        }
      }
    } catch (NoSuchFileException e) {
      return List.of();
    }
    numbers.sort(Comparator.reverseOrder());
    return numbers;
  }

  /** Writes a backup, reads it back and returns its number. */
  int save(byte kind, ChangeSet changes) throws IOException {
    int number = numbers().stream().findFirst().orElse(0) + 1;
    byte[] content = changes.encoded();
    byte[] file = key.seal(kind, content);
    Arrays.fill(content, (byte) 0);
    write(file(number), file);
    try (ChangeSet read = load(number)) {
      byte[] again = read.encoded();
      byte[] expected = changes.encoded();
      boolean same = MessageDigest.isEqual(again, expected);
      Arrays.fill(again, (byte) 0);
      Arrays.fill(expected, (byte) 0);
      if (!same) {
        throw new IntegrityException(
            file(number) + " was read back and is not what was written: check the disk");
      }
    }
    return number;
  }

  ChangeSet load(int number) throws IOException {
    Path file = file(number);
    return ChangeSet.decoded(key.open(read(file), file.toString()), file.toString());
  }

  /** Returns what kind of backup a number has. */
  byte kind(int number) throws IOException {
    return BackupKey.kind(read(file(number)));
  }

  private static byte[] read(Path file) throws IOException {
    if (Files.size(file) > MAX_BACKUP_BYTES) {
      throw new IntegrityException(file + " is larger than any backup of certificates");
    }
    return Files.readAllBytes(file);
  }

  /** Returns the record of the last change, if there was one. */
  Optional<LastChange> record() throws IOException {
    return record(recordFile());
  }

  /** Returns the record of the last change of a directory, if there was one. */
  static Optional<LastChange> recordOf(Path root) throws IOException {
    return record(directory(root).resolve(RECORD_NAME));
  }

  private static Optional<LastChange> record(Path file) throws IOException {
    String text;
    try {
      text = new String(read(file), StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    Matcher fields = RECORD.matcher(text);
    if (!fields.matches() || !fields.group(4).equals(sha256(beforeDigest(text)))) {
      throw new IntegrityException(
          file
              + " was damaged: look at the certificates (ledgerkeep certs check), and remove it if they"
              + " are in order");
    }
    return Optional.of(
        new LastChange(
            Integer.parseInt(fields.group(1)),
            fields.group(2).equals("next"),
            fields.group(3).equals("yes")));
  }

  /** Takes the room that a record needs, so that a change can be put back on a full disk. */
  void reserve() throws IOException {
    write(directory.resolve(SPARE), new byte[SPARE_BYTES]);
  }

  /** Writes a record in the room that was reserved. */
  void recordInReserve(LastChange record) throws IOException {
    Files.deleteIfExists(directory.resolve(SPARE));
    record(record);
  }

  void record(LastChange record) throws IOException {
    String text =
        """
        ledgerkeep certs 1
        backup %06d
        to %s
        ended %s
        """
            .formatted(
                record.backup(),
                record.toNext() ? "next" : "former",
                record.ended() ? "yes" : "no");
    write(
        recordFile(), (text + "sha256 " + sha256(text) + "\n").getBytes(StandardCharsets.US_ASCII));
  }

  private static String beforeDigest(String text) {
    return text.substring(0, text.indexOf("sha256 "));
  }

  private static String sha256(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256")
                  .digest(text.getBytes(StandardCharsets.ISO_8859_1)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JVM has SHA-256", e);
    }
  }

  /** What is written here is encrypted, or no secret. */
  private static void write(Path file, byte[] content) throws IOException {
    Path part = file.resolveSibling(file.getFileName() + PART);
    Files.deleteIfExists(part);
    try (FileChannel channel =
        FileChannel.open(
            part,
            Set.of(
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.WRITE,
                LinkOption.NOFOLLOW_LINKS))) {
      ByteBuffer bytes = ByteBuffer.wrap(content);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    } catch (IOException e) {
      Files.deleteIfExists(part);
      throw FileTrouble.tellingWhere(file, e);
    }
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    SafeFile.syncDirectory(file.resolveSibling(""));
  }

  @Override
  public void close() throws IOException {
    if (lock != null) {
      lock.close();
    }
  }
}
