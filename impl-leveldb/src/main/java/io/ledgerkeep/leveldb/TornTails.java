package io.ledgerkeep.leveldb;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Cuts away what a crash of the machine left behind the last whole record, after it put a copy of
 * each file it cuts into a folder beside, named after the time, which LevelDB does not look at.
 */
final class TornTails {

  private static final Logger LOG = LoggerFactory.getLogger(TornTails.class);
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss.SSS'Z'").withZone(ZoneOffset.UTC);

  private final Path directory;
  private final Path kept;
  private final List<Path> files = new ArrayList<>();

  private TornTails(Path directory, Path kept) {
    this.directory = directory;
    this.kept = kept;
  }

  /** Cuts the files, each to where it is whole; durable on return. */
  static TornTails cut(Path directory, List<Tear> tears, Clock clock) throws IOException {
    TornTails tails =
        new TornTails(directory, directory.resolve("torn-" + TIME.format(clock.instant())));
    for (Tear tear : tears) {
      if (Files.size(tear.file()) > tear.wholeBytes()) {
        tails.keep(tear.file());
        tails.truncate(tear);
      }
    }
    return tails;
  }

  private void keep(Path file) throws IOException {
    Files.createDirectories(kept);
    copy(file, kept.resolve(file.getFileName()));
    StoreFiles.sync(kept);
    StoreFiles.sync(directory);
    files.add(file);
  }

  private void truncate(Tear tear) throws IOException {
    try (FileChannel channel = FileChannel.open(tear.file(), StandardOpenOption.WRITE)) {
      LOG.warn(
          "a crash or a kill tore {}: cut from {} to {} bytes, a copy of the whole is in {}",
          tear.file(),
          channel.size(),
          tear.wholeBytes(),
          kept);
      channel.truncate(tear.wholeBytes());
      channel.force(true);
    }
  }

  /** Puts everything back as it was. */
  void undo() throws IOException {
    for (Path file : files) {
      copy(kept.resolve(file.getFileName()), file);
      Files.delete(kept.resolve(file.getFileName()));
    }
    if (!files.isEmpty()) {
      Files.delete(kept);
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
    try (FileChannel channel = FileChannel.open(to, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }
}
