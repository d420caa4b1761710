package io.ledgerkeep.leveldb;

import static io.ledgerkeep.storage.StorageEngine.Durability.BUFFERED;
import static io.ledgerkeep.storage.StorageEngine.Durability.DURABLE;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Stores, their images as a crash leaves them, and their files. */
final class Stores {

  private Stores() {}

  static StorageEngine open(Path directory) {
    return open(directory, Options.none());
  }

  static StorageEngine open(Path directory, Options options) {
    return new LevelDbStorageProvider().open(directory, options);
  }

  static void durable(StorageEngine engine, String key, String value) {
    engine.write(put(key, value), DURABLE);
  }

  static void buffered(StorageEngine engine, String key, String value) {
    engine.write(put(key, value), BUFFERED);
  }

  private static WriteBatch put(String key, String value) {
    return new WriteBatch().put(Bytes.ofUtf8(key), Bytes.ofUtf8(value));
  }

  /** Returns bytes that cannot be compressed, the same for the same seed. */
  static Bytes noise(long seed, int size) {
    byte[] bytes = new byte[size];
    new Random(seed).nextBytes(bytes);
    return Bytes.wrap(bytes);
  }

  /** Returns everything in the store as text. */
  static NavigableMap<String, String> content(StorageEngine engine) {
    NavigableMap<String, String> content = new TreeMap<>();
    try (StorageEngine.Cursor cursor = engine.scan(KeyRange.all())) {
      while (cursor.next()) {
        content.put(cursor.key().utf8(), cursor.value().utf8());
      }
    }
    return content;
  }

  static NavigableMap<String, String> contentOf(Path directory) {
    try (StorageEngine engine = open(directory)) {
      return content(engine);
    }
  }

  /**
   * Copies a store that is open: what the death of the process would leave of it, with the zeros
   * behind the log that LevelDB maps ahead. Copies again when LevelDB worked at it meanwhile.
   */
  static Path image(Path from, Path to) {
    try {
      Files.createDirectories(to);
      Map<String, Bytes> copied;
      do {
        copied = data(from);
        for (Path stale : list(to)) {
          Files.delete(stale);
        }
        for (Map.Entry<String, Bytes> file : copied.entrySet()) {
          Files.write(to.resolve(file.getKey()), file.getValue().toArrayUnsafe());
        }
      } while (!data(from).equals(copied));
      return to;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<Path> list(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }

  /** Returns the files that hold data, by name; not those that LevelDB just deletes. */
  static Map<String, Bytes> data(Path directory) throws IOException {
    Map<String, Bytes> data = new TreeMap<>();
    for (Path file : list(directory)) {
      String name = file.getFileName().toString();
      if (name.matches(".*\\.(log|sst|ldb)|MANIFEST-.*|CURRENT|BUFFERED")) {
        try {
          data.put(name, Bytes.wrap(Files.readAllBytes(file)));
        } catch (NoSuchFileException e) {
          // nothing refers to it any more
        }
      }
    }
    return data;
  }

  static List<Path> files(Path directory, String suffix) throws IOException {
    return new ArrayList<>(StoreFiles.numbered(directory, suffix).values());
  }

  /** Returns the newest log. */
  static Path log(Path directory) throws IOException {
    return StoreFiles.numbered(directory, StoreFiles.LOG).lastEntry().getValue();
  }

  static Path manifest(Path directory) throws IOException {
    return StoreFiles.manifest(directory.resolve("CURRENT"));
  }

  /** Returns where each record of a log begins and, last, where the records end. */
  static List<Integer> recordStarts(Path log) throws IOException {
    List<Integer> starts = new ArrayList<>();
    try (LogReader reader = LogReader.open(log)) {
      LogReader.Found found;
      do {
        found = reader.next();
        starts.add((int) reader.recordStart());
      } while (found == LogReader.Found.RECORD);
    }
    return starts;
  }
}
