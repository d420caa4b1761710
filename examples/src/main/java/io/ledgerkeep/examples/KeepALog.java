package io.ledgerkeep.examples;

import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.logback.LedgerLogs;
import io.ledgerkeep.logback.LogLevel;
import java.io.IOException;
import java.io.PrintStream;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;

/** Where do the lines of the ledger go, and how many? For nodes that log with Logback. */
public final class KeepALog {

  private static final long MEGABYTE = 1_000_000;

  private KeepALog() {}

  /**
   * Runs the example.
   *
   * @param args the directory to work in; {@code example} if not given
   */
  public static void main(String[] args) {
    run(Path.of(args.length == 0 ? "example" : args[0]), System.out);
  }

  static void run(Path directory, PrintStream out) {
    Path settings = directory.resolve("node.properties");
    Path file = directory.resolve("log").resolve("ledger.log");
    try {
      Files.createDirectories(directory);
      Files.writeString(settings, "log.level=info\n");
      Files.deleteIfExists(file);
      try (LedgerLogs logs =
              LedgerLogs.builder()
                  .level(levelOf(settings))
                  .file(file)
                  .maxFileBytes(100 * MEGABYTE)
                  .maxDays(30)
                  .maxTotalBytes(2000 * MEGABYTE)
                  // Whoever edits the file changes the level, without a restart.
                  .followLevel(settings, KeepALog::levelOf, Duration.ofSeconds(5))
                  .open();
          Ledger ledger = open(directory)) {
        ledger.commitAll(MadeUpChain.blocks(100));
        ledger.archiver().archive(ArchiveRequest.upTo(80));
        logs.level(LogLevel.WARNING); // so does the node itself, at once
        ledger.restorer().restore(RestoreRequest.downTo(60));
      }
      Files.readAllLines(file).forEach(line -> out.println(line.replaceAll("\\|.*\\|", "|…|")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static LogLevel levelOf(Path settings) throws IOException {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(settings)) {
      properties.load(reader);
    }
    return LogLevel.of(properties.getProperty("log.level", "info"));
  }

  private static Ledger open(Path directory) {
    Path archive = directory.resolve("archive");
    return Ledgerkeep.builder()
        .directory(directory.resolve("data"))
        .storage("leveldb", Options.none())
        .reserveBytes(0) // holds no room for a full disk, which an example needs not
        .archiveStore("directory", Options.of("path", archive.toString()))
        .unarchivedBlocks(10)
        .open();
  }
}
