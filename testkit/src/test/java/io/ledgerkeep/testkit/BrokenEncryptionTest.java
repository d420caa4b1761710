package io.ledgerkeep.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.testkit.contract.CipherSuiteContract;
import io.ledgerkeep.testkit.contract.EncryptorContract;
import io.ledgerkeep.testkit.contract.KeyWrapperContract;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each test of the contracts of encryption catches what breaks the rule that it checks. */
final class BrokenEncryptionTest {

  static List<Twin<BrokenEncryptors.Maker>> encryptors() {
    return BrokenEncryptors.all();
  }

  static List<Twin<BrokenWrappers.Maker>> wrappers() {
    return BrokenWrappers.all();
  }

  static List<Twin<Supplier<CipherSuite>>> suites() {
    return BrokenSuites.all();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("encryptors")
  void theContractCatchesEncryptors(Twin<BrokenEncryptors.Maker> twin) {
    BrokenEncryptors.Contract.twin = twin.maker();
    assertCaught(twin, BrokenEncryptors.Contract.class);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrappers")
  void theContractCatchesWrappers(Twin<BrokenWrappers.Maker> twin) {
    BrokenWrappers.Contract.twin = twin.maker();
    assertCaught(twin, BrokenWrappers.Contract.class);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("suites")
  void theContractCatchesSuites(Twin<Supplier<CipherSuite>> twin) {
    BrokenSuites.Contract.twin = twin.maker();
    assertCaught(twin, BrokenSuites.Contract.class);
  }

  private static void assertCaught(Twin<?> twin, Class<?> contract) {
    Set<String> expected = new HashSet<>(twin.maybeCaughtBy());
    expected.add(twin.caughtBy());
    assertThat(ContractRun.failures(contract)).contains(twin.caughtBy()).isSubsetOf(expected);
  }

  @Test
  void whatIsSoundIsNotCaught() {
    BrokenEncryptors.Contract.twin =
        (place, shared) -> new SampleEncryptor(place.toString().hashCode());
    BrokenWrappers.Contract.twin = (masterKey, shared) -> new SampleWrapper(masterKey);
    BrokenSuites.Contract.twin = SampleSuite::new;
    assertThat(ContractRun.failures(BrokenEncryptors.Contract.class)).isEmpty();
    assertThat(ContractRun.failures(BrokenWrappers.Contract.class)).isEmpty();
    assertThat(ContractRun.failures(BrokenSuites.Contract.class)).isEmpty();
  }

  @Test
  void everyTestOfTheContractsHasATwinThatItCatches() {
    assertThat(caught(BrokenEncryptors.all()))
        .isEqualTo(ContractRun.tests(EncryptorContract.class));
    assertThat(caught(BrokenWrappers.all())).isEqualTo(ContractRun.tests(KeyWrapperContract.class));
    assertThat(caught(BrokenSuites.all())).isEqualTo(ContractRun.tests(CipherSuiteContract.class));
  }

  private static <M> Set<String> caught(List<Twin<M>> twins) {
    Set<String> caught = new TreeSet<>();
    twins.forEach(twin -> caught.add(twin.caughtBy()));
    return caught;
  }
}
