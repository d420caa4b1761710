package io.ledgerkeep.crypto.hsm;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StandardOutputTest {

  private final PrintStream before = System.out;
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  StandardOutputTest() {
    System.setOut(new PrintStream(printed, true, UTF_8));
  }

  @AfterEach
  void putBack() {
    System.setOut(before);
  }

  private static void printInAnotherThread() {
    Thread other = new Thread(() -> printAll(System.out));
    other.start();
    try {
      other.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void printAll(PrintStream out) {
    out.println("zürich");
    out.println((Object) "größe");
    out.print("主");
    out.print('ß');
    out.print(new char[] {'ä', 'ö'});
    out.println(new char[] {'ü'});
    out.println('é');
    out.printf("%s %d%n", "ça", 7);
    out.println(42);
    out.print(1.5);
    out.append("ñ").println();
    out.flush();
  }

  @Test
  void theLinesOfTheWorkAreCaught() {
    var caught =
        StandardOutput.caught(
            () -> {
              System.out.println("one");
              System.out.println((Object) "two\nthree");
              return 4;
            });

    assertThat(caught.result()).hasValue(4);
    assertThat(caught.lines()).isEqualTo("one\ntwo\nthree\n");
    assertThat(printed.toString(UTF_8)).isEmpty();
  }

  @Test
  void whatItPrintedBeforeItFailedIsCaughtToo() {
    var caught =
        StandardOutput.caught(
            () -> {
              System.out.println("before");
              throw new IllegalStateException("failed");
            });

    assertThat(caught.failure()).get().isInstanceOf(IllegalStateException.class);
    assertThat(caught.lines()).isEqualTo("before\n");
  }

  @Test
  void otherThreadsPrintAsEver() {
    printAll(System.out);
    byte[] expected = printed.toByteArray();
    printed.reset();

    var caught =
        StandardOutput.caught(
            () -> {
              printInAnotherThread();
              return 0;
            });

    assertThat(printed.toString(UTF_8)).isEqualTo(new String(expected, UTF_8));
    assertThat(caught.lines()).isEmpty();
  }

  @Test
  void theUsualOutputIsBackAfterwards() {
    PrintStream usual = System.out;
    PrintStream[] kept = new PrintStream[1];
    StandardOutput.caught(() -> kept[0] = System.out);

    assertThat(System.out).isSameAs(usual);
    kept[0].println("kept");
    assertThat(printed.toString(UTF_8)).startsWith("kept");
  }
}
