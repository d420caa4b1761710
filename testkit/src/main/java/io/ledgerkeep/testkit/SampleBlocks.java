package io.ledgerkeep.testkit;

import io.ledgerkeep.Block;
import io.ledgerkeep.Block.Kind;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Random;

/** Makes the blocks of a {@link SampleChain}, one after the other. For one thread. */
final class SampleBlocks implements Iterator<Block> {

  private static final int HEADER_BYTES = 120;

  /** So many of the keys take half of all reads and writes. */
  private static final int HOT_KEYS = 8;

  private static final List<String> NAMESPACES = List.of("token", "asset", "système");

  /** What payloads and values are cut from: text that compresses about as contract calls do. */
  private static final byte[] TEXT =
      ("{\"method\":\"transfer\",\"args\":[\"alice\",\"bob\",\"100\"],\"gas\":21000,\"memo\":"
              + "\"rent for the month\"} {\"method\":\"mint\",\"args\":[\"carol\",\"7\"]} ")
          .repeat(4)
          .getBytes(StandardCharsets.UTF_8);

  private final SampleChain.Builder settings;
  private final NavigableMap<Long, Long> seeds;
  private final Map<Integer, Bytes> state = new HashMap<>();
  private long height;
  private Bytes previousHash = Bytes.wrap(new byte[32]);

  /** Begins anew for every block, so that a branch has the same blocks below its height. */
  private Random random = new Random();

  SampleBlocks(SampleChain.Builder settings, NavigableMap<Long, Long> seeds) {
    this.settings = settings;
    this.seeds = seeds;
  }

  @Override
  public boolean hasNext() {
    return true;
  }

  @Override
  public Block next() {
    random = new Random(seeds.floorEntry(height).getValue() * 0x9E3779B97F4A7C15L + height);
    Block block = hashed(draft());
    previousHash = block.hash();
    height++;
    return block;
  }

  private Block draft() {
    Bytes header = noise(HEADER_BYTES);
    List<Transaction> transactions = new ArrayList<>();
    List<RwSet> rwSets = new ArrayList<>();
    int count = transactionCount();
    for (int i = 0; i < count; i++) {
      Transaction transaction = new Transaction(id(i), text(settings.payloadBytes));
      transactions.add(transaction);
      rwSets.add(rwSet(transaction.id()));
    }
    Bytes additional = noise(settings.additionalBytes);
    Bytes noHash = Bytes.wrap(new byte[1]);
    return new Block(
        height, kind(), noHash, previousHash, header, transactions, rwSets, additional);
  }

  private static Block hashed(Block draft) {
    return new Block(
        draft.height(),
        draft.kind(),
        SampleHash.of(draft),
        draft.previousHash(),
        draft.header(),
        draft.transactions(),
        draft.rwSets(),
        draft.additional());
  }

  private Kind kind() {
    if (height == 0) {
      return Kind.GENESIS;
    }
    return settings.configAt.test(height) ? Kind.CONFIG : Kind.NORMAL;
  }

  private int transactionCount() {
    if (settings.emptyAt.test(height)) {
      return 0;
    }
    return kind() == Kind.NORMAL ? settings.transactionsPerBlock : 1;
  }

  /** Returns an id that is unique by its end and in no order by its beginning. */
  private String id(int index) {
    byte[] id = new byte[32];
    random.nextBytes(id);
    ByteBuffer.wrap(id).putLong(20, height).putInt(28, index);
    return Bytes.wrap(id).hex();
  }

  private RwSet rwSet(String id) {
    List<RwSet.Read> reads = new ArrayList<>();
    for (int i = 0; i < settings.readsPerTransaction; i++) {
      int key = chooseKey();
      reads.add(new RwSet.Read(namespace(key), key(key), Optional.ofNullable(state.get(key))));
    }
    List<RwSet.Write> writes = new ArrayList<>();
    int count = random.nextInt(10) == 0 ? 0 : settings.writesPerTransaction;
    for (int i = 0; i < count; i++) {
      writes.add(write(chooseKey()));
    }
    return new RwSet(id, reads, writes);
  }

  private RwSet.Write write(int key) {
    Optional<Bytes> value = random.nextInt(8) == 0 ? Optional.empty() : Optional.of(value());
    value.ifPresentOrElse(present -> state.put(key, present), () -> state.remove(key));
    return new RwSet.Write(namespace(key), key(key), value);
  }

  private Bytes value() {
    return random.nextInt(20) == 0 ? Bytes.EMPTY : text(settings.valueBytes);
  }

  private int chooseKey() {
    return random.nextInt(random.nextBoolean() ? Math.min(HOT_KEYS, settings.keys) : settings.keys);
  }

  private static String namespace(int key) {
    return NAMESPACES.get(key % NAMESPACES.size());
  }

  /** Returns the bytes of the numbered key; zeros and high bytes are among them on purpose. */
  private static Bytes key(int number) {
    return Bytes.wrap(
        ByteBuffer.allocate(10)
            .putInt(number * 0x9E3779B1)
            .putShort((short) (number % 2 == 0 ? 0x0000 : 0xFFFF))
            .putInt(number)
            .array());
  }

  private Bytes noise(int size) {
    byte[] bytes = new byte[size];
    random.nextBytes(bytes);
    return Bytes.wrap(bytes);
  }

  /** Returns bytes of which a third is noise and the rest text. */
  private Bytes text(int size) {
    byte[] noise = new byte[size / 3];
    random.nextBytes(noise);
    byte[] bytes = new byte[size];
    System.arraycopy(noise, 0, bytes, 0, noise.length);
    for (int at = noise.length; at < size; at += TEXT.length / 2) {
      int from = random.nextInt(TEXT.length / 2);
      System.arraycopy(TEXT, from, bytes, at, Math.min(TEXT.length / 2, size - at));
    }
    return Bytes.wrap(bytes);
  }
}
