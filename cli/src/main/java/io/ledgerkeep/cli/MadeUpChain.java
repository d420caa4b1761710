package io.ledgerkeep.cli;

import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Random;

/**
 * A made-up consortium chain: payments between a few accounts, votes of four validators, a config
 * block now and then. The same blocks every time.
 */
final class MadeUpChain implements Iterator<Block> {

  private static final int CONFIG_EVERY = 150;
  private static final int ACCOUNTS = 300;
  private static final int SIGNATURE_BYTES = 64;
  private static final int VALIDATORS = 4;
  private static final String NAMESPACE = "payments";

  private final int blocks;
  private final Random random = new Random(20_250_101);
  private final Map<Bytes, Bytes> balances = new HashMap<>();
  private int height;
  private Bytes previousHash = Bytes.EMPTY;

  MadeUpChain(int blocks) {
    this.blocks = blocks;
  }

  @Override
  public boolean hasNext() {
    return height < blocks;
  }

  @Override
  public Block next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    List<Transaction> transactions = new ArrayList<>();
    List<RwSet> rwSets = new ArrayList<>();
    int count = height == 0 ? 0 : random.nextInt(6);
    for (int i = 0; i < count; i++) {
      pay(transactions, rwSets);
    }
    Bytes header = Bytes.ofUtf8("height=" + height + ";time=" + (1_700_000_000L + 2L * height));
    Bytes hash = hash(header, transactions);
    Block block =
        new Block(
            height,
            kind(),
            hash,
            previousHash,
            header,
            transactions,
            rwSets,
            randomBytes(VALIDATORS * SIGNATURE_BYTES));
    previousHash = hash;
    height++;
    return block;
  }

  private Block.Kind kind() {
    if (height == 0) {
      return Block.Kind.GENESIS;
    }
    return height % CONFIG_EVERY == 0 ? Block.Kind.CONFIG : Block.Kind.NORMAL;
  }

  private void pay(List<Transaction> transactions, List<RwSet> rwSets) {
    Bytes from = account();
    Bytes to = account();
    String id = randomBytes(16).hex();
    String text =
        "{\"method\":\"pay\",\"from\":\"%s\",\"to\":\"%s\",\"amount\":%s,\"signature\":\"%s\"}"
            .formatted(
                from.utf8(), to.utf8(), random.nextInt(100), randomBytes(SIGNATURE_BYTES).hex());
    transactions.add(new Transaction(id, Bytes.ofUtf8(text)));
    List<RwSet.Read> reads =
        List.of(
            new RwSet.Read(NAMESPACE, from, Optional.ofNullable(balances.get(from))),
            new RwSet.Read(NAMESPACE, to, Optional.ofNullable(balances.get(to))));
    rwSets.add(new RwSet(id, reads, List.of(newBalance(from), newBalance(to))));
  }

  /** Now and then an account is closed. */
  private RwSet.Write newBalance(Bytes account) {
    if (random.nextInt(10) == 0) {
      balances.remove(account);
      return new RwSet.Write(NAMESPACE, account, Optional.empty());
    }
    Bytes balance = Bytes.ofUtf8(Integer.toString(random.nextInt(1_000_000)));
    balances.put(account, balance);
    return new RwSet.Write(NAMESPACE, account, Optional.of(balance));
  }

  private Bytes account() {
    return Bytes.ofUtf8("account-" + random.nextInt(ACCOUNTS));
  }

  private Bytes randomBytes(int size) {
    byte[] bytes = new byte[size];
    random.nextBytes(bytes);
    return Bytes.wrap(bytes);
  }

  private Bytes hash(Bytes header, List<Transaction> transactions) {
    Hasher hasher = Hashing.sha256().newHasher();
    hasher.putBytes(previousHash.toArray()).putBytes(header.toArray());
    for (Transaction transaction : transactions) {
      hasher.putString(transaction.id(), StandardCharsets.UTF_8);
      hasher.putBytes(transaction.payload().toArray());
    }
    return Bytes.wrap(hasher.hash().asBytes());
  }
}
