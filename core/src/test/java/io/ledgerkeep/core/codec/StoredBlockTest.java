package io.ledgerkeep.core.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Block;
import io.ledgerkeep.Block.Kind;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.error.IntegrityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class StoredBlockTest {

  private final MessageDigest digest = Digests.SHA256.newDigest();

  private Bytes recordDigest(Block block) {
    StoredBlock stored = StoredBlock.of(block);
    return BlockDigests.recordDigest(BlockDigests.of(stored, digest).meta(stored), digest);
  }

  private static List<Bytes> rows(StoredBlock stored) {
    List<Bytes> rows = new ArrayList<>();
    rows.add(stored.additional());
    stored.transactions().forEach(row -> rows.add(row.join()));
    stored.rwSets().forEach(row -> rows.add(row.join()));
    return rows;
  }

  @Test
  void aBlockComesBackFromItsRowsAndTheRowsFromTheBlock() {
    SomeBlocks blocks = new SomeBlocks(1);
    for (int i = 0; i < 500; i++) {
      Block block = blocks.block();
      StoredBlock stored = StoredBlock.of(block);
      Block decoded = stored.decode();

      assertThat(decoded).isEqualTo(block);
      assertThat(rows(StoredBlock.of(decoded))).isEqualTo(rows(stored));
      assertThat(stored.bodyBytes()).isEqualTo(rows(stored).stream().mapToLong(Bytes::size).sum());
      for (int t = 0; t < block.transactions().size(); t++) {
        assertThat(StoredBlock.transactionId(stored.transactions().get(t).join()))
            .isEqualTo(block.transactions().get(t).id());
      }
    }
  }

  @Test
  void theHeadComesBack() {
    SomeBlocks blocks = new SomeBlocks(2);
    for (int i = 0; i < 100; i++) {
      BlockHead head = BlockHead.of(blocks.block());
      ByteWriter out = new ByteWriter(0);
      head.writeTo(out);
      ByteReader in = new ByteReader(out.take(), "a head");
      assertThat(BlockHead.readFrom(in, head.height())).isEqualTo(head);
      in.end();
    }
  }

  @Test
  void theMetaTellsWhatTheBlockIs() {
    Block block = new SomeBlocks(3).block();
    StoredBlock stored = StoredBlock.of(block);
    BlockDigests digests = BlockDigests.of(stored, digest);
    var meta = digests.meta(stored);
    assertThat(BlockHead.of(meta)).isEqualTo(BlockHead.of(block));
    assertThat(meta.transactionCount()).isEqualTo(block.transactions().size());
    assertThat(meta.bodyBytes()).isEqualTo(stored.bodyBytes());
    assertThat(meta.headerDigest()).isEqualTo(sha256(block.header()));
    assertThat(meta.additionalDigest()).isEqualTo(sha256(block.additional()));
    assertThat(meta.transactionRoot()).isEqualTo(root(stored.transactions()));
    assertThat(meta.rwSetRoot()).isEqualTo(root(stored.rwSets()));
  }

  private Bytes sha256(Bytes bytes) {
    return Bytes.wrap(digest.digest(bytes.toArray()));
  }

  private Bytes root(List<Rope> rows) {
    return MerkleTree.root(digest, rows.stream().map(row -> MerkleTree.leaf(digest, row)).toList());
  }

  /** Every change of anything in a block, also one that only moves a border. */
  @Test
  void equalRecordDigestsMeanEqualBlocks() {
    Bytes one = Bytes.ofUtf8("1");
    Block block = simple(1, Kind.NORMAL, one, one, one, "t", one, "n", one, Optional.of(one), one);
    Bytes two = Bytes.ofUtf8("2");
    Bytes longer = Bytes.ofUtf8("11");
    Stream<Block> others =
        Stream.of(
            simple(2, Kind.NORMAL, one, one, one, "t", one, "n", one, Optional.of(one), one),
            simple(1, Kind.CONFIG, one, one, one, "t", one, "n", one, Optional.of(one), one),
            simple(1, Kind.NORMAL, two, one, one, "t", one, "n", one, Optional.of(one), one),
            simple(1, Kind.NORMAL, longer, one, one, "t", one, "n", one, Optional.of(one), one),
            simple(1, Kind.NORMAL, one, two, one, "t", one, "n", one, Optional.of(one), one),
            simple(1, Kind.NORMAL, one, one, two, "t", one, "n", one, Optional.of(one), one),
            simple(1, Kind.NORMAL, one, one, one, "u", one, "n", one, Optional.of(one), one),
            simple(1, Kind.NORMAL, one, one, one, "t1", one, "n", one, Optional.of(one), one),
            simple(1, Kind.NORMAL, one, one, one, "t", two, "n", one, Optional.of(one), one),
            simple(1, Kind.NORMAL, one, one, one, "t", one, "m", one, Optional.of(one), one),
            simple(1, Kind.NORMAL, one, one, one, "t", one, "n1", one, Optional.of(one), one),
            simple(1, Kind.NORMAL, one, one, one, "t", one, "n", two, Optional.of(one), one),
            simple(1, Kind.NORMAL, one, one, one, "t", one, "n", one, Optional.of(two), one),
            simple(1, Kind.NORMAL, one, one, one, "t", one, "n", one, Optional.empty(), one),
            simple(
                1, Kind.NORMAL, one, one, one, "t", one, "n", one, Optional.of(Bytes.EMPTY), one),
            simple(1, Kind.NORMAL, one, one, one, "t", one, "n", one, Optional.of(one), two),
            readInsteadOfWrite(block));
    Bytes expected = recordDigest(block);
    assertThat(others).allSatisfy(other -> assertThat(recordDigest(other)).isNotEqualTo(expected));
    assertThat(recordDigest(StoredBlock.of(block).decode())).isEqualTo(expected);
  }

  private static Block simple(
      long height,
      Kind kind,
      Bytes hash,
      Bytes previousHash,
      Bytes header,
      String id,
      Bytes payload,
      String namespace,
      Bytes key,
      Optional<Bytes> value,
      Bytes additional) {
    RwSet.Write write = new RwSet.Write(namespace, key, value);
    return new Block(
        height,
        kind,
        hash,
        previousHash,
        header,
        List.of(new Transaction(id, payload)),
        List.of(new RwSet(id, List.of(), List.of(write))),
        additional);
  }

  private static Block readInsteadOfWrite(Block block) {
    RwSet set = block.rwSets().get(0);
    RwSet.Write write = set.writes().get(0);
    RwSet.Read read = new RwSet.Read(write.namespace(), write.key(), write.value());
    return new Block(
        block.height(),
        block.kind(),
        block.hash(),
        block.previousHash(),
        block.header(),
        block.transactions(),
        List.of(new RwSet(set.txId(), List.of(read), List.of())),
        block.additional());
  }

  // ------------------------------------------------------------------------------------ damage

  @Test
  void aDamagedRowIsToldAndNothingElse() {
    SomeBlocks blocks = new SomeBlocks(4);
    for (int i = 0; i < 15; i++) {
      StoredBlock stored = StoredBlock.of(blocks.block());
      for (Rope row : stored.transactions()) {
        damaged(row.join(), StoredBlock::transaction);
        damaged(row.join(), StoredBlock::transactionId);
      }
      for (Rope row : stored.rwSets()) {
        damaged(row.join(), bytes -> StoredBlock.rwSet("id", bytes));
      }
      damaged(head(stored), bytes -> BlockHead.readFrom(new ByteReader(bytes, "a head"), 7));
    }
  }

  @Test
  void aBlockOfDamagedRowsIsToldAndNothingElse() {
    Random random = new Random(5);
    SomeBlocks blocks = new SomeBlocks(5);
    for (int i = 0; i < 500; i++) {
      StoredBlock stored = StoredBlock.of(blocks.block());
      List<Rope> transactions = new ArrayList<>(stored.transactions());
      List<Rope> rwSets = new ArrayList<>(stored.rwSets());
      if (transactions.isEmpty()) {
        continue;
      }
      List<Rope> rows = random.nextBoolean() ? transactions : rwSets;
      int at = random.nextInt(rows.size());
      rows.set(at, Rope.of(flipped(rows.get(at).join(), random)));
      StoredBlock damaged =
          new StoredBlock(stored.head(), stored.additional(), transactions, rwSets);
      onlyIntegrity(damaged::decode);
    }
  }

  private static Bytes head(StoredBlock stored) {
    ByteWriter out = new ByteWriter(0);
    stored.head().writeTo(out);
    return out.take();
  }

  /** Flips every bit of the first bytes, cuts at every place, and adds a byte. */
  private static void damaged(Bytes row, Consumer<Bytes> decode) {
    int looked = Math.min(row.size(), 200);
    for (int at = 0; at < looked; at++) {
      for (int bit = 0; bit < 8; bit++) {
        byte[] bytes = row.toArray();
        bytes[at] ^= (byte) (1 << bit);
        onlyIntegrity(() -> decode.accept(Bytes.wrap(bytes)));
      }
      Bytes cut = row.slice(0, at);
      onlyIntegrity(() -> decode.accept(cut));
    }
    onlyIntegrity(() -> decode.accept(new ByteWriter(0).raw(row).u8(0).take()));
  }

  private static Bytes flipped(Bytes row, Random random) {
    byte[] bytes = row.size() == 0 ? new byte[1] : row.toArray();
    bytes[random.nextInt(Math.min(bytes.length, 50))] = (byte) random.nextInt();
    return Bytes.wrap(bytes);
  }

  /**
   * What is damaged may still be a row, which the digests tell apart; but nothing else is thrown.
   */
  private static void onlyIntegrity(Runnable decode) {
    try {
      decode.run();
    } catch (IntegrityException e) {
      assertThat(e).hasMessageContaining("damaged");
    }
  }

  @Test
  void whatTheApiWouldRefuseIsDamage() {
    Bytes longKey = Bytes.wrap(new byte[RwSet.MAX_KEY_BYTES]);
    Bytes row = new ByteWriter(0).varint(0).varint(1).text("n").sized(longKey).varint(0).take();
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> StoredBlock.rwSet("id", row))
        .withMessageContaining("a read/write set is damaged");
    Bytes noId = new ByteWriter(0).varint(0).take();
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> StoredBlock.transaction(noId))
        .withMessageContaining("a transaction is damaged");
  }
}
