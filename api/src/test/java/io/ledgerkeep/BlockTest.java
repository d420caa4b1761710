package io.ledgerkeep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.ledgerkeep.Block.Kind;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class BlockTest {

  private static final Bytes HASH = Bytes.wrap(new byte[32]);

  private static Block block(long height, Kind kind, Bytes hash, Bytes previousHash) {
    return new Block(
        height, kind, hash, previousHash, Bytes.EMPTY, List.of(), List.of(), Bytes.EMPTY);
  }

  private static Block block(List<Transaction> transactions, List<RwSet> rwSets) {
    return new Block(1, Kind.NORMAL, HASH, HASH, Bytes.EMPTY, transactions, rwSets, Bytes.EMPTY);
  }

  private static RwSet rwSet(String id) {
    return new RwSet(id, List.of(), List.of());
  }

  private static Transaction transaction(String id) {
    return new Transaction(id, Bytes.EMPTY);
  }

  @Test
  void theBlockAtHeightZeroAndNoOtherIsGenesis() {
    assertThat(block(0, Kind.GENESIS, HASH, Bytes.EMPTY).height()).isZero();
    assertThatIllegalArgumentException().isThrownBy(() -> block(0, Kind.NORMAL, HASH, HASH));
    assertThatIllegalArgumentException().isThrownBy(() -> block(0, Kind.CONFIG, HASH, HASH));
    assertThatIllegalArgumentException().isThrownBy(() -> block(1, Kind.GENESIS, HASH, HASH));
    assertThatIllegalArgumentException().isThrownBy(() -> block(-1, Kind.NORMAL, HASH, HASH));
    assertThat(block(Long.MAX_VALUE, Kind.CONFIG, HASH, HASH).height()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void aHashHasOneTo64Bytes() {
    assertThatIllegalArgumentException().isThrownBy(() -> block(1, Kind.NORMAL, Bytes.EMPTY, HASH));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> block(1, Kind.NORMAL, Bytes.wrap(new byte[65]), HASH));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> block(1, Kind.NORMAL, HASH, Bytes.wrap(new byte[65])));
    assertThat(block(1, Kind.NORMAL, Bytes.wrap(new byte[64]), Bytes.EMPTY).hash().size())
        .isEqualTo(64);
  }

  @Test
  void everyTransactionHasItsReadWriteSetAtItsPlace() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> block(List.of(transaction("a")), List.of()));
    assertThatIllegalArgumentException().isThrownBy(() -> block(List.of(), List.of(rwSet("a"))));
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                block(
                    List.of(transaction("a"), transaction("b")), List.of(rwSet("b"), rwSet("a"))));
  }

  @Test
  void aBlockDoesNotFollowTheListsItWasMadeOf() {
    List<Transaction> transactions = new ArrayList<>(List.of(transaction("a")));
    List<RwSet> rwSets = new ArrayList<>(List.of(rwSet("a")));
    Block block = block(transactions, rwSets);
    transactions.clear();
    rwSets.clear();
    assertThat(block.transactions()).hasSize(1);
    assertThat(block.rwSets()).hasSize(1);
    List<RwSet.Write> writes = new ArrayList<>();
    RwSet set = new RwSet("a", List.of(), writes);
    writes.add(new RwSet.Write("n", HASH, Optional.empty()));
    assertThat(set.writes()).isEmpty();
  }

  @Test
  void anIdHasOneTo1024BytesOfUtf8() {
    assertThatIllegalArgumentException().isThrownBy(() -> transaction(""));
    assertThatIllegalArgumentException().isThrownBy(() -> rwSet(""));
    assertThatIllegalArgumentException().isThrownBy(() -> transaction("x".repeat(1025)));
    assertThatIllegalArgumentException().isThrownBy(() -> transaction("ü".repeat(512) + "x"));
    assertThatIllegalArgumentException().isThrownBy(() -> rwSet("x".repeat(1025)));
    assertThat(transaction("ü".repeat(512)).id()).hasSize(512);
    assertThat(transaction("\uD83D\uDE00".repeat(256)).id()).hasSize(512);
  }

  @ParameterizedTest
  @ValueSource(strings = {"\uD83D", "a\uDE00", "\uDE00\uD83D", "\uD83Da"})
  void halfASurrogatePairIsNoText(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> transaction(text));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RwSet.Write(text, HASH, Optional.empty()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RwSet.Read(text, HASH, Optional.empty()));
  }

  @Test
  void namespaceAndKeyTogetherHave32KiBAtMost() {
    Bytes rest = Bytes.wrap(new byte[RwSet.MAX_KEY_BYTES - 4]);
    assertThat(new RwSet.Write("üü", rest, Optional.empty()).key()).isEqualTo(rest);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RwSet.Write("üüx", rest, Optional.empty()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RwSet.Read("üüx", rest, Optional.empty()));
    String namespace = "n".repeat(RwSet.MAX_KEY_BYTES);
    assertThat(new RwSet.Read(namespace, Bytes.EMPTY, Optional.empty()).namespace())
        .isEqualTo(namespace);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RwSet.Read(namespace + "n", Bytes.EMPTY, Optional.empty()));
  }

  @Test
  void payloadsAndValuesHave64MiBAtMost() {
    Bytes largest = Bytes.wrap(new byte[Transaction.MAX_PAYLOAD_BYTES + 1]);
    Bytes within = largest.slice(0, RwSet.MAX_VALUE_BYTES);
    assertThat(new Transaction("a", within).payload()).isEqualTo(within);
    assertThatIllegalArgumentException().isThrownBy(() -> new Transaction("a", largest));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RwSet.Write("n", HASH, Optional.of(largest)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RwSet.Read("n", HASH, Optional.of(largest)));
  }

  @Test
  void theRawSizeIsThatOfUtf8() {
    for (String text : List.of("a", "é", "€", "\uD83D\uDE00", "mixed é€\uD83D\uDE00")) {
      int utf8 = text.getBytes(StandardCharsets.UTF_8).length;
      RwSet set =
          new RwSet(
              text,
              List.of(new RwSet.Read(text, HASH, Optional.empty())),
              List.of(new RwSet.Write(text, HASH, Optional.of(HASH))));
      Block block =
          new Block(
              1,
              Kind.NORMAL,
              HASH,
              HASH,
              Bytes.ofUtf8("head"),
              List.of(new Transaction(text, Bytes.ofUtf8("pay"))),
              List.of(set),
              Bytes.ofUtf8("votes"));
      assertThat(block.rawBytes()).isEqualTo(64 + 4 + 5 + utf8 + 3 + (3L * utf8 + 96));
    }
  }
}
