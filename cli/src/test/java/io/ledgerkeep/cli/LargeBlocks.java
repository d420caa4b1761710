package io.ledgerkeep.cli;

import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.cli.interchange.BlockLinesWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Chains of blocks with one large transaction each, which no compression makes smaller. */
final class LargeBlocks {

  private LargeBlocks() {}

  /** Returns a chain, the same one every time. */
  static List<Block> chain(int blocks, int payloadBytes) {
    Random random = new Random(20_250_102);
    List<Block> chain = new ArrayList<>();
    Bytes previousHash = Bytes.EMPTY;
    for (int height = 0; height < blocks; height++) {
      Block block = block(height, previousHash, payload(random, payloadBytes));
      chain.add(block);
      previousHash = block.hash();
    }
    return chain;
  }

  /** Returns a block that may come after the given one. */
  static Block after(Block block, int payloadBytes) {
    Bytes payload = payload(new Random(20_250_103), payloadBytes);
    return block((int) block.height() + 1, block.hash(), payload);
  }

  private static Bytes payload(Random random, int bytes) {
    byte[] payload = new byte[bytes];
    random.nextBytes(payload);
    return Bytes.wrap(payload);
  }

  private static Block block(int height, Bytes previousHash, Bytes payload) {
    String id = "transaction-" + height;
    Bytes key = Bytes.ofUtf8("key-" + height % 20);
    RwSet.Write write = new RwSet.Write("files", key, Optional.of(Bytes.ofUtf8(id)));
    Hasher hasher = Hashing.sha256().newHasher();
    Bytes hash =
        Bytes.wrap(
            hasher.putBytes(previousHash.toArray()).putBytes(payload.toArray()).hash().asBytes());
    return new Block(
        height,
        kind(height),
        hash,
        previousHash,
        Bytes.ofUtf8("height=" + height),
        List.of(new Transaction(id, payload)),
        List.of(new RwSet(id, List.of(), List.of(write))),
        Bytes.ofUtf8("votes"));
  }

  private static Block.Kind kind(int height) {
    if (height == 0) {
      return Block.Kind.GENESIS;
    }
    return height % 40 == 0 ? Block.Kind.CONFIG : Block.Kind.NORMAL;
  }

  /** Writes blocks in the interchange format. */
  static Path write(Path file, List<Block> blocks) throws IOException {
    try (OutputStream out = Files.newOutputStream(file);
        BlockLinesWriter writer = new BlockLinesWriter(out)) {
      for (Block block : blocks) {
        writer.write(block);
      }
    }
    return file;
  }
}
