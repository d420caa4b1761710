package io.ledgerkeep.examples;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.LedgerReader;
import io.ledgerkeep.Transaction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * What a node keeps for itself: how many bytes of payload its chain has. It says up to which block
 * it knows that, in the same step in which it changes, and so can follow the ledger from anywhere.
 * For one thread.
 */
final class OwnStorage {

  private final Path file;
  private long height = -1;
  private String hash = "";
  private long payloadBytes;

  /** Reads what was kept, if anything was. */
  OwnStorage(Path file) throws IOException {
    this.file = file;
    if (Files.exists(file)) {
      String[] kept = Files.readString(file).split(" ", -1);
      height = Long.parseLong(kept[0]);
      hash = kept[1];
      payloadBytes = Long.parseLong(kept[2]);
    }
  }

  long payloadBytes() {
    return payloadBytes;
  }

  /** Takes in the blocks that the ledger has more; returns how many that were. */
  long follow(LedgerReader ledger) {
    if (!knowsTheChainOf(ledger)) {
      height = -1;
      payloadBytes = 0;
    }
    long from = height + 1;
    while (height < ledger.height()) {
      add(ledger.block(height + 1).orElseThrow());
    }
    if (height >= from) {
      save();
    }
    return height + 1 - from;
  }

  /** A ledger may have been rolled back, or be an older copy, and other blocks come after that. */
  private boolean knowsTheChainOf(LedgerReader ledger) {
    return ledger.meta(height).map(BlockMeta::hash).filter(h -> h.hex().equals(hash)).isPresent();
  }

  private void add(Block block) {
    height = block.height();
    hash = block.hash().hex();
    for (Transaction transaction : block.transactions()) {
      payloadBytes += transaction.payload().size();
    }
  }

  /** Replaces the file as a whole, so that a crash leaves the former one or this one. */
  private void save() {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Files.writeString(
          fresh,
          String.join(" ", Long.toString(height), hash, Long.toString(payloadBytes)),
          StandardOpenOption.CREATE,
          StandardOpenOption.TRUNCATE_EXISTING,
          StandardOpenOption.WRITE,
          StandardOpenOption.SYNC);
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
