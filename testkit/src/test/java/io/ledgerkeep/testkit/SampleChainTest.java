package io.ledgerkeep.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.error.IntegrityException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class SampleChainTest {

  private final SampleChain chain = SampleChain.ofSeed(7);

  @Test
  void blocksAreLinkedAndPassTheirVerifier() {
    Bytes previous = Bytes.wrap(new byte[32]);
    long height = 0;
    for (Block block : chain.blocks(300).toList()) {
      assertThat(block.height()).isEqualTo(height++);
      assertThat(block.previousHash()).isEqualTo(previous);
      assertThatCode(() -> SampleChain.verifier().verify(block)).doesNotThrowAnyException();
      previous = block.hash();
    }
  }

  @Test
  void theSameSettingsGiveTheSameBlocksForEver() {
    assertThat(chain.blocks(100)).isEqualTo(SampleChain.ofSeed(7).blocks(100).toList());
    assertThat(chain.block(99).hash().hex())
        .isEqualTo("43722b4074710c290df7c729e5542b54e2e9024fceb6a024cdef35647ff667e0");
    assertThat(chain.block(5).hash()).isNotEqualTo(SampleChain.ofSeed(8).block(5).hash());
  }

  @Test
  void aBranchIsTheSameBelowItsHeightAndDiffersFromItOn() {
    SampleChain branch = chain.branch(50, 8);

    assertThat(branch.blocks(50)).isEqualTo(chain.blocks(50).toList());
    assertThat(branch.block(50).previousHash()).isEqualTo(chain.block(49).hash());
    assertThat(branch.blocks(50, 60)).doesNotContainAnyElementsOf(chain.blocks(50, 60).toList());
    assertThat(branch.branch(20, 9).blocks(20, 21))
        .doesNotContainAnyElementsOf(chain.blocks(20, 21).toList());
    assertThatThrownBy(() -> chain.branch(0, 8)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> chain.branch(5, 7)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void kindsAndCountsAreWhatWasAskedFor() {
    SampleChain asked =
        SampleChain.builder()
            .configAt(height -> height < 3 || height == 10)
            .emptyAt(height -> height == 5 || height == 10)
            .transactionsPerBlock(4)
            .payloadBytes(1000)
            .build();
    List<Block> blocks = asked.blocks(12).toList();

    assertThat(blocks).extracting(Block::kind).startsWith(Block.Kind.GENESIS, Block.Kind.CONFIG);
    assertThat(blocks.get(2).kind()).isEqualTo(Block.Kind.CONFIG);
    assertThat(blocks.get(10).kind()).isEqualTo(Block.Kind.CONFIG);
    assertThat(blocks)
        .extracting(block -> block.transactions().size())
        .containsExactly(1, 1, 1, 4, 4, 0, 4, 4, 4, 4, 0, 4);
    assertThat(blocks.get(3).transactions())
        .allSatisfy(transaction -> assertThat(transaction.payload().size()).isEqualTo(1000));
  }

  @Test
  void readsSeeTheWritesBeforeThemAndKeysAreRewrittenAndDeleted() {
    Map<List<Object>, Bytes> state = new HashMap<>();
    int rewritten = 0;
    int deleted = 0;
    for (Block block : chain.blocks(300).toList()) {
      for (RwSet rwSet : block.rwSets()) {
        for (RwSet.Read read : rwSet.reads()) {
          Bytes seen = state.get(List.of(read.namespace(), read.key()));
          assertThat(read.value()).isEqualTo(Optional.ofNullable(seen));
        }
        for (RwSet.Write write : rwSet.writes()) {
          List<Object> key = List.of(write.namespace(), write.key());
          boolean known = state.remove(key) != null;
          rewritten += known && write.value().isPresent() ? 1 : 0;
          deleted += known && write.value().isEmpty() ? 1 : 0;
          write.value().ifPresent(value -> state.put(key, value));
        }
      }
    }
    assertThat(rewritten).isGreaterThan(500);
    assertThat(deleted).isGreaterThan(50);
  }

  @Test
  void idsAreUniqueInTheChainAndItsBranches() {
    Set<String> ids = new HashSet<>();
    chain.blocks(200).forEach(block -> addAll(ids, block));
    chain.branch(100, 9).blocks(100, 200).forEach(block -> addAll(ids, block));
  }

  private static void addAll(Set<String> ids, Block block) {
    for (Transaction transaction : block.transactions()) {
      assertThat(ids.add(transaction.id())).isTrue();
    }
  }

  @Test
  void theVerifierRefusesAChangedBlock() {
    Block block = chain.block(12);
    Block changed =
        new Block(
            block.height(),
            block.kind(),
            block.hash(),
            block.previousHash(),
            Bytes.ofUtf8("another header"),
            block.transactions(),
            block.rwSets(),
            block.additional());

    assertThatThrownBy(() -> SampleChain.verifier().verify(changed))
        .isInstanceOf(IntegrityException.class);
  }
}
