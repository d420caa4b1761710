package io.ledgerkeep.core.backup;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.backup.BackupFile.Content;
import io.ledgerkeep.core.files.Directories;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The backups of one directory. Each has a directory of its own, named by its number; it is one
 * from the moment that its manifest is there.
 */
public final class BackupSet {

  private static final Pattern NUMBER = Pattern.compile("[0-9]{6}");
  private static final int MAX_NUMBER = 999_999;

  private final Path directory;

  /** Looks at a directory, which need not be there. */
  public BackupSet(Path directory) {
    this.directory = directory;
  }

  /** Returns the directory of the backup of a number. */
  public Path home(int number) {
    return directory.resolve("%06d".formatted(number));
  }

  /** Returns the numbers of the backups that are whole, in their order. */
  public List<Integer> numbers() {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(directory)) {
      return entries
          .filter(entry -> NUMBER.matcher(entry.getFileName().toString()).matches())
          .filter(entry -> Files.exists(entry.resolve(BackupManifest.NAME)))
          .map(entry -> Integer.valueOf(entry.getFileName().toString()))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw SmallFile.failed("cannot look into " + directory, e);
    }
  }

  /** Returns the manifest of the newest backup, if there is one. */
  public Optional<BackupManifest> newest() {
    List<Integer> numbers = numbers();
    return numbers.isEmpty()
        ? Optional.empty()
        : Optional.of(manifest(numbers.get(numbers.size() - 1)));
  }

  /** Returns the number of the next backup. */
  public int nextNumber() {
    List<Integer> numbers = numbers();
    int next = numbers.isEmpty() ? 1 : numbers.get(numbers.size() - 1) + 1;
    if (next > MAX_NUMBER) {
      throw new ConfigurationException(
          directory + " has as many backups as one directory can have; choose another");
    }
    return next;
  }

  private BackupManifest manifest(int number) {
    BackupManifest manifest = BackupManifest.read(home(number).resolve(BackupManifest.NAME));
    if (manifest.head().number() != number) {
      throw new ConflictException(
          Reason.EXISTS,
          "%s has the manifest of backup %s: its directory was renamed or copied; give it the name %06d again"
              .formatted(home(number), manifest.head().number(), manifest.head().number()));
    }
    return manifest;
  }

  /** Returns the registry of keys that a backup has, if its ledger is encrypted. */
  public Optional<Bytes> registry(BackupManifest manifest) {
    return manifest.files().stream()
        .filter(file -> file.content() == Content.KEYS)
        .findFirst()
        .map(file -> BackupFiles.readKeys(home(manifest.head().number()), file));
  }

  /**
   * Returns the backups that one is restored from: the full one first, itself last.
   *
   * @throws ConfigurationException if there is no such backup
   * @throws ConflictException if one is missing, or follows another one than there is
   */
  public List<BackupManifest> chain(OptionalInt number) {
    List<Integer> numbers = numbers();
    if (numbers.isEmpty()) {
      throw new ConfigurationException("there is no backup in " + directory);
    }
    int last = number.orElse(numbers.get(numbers.size() - 1));
    if (!numbers.contains(last)) {
      throw new ConfigurationException(
          "there is no backup %s in %s; there are %s".formatted(last, directory, numbers));
    }
    List<BackupManifest> chain = new ArrayList<>();
    chain.add(manifest(last));
    for (BackupManifest at = chain.get(0); !at.head().isFull(); ) {
      at = parentOf(at);
      chain.add(at);
    }
    Collections.reverse(chain);
    return List.copyOf(chain);
  }

  /**
   * Requires that a backup could be restored as far as names and sizes of files tell.
   *
   * @throws ConflictException if one that it needs is missing
   * @throws IntegrityException if a file is
   */
  void requireChain(int number) {
    for (BackupManifest manifest : chain(OptionalInt.of(number))) {
      manifest
          .files()
          .forEach(file -> BackupFiles.requireThere(home(manifest.head().number()), file));
    }
  }

  private BackupManifest parentOf(BackupManifest child) {
    BackupHead.Parent wanted = child.head().parent().orElseThrow();
    int number = child.head().number();
    if (wanted.number() >= number
        || !Files.exists(home(wanted.number()).resolve(BackupManifest.NAME))) {
      throw new ConflictException(
          Reason.OTHER_CHAIN,
          "backup %s follows backup %s, which is not in %s; put it back, or do without: restore a backup that does not need it, and make a full one"
              .formatted(number, wanted.number(), directory));
    }
    BackupManifest parent = manifest(wanted.number());
    if (!parent.digest().equals(wanted.digest())) {
      throw new ConflictException(
          Reason.OTHER_CHAIN,
          "backup %s follows another backup %s than the one in %s: they do not belong together; put the right one back, or do without: restore a backup that does not need it, and make a full one"
              .formatted(number, wanted.number(), directory));
    }
    if (!parent.head().ledger().ledgerId().equals(child.head().ledger().ledgerId())) {
      throw new IntegrityException(
          "backups %s and %s are of different ledgers".formatted(wanted.number(), number));
    }
    return parent;
  }

  /**
   * Makes the directory of a backup, or returns it if an earlier call has.
   *
   * @throws ConfigurationException if something lies there that is no backup
   */
  Path begin(int number) {
    Path home = home(number);
    try {
      Files.createDirectories(home);
      SmallFile.syncDirectory(directory);
      try (Stream<Path> entries = Files.list(home)) {
        Optional<Path> strange =
            entries.filter(entry -> !BackupFiles.isOurs(entry.getFileName().toString())).findAny();
        if (strange.isPresent()) {
          throw new ConfigurationException(
              "%s holds what no backup has, so it is not written to: %s; choose another directory"
                  .formatted(home, strange.get().getFileName()));
        }
      }
      return home;
    } catch (IOException e) {
      throw SmallFile.failed("cannot make " + home, e);
    }
  }

  /** Removes a backup that was begun and is not needed. */
  void discard(int number) {
    Directories.delete(home(number));
    try {
      SmallFile.syncDirectory(directory);
    } catch (IOException e) {
      throw SmallFile.failed("cannot remove " + home(number), e);
    }
  }
}
