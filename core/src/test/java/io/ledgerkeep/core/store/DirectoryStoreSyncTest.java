package io.ledgerkeep.core.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the store asks of the operating system, and in which order: a power cut cannot be played
 * here, but what would be lost in one follows from that. Skipped where strace is missing.
 */
@Timeout(120)
final class DirectoryStoreSyncTest {

  private static final String NAME = "genesis/ledger/one";
  private static final String CALLS =
      "trace=write,pwrite64,fsync,fdatasync,link,linkat,unlink,unlinkat,mkdir,mkdirat";
  private static final Pattern CALL = Pattern.compile("([a-z]+)(?:64|at)?\\((.*)");
  private static final Pattern PART = Pattern.compile("\\.one\\.[0-9a-f]+\\.part");

  @TempDir Path temporary;
  private Path root;

  @BeforeEach
  void requireStrace() throws Exception {
    assumeTrue(succeeds("strace", "-V"), "strace is missing");
    root = temporary.toRealPath().resolve("archive");
  }

  @Test
  void anObjectIsSyncedBeforeItGetsItsNameAndItsDirectoryAfterwards() throws Exception {
    Files.createDirectories(root.resolve("genesis/ledger"));
    List<String> calls = callsOf(Putting.class);
    assertThat(calls)
        .containsSubsequence(
            "write genesis/ledger/PART",
            "fsync genesis/ledger/PART",
            "link genesis/ledger/PART",
            "fsync genesis/ledger");
    assertThat(calls.lastIndexOf("write genesis/ledger/PART"))
        .as("nothing is written after the sync")
        .isLessThan(calls.indexOf("fsync genesis/ledger/PART"));
    assertThat(calls.indexOf("link genesis/ledger/PART"))
        .as("no name before the sync")
        .isGreaterThan(calls.indexOf("fsync genesis/ledger/PART"));
  }

  @Test
  void everyDirectoryThatIsMadeIsSyncedInTheOneAbove() throws Exception {
    assertThat(callsOf(Putting.class))
        .containsSubsequence(
            "mkdir .",
            "fsync ..",
            "mkdir genesis",
            "fsync .",
            "mkdir genesis/ledger",
            "fsync genesis",
            "link genesis/ledger/PART");
  }

  @Test
  void aDeletedObjectDoesNotComeBack() throws Exception {
    Putting.main(new String[] {root.toString()});
    assertThat(callsOf(Deleting.class))
        .containsSubsequence("unlink genesis/ledger/one", "fsync genesis/ledger");
  }

  /** Puts an object. */
  static final class Putting {

    public static void main(String[] arguments) {
      new DirectoryStore(Path.of(arguments[0])).put(NAME, out -> out.write(new byte[1 << 20]));
    }
  }

  /** Deletes it. */
  static final class Deleting {

    public static void main(String[] arguments) {
      new DirectoryStore(Path.of(arguments[0])).delete(NAME);
    }
  }

  /** Returns the calls about files at or below the root, and about the directory above it. */
  private List<String> callsOf(Class<?> main) throws Exception {
    Path trace = temporary.resolve("trace");
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    assertThat(
            succeeds(
                "strace",
                "-f",
                "-y",
                "-qq",
                "-s",
                "0",
                "-e",
                CALLS,
                "-o",
                trace.toString(),
                java.toString(),
                "-cp",
                System.getProperty("java.class.path"),
                main.getName(),
                root.toString()))
        .isTrue();
    List<String> calls = new ArrayList<>();
    for (String line : Files.readAllLines(trace)) {
      Matcher call = CALL.matcher(line);
      if (call.find()) {
        fileOf(call.group(2)).ifPresent(file -> calls.add(call.group(1) + " " + file));
      }
    }
    return calls;
  }

  private Optional<String> fileOf(String arguments) {
    Matcher path = Pattern.compile("[<\"](/[^>\"]*)[>\"]").matcher(arguments);
    while (path.find()) {
      Path file = Path.of(path.group(1));
      if (file.equals(root.getParent())) {
        return Optional.of("..");
      }
      if (file.startsWith(root)) {
        String below = root.relativize(file).toString();
        return Optional.of(below.isEmpty() ? "." : PART.matcher(below).replaceAll("PART"));
      }
    }
    return Optional.empty();
  }

  private static boolean succeeds(String... command) throws Exception {
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    }
  }
}
