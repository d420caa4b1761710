package io.ledgerkeep.cli.interchange;

import io.ledgerkeep.Block;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads and writes lines in memory. */
final class Lines {

  /** A block with everything a block can have, in canonical form. */
  static final String FULL =
      """
      {"height":7,"kind":"normal","hash":"0a0b","previousHash":"ff00","header":"AAEC",\
      "additional":"/+8=","transactions":[{"id":"t1","payload":"cGF5"},{"id":"t2","payload":""}],\
      "rwSets":[{"txId":"t1","reads":[{"namespace":"ns","key":"aw==","value":null}],\
      "writes":[{"namespace":"ns","key":"aw==","value":"dg=="},\
      {"namespace":"","key":"","value":null}]},\
      {"txId":"t2","reads":[],"writes":[]}]}
      """;

  private Lines() {}

  static List<Block> read(byte[] lines) throws IOException {
    List<Block> blocks = new ArrayList<>();
    try (BlockLinesReader reader = new BlockLinesReader(new ByteArrayInputStream(lines))) {
      for (Optional<Block> block = reader.read(); block.isPresent(); block = reader.read()) {
        blocks.add(block.get());
      }
    }
    return blocks;
  }

  static List<Block> read(String lines) throws IOException {
    return read(lines.getBytes(StandardCharsets.UTF_8));
  }

  static byte[] bytes(List<Block> blocks) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (BlockLinesWriter writer = new BlockLinesWriter(out)) {
      for (Block block : blocks) {
        writer.write(block);
      }
    }
    return out.toByteArray();
  }

  static String text(List<Block> blocks) throws IOException {
    return new String(bytes(blocks), StandardCharsets.UTF_8);
  }
}
