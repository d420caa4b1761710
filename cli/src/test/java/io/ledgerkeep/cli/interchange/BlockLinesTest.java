package io.ledgerkeep.cli.interchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class BlockLinesTest {

  @Test
  void everyFieldFindsItsPlace() throws IOException {
    assertThat(Lines.read(Lines.FULL))
        .containsExactly(
            new Block(
                7,
                Block.Kind.NORMAL,
                Bytes.fromHex("0a0b"),
                Bytes.fromHex("ff00"),
                Bytes.fromHex("000102"),
                List.of(
                    new Transaction("t1", Bytes.ofUtf8("pay")), new Transaction("t2", Bytes.EMPTY)),
                List.of(
                    new RwSet(
                        "t1",
                        List.of(new RwSet.Read("ns", Bytes.ofUtf8("k"), Optional.empty())),
                        List.of(
                            new RwSet.Write(
                                "ns", Bytes.ofUtf8("k"), Optional.of(Bytes.ofUtf8("v"))),
                            new RwSet.Write("", Bytes.EMPTY, Optional.empty()))),
                    new RwSet("t2", List.of(), List.of())),
                Bytes.fromHex("ffef")));
  }

  @Test
  void canonicalLinesComeBackByteForByte() throws IOException {
    assertThat(Lines.text(Lines.read(Lines.FULL.repeat(3)))).isEqualTo(Lines.FULL.repeat(3));
  }

  @Test
  void noInputHoldsNoBlock() throws IOException {
    assertThat(Lines.read("")).isEmpty();
  }

  @Test
  void theLastLineBreakMayBeMissing() throws IOException {
    assertThat(Lines.read(Lines.FULL + Lines.FULL.strip())).hasSize(2);
  }

  @Test
  void anyOrderOfKeysAndAnyBlanksWithinTheLineAreRead() throws IOException {
    String line =
        " { \"rwSets\" : [ ] ,\t\"transactions\":[],\"additional\":\"\",\"header\":\"\","
            + "\"previousHash\":\"\",\"hash\":\"00\",\"kind\":\"genesis\",\"height\": 0 } \r\n";
    assertThat(Lines.text(Lines.read(line)))
        .isEqualTo(
            """
            {"height":0,"kind":"genesis","hash":"00","previousHash":"","header":"","additional":"",\
            "transactions":[],"rwSets":[]}
            """);
  }

  @Test
  void textIsEscapedWhereJsonDemandsItAndNowhereElse() throws IOException {
    String plain = "\u007f <>&'\u0080\u2028\u20ac\ud83d\ude00";
    Block block = blockWithId("\u0000\b\f\n\r\t\u001f\"\\/" + plain);
    String text = Lines.text(List.of(block));
    assertThat(text).contains("\"id\":\"\\u0000\\b\\f\\n\\r\\t\\u001f\\\"\\\\/" + plain + "\"");
    assertThat(Lines.read(text)).containsExactly(block);
  }

  @Test
  void everyEscapeOfJsonIsRead() throws IOException {
    String line =
        Lines.text(List.of(blockWithId("ID")))
            .replace("ID", "\\/\\u0041\\u00e4\\u20AC\\uD83D\\uDE00\\b\\f\\n\\r\\t\\\"\\\\");
    assertThat(Lines.read(line).get(0).transactions().get(0).id())
        .isEqualTo("/A\u00e4\u20ac\ud83d\ude00\b\f\n\r\t\"\\");
  }

  /** Sizes around those of the buffers, read in pieces of every size. */
  @Test
  void fieldsOfEverySizeSurviveEveryCutOfTheStream() throws IOException {
    List<Block> blocks = new ArrayList<>();
    for (int size : new int[] {0, 1, 2, 3, 4, 5, 49_151, 49_152, 49_153, 65_536, 200_001}) {
      blocks.add(blockWithBytes(randomBytes(size)));
    }
    byte[] lines = Lines.bytes(blocks);
    for (int piece : new int[] {1, 2, 3, 4, 5, 7, 1_000, 65_535, 65_536, 1 << 20}) {
      try (BlockLinesReader reader = new BlockLinesReader(new Trickle(lines, piece))) {
        for (Block block : blocks) {
          assertThat(reader.read()).as("in pieces of %d", piece).contains(block);
        }
        assertThat(reader.read()).isEmpty();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"chain.jsonl", "chain.jsonl.gz", "chain.jsonl.zst"})
  void theNameOfTheFileSaysHowItIsCompressed(String name) throws IOException {
    byte[] file = compressed(name, Lines.read(Lines.FULL));
    try (BlockLinesReader reader =
        BlockLines.reader(name, new ByteArrayInputStream(joined(file, file)))) {
      assertThat(reader.read()).isPresent();
      assertThat(reader.read()).as("a second member").isPresent();
      assertThat(reader.read()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"chain.jsonl.gz", "chain.jsonl.zst"})
  void aCompressedFileThatBreaksOffIsRefused(String name) throws IOException {
    byte[] whole = compressed(name, List.of(blockWithBytes(randomBytes(300_000))));
    for (int length : new int[] {whole.length - 1, whole.length / 2, 30}) {
      assertThatThrownBy(() -> readAll(name, Arrays.copyOf(whole, length)))
          .as("%d of %d bytes", length, whole.length)
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void whatFollowsTheGzipDataIsNotPassedOverInSilence() throws IOException {
    byte[] file = compressed("x.gz", Lines.read(Lines.FULL));
    byte[] damaged = file.clone();
    damaged[0]++;
    assertThatThrownBy(() -> readAll("x.gz", joined(file, damaged)))
        .isInstanceOf(InterchangeException.class)
        .hasMessageContaining("after the end of the gzip data");
  }

  @ParameterizedTest
  @ValueSource(strings = {"ibft-consortium.jsonl.gz", "ethtest.jsonl.gz", "sepolia-0.jsonl.gz"})
  void realChainsComeBackByteForByte(String name) throws IOException {
    Path file = sharedData().resolve(name);
    assumeTrue(Files.exists(file), "not this checkout: real data lies beside some only");
    byte[] plain;
    try (InputStream in = BlockLines.decompress(name, Files.newInputStream(file))) {
      plain = in.readAllBytes();
    }
    assertThat(Lines.bytes(Lines.read(plain))).isEqualTo(plain);
  }

  private static Path sharedData() {
    Path directory = Path.of("").toAbsolutePath();
    while (directory.getParent() != null && !Files.isDirectory(directory.resolve("shared/data"))) {
      directory = directory.getParent();
    }
    return directory.resolve("shared/data");
  }

  private static byte[] compressed(String name, List<Block> blocks) throws IOException {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    try (OutputStream out = BlockLines.compress(name, file)) {
      out.write(Lines.bytes(blocks));
    }
    return file.toByteArray();
  }

  private static void readAll(String name, byte[] content) throws IOException {
    try (BlockLinesReader reader = BlockLines.reader(name, new ByteArrayInputStream(content))) {
      while (reader.read().isPresent()) {
        // to the end
      }
    }
  }

  private static byte[] joined(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private static Block blockWithId(String id) {
    return new Block(
        1,
        Block.Kind.NORMAL,
        Bytes.fromHex("01"),
        Bytes.EMPTY,
        Bytes.EMPTY,
        List.of(new Transaction(id, Bytes.EMPTY)),
        List.of(new RwSet(id, List.of(), List.of())),
        Bytes.EMPTY);
  }

  private static Block blockWithBytes(Bytes bytes) {
    return new Block(
        1, Block.Kind.CONFIG, Bytes.fromHex("01"), Bytes.EMPTY, bytes, List.of(), List.of(), bytes);
  }

  private static Bytes randomBytes(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return Bytes.wrap(bytes);
  }

  /** Gives a few bytes at a time, as pipes do. */
  private static final class Trickle extends InputStream {
    private final ByteArrayInputStream in;
    private final int piece;

    Trickle(byte[] bytes, int piece) {
      this.in = new ByteArrayInputStream(bytes);
      this.piece = piece;
    }

    @Override
    public int read() {
      return in.read();
    }

    @Override
    public int read(byte[] target, int offset, int length) {
      return in.read(target, offset, Math.min(length, piece));
    }
  }
}
