package io.ledgerkeep.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.testkit.contract.ArchiveStoreContract;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each test of the stores' contract catches a store that breaks what it checks. */
final class BrokenStoresTest {

  static List<BrokenStores.Twin> twins() {
    return BrokenStores.all();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("twins")
  void theContractCatches(BrokenStores.Twin twin) {
    BrokenStoreContract.twin = twin.store();
    Set<String> expected = new HashSet<>(twin.maybeCaughtBy());
    expected.add(twin.caughtBy());

    assertThat(ContractRun.failures(BrokenStoreContract.class))
        .contains(twin.caughtBy())
        .isSubsetOf(expected);
  }

  @Test
  void aSoundStoreIsNotCaught() {
    BrokenStoreContract.twin = store -> store;
    assertThat(ContractRun.failures(BrokenStoreContract.class)).isEmpty();
  }

  @Test
  void everyTestOfTheContractHasAStoreThatItCatches() {
    Set<String> catching = new TreeSet<>();
    BrokenStores.all().forEach(twin -> catching.add(twin.caughtBy()));
    assertThat(catching).isEqualTo(ContractRun.tests(ArchiveStoreContract.class));
  }
}
