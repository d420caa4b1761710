package io.ledgerkeep.examples;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who may know whom: the rules that keep the house easy to change. */
final class ArchitectureTest {

  private static final String[] API = {
    "io.ledgerkeep",
    "io.ledgerkeep.archive",
    "io.ledgerkeep.encryption",
    "io.ledgerkeep.error",
    "io.ledgerkeep.job",
    "io.ledgerkeep.storage"
  };

  private static final JavaClasses ALL =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.ledgerkeep");

  @Test
  void theApiNeedsTheJavaBaseOnly() {
    classes()
        .that()
        .resideInAnyPackage(API)
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "io.ledgerkeep",
            "io.ledgerkeep.archive",
            "io.ledgerkeep.encryption",
            "io.ledgerkeep.error",
            "io.ledgerkeep.job",
            "io.ledgerkeep.storage",
            "java..")
        .check(ALL);
  }

  @Test
  void theApiCanBeReadInOneSitting() {
    List<String> types =
        ALL.stream()
            .filter(type -> List.of(API).contains(type.getPackageName()))
            .filter(type -> !type.getPackageName().equals("io.ledgerkeep.error"))
            .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC))
            .filter(JavaClass::isTopLevelClass)
            .map(JavaClass::getName)
            .sorted()
            .toList();
    assertThat(types).hasSizeBetween(20, 40);
  }

  @Test
  void coreNamesNoBackendAndBackendsNeverSeeCore() {
    noClasses()
        .that()
        .resideInAPackage("io.ledgerkeep.core..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.ledgerkeep.leveldb..",
            "io.ledgerkeep.badger..",
            "io.ledgerkeep.cli..",
            "io.ledgerkeep.testkit..")
        .check(ALL);
    noClasses()
        .that()
        .resideOutsideOfPackage("io.ledgerkeep.core..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.ledgerkeep.core..")
        .check(ALL);
  }

  @Test
  void theRoomsOfCoreDependOnEachOtherDownwardsOnly() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("ledger")
        .definedBy("io.ledgerkeep.core.ledger..")
        .layer("rebuilding")
        .definedBy(
            "io.ledgerkeep.core.rebuilding..",
            "io.ledgerkeep.core.rollback..",
            "io.ledgerkeep.core.doctor..")
        .layer("backup")
        .definedBy("io.ledgerkeep.core.backup..")
        .layer("archiving")
        .definedBy("io.ledgerkeep.core.archiving..")
        .layer("archive")
        .definedBy("io.ledgerkeep.core.archive..")
        .layer("chain")
        .definedBy("io.ledgerkeep.core.chain..", "io.ledgerkeep.core.derived..")
        .layer("segment")
        .definedBy("io.ledgerkeep.core.segment..")
        .whereLayer("ledger")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("rebuilding")
        .mayOnlyBeAccessedByLayers("ledger")
        .whereLayer("backup")
        .mayOnlyBeAccessedByLayers("ledger")
        .whereLayer("archiving")
        .mayOnlyBeAccessedByLayers("ledger", "rebuilding")
        .whereLayer("archive")
        .mayOnlyBeAccessedByLayers("ledger", "archiving")
        .whereLayer("chain")
        .mayOnlyBeAccessedByLayers("ledger", "rebuilding", "backup", "archiving")
        .whereLayer("segment")
        .mayOnlyBeAccessedByLayers("archiving", "archive")
        .check(ALL);
    SlicesRuleDefinition.slices()
        .matching("io.ledgerkeep.core.(*)..")
        .should()
        .beFreeOfCycles()
        .check(ALL);
  }
}
