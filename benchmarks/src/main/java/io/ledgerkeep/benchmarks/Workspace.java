package io.ledgerkeep.benchmarks;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/** The directory of a run: makes, copies, measures and removes what lies in it. */
final class Workspace {

  private final Path directory;

  Workspace(Path directory) {
    this.directory = directory;
  }

  /** Returns the workspace of this process: its working directory. */
  static Workspace ofThisProcess() {
    return new Workspace(Path.of("").toAbsolutePath());
  }

  Path path(String name) {
    return directory.resolve(name);
  }

  /** Copies a directory to a new name, which may not exist yet. */
  Path copy(Path from, String name) {
    Path to = path(name);
    try (Stream<Path> tree = Files.walk(from)) {
      for (Path source : (Iterable<Path>) tree::iterator) {
        Files.copy(source, to.resolve(from.relativize(source)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return to;
  }

  /** Copies as {@link #copy}, by the system's own means; every file is durable at the end. */
  void copySynced(Path from, String name) {
    Path to = path(name);
    try (Stream<Path> tree = Files.walk(from)) {
      for (Path source : (Iterable<Path>) tree::iterator) {
        Path target = to.resolve(from.relativize(source));
        if (Files.isDirectory(source)) {
          Files.createDirectory(target);
        } else {
          copyFileSynced(source, target);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void copyFileSynced(Path source, Path target) throws IOException {
    try (FileChannel in = FileChannel.open(source);
        FileChannel out =
            FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (long at = 0; at < in.size(); ) {
        at += in.transferTo(at, in.size() - at, out);
      }
      out.force(true);
    }
  }

  void remove(String name) {
    remove(path(name));
  }

  static void remove(Path directory) {
    try {
      if (Files.exists(directory)) {
        MoreFiles.deleteRecursively(directory, RecursiveDeleteOption.ALLOW_INSECURE);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns the sum of the sizes of all files below the directory. */
  static long sizeBytes(Path directory) {
    try (Stream<Path> tree = Files.walk(directory)) {
      return tree.filter(Files::isRegularFile).mapToLong(Workspace::size).sum();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (NoSuchFileException e) {
      return 0; // the engine removes tables in the background
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Waits until the engines have stopped to rewrite tables, and lets the system write out what it
   * still holds: what one side left behind must not slow the other down.
   */
  void settle() {
    try {
      List<Path> before = tables();
      while (true) {
        Thread.sleep(200);
        List<Path> now = tables();
        if (now.equals(before)) {
          break;
        }
        before = now;
      }
      new ProcessBuilder("sync").inheritIO().start().waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  private List<Path> tables() throws IOException {
    while (true) {
      try (Stream<Path> tree = Files.walk(directory)) {
        return tree.filter(path -> path.toString().endsWith(".sst")).sorted().toList();
      } catch (UncheckedIOException e) {
        if (!(e.getCause() instanceof NoSuchFileException)) {
          throw e;
        }
      }
    }
  }
}
