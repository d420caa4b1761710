package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.hash.Hashing;
import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Makes the golden ledger of the release at hand, once: a file that is there is never replaced. To
 * be run by hand, with {@code -Dgolden.write=true}, when a release has a format of its own; the
 * files of earlier releases stay, and every release reads them all.
 */
final class GoldenLedgers {

  /** The format that this release writes. */
  static final String VERSION = "0.1";

  static final int BLOCKS = 40;
  static final int PIVOT = 25;

  private static final Path RESOURCES = Path.of("src/test/resources/golden");

  /** What tells of the machine at hand, and belongs to no ledger. */
  private static final Set<String> OF_THE_MACHINE =
      Set.of("LOCK", "LOG", "LOG.old", "status.json", "ledgerkeep.yml");

  /** How a golden ledger is kept. */
  enum Kind {
    PLAIN,
    AES("encryptor: aes", "encrypt_key: \"hex:000102030405060708090a0b0c0d0e0f\""),
    SM4("encryptor: sm4", "encrypt_key: \"hex:0f1e2d3c4b5a69788796a5b4c3d2e1f0\"");

    private final List<String> storage;

    Kind(String... storage) {
      this.storage = List.of(storage);
    }

    Path file(String version) {
      return RESOURCES.resolve(version).resolve(name().toLowerCase(Locale.ROOT) + ".zip");
    }

    /** A place whose ledger and archive are in the directory, or will be. */
    Place place(Path directory) {
      Stream<String> all = Stream.concat(Stream.of("reserve_bytes: 0"), storage.stream());
      return new Place(
          directory,
          directory.resolve("data"),
          directory.resolve("archive"),
          all.toArray(String[]::new));
    }
  }

  @TempDir private Path directory;

  @ParameterizedTest
  @EnumSource
  @EnabledIfSystemProperty(named = "golden.write", matches = "true")
  void write(Kind kind) throws IOException {
    assertThat(kind.file(VERSION)).as("a golden ledger is never replaced").doesNotExist();
    String chain = Place.lines(blocks());
    Place place = kind.place(directory);
    place.withChain(chain).archivedTo(PIVOT);
    place.write("chain.jsonl", chain);
    Files.createDirectories(kind.file(VERSION).resolve(".."));
    pack(kind.file(VERSION));
  }

  /** A few of everything: kinds, deletions, several transactions, none. */
  private static List<Block> blocks() {
    List<Block> blocks = new ArrayList<>();
    Bytes previousHash = Bytes.EMPTY;
    for (int height = 0; height < BLOCKS; height++) {
      Bytes header = Bytes.ofUtf8("header of block " + height);
      Bytes hash = Bytes.wrap(Hashing.sha256().hashBytes(header.toArray()).asBytes());
      List<Transaction> transactions = new ArrayList<>();
      List<RwSet> rwSets = new ArrayList<>();
      for (int i = 0; i < height % 3; i++) {
        String id = "tx-" + height + "-" + i;
        Bytes key = Bytes.ofUtf8("key " + (height + i) % 7);
        Optional<Bytes> value =
            Optional.of(Bytes.ofUtf8("value of " + id)).filter(v -> !id.endsWith("7-0"));
        transactions.add(new Transaction(id, Bytes.ofUtf8("payload of " + id)));
        rwSets.add(
            new RwSet(
                id,
                List.of(new RwSet.Read("token", key, Optional.empty())),
                List.of(new RwSet.Write("token", key, value))));
      }
      blocks.add(
          new Block(
              height,
              kind(height),
              hash,
              previousHash,
              header,
              transactions,
              rwSets,
              Bytes.ofUtf8("votes for block " + height)));
      previousHash = hash;
    }
    return blocks;
  }

  private static Block.Kind kind(int height) {
    if (height == 0) {
      return Block.Kind.GENESIS;
    }
    return height % 9 == 5 ? Block.Kind.CONFIG : Block.Kind.NORMAL;
  }

  private static boolean isPartOfIt(Path file) {
    String name = file.getFileName().toString();
    return Files.isRegularFile(file) && !OF_THE_MACHINE.contains(name);
  }

  private void pack(Path file) throws IOException {
    try (OutputStream out = Files.newOutputStream(file);
        ZipOutputStream zip = new ZipOutputStream(out);
        Stream<Path> found = Files.walk(directory)) {
      for (Path each : found.filter(GoldenLedgers::isPartOfIt).sorted().toList()) {
        zip.putNextEntry(new ZipEntry(directory.relativize(each).toString()));
        Files.copy(each, zip);
        zip.closeEntry();
      }
    }
  }

  /** Lays a golden ledger out as it was, but for the configuration, and returns its chain. */
  static String unpack(Path file, Path directory) throws IOException {
    try (InputStream in = Files.newInputStream(file);
        ZipInputStream zip = new ZipInputStream(in)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        Path target = directory.resolve(entry.getName()).normalize();
        assertThat(target).startsWithRaw(directory);
        Files.createDirectories(target.resolve("..").normalize());
        Files.copy(zip, target);
      }
    }
    return Files.readString(directory.resolve("chain.jsonl"));
  }
}
