package org.example.node;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.job.JobReport;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Runs the example of the README as a program of its own. */
public final class Node {

  private Node() {}

  /**
   * Runs the example.
   *
   * @param args which path Ledgerkeep has to be on, "class path" or "module path"; a directory
   */
  public static void main(String[] args) {
    String path = Node.class.getModule().isNamed() ? "module path" : "class path";
    if (!path.equals(args[0])) {
      throw new IllegalStateException("this runs on the " + path + ", not on the " + args[0]);
    }
    run(Path.of(args[1], "data"), Path.of(args[1], "archive"), blocks(200));
    System.out.println("the example ran on the " + path);
  }

  private static void run(Path data, Path archive, List<Block> blocks) {
    // [readme]
    try (Ledger ledger =
        Ledgerkeep.builder()
            .directory(data)
            .storage("leveldb", Options.none())
            .archiveStore("directory", Options.of("path", archive.toString()))
            .unarchivedBlocks(100) // the newest blocks always stay on the node
            .readThrough(true)
            .open()) {
      for (Block block : blocks) {
        ledger.commit(block); // durable when it returns
      }
      Bytes balance = ledger.state("token", Bytes.ofUtf8("alice")).orElseThrow();

      JobReport archived = ledger.archiver().archive(ArchiveRequest.upTo(80));
      Block old = ledger.block(42).orElseThrow(); // from the archive, verified
      JobReport restored = ledger.restorer().restore(RestoreRequest.downTo(60));

      System.out.println("Alice has " + balance.utf8() + ", block 42 has " + old.hash().hex());
      System.out.println(archived.blocks() + " archived, " + restored.blocks() + " brought back");
    }
    // [/readme]
  }

  private static List<Block> blocks(int count) {
    List<Block> blocks = new ArrayList<>();
    for (int height = 0; height < count; height++) {
      blocks.add(block(height));
    }
    return blocks;
  }

  private static Block block(long height) {
    String id = "tx-" + height;
    Bytes balance = Bytes.ofUtf8(Long.toString(height));
    RwSet.Write write = new RwSet.Write("token", Bytes.ofUtf8("alice"), Optional.of(balance));
    return new Block(
        height,
        height == 0 ? Block.Kind.GENESIS : Block.Kind.NORMAL,
        hash(height),
        height == 0 ? Bytes.EMPTY : hash(height - 1),
        Bytes.ofUtf8("header"),
        List.of(new Transaction(id, Bytes.ofUtf8("payload"))),
        List.of(new RwSet(id, List.of(), List.of(write))),
        Bytes.ofUtf8("votes"));
  }

  /** A node would compute a digest here. */
  private static Bytes hash(long height) {
    return Bytes.wrap(ByteBuffer.allocate(Long.BYTES).putLong(height + 1).array());
  }
}
