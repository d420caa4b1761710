package io.ledgerkeep.cli;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.logback.LedgerLogs;
import io.ledgerkeep.logback.LogLevel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What the section {@code log:} of a configuration makes of the log of a command. */
final class LogSettings {

  static final String COMPRESS = "compress";
  static final String CONFIG_FILE = "config_file";
  static final String FILE_PATH = "file_path";
  static final String LEVEL = "level";
  static final String LOG_IN_CONSOLE = "log_in_console";
  static final String MAX_AGE = "max_age";
  static final String ROTATION_SIZE = "rotation_size";
  static final String TOTAL_SIZE = "total_size";

  /** How soon an edited level holds. */
  static final Duration EVERY = Duration.ofSeconds(5);

  private static final int MAX_MEGABYTES = 1 << 30;

  private final Options log;
  private final List<Path> taken;

  /**
   * Reads the section.
   *
   * @param taken directories whose files are not ours to add to
   */
  LogSettings(ConfigFile config, List<Path> taken) {
    this.log = config.log();
    this.taken = List.copyOf(taken);
  }

  /** Begins to log, at the level of the option if there is one. */
  LedgerLogs open(GlobalOptions options, Duration every) {
    LedgerLogs.Builder builder = builder();
    if (options.logLevel != null) {
      builder.level(options.logLevel);
    } else if (options.config != null) {
      builder.followLevel(
          options.config, file -> new LogSettings(ConfigFile.read(file), taken).level(), every);
    }
    return builder.open();
  }

  /**
   * Returns what is set, but for the options of the command line.
   *
   * @throws ConfigurationException if that does not fit together
   */
  LedgerLogs.Builder builder() {
    long rotationSize = megabytes(ROTATION_SIZE, 100);
    long totalSize = megabytes(TOTAL_SIZE, 2000);
    if (totalSize < rotationSize) {
      throw new ConfigurationException(
          "log: %s must be at least %s, as one file that has ended has so much"
              .formatted(TOTAL_SIZE, ROTATION_SIZE));
    }
    Optional<Path> file = file();
    boolean isShown = file.isEmpty() || log.flag(LOG_IN_CONSOLE, false);
    LedgerLogs.Builder builder =
        LedgerLogs.builder()
            .libraries()
            .level(level())
            .console(isShown ? LogLevel.TRACE : LogLevel.WARNING)
            .maxFileBytes(rotationSize)
            .maxTotalBytes(totalSize)
            .maxDays((int) log.number(MAX_AGE, 365, 1, Integer.MAX_VALUE))
            .compress(log.flag(COMPRESS, true));
    file.ifPresent(builder::file);
    return builder;
  }

  private LogLevel level() {
    return log.text(LEVEL)
        .map(LogLevel::of)
        .orElse(log.text(FILE_PATH).isPresent() ? LogLevel.INFO : LogLevel.WARNING);
  }

  private Optional<Path> file() {
    Optional<Path> file = Settings.path(log, FILE_PATH);
    for (Path directory : taken) {
      if (file.filter(at -> absolute(at).startsWith(absolute(directory))).isPresent()) {
        throw new ConfigurationException(
            "log: %s lies in %s, among the files of the ledger or its archive; name a file elsewhere"
                .formatted(FILE_PATH, directory));
      }
    }
    return file;
  }

  private static Path absolute(Path path) {
    return path.toAbsolutePath().normalize();
  }

  private long megabytes(String key, long otherwise) {
    return log.number(key, otherwise, 1, MAX_MEGABYTES) << 20;
  }
}
