package io.ledgerkeep.cli.interchange;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Reads blocks from lines of the interchange format. For one thread.
 *
 * <p>Keys may come in any order; one that is unknown, missing or given twice is refused, as is
 * everything else that is not exactly the format. White space within a line is passed over; an
 * empty line is refused; the line break of the last line may be missing.
 */
public final class BlockLinesReader implements Closeable {

  private static final List<String> BLOCK =
      List.of(
          "height",
          "kind",
          "hash",
          "previousHash",
          "header",
          "additional",
          "transactions",
          "rwSets");
  private static final List<String> TRANSACTION = List.of("id", "payload");
  private static final List<String> RW_SET = List.of("txId", "reads", "writes");
  private static final List<String> ENTRY = List.of("namespace", "key", "value");

  /** More than any block may have, which its ledger judges: only keeps one line from taking all. */
  private static final long MAX_LINE_BYTES = Block.MAX_BYTES + Transaction.MAX_PAYLOAD_BYTES;

  private final InputStream in;
  private final JsonScanner scanner;
  private long line;
  private long bytesLeft;

  /** Creates a reader of plain text. Closing the reader closes the stream. */
  public BlockLinesReader(InputStream in) {
    this.in = in;
    this.scanner = new JsonScanner(in);
  }

  /** Returns the number of the line that was read last, from 1; 0 before the first. */
  public long line() {
    return line;
  }

