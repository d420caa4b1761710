package io.ledgerkeep.core.backup;

import com.google.common.hash.Hashing;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.backup.BackupFile.Content;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.Executor;
import java.util.regex.Pattern;

/** The files of one backup: written beside, read back, then given their name. */
final class BackupFiles {

  private static final String PART = ".part";

  /** Everything that may lie in the directory of a backup, also after a kill at any instant. */
  private static final Pattern OURS =
      Pattern.compile(
          "(MANIFEST|BEGUN|KEYS)(\\.new)?"
              + "|(blocks|index|records|state|history)-[0-9]{6}\\.lkb(\\.part)?");

  private BackupFiles() {}

  static boolean isOurs(String name) {
    return OURS.matcher(name).matches();
  }

  static Path part(Path home, String name) {
    return home.resolve(name + PART);
  }

  /** Returns if a file, which has no name yet, is read back as it was written. */
  static void requireAsWritten(Path home, BackupFile file, Executor executor) {
    FailPoint.pass("backup.synced");
    RowTotals found = RowFileReader.readThrough(part(home, file.name()), executor).totals();
    if (!found.equals(file.totals())) {
      throw new IntegrityException(
          "the file %s was not read back as it was written; look after the disk"
              .formatted(home.resolve(file.name())));
    }
    FailPoint.pass("backup.verified");
  }

  /** Gives a file that was read back its name. */
  static void name(Path home, BackupFile file) {
    try {
      Files.move(
          part(home, file.name()), home.resolve(file.name()), StandardCopyOption.ATOMIC_MOVE);
      SmallFile.syncDirectory(home);
    } catch (IOException e) {
      throw SmallFile.failed("cannot name " + home.resolve(file.name()), e);
    }
    FailPoint.pass("backup.named");
  }

  /** Writes the registry of keys and reads it back. */
  static BackupFile writeKeys(Path home, Bytes registry) {
    Path file = home.resolve(BackupFile.KEYS_NAME);
    SmallFile.replaceDurably(file, registry.toArray());
    BackupFile keys =
        new BackupFile(
            Content.KEYS,
            1,
            HeightRange.NONE,
            new RowTotals(0, 0, registry.size(), sha256(registry)));
    readKeys(home, keys);
    return keys;
  }

  static Bytes readKeys(Path home, BackupFile file) {
    Path path = home.resolve(BackupFile.KEYS_NAME);
    try {
      Bytes registry = Bytes.wrap(Files.readAllBytes(path));
      if (!sha256(registry).equals(file.totals().digest())) {
        throw new IntegrityException(
            path + " is not what the manifest names; put it back from a copy");
      }
      return registry;
    } catch (NoSuchFileException e) {
      throw new IntegrityException(path + " is missing; put it back from a copy", e);
    } catch (IOException e) {
      throw SmallFile.failed("cannot read " + path, e);
    }
  }

  private static Bytes sha256(Bytes bytes) {
    return Bytes.wrap(Hashing.sha256().hashBytes(bytes.toArrayUnsafe()).asBytes());
  }

  /**
   * Requires that a file is there, with the size that the manifest tells: what that does not find,
   * the digest finds when the file is read.
   */
  static void requireThere(Path home, BackupFile file) {
    Path path = home.resolve(file.name());
    try {
      long size = Files.size(path);
      if (size != file.totals().bytes()) {
        throw new IntegrityException(
            "%s has %s bytes, the manifest says %s: it was cut or is another; put it back from a copy"
                .formatted(path, size, file.totals().bytes()));
      }
    } catch (NoSuchFileException e) {
      throw new IntegrityException(path + " is missing; put it back from a copy", e);
    } catch (IOException e) {
      throw SmallFile.failed("cannot look at " + path, e);
    }
  }

  /** Requires that a file of rows is the one that the manifest names, byte for byte. */
  static void requireWhole(Path home, BackupFile file) {
    requireThere(home, file);
    Path path = home.resolve(file.name());
    try {
      if (!Bytes.wrap(
              com.google.common.io.Files.asByteSource(path.toFile())
                  .hash(Hashing.sha256())
                  .asBytes())
          .equals(file.totals().digest())) {
        throw new IntegrityException(
            path
                + " is not the file that the manifest names: it was changed or is another; put it back from a copy, or restore an earlier backup");
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot read " + path, e);
    }
  }
}
