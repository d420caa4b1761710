package io.ledgerkeep.leveldb;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The settings of one store, checked. Each has one option of the same meaning:
 *
 * <table>
 * <caption>Options of the provider {@code leveldb}</caption>
 * <tr><th>option</th><th>default</th><th>range</th></tr>
 * <tr><td>{@code write-buffer-bytes}</td><td>16 MiB</td><td>64 KiB to 256 MiB</td></tr>
 * <tr><td>{@code cache-bytes}</td><td>32 MiB</td><td>0 to 64 GiB</td></tr>
 * <tr><td>{@code block-bytes}</td><td>4 KiB</td><td>1 KiB to 4 MiB</td></tr>
 * <tr><td>{@code max-open-files}</td><td>1000</td><td>64 to 50000</td></tr>
 * <tr><td>{@code compression}</td><td>{@code none}</td><td>{@code none}, {@code snappy}</td></tr>
 * <tr><td>{@code low-space-bytes}</td><td>32 MiB</td><td>0 to 1 TiB</td></tr>
 * <tr><td>{@code native-directory}</td><td>the temporary directory</td><td>a directory</td></tr>
 * </table>
 *
 * @param writeBufferBytes what is collected in memory before a table is written; up to twice as
 *     much is held. Larger buffers write less in all and need more room on a full disk
 * @param cacheBytes how much of uncompressed tables is kept in memory
 * @param blockBytes what one read takes from a table
 * @param maxOpenFiles how many tables, of about 2 MiB, are kept open
 * @param snappy whether tables are compressed
 * @param lowSpaceBytes room that writes leave to deletes, compaction and what follows a commit
 * @param nativeDirectory where the native library lies or is unpacked to
 */
record LevelDbConfig(
    long writeBufferBytes,
    long cacheBytes,
    long blockBytes,
    int maxOpenFiles,
    boolean snappy,
    long lowSpaceBytes,
    Optional<Path> nativeDirectory) {

  private static final String WRITE_BUFFER = "write-buffer-bytes";
  private static final String CACHE = "cache-bytes";
  private static final String BLOCK = "block-bytes";
  private static final String OPEN_FILES = "max-open-files";
  private static final String COMPRESSION = "compression";
  private static final String LOW_SPACE = "low-space-bytes";
  private static final String NATIVE_DIRECTORY = "native-directory";

  private static final long KIB = 1 << 10;
  private static final long MIB = 1 << 20;
  private static final long GIB = 1 << 30;

  /** Returns the settings that the options stand for; all that is not given has its default. */
  static LevelDbConfig of(Options options) {
    options.onlyAllow(
        WRITE_BUFFER, CACHE, BLOCK, OPEN_FILES, COMPRESSION, LOW_SPACE, NATIVE_DIRECTORY);
    return new LevelDbConfig(
        options.number(WRITE_BUFFER, 16 * MIB, 64 * KIB, 256 * MIB),
        options.number(CACHE, 32 * MIB, 0, 64 * GIB),
        options.number(BLOCK, 4 * KIB, KIB, 4 * MIB),
        (int) options.number(OPEN_FILES, 1000, 64, 50_000),
        compression(options),
        options.number(LOW_SPACE, 32 * MIB, 0, 1024 * GIB),
        options.text(NATIVE_DIRECTORY).map(Path::of));
  }

  private static boolean compression(Options options) {
    String text = options.text(COMPRESSION).orElse("none");
    return switch (text) {
      case "none" -> false;
      case "snappy" -> true;
      default ->
          throw new ConfigurationException("option '" + COMPRESSION + "' must be none or snappy");
    };
  }
}
