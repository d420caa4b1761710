package io.ledgerkeep.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;
import org.junit.platform.testkit.engine.Events;

/** Runs a contract and tells which of its tests failed. */
final class ContractRun {

  private ContractRun() {}

  /** Returns the names of the tests of the class that failed. */
  static Set<String> failures(Class<?> contract) {
    Events tests =
        EngineTestKit.engine("junit-jupiter")
            .selectors(selectClass(contract))
            .execute()
            .testEvents();
    assertThat(tests.started().count()).isPositive();
    return tests.failed().stream()
        .map(ContractRun::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Returns the names of all tests of a contract. */
  static Set<String> tests(Class<?> contract) {
    return Arrays.stream(contract.getDeclaredMethods())
        .filter(method -> method.isAnnotationPresent(Test.class))
        .map(Method::getName)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static String name(Event event) {
    TestDescriptor test = event.getTestDescriptor();
    return ((MethodSource) test.getSource().orElseThrow()).getMethodName();
  }
}
