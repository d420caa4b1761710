package io.ledgerkeep.core.backup;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.backup.BackupFile.Content;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an earlier call wrote of a backup and is of use still. Files of blocks are, as long as the
 * ledger has the same blocks; what changes with each block only while no block has come.
 */
final class KeptFiles {

  private static final Logger LOG = LoggerFactory.getLogger(KeptFiles.class);

  private final Path home;
  private final Executor executor;
  private final Deque<BackupFile> left;
  private long bytes;

  private KeptFiles(Path home, List<BackupFile> left, Executor executor) {
    this.home = home;
    this.executor = executor;
    this.left = new ArrayDeque<>(left);
  }

  /** Returns what there is; everything else is removed from the directory. */
  static KeptFiles of(Path home, BackupHead head, BackupSource source, Executor executor) {
    KeptFiles kept =
        new KeptFiles(
            home,
            begun(home)
                .filter(begun -> goesOn(begun.head(), head, source))
                .map(begun -> usable(begun, head))
                .orElse(List.of()),
            executor);
    removeAllBut(kept.left(), home);
    return kept;
  }

  private static Optional<BackupManifest> begun(Path home) {
    Path file = home.resolve(BackupManifest.BEGUN);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(BackupManifest.read(file));
    } catch (IntegrityException | UnsupportedFormatException e) {
      LOG.warn("what an earlier backup had begun is made anew: {}", e.getMessage());
      return Optional.empty();
    }
  }

  private static boolean goesOn(BackupHead begun, BackupHead head, BackupSource source) {
    return begun.ledger().ledgerId().equals(head.ledger().ledgerId())
        && begun.number() == head.number()
        && begun.parent().equals(head.parent())
        && begun.stateIncluded() == head.stateIncluded()
        && begun.position().pivot() <= head.position().pivot()
        && head.dataKeys().containsAll(begun.dataKeys())
        && source.continues(begun);
  }

  private static List<BackupFile> usable(BackupManifest begun, BackupHead head) {
    boolean isSameMoment =
        begun.head().position().height() == head.position().height(); // the hash is equal
    return begun.files().stream()
        .filter(file -> file.content() != Content.RECORDS && file.content() != Content.KEYS)
        .filter(file -> isSameMoment || file.heights().count() > 0)
        .toList();
  }

  /** Removes what else lies in the directory of a backup that is being made. */
  static void removeAllBut(List<BackupFile> files, Path home) {
    try (Stream<Path> entries = Files.list(home)) {
      for (Path entry : entries.toList()) {
        String name = entry.getFileName().toString();
        if (!name.equals(BackupManifest.BEGUN)
            && files.stream().noneMatch(file -> file.name().equals(name))) {
          Files.delete(entry);
        }
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot tidy " + home, e);
    }
  }

  /**
   * Takes the file of the number, if it is there, holds these heights from the first on, and is
   * whole; its last key with it.
   */
  Optional<Taken> take(Content content, int number, HeightRange heights) {
    Optional<BackupFile> found =
        left.stream()
            .filter(file -> file.content() == content && file.number() == number)
            .filter(file -> isBeginning(file.heights(), heights))
            .findFirst();
    return found.flatMap(this::verified);
  }

  private static boolean isBeginning(HeightRange file, HeightRange wanted) {
    return wanted.count() == 0
        ? file.count() == 0
        : file.count() > 0 && file.first() == wanted.first() && file.last() <= wanted.last();
  }

  private Optional<Taken> verified(BackupFile file) {
    left.remove(file);
    try {
      RowFileReader.Read read = RowFileReader.readThrough(home.resolve(file.name()), executor);
      if (read.totals().equals(file.totals())) {
        bytes += file.totals().bytes();
        return Optional.of(new Taken(file, read.lastKey()));
      }
    } catch (IntegrityException e) {
      LOG.warn("a file of the backup begun is written anew: {}", e.getMessage());
    }
    return Optional.empty();
  }

  /** A file that need not be written again. */
  record Taken(BackupFile file, Bytes lastKey) {}

  /** Returns what may still be taken. */
  List<BackupFile> left() {
    return new ArrayList<>(left);
  }

  /** Returns the size of what was taken. */
  long bytes() {
    return bytes;
  }
}
