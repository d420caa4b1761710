package io.ledgerkeep.cli;

import io.ledgerkeep.Block;
import io.ledgerkeep.cli.interchange.BlockLinesWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where a test keeps its ledger, archive and files. Keeps 10 blocks from archiving and, unless told
 * otherwise, no reserve, for which tests have no time.
 */
final class Place {

  final Path directory;
  final Path data;
  final Path archive;
  final Path config;
  private final boolean apart;

  Place(Path directory) {
    this(directory, directory.resolve("data"), directory.resolve("archive"), "reserve_bytes: 0");
  }

  /** A ledger and an archive that lie elsewhere, with lines of the section {@code storage}. */
  Place(Path directory, Path data, Path archive, String... storage) {
    this.directory = directory;
    this.data = data;
    this.archive = archive;
    this.apart = false;
    this.config =
        write(
            "ledgerkeep.yml",
            "storage:\n  unarchive_block_height: 10\n  " + String.join("\n  ", storage) + "\n");
  }

  private Place(Place other, boolean apart) {
    this.directory = other.directory;
    this.data = other.data;
    this.archive = other.archive;
    this.config = other.config;
    this.apart = apart;
  }

  /**
   * Returns the place with every command in a process of its own, which leaves no file mapped when
   * it ends.
   */
  Place apart() {
    return new Place(this, true);
  }

  /** Runs a command on the ledger. */
  Run run(Object... args) {
    return runWhole(withData(args));
  }

  /** Runs a command on the ledger and its archive. */
  Run runWithArchive(Object... args) {
    return runWhole(withBoth(args));
  }

  private Run runWhole(Object[] args) {
    if (!apart) {
      return Run.of(args);
    }
    try {
      return Run.apart(args);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** Runs a command on the archive alone. */
  Run runOnArchive(Object... args) {
    return Run.of(Stream.concat(Stream.of("--archive", archive), Stream.of(args)).toArray());
  }

  Object[] withData(Object... args) {
    return Stream.concat(Stream.of("--config", config, "--data", data), Stream.of(args)).toArray();
  }

  Object[] withBoth(Object... args) {
    return withData(Stream.concat(Stream.of("--archive", archive), Stream.of(args)).toArray());
  }

  /** Creates the ledger and imports the first blocks of the made-up chain. */
  Place withChain(int blocks) {
    return withChain(chain(blocks));
  }

  /** Creates the ledger and imports a chain in the interchange format. */
  Place withChain(String chain) {
    require(run("init"));
    require(Run.reading(chain, withData("import", "-")));
    return this;
  }

  /** Archives what may be archived up to the height. */
  Place archivedTo(long height) {
    require(runWithArchive("archive", "--to", height, "--yes"));
    return this;
  }

  Path write(String name, String content) {
    try {
      return Files.writeString(directory.resolve(name), content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<Block> blocks(int count) {
    List<Block> blocks = new ArrayList<>();
    new MadeUpChain(count).forEachRemaining(blocks::add);
    return blocks;
  }

  /** Returns the first blocks of the made-up chain in the interchange format. */
  static String chain(int count) {
    return lines(blocks(count));
  }

  static String lines(List<Block> blocks) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream target = out;
        BlockLinesWriter writer = new BlockLinesWriter(target)) {
      for (Block block : blocks) {
        writer.write(block);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  private static void require(Run run) {
    if (run.exitCode() != ExitCode.DONE) {
      throw new AssertionError("exit " + run.exitCode() + ": " + run.err());
    }
  }
}
