package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.hash.Hashing;
import com.google.common.hash.HashingOutputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A block as large as blocks may be goes through the command line in little memory. */
@Tag("long")
final class LargeBlockTest {

  private static final List<String> LITTLE_MEMORY = List.of("-Xmx1400m");
  private static final int MEBIBYTE = 1 << 20;
  private static final int PAYLOADS = 8;

  /** Hashes and ids count too, so that eight full payloads would be a little too much. */
  private static final int ROOM_FOR_THE_REST = 4 << 10;

  @TempDir private Path directory;

  @Test
  void eightPayloadsOf64MebibytesAreImportedArchivedRestoredAndExported() throws Exception {
    Place place = new Place(directory);
    assertThat(place.run("init").exitCode()).isZero();
    Path chain = directory.resolve("chain.jsonl");
    String sha256 = writeChain(chain);
    inChild(place.withBoth("import", chain));
    assertThat(export(place)).contains(sha256);
    inChild(place.withBoth("archive", "--to", 1, "--yes"));
    assertThat(export(place)).as("from the archive").contains(sha256);
    inChild(place.withBoth("verify"));
    inChild(place.withBoth("restore", "--down-to", 0, "--yes"));
    assertThat(export(place)).contains(sha256);
  }

  private String export(Place place) throws Exception {
    return inChild(place.withBoth("export", directory.resolve("out.jsonl")));
  }

  private static String inChild(Object... args) throws Exception {
    try (Child child = Child.start(LITTLE_MEMORY, args)) {
      String out = new String(child.out(), StandardCharsets.UTF_8);
      assertThat(child.awaitExit()).isZero();
      return out;
    }
  }

  private static String writeChain(Path file) throws IOException {
    HashingOutputStream out =
        new HashingOutputStream(
            Hashing.sha256(), new BufferedOutputStream(Files.newOutputStream(file), MEBIBYTE));
    try (out) {
      write(out, line(0, "genesis", "", "[]", "[]"));
      writeLargeBlock(out);
      for (int height = 2; height <= 12; height++) {
        write(out, line(height, "normal", hash(height - 1), "[]", "[]"));
      }
    }
    return out.hash().toString();
  }

  private static void writeLargeBlock(OutputStream out) throws IOException {
    String[] ends = line(1, "normal", hash(0), "[#]", "[#]").split("#");
    write(out, ends[0]);
    StringBuilder rwSets = new StringBuilder();
    for (int i = 0; i < PAYLOADS; i++) {
      String comma = i == 0 ? "" : ",";
      write(out, comma + "{\"id\":\"t" + i + "\",\"payload\":\"");
      writePayload(out, i == PAYLOADS - 1 ? MEBIBYTE - ROOM_FOR_THE_REST : MEBIBYTE);
      write(out, "\"}");
      rwSets.append(comma).append("{\"txId\":\"t" + i + "\",\"reads\":[],\"writes\":[]}");
    }
    write(out, ends[1] + rwSets + ends[2]);
  }

  /** Pieces of a multiple of three bytes join without padding. */
  private static void writePayload(OutputStream out, int rest) throws IOException {
    byte[] piece = new byte[3 * MEBIBYTE];
    new Random(1).nextBytes(piece);
    byte[] text = Base64.getEncoder().encode(piece);
    for (int i = 0; i < 21; i++) {
      out.write(text);
    }
    out.write(Base64.getEncoder().encode(Arrays.copyOf(piece, rest)));
  }

  private static String line(
      int height, String kind, String previousHash, String transactions, String rwSets) {
    return ("{\"height\":%d,\"kind\":\"%s\",\"hash\":\"%s\",\"previousHash\":\"%s\",\"header\":\"\","
            + "\"additional\":\"\",\"transactions\":%s,\"rwSets\":%s}\n")
        .formatted(height, kind, hash(height), previousHash, transactions, rwSets);
  }

  private static String hash(int height) {
    return "%02x".formatted(height);
  }

  private static void write(OutputStream out, String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
  }
}
