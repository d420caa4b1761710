package io.ledgerkeep.cli.monitor;

import io.ledgerkeep.cli.report.FileTrouble;
import io.ledgerkeep.cli.report.Finding;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Whether the archive is where the ledger needs it. */
final class ArchiveCheck {

  static final String ARCHIVE = "archive";

  private ArchiveCheck() {}

  /** Returns the archive's directory: the one that was given, or else the one the owner has. */
  static Optional<Path> place(@Nullable OwnerStatus status, Optional<Path> given) {
    return given.isPresent() || status == null
        ? given
        : Optional.of(Path.of(status.archivePlace())).filter(Path::isAbsolute);
  }

  static Finding of(OwnerStatus status, Optional<Path> given, Measures measures) {
    if (status.archivedHeight() <= 0) {
      return Finding.note(ARCHIVE, "nothing is archived");
    }
    Optional<Path> place = place(status, given);
    if (place.isEmpty()) {
      return Finding.warning(
          ARCHIVE,
          "archived through %s, and not looked at: give the archive (--archive)"
              .formatted(status.archivedHeight()));
    }
    measureSegments(directory(status, place.get()).resolve("segments"), measures);
    return holdsManifest(status, place.get());
  }

  private static Path directory(OwnerStatus status, Path archive) {
    return archive.resolve(status.genesisHash()).resolve(status.ledgerId());
  }

  /** What cannot be read is not known; {@link #holdsManifest} says why. */
  private static void measureSegments(Path segments, Measures measures) {
    long bytes = 0;
    long count = 0;
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(segments)) {
      for (Path segment : entries) {
        bytes += Files.size(segment);
        count++;
      }
    } catch (IOException | DirectoryIteratorException e) {
      return;
    }
    measures.archive(bytes, count);
  }

  /** The mount point of a disk that is not mounted is there, and empty. */
  private static Finding holdsManifest(OwnerStatus status, Path archive) {
    Path manifest = directory(status, archive).resolve("manifest");
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(manifest)) {
      if (entries.iterator().hasNext()) {
        return Finding.note(
            ARCHIVE,
            "archived through %s of %s, in %s"
                .formatted(status.archivedHeight(), status.highestArchivableHeight(), archive));
      }
    } catch (IOException e) {
      return Finding.wrong(
          ARCHIVE,
          "archived through %s, and %s; is the right place mounted?"
              .formatted(status.archivedHeight(), FileTrouble.of(e)));
    }
    return Finding.wrong(
        ARCHIVE,
        "archived through %s, and there is nothing in %s; is the right place mounted?"
            .formatted(status.archivedHeight(), manifest));
  }
}
