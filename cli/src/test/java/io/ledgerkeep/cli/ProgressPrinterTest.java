package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.job.Progress;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class ProgressPrinterTest {

  private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
  private long now = 1_000_000_000L;

  @Test
  void aPlainLineComesEveryFewSecondsOnly() {
    ProgressPrinter printer = printer(false);
    for (int tenths = 1; tenths <= 120; tenths++) {
      now += 100_000_000L;
      printer.accept(progress(tenths));
    }
    printer.end();
    assertThat(text().lines())
        .containsExactly(
            "write: 50 of 200 blocks, 10.0 MB/s, 15.0 s left",
            "write: 100 of 200 blocks, 10.0 MB/s, 10.0 s left");
  }

  @Test
  void onATerminalABarIsRedrawnInItsLine() {
    ProgressPrinter printer = printer(true);
    now += 100_000_000L;
    printer.accept(progress(100));
    now += 50_000_000L;
    printer.accept(progress(101));
    now += 50_000_000L;
    printer.accept(progress(200));
    printer.end();
    printer.end();
    assertThat(text())
        .isEqualTo(
            "\r["
                + "#".repeat(15)
                + ".".repeat(15)
                + "] write: 100 of 200 blocks, 10.0 MB/s, 10.0 s left"
                + "\r["
                + "#".repeat(30)
                + "] write: 200 of 200 blocks, 10.0 MB/s, 0.0 s left "
                + System.lineSeparator());
  }

  @Test
  void withoutATotalThereIsNoBarAndNoTimeLeft() {
    ProgressPrinter printer = printer(false);
    now += 5_000_000_000L;
    printer.accept(new Progress("import", 7, 0, 0, Duration.ZERO));
    assertThat(text()).isEqualTo("import: 7 blocks" + System.lineSeparator());
  }

  private ProgressPrinter printer(boolean terminal) {
    return new ProgressPrinter(
        new PrintStream(shown, true, StandardCharsets.UTF_8), terminal, () -> now);
  }

  private String text() {
    return shown.toString(StandardCharsets.UTF_8);
  }

  private static Progress progress(int tenths) {
    return new Progress(
        "write", tenths, 200, tenths * 1_000_000L, Duration.ofMillis(tenths * 100L));
  }
}
