package io.ledgerkeep.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.testkit.contract.StorageEngineContract;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each test of the engines' contract catches an engine that breaks what it checks. */
final class BrokenEnginesTest {

  private static final String PROCESS_DIES = "rule4_theDeathOfTheProcessLosesNoWriteThatReturned";
  private static final String PROCESS_REFUSED = "rule12_anOpenStoreIsRefusedToAnotherProcess";

  static List<BrokenEngines.Twin> twins() {
    return BrokenEngines.all();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("twins")
  void theContractCatches(BrokenEngines.Twin twin) {
    BrokenEngineContract.twin = twin.provider();
    Set<String> expected = new HashSet<>(twin.maybeCaughtBy());
    expected.add(twin.caughtBy());

    assertThat(ContractRun.failures(BrokenEngineContract.class))
        .contains(twin.caughtBy())
        .isSubsetOf(expected);
  }

  @Test
  void theContractCatchesAnEngineWhoseBufferedWritesDieWithTheProcess() {
    assertThat(fileFailures(FileStorage.Hoarding::new)).containsExactly(PROCESS_DIES);
  }

  @Test
  void theContractCatchesAnEngineThatDoesNotSeeOtherProcesses() {
    assertThat(fileFailures(FileStorage.Unlocked::new)).containsExactly(PROCESS_REFUSED);
  }

  private static Set<String> fileFailures(Supplier<StorageEngineProvider> provider) {
    BrokenFileContract.twin = provider;
    return ContractRun.failures(BrokenFileContract.class);
  }

  @Test
  void aSoundEngineIsNotCaught() {
    BrokenEngineContract.twin = Function.identity();
    assertThat(ContractRun.failures(BrokenEngineContract.class)).isEmpty();
  }

  @Test
  void everyTestOfTheContractHasAnEngineThatItCatches() {
    Set<String> catching = new TreeSet<>(Set.of(PROCESS_DIES, PROCESS_REFUSED));
    BrokenEngines.all().forEach(twin -> catching.add(twin.caughtBy()));
    assertThat(catching).isEqualTo(ContractRun.tests(StorageEngineContract.class));
  }
}
