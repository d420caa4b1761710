package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.LedgerReader.HistoryEntry;
import io.ledgerkeep.LedgerView;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A ledger of which a file is gone, short or changed: it is refused with what is wrong, or it is
 * whole all the same; never is there silently less of it.
 */
@Timeout(600)
final class DamagedLedgerTest {

  private static final int BLOCKS = 200;
  private static final int EARLIER = 150;
  private static final String CHAIN = Place.chain(BLOCKS);

  /** Files without which a ledger is none; a table may be one that LevelDB was about to remove. */
  private static final Pattern NEEDED_WHOLE = Pattern.compile("LAYOUT|CURRENT|MANIFEST-.*");

  /** What nobody reads but people. */
  private static final Set<String> OF_NO_ACCOUNT =
      Set.of("LOCK", "OWNER", "LOG", "LOG.old", "status.json");

  @TempDir private Path directory;
  private Place place;
  private Map<Path, byte[]> earlier;
  private Map<Path, byte[]> whole;
  private String contents;

  @BeforeEach
  void makeLedger() throws IOException {
    place =
        new Place(
            directory,
            directory.resolve("data"),
            directory.resolve("archive"),
            "reserve_bytes: 0",
            "leveldb:",
            "  write-buffer-bytes: 65536");
    place.withChain(EARLIER).archivedTo(100);
    earlier = read(place.data);
    assertThat(Run.reading(CHAIN, place.withData("import", "-")).exitCode()).isZero();
    whole = read(place.data);
    contents = stateAndHistory();
  }

  @Test
  void aFileThatIsGoneOrShortOrChangedIsRefusedUnlessAllIsThereWithoutIt() throws IOException {
    for (Map.Entry<Path, byte[]> file : whole.entrySet()) {
      String name = file.getKey().getFileName().toString();
      boolean needed = NEEDED_WHOLE.matcher(name).matches();
      assertRefusedOrWhole(file.getKey(), Optional.empty(), needed);
      byte[] content = OF_NO_ACCOUNT.contains(name) ? new byte[0] : file.getValue();
      for (int length : new int[] {0, content.length - 1}) {
        if (length >= 0 && length < content.length) {
          assertRefusedOrWhole(file.getKey(), Optional.of(Arrays.copyOf(content, length)), needed);
        }
      }
      for (int at = 0; at < content.length; at += 1 + content.length / 2) {
        byte[] changed = content.clone();
        changed[at] ^= 4;
        assertRefusedOrWhole(file.getKey(), Optional.of(changed), false);
      }
    }
  }

  @Test
  void aLedgerWithoutLayoutIsNotTakenForAnEmptyDirectory() throws IOException {
    Files.delete(place.data.resolve("LAYOUT"));
    Run init = place.run("init");
    assertThat(init.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(init.err()).contains("holds files but no LAYOUT");
    Files.write(place.data.resolve("LAYOUT"), whole.get(place.data.resolve("LAYOUT")));
    assertThat(place.runWithArchive("export", "-").out()).isEqualTo(CHAIN);
  }

  @ParameterizedTest
  @ValueSource(strings = {"block", "state", "history"})
  void aDatabaseThatIsGoneIsMissed(String database) throws IOException {
    for (String part : List.of(database, database + "/db")) {
      putBack(whole, "");
      MoreFiles.deleteRecursively(place.data.resolve(part), RecursiveDeleteOption.ALLOW_INSECURE);
      assertThat(place.run("status").exitCode()).as(part).isEqualTo(ExitCode.INTEGRITY);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"block", "state", "history"})
  void anOlderCopyOfADatabaseIsRefused(String database) throws IOException {
    putBack(earlier, database);
    Run status = place.run("status");
    assertThat(status.exitCode()).as(status.out()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(status.err()).contains("doctor");
  }

  private void assertRefusedOrWhole(Path file, Optional<byte[]> damaged, boolean isNeeded)
      throws IOException {
    String what = file + " of " + damaged.map(bytes -> bytes.length).orElse(-1) + " bytes";
    putBack(whole, "");
    Files.delete(file);
    if (damaged.isPresent()) {
      Files.write(file, damaged.get());
    }
    int exitCode = isDerived(file) ? lookAtStateAndHistory(what) : lookAtBlocks(what);
    if (isNeeded) {
      assertThat(exitCode).as(what).isIn(ExitCode.USAGE, ExitCode.INTEGRITY);
    }
  }

  private boolean isDerived(Path file) {
    return file.startsWith(place.data.resolve("state"))
        || file.startsWith(place.data.resolve("history"));
  }

  private int lookAtBlocks(String what) {
    Run export = place.runWithArchive("export", "-");
    if (export.exitCode() == ExitCode.DONE) {
      assertThat(export.out()).as(what).isEqualTo(CHAIN);
    } else {
      assertThat(export.exitCode()).as(what).isIn(ExitCode.USAGE, ExitCode.INTEGRITY);
    }
    return export.exitCode();
  }

  private int lookAtStateAndHistory(String what) {
    try {
      assertThat(stateAndHistory()).as(what).isEqualTo(contents);
      return ExitCode.DONE;
    } catch (IntegrityException refused) {
      return ExitCode.INTEGRITY;
    }
  }

  /** Every value, and for every key all that wrote it. */
  private String stateAndHistory() {
    StringBuilder text = new StringBuilder();
    try (Ledger ledger =
            Ledgerkeep.builder()
                .directory(place.data)
                .storage("leveldb", Options.none())
                .openExisting();
        LedgerView view = ledger.view()) {
      for (int account = 0; account < 60; account++) {
        Bytes key = Bytes.ofUtf8("account-" + account);
        text.append(view.state("payments", key)).append('\n');
        try (CloseableIterator<HistoryEntry> history = view.history("payments", key)) {
          history.forEachRemaining(text::append);
        }
      }
    }
    return text.toString();
  }

  /** Puts a part of the ledger back as it was, or all of it. */
  private void putBack(Map<Path, byte[]> copy, String part) throws IOException {
    Path root = place.data.resolve(part);
    MoreFiles.deleteRecursively(root, RecursiveDeleteOption.ALLOW_INSECURE);
    for (Map.Entry<Path, byte[]> file : copy.entrySet()) {
      if (file.getKey().startsWith(root)) {
        Files.createDirectories(file.getKey().getParent());
        Files.write(file.getKey(), file.getValue());
      }
    }
  }

  private static Map<Path, byte[]> read(Path directory) throws IOException {
    Map<Path, byte[]> contents = new LinkedHashMap<>();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        contents.put(file, Files.readAllBytes(file));
      }
    }
    return contents;
  }
}
