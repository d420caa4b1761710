package io.ledgerkeep.core.sealing;

import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The two files of a registry, either of which suffices. Guarded by whoever uses it. */
final class RegistryCopies {

  private static final Logger LOG = LoggerFactory.getLogger(RegistryCopies.class);

  private final Path directory;

  RegistryCopies(Path directory) {
    this.directory = directory;
  }

  private List<Path> paths() {
    return RegistryFile.in(directory);
  }

  /** Returns whether there is any. */
  boolean exist() {
    return paths().stream().anyMatch(Files::exists);
  }

  /**
   * Returns the copies that fit their checksum, the newest first, equal ones once; at least one.
   *
   * @throws IntegrityException if there is none
   */
  List<RegistryFile> sound() {
    List<RegistryFile> sound = new ArrayList<>();
    List<String> problems = new ArrayList<>();
    for (Path path : paths()) {
      try {
        sound.add(RegistryFile.read(path));
      } catch (IntegrityException | StorageException e) {
        problems.add(String.valueOf(e.getMessage()));
      }
    }
    if (sound.isEmpty()) {
      throw new IntegrityException(
          "neither file of the registry of keys can be used; put one back from a backup: "
              + String.join("; ", problems));
    }
    sound.sort(Comparator.comparingLong(RegistryFile::generation).reversed());
    return sound.stream().distinct().toList();
  }

  /** Replaces a copy that is not as this one, as {@link Keyring#repairCopies} says. */
  void repair(RegistryFile file) {
    for (Path path : paths()) {
      try {
        repair(path, file);
      } catch (StorageException | IOException e) {
        LOG.warn("{} is not as its twin and cannot be replaced: {}", path, e.toString());
      }
    }
  }

  private static void repair(Path path, RegistryFile file) throws IOException {
    if (Files.exists(path)) {
      try {
        RegistryFile found = RegistryFile.read(path);
        if (found.equals(file)) {
          return;
        }
        if (!found.ledgerId().equals(file.ledgerId()) || found.generation() >= file.generation()) {
          keep(path);
        }
      } catch (IntegrityException e) {
        keep(path);
      }
    }
    LOG.warn("{} was damaged, missing or another; it is replaced by its twin", path);
    file.writeTo(path);
  }

  private static void keep(Path path) throws IOException {
    Files.copy(path, kept(path), StandardCopyOption.REPLACE_EXISTING);
  }

  private static Path kept(Path path) {
    return path.resolveSibling(path.getFileName() + ".replaced");
  }

  /** Removes what was kept of replaced files: keys lie in there that are no longer to be had. */
  void removeKept() {
    for (Path path : paths()) {
      try {
        Files.deleteIfExists(kept(path));
      } catch (IOException e) {
        throw SmallFile.failed("cannot remove " + kept(path) + ", which holds older keys", e);
      }
    }
  }

  /** Writes the next generation; where that fails, the one before is put back. */
  void replace(RegistryFile before, RegistryFile next) {
    try {
      next.write(directory);
    } catch (StorageException e) {
      if (before.generation() > 0) { // else there is none before
        takeBack(before, e);
      }
      throw e;
    }
  }

  /** One of the files may be the next generation already: what failed must not be found in it. */
  private void takeBack(RegistryFile before, StorageException failure) {
    for (Path path : paths()) {
      try {
        if (!RegistryFile.read(path).equals(before)) {
          before.writeTo(path);
        }
      } catch (IntegrityException | StorageException e) {
        failure.addSuppressed(e);
      }
    }
  }
}
