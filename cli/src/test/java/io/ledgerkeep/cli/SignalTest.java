package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A process that owns the ledger, waits for more input, and gets signals. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class SignalTest {

  private static final String CHAIN = Place.chain(400);

  /** More than pipes and buffers hold, so that once it is written the child is reading. */
  private static final String WITHOUT_ITS_END = CHAIN.substring(0, CHAIN.length() - 10);

  @TempDir private Path directory;
  private Place place;

  @BeforeEach
  void makeLedger() {
    place = new Place(directory);
    assertThat(place.run("init").exitCode()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM", "HUP"})
  void aSignalStopsTheImportBetweenBatches(String signal) throws Exception {
    assumeThat(signal.equals("HUP") && hangUpsAreIgnored())
        .as("not this session: it was started to ignore that it is hung up, and so are children")
        .isFalse();
    try (Child child = readingChild()) {
      child.signal(signal);
      child.awaitLine("stopping");
      child.in().close();
      assertThat(child.awaitLine("height")).contains("run the same import again");
      assertThat(child.awaitExit()).isEqualTo(ExitCode.INTERRUPTED);
    }
    Run again = Run.reading(CHAIN, place.withData("import", "-"));
    assertThat(again.exitCode()).isZero();
    assertThat(place.run("export", "-").out()).isEqualTo(CHAIN);
  }

  @Test
  void aSecondSignalEndsTheProcessAtOnce() throws Exception {
    try (Child child = readingChild()) {
      child.signal("INT");
      child.awaitLine("stopping");
      assertThat(child.isAlive()).isTrue();
      child.signal("INT");
      assertThat(child.awaitExit()).isEqualTo(ExitCode.INTERRUPTED);
    }
    assertThat(place.run("status").exitCode()).isZero();
  }

  @Test
  void anotherProcessIsToldWhoOwnsTheLedger() throws Exception {
    try (Child child = readingChild()) {
      Run status = place.run("status", "--json");
      assertThat(status.exitCode()).isZero();
      assertThat(status.json())
          .containsEntry("source", "status.json")
          .containsEntry("pid", child.pid());
      Run verify = place.run("verify");
      assertThat(verify.exitCode()).isEqualTo(ExitCode.LOCKED);
      assertThat(verify.err()).contains("pid " + child.pid());
    }
  }

  /** Under {@code nohup} a JVM leaves the signal alone, as it should. */
  private static boolean hangUpsAreIgnored() throws IOException {
    Path status = Path.of("/proc/self/status");
    return Files.exists(status)
        && Files.readAllLines(status).stream()
            .filter(line -> line.startsWith("SigIgn:"))
            .anyMatch(line -> "13579bdf".indexOf(line.charAt(line.length() - 1)) >= 0);
  }

  private Child readingChild() throws IOException {
    Child child = Child.start(List.of(), place.withData("import", "-"));
    child.in().write(WITHOUT_ITS_END.getBytes(StandardCharsets.UTF_8));
    child.in().flush();
    return child;
  }
}
