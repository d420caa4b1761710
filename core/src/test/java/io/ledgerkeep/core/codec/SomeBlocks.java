package io.ledgerkeep.core.codec;

import io.ledgerkeep.Block;
import io.ledgerkeep.Block.Kind;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Random blocks with everything that is at a limit or empty more often than it would be. */
public final class SomeBlocks {

  private static final List<String> NAMES =
      List.of("", "a", "asset", "système", "\u0000", "\uFFFD", "\uD83D\uDE00", "n".repeat(130));

  private final Random random;

  /** Makes the blocks of the seed. */
  public SomeBlocks(long seed) {
    this.random = new Random(seed);
  }

  /** Returns a block of any height and kind, linked to nothing. */
  public Block block() {
    long height = random.nextInt(5) == 0 ? 0 : random.nextLong() >>> (1 + random.nextInt(63));
    Kind kind = height == 0 ? Kind.GENESIS : random.nextInt(4) == 0 ? Kind.CONFIG : Kind.NORMAL;
    int count = random.nextInt(4) == 0 ? 0 : random.nextInt(5);
    List<Transaction> transactions = new ArrayList<>();
    List<RwSet> rwSets = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String id = NAMES.get(random.nextInt(NAMES.size())) + i;
      transactions.add(new Transaction(id, bytes()));
      rwSets.add(rwSet(id));
    }
    return new Block(height, kind, hash(1), hash(0), bytes(), transactions, rwSets, bytes());
  }

  private RwSet rwSet(String id) {
    List<RwSet.Read> reads = new ArrayList<>();
    List<RwSet.Write> writes = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      reads.add(new RwSet.Read(name(), bytes(), value()));
    }
    for (int i = random.nextInt(4); i > 0; i--) {
      writes.add(new RwSet.Write(name(), bytes(), value()));
    }
    return new RwSet(id, reads, writes);
  }

  private String name() {
    return NAMES.get(random.nextInt(NAMES.size()));
  }

  private Optional<Bytes> value() {
    return switch (random.nextInt(8)) {
      case 0, 1 -> Optional.empty();
      // about the size from which on a value is no longer copied into the row
      case 2 -> Optional.of(noise((64 << 10) - 1 + random.nextInt(3)));
      default -> Optional.of(bytes());
    };
  }

  private Bytes hash(int least) {
    int[] sizes = {least, 32, Block.MAX_HASH_BYTES};
    return noise(sizes[random.nextInt(sizes.length)]);
  }

  private Bytes bytes() {
    int[] sizes = {0, 1, 20, 127, 128, 200};
    return noise(sizes[random.nextInt(sizes.length)]);
  }

  private Bytes noise(int size) {
    byte[] bytes = new byte[size];
    random.nextBytes(bytes);
    return Bytes.wrap(bytes);
  }
}
