package io.ledgerkeep.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.google.common.hash.Hashing;
import com.google.common.primitives.Longs;
import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;

/**
 * A chain that is noise wherever an encrypted ledger hides something: no compression makes that
 * smaller, and so none hides it, and a part of it is found in any file that has it in plain.
 */
final class MarkedChain {

  /** The number of kinds of markers. */
  static final int KINDS = 5;

  private static final int NOISE_BYTES = 3000;
  private static final int MARKER_AT = 1500;
  private static final int MARKER_BYTES = 16;
  private static final int MARKED_EVERY = 14;
  private static final int CONFIG_EVERY = 30;

  private MarkedChain() {}

  /** Returns a chain, the same one every time. */
  static List<Block> blocks(int count) {
    List<Block> blocks = new ArrayList<>();
    Random random = new Random(20_250_104);
    Bytes previousHash = Bytes.EMPTY;
    Optional<Bytes> before = Optional.empty();
    for (int height = 0; height < count; height++) {
      Bytes header = noise(random);
      Bytes hash = Bytes.wrap(Hashing.sha256().hashBytes(header.toArray()).asBytes());
      Bytes value = noise(random);
      String id = "tx-" + height;
      Bytes key = Bytes.ofUtf8("key-" + height % 7);
      blocks.add(
          new Block(
              height,
              kind(height),
              hash,
              previousHash,
              header,
              List.of(new Transaction(id, noise(random))),
              List.of(
                  new RwSet(
                      id,
                      List.of(new RwSet.Read("notes", key, before)),
                      List.of(new RwSet.Write("notes", key, Optional.of(value))))),
              noise(random)));
      previousHash = hash;
      before = Optional.of(noise(random));
    }
    return blocks;
  }

  private static Block.Kind kind(int height) {
    if (height == 0) {
      return Block.Kind.GENESIS;
    }
    return height % CONFIG_EVERY == 0 ? Block.Kind.CONFIG : Block.Kind.NORMAL;
  }

  private static Bytes noise(Random random) {
    byte[] bytes = new byte[NOISE_BYTES];
    random.nextBytes(bytes);
    return Bytes.wrap(bytes);
  }

  /**
   * Returns parts of headers, additional bytes, payloads, values read and values written, one of
   * each kind in turn.
   */
  static List<String> markers(int count) {
    List<String> markers = new ArrayList<>();
    for (Block block : blocks(count)) {
      if (block.height() % MARKED_EVERY == 1) {
        RwSet rwSet = block.rwSets().get(0);
        markers.add(marker(block.header()));
        markers.add(marker(block.additional()));
        markers.add(marker(block.transactions().get(0).payload()));
        markers.add(marker(rwSet.reads().get(0).value().orElseThrow()));
        markers.add(marker(rwSet.writes().get(0).value().orElseThrow()));
      }
    }
    return markers;
  }

  private static String marker(Bytes noise) {
    Bytes part = noise.slice(MARKER_AT, MARKER_AT + MARKER_BYTES);
    return new String(part.toArray(), ISO_8859_1);
  }

  /**
   * Returns the files below a directory, if there is one, that hold any of the texts, of eight
   * bytes or more.
   */
  static List<Path> filesWith(List<String> texts, Path root) throws IOException {
    List<Path> found = new ArrayList<>();
    if (!Files.exists(root)) {
      return found;
    }
    Search search = new Search(texts);
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (search.finds(Files.readAllBytes(file))) {
          found.add(file);
        }
      }
    }
    return found;
  }

  /** Looks for many texts in one pass: by their first bytes, then whole. */
  private static final class Search {

    private final boolean[] endsOfStarts = new boolean[1 << 16];
    private final Map<Long, List<byte[]>> byStart = new HashMap<>();

    Search(List<String> texts) {
      for (String text : texts) {
        byte[] bytes = text.getBytes(ISO_8859_1);
        long start = Longs.fromByteArray(bytes);
        endsOfStarts[(int) start & 0xFFFF] = true;
        byStart.computeIfAbsent(start, any -> new ArrayList<>()).add(bytes);
      }
    }

    boolean finds(byte[] content) {
      long window = 0;
      for (int i = 0; i < content.length; i++) {
        window = window << 8 | content[i] & 0xFF;
        if (i >= 7 && endsOfStarts[(int) window & 0xFFFF] && holdsAt(content, i - 7, window)) {
          return true;
        }
      }
      return false;
    }

    private boolean holdsAt(byte[] content, int from, long start) {
      return byStart.getOrDefault(start, List.of()).stream()
          .anyMatch(
              text ->
                  from + text.length <= content.length
                      && Arrays.equals(content, from, from + text.length, text, 0, text.length));
    }
  }
}
