package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Archived ledgers with the marked chain, with a backup of each: made once for all tests of a
 * class, which work on copies.
 */
final class JobGround {

  static final int BLOCKS = 40;
  static final int PIVOT = 25;

  private static final String KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  private static final List<Block> CHAIN = MarkedChain.blocks(BLOCKS);
  private static final List<String> MARKERS = MarkedChain.markers(BLOCKS);

  /** A kind of ledger. */
  enum Kind {
    LEVELDB(false, false),
    LEVELDB_SEALED(false, true),
    BADGER(true, false),
    BADGER_SEALED(true, true);

    private final boolean badger;
    final boolean sealed;

    Kind(boolean badger, boolean sealed) {
      this.badger = badger;
      this.sealed = sealed;
    }

    private String[] storage() {
      List<String> lines = new ArrayList<>(List.of("reserve_bytes: 0"));
      if (sealed) {
        lines.addAll(List.of("encryptor: aes", "encrypt_key: \"hex:" + KEY + "\""));
      }
      lines.addAll(
          badger
              ? List.of(
                  "provider: badgerdb",
                  "badgerdb:",
                  "  memtable-bytes: 8388608",
                  "  min-free-bytes: 1048576")
              : List.of("leveldb:", "  write-buffer-bytes: 262144", "  low-space-bytes: 1048576"));
      return lines.toArray(String[]::new);
    }

    /** Returns a place in a directory whose ledger lies in the directory of the name. */
    Place place(Path directory, String data) {
      return new Place(directory, directory.resolve(data), directory.resolve("archive"), storage());
    }
  }

  private final Path templates;

  JobGround(Path templates) {
    this.templates = templates;
  }

  /** Returns a copy of a ledger of the kind in a directory. */
  Place place(Kind kind, Path directory) throws IOException {
    if (kind.badger) {
      BadgerLedgerTest.requireSidecar();
    }
    Path template = templates.resolve(kind.name());
    if (!Files.exists(template)) {
      Files.createDirectory(template);
      Place made = kind.place(template, "data").withChain(chain(BLOCKS)).archivedTo(10);
      made.archivedTo(PIVOT);
      assertThat(made.run("backup", "--to", template.resolve("backups")).exitCode()).isZero();
    }
    for (String name : List.of("data", "archive", "backups")) {
      copy(template.resolve(name), directory.resolve(name));
    }
    return kind.place(directory, "data");
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }

  /** Returns the first blocks of the chain in the interchange format. */
  static String chain(int blocks) {
    return Place.lines(CHAIN.subList(0, blocks));
  }

  /** No file but the configuration has anything of the blocks, or of the keys, in plain. */
  static void assertNothingInPlain(Path directory) throws Exception {
    List<String> hidden = new ArrayList<>(MARKERS);
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        if (file.endsWith("block/KEYS")) {
          hidden.addAll(KeysByTheBook.secrets(file, KEY));
        }
      }
    }
    assertThat(hidden).hasSizeGreaterThan(MARKERS.size() + 6);
    assertThat(MarkedChain.filesWith(hidden, directory))
        .allMatch(file -> file.endsWith("ledgerkeep.yml"));
  }
}
