package io.ledgerkeep.badger;

import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * The directory of a store that lies elsewhere, with a sidecar that runs already. One file in it
 * names the store.
 *
 * <p>The name ends in something random: whoever removes the directory and makes it anew gets an
 * empty store, as with any engine, and not the old one.
 */
final class StandIn {

  private static final String FILE = "SIDECAR";
  private static final String MAGIC = "ledgerkeep-badger 1 ";

  /** A part of a store's name may have 64 letters; half are random. */
  private static final int MAX_NAME_LETTERS = 31;

  private StandIn() {}

  /** Returns the place that the directory stands for, or a new one where it is absent or empty. */
  static Place place(Path directory, BadgerConfig config) throws IOException {
    Path file = directory.resolve(FILE);
    String prefix = config.database().map(name -> name + "/").orElse("");
    if (Files.exists(file)) {
      String store = read(file);
      if (!store.startsWith(prefix)) {
        throw new ConflictException(
            ConflictException.Reason.OTHER_CHAIN,
            "%s stands for the store %s, which is none of the database %s; correct the option"
                .formatted(directory, store, config.database().orElse("")));
      }
      return new Place(Path.of(""), store, true);
    }
    requireEmpty(directory);
    return new Place(Path.of(""), prefix + newName(directory), false);
  }

  private static String read(Path file) throws IOException {
    String text = Files.readString(file).strip();
    if (!text.startsWith(MAGIC)) {
      throw new UnsupportedFormatException(
          file + " does not begin with '" + MAGIC.strip() + "': a newer release wrote it, or none");
    }
    return text.substring(MAGIC.length());
  }

  private static void requireEmpty(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
        if (files.iterator().hasNext()) {
          throw new UnsupportedFormatException(
              directory + " holds files, but none named " + FILE + ": it stands for no store");
        }
      }
    }
  }

  private static String newName(Path directory) {
    String parent = directory.getParent() == null ? "" : directory.getParent().getFileName() + "-";
    String name = (parent + directory.getFileName()).replaceAll("[^A-Za-z0-9_-]", "_");
    String random = UUID.randomUUID().toString().replace("-", "");
    return name.substring(0, Math.min(name.length(), MAX_NAME_LETTERS)) + "-" + random;
  }

  /** Records that the directory stands for the store, durably. */
  static void record(Path directory, String store) throws IOException {
    Files.createDirectories(directory);
    Path fresh = directory.resolve(FILE + ".new");
    try (FileChannel channel =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer text = StandardCharsets.UTF_8.encode(MAGIC + store + "\n");
      while (text.hasRemaining()) {
        channel.write(text);
      }
      channel.force(true);
    }
    Files.move(fresh, directory.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
    try (FileChannel folder = FileChannel.open(directory, StandardOpenOption.READ)) {
      folder.force(true);
    }
  }
}
