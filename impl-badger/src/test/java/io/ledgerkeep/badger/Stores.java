package io.ledgerkeep.badger;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Cursor;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Stores on the sidecar that was built, and the sidecar's process. */
final class Stores {

  private Stores() {}

  /** Skips the test where no sidecar was built, for want of Go. */
  static void assumeSidecar() {
    String platform =
        BundledBinary.platform(System.getProperty("os.name"), System.getProperty("os.arch"));
    boolean isBuilt =
        Stores.class.getResource("/META-INF/ledgerkeep-badger/" + platform + "/ledgerkeep-badger")
            != null;
    if (!isBuilt && "1".equals(System.getenv("LEDGERKEEP_NO_SKIP"))) {
      throw new AssertionError("LEDGERKEEP_NO_SKIP=1, and no sidecar was built: install Go");
    }
    assumeTrue(isBuilt, "no Badger sidecar was built, which needs Go");
  }

  static StorageEngine open(Path directory) {
    return open(directory, Options.none());
  }

  static StorageEngine open(Path directory, Options options) {
    return new BadgerStorageProvider().open(directory, options);
  }

  static void put(StorageEngine engine, String key, String value) {
    engine.write(new WriteBatch().put(Bytes.ofUtf8(key), Bytes.ofUtf8(value)), Durability.DURABLE);
  }

  /** Returns everything in the store as text. */
  static NavigableMap<String, String> content(StorageEngine engine) {
    NavigableMap<String, String> content = new TreeMap<>();
    try (Cursor cursor = engine.scan(KeyRange.all())) {
      while (cursor.next()) {
        content.put(cursor.key().utf8(), cursor.value().utf8());
      }
    }
    return content;
  }

  /** Returns bytes that cannot be compressed, the same for the same seed. */
  static Bytes noise(long seed, int size) {
    byte[] bytes = new byte[size];
    new Random(seed).nextBytes(bytes);
    return Bytes.wrap(bytes);
  }

  /** Returns the sidecars that this process has started and that run. */
  static List<ProcessHandle> sidecars() {
    return ProcessHandle.current()
        .children()
        .filter(ProcessHandle::isAlive)
        .filter(child -> child.info().command().orElse("").endsWith("ledgerkeep-badger"))
        .toList();
  }

  /** Ends all sidecars of this process at once; nothing in them is closed in order. */
  static void killSidecars() {
    sidecars()
        .forEach(
            sidecar -> {
              sidecar.destroyForcibly();
              sidecar.onExit().join();
            });
  }

  static List<Path> files(Path directory, String suffix) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
    }
  }

  /** Copies what is in the files of a store at this moment. */
  static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }

  static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }
}