  /**
   * Returns the block of the next line, or empty at the end of the input.
   *
   * @throws InterchangeException if the line is not in the format, or the input breaks off; there
   *     is no reading on
   */
  public Optional<Block> read() throws InterchangeException {
    line++;
    try {
      if (scanner.atEnd()) {
        return Optional.empty();
      }
      bytesLeft = MAX_LINE_BYTES;
      Block block = block();
      scanner.endOfLine();
      return Optional.of(block);
    } catch (Malformed e) {
      throw e.atLine(line);
    } catch (IOException e) {
      throw new InterchangeException(line, "", "the input cannot be read: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  private Block block() throws IOException, Malformed {
    if (scanner.peek() == '\n') {
      throw new Malformed("the line is empty");
    }
    BlockFields fields = new BlockFields();
    object(BLOCK, fields);
    return checked(fields::toBlock);
  }

  private Transaction transaction() throws IOException, Malformed {
    TransactionFields fields = new TransactionFields();
    object(TRANSACTION, fields);
    return checked(() -> new Transaction(fields.id, fields.payload));
  }

  private RwSet rwSet() throws IOException, Malformed {
    RwSetFields fields = new RwSetFields();
    object(RW_SET, fields);
    return checked(() -> new RwSet(fields.txId, fields.reads, fields.writes));
  }

  private RwSet.Read readEntry() throws IOException, Malformed {
    EntryFields fields = new EntryFields();
    object(ENTRY, fields);
    return checked(() -> new RwSet.Read(fields.namespace, fields.key, fields.value));
  }

  private RwSet.Write writeEntry() throws IOException, Malformed {
    EntryFields fields = new EntryFields();
    object(ENTRY, fields);
    return checked(() -> new RwSet.Write(fields.namespace, fields.key, fields.value));
  }

  /** Receives the value of one key after the other; every key comes exactly once. */
  private interface Fields {
    void read(String key) throws IOException, Malformed;
  }

  private final class BlockFields implements Fields {
    private long height;
    private Block.Kind kind = Block.Kind.NORMAL;
    private Bytes hash = Bytes.EMPTY;
    private Bytes previousHash = Bytes.EMPTY;
    private Bytes header = Bytes.EMPTY;
    private Bytes additional = Bytes.EMPTY;
    private List<Transaction> transactions = List.of();
    private List<RwSet> rwSets = List.of();

    @Override
    public void read(String key) throws IOException, Malformed {
      switch (key) {
        case "height" -> height = scanner.wholeNumber();
        case "kind" -> kind = kind();
        case "hash" -> hash = hex();
        case "previousHash" -> previousHash = hex();
        case "header" -> header = bytes(Block.MAX_BYTES);
        case "additional" -> additional = bytes(Block.MAX_BYTES);
        case "transactions" -> transactions = array(BlockLinesReader.this::transaction);
        default -> rwSets = array(BlockLinesReader.this::rwSet);
      }
    }

    private Block toBlock() {
      return new Block(height, kind, hash, previousHash, header, transactions, rwSets, additional);
    }
  }

  private final class TransactionFields implements Fields {
    private String id = "";
    private Bytes payload = Bytes.EMPTY;

    @Override
    public void read(String key) throws IOException, Malformed {
      if (key.equals("id")) {
        id = scanner.text(Transaction.MAX_ID_BYTES);
      } else {
        payload = bytes(Transaction.MAX_PAYLOAD_BYTES);
      }
    }
  }

  private final class RwSetFields implements Fields {
    private String txId = "";
    private List<RwSet.Read> reads = List.of();
    private List<RwSet.Write> writes = List.of();

    @Override
    public void read(String key) throws IOException, Malformed {
      switch (key) {
        case "txId" -> txId = scanner.text(Transaction.MAX_ID_BYTES);
        case "reads" -> reads = array(BlockLinesReader.this::readEntry);
        default -> writes = array(BlockLinesReader.this::writeEntry);
      }
    }
  }

  private final class EntryFields implements Fields {
    private String namespace = "";
    private Bytes key = Bytes.EMPTY;
    private Optional<Bytes> value = Optional.empty();

    @Override
    public void read(String name) throws IOException, Malformed {
      switch (name) {
        case "namespace" -> namespace = scanner.text(RwSet.MAX_KEY_BYTES);
        case "key" -> key = bytes(RwSet.MAX_KEY_BYTES);
        default ->
            value =
                scanner.takeNull() ? Optional.empty() : Optional.of(bytes(RwSet.MAX_VALUE_BYTES));
      }
    }
  }

  private void object(List<String> keys, Fields fields) throws IOException, Malformed {
    scanner.expect('{');
    int seen = 0;
    do {
      String key = scanner.text(Transaction.MAX_ID_BYTES);
      int index = keys.indexOf(key);
      if (index < 0) {
        throw new Malformed("unknown key").within(key);
      }
      if ((seen >> index & 1) != 0) {
        throw new Malformed("the key is given twice").within(key);
      }
      seen |= 1 << index;
      try {
        scanner.expect(':');
        fields.read(key);
      } catch (Malformed e) {
        throw e.within(key);
      }
    } while (scanner.takeIf(','));
    scanner.expect('}');
    requireAll(keys, seen);
  }

  private static void requireAll(List<String> keys, int seen) throws Malformed {
    for (int i = 0; i < keys.size(); i++) {
      if ((seen >> i & 1) == 0) {
        throw new Malformed("the key is missing").within(keys.get(i));
      }
    }
  }

  /** Reads one element of an array. */
  private interface Element<T> {
    T read() throws IOException, Malformed;
  }

  private <T> List<T> array(Element<T> element) throws IOException, Malformed {
    List<T> elements = new ArrayList<>();
    scanner.expect('[');
    if (scanner.takeIf(']')) {
      return elements;
    }
    do {
      try {
        elements.add(element.read());
      } catch (Malformed e) {
        throw e.withinElement(elements.size());
      }
    } while (scanner.takeIf(','));
    scanner.expect(']');
    return elements;
  }

  private Block.Kind kind() throws IOException, Malformed {
    String name = scanner.text(Transaction.MAX_ID_BYTES);
    return BlockLines.kind(name)
        .orElseThrow(() -> new Malformed("a kind is genesis, config or normal"));
  }

  private Bytes hex() throws IOException, Malformed {
    String hex = scanner.text(2 * Block.MAX_HASH_BYTES);
    if (hex.chars().anyMatch(c -> c >= 'A' && c <= 'F')) {
      throw new Malformed("hexadecimal digits must be in lower case");
    }
    try {
      return Bytes.fromHex(hex);
    } catch (IllegalArgumentException e) {
      throw new Malformed("not an even number of hexadecimal digits", e);
    }
  }

  /** Takes base64 within the limit of the field and of what is left of the block's. */
  private Bytes bytes(long limit) throws IOException, Malformed {
    Bytes bytes = scanner.base64(Math.min(limit, bytesLeft));
    bytesLeft -= bytes.size();
    return bytes;
  }

  private static <T> T checked(Supplier<T> value) throws Malformed {
    try {
      return value.get();
    } catch (IllegalArgumentException e) {
      throw new Malformed(String.valueOf(e.getMessage()), e);
    }
  }
}
