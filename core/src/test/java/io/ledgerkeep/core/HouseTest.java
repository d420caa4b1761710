package io.ledgerkeep.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HouseTest {
  @TempDir Path directory;

  @Test
  void testsWriteBelowTheBuildDirectory() {
    assertThat(directory).startsWith(Path.of(System.getProperty("basedir"), "target"));
  }
}
