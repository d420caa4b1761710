package io.ledgerkeep.cli;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * All keys of a configuration file: what each means, what it is where it is not set, and why those
 * that ChainMaker's {@code storage:} has beside are refused. The page {@code docs/configuration.md}
 * is made of it.
 */
final class ConfigKeys {

  /** What the value of a key is. */
  enum Kind {
    TEXT,
    SECRET,
    NUMBER,
    FLAG,
    LEVEL,
    SECTION
  }

  /**
   * A key that is read.
   *
   * @param otherwise what holds where it is not set; empty where nothing does
   */
  record Known(String name, Kind kind, String otherwise, String meaning) {}

  /**
   * A key that ChainMaker has and a ledger of ours has no use for.
   *
   * @param harmless the values that ask for nothing else than what holds anyway
   */
  record Refused(String name, List<String> harmless, String reason) {

    static Refused of(String name, String reason, String... harmless) {
      return new Refused(name, List.of(harmless), reason);
    }

    /** Returns why, and what is accepted. */
    String text() {
      return harmless.isEmpty()
          ? reason
          : "%s; only '%s' is accepted".formatted(reason, String.join("' or '", harmless));
    }
  }

  static final List<Known> STORAGE =
      List.of(
          new Known(
              ConfigFile.STORE_PATH, Kind.TEXT, "", "the directory of the ledger, as `--data`"),
          new Known(
              ConfigFile.ARCHIVE_PATH,
              Kind.TEXT,
              "",
              "the directory of the archive, as `--archive`"),
          new Known(
              ConfigFile.PROVIDER,
              Kind.TEXT,
              "leveldb",
              "the engine, at `init`: `leveldb` or `badgerdb`"),
          new Known(
              ConfigFile.CHAIN_ID,
              Kind.TEXT,
              "chain1",
              "the name of the chain, at `init`; later it must fit"),
          new Known(
              ConfigFile.UNARCHIVED,
              Kind.NUMBER,
              "300000",
              "how many of the newest blocks stay on the node; less than 10 becomes 10; may change at any"
                  + " time, the next import or archive run keeps it"),
          new Known(
              ConfigFile.ARCHIVE_KEEP_BLOCKS,
              Kind.NUMBER,
              "",
              "a rule of `archive --policy`: how many of the newest blocks stay"),
          new Known(
              ConfigFile.ARCHIVE_KEEP_BYTES,
              Kind.NUMBER,
              "",
              "a rule of `archive --policy`: how many bytes of bodies stay"),
          new Known(
              ConfigFile.ARCHIVE_FREE_BYTES,
              Kind.NUMBER,
              "",
              "a rule of `archive --policy`: how many bytes are to be free on the disk of the block"
                  + " database"),
          new Known(
              ConfigFile.READ_THROUGH,
              Kind.FLAG,
              "false",
              "whether archived blocks are read from the archive"),
          new Known(
              ConfigFile.REBUILD_HEIGHT,
              Kind.NUMBER,
              "0",
              "up to which height `rebuild-dbs` rebuilds; 0: all; below the newest it is a roll back"),
          new Known(
              ConfigFile.RESERVE_BYTES,
              Kind.NUMBER,
              "67108864",
              "the size of each database's file in reserve"),
          new Known(
              ConfigFile.ENCRYPTOR,
              Kind.TEXT,
              "",
              "`aes` or `sm4`: everything is encrypted, from `init` on; with `encrypt_key`"),
          new Known(
              ConfigFile.ENCRYPT_KEY,
              Kind.SECRET,
              "",
              "the master key: `0x…` is hexadecimal, a path names its file, anything else is the key's"
                  + " characters; `hex:`, `file:` and `raw:` say it outright, `env:` names an environment"
                  + " variable that has one of these. With a token: the name of the key in there"),
          new Known(
              ConfigFile.EMPTY_KEY_FILE,
              Kind.FLAG,
              "false",
              "whether a command empties the key file once the key has served"),
          new Known(
              ConfigFile.ALLOW_SAMPLE_KEY,
              Kind.FLAG,
              "false",
              "whether a key that documents show as an example is accepted"),
          new Known(
              ConfigFile.BLOCKDB,
              Kind.SECTION,
              "as `provider`",
              "a section: the engine of the block database, at `init`; it holds blocks, results and"
                  + " indexes"),
          new Known(
              ConfigFile.STATEDB,
              Kind.SECTION,
              "as `provider`",
              "a section: the engine of the state, at `init`"),
          new Known(
              ConfigFile.HISTORYDB,
              Kind.SECTION,
              "as `provider`",
              "a section: the engine of the history, at `init`"),
          new Known(
              ConfigFile.LEVELDB,
              Kind.SECTION,
              "",
              "a section: the [options of LevelDB](backends.md#the-leveldb-engine)"),
          new Known(
              ConfigFile.BADGERDB,
              Kind.SECTION,
              "",
              "a section: the [options of Badger](backends.md#the-badger-engine)"));

  static final List<Known> DATABASE =
      List.of(
          new Known(ConfigFile.PROVIDER, Kind.TEXT, "as of all", "the engine of this database"));

  private static final String PASSWORD = "password";

  static final List<Known> TOKEN =
      List.of(
          new Known(
              ConfigFile.ENABLED,
              Kind.FLAG,
              "false",
              "whether the master key is in a token; has to be said where anything else is"),
          new Known("type", Kind.TEXT, "pkcs11", "the kind of interface; `sdf` is refused"),
          new Known("library", Kind.TEXT, "", "the path of the maker's PKCS#11 library"),
          new Known("label", Kind.TEXT, "", "the label of the token"),
          new Known(
              "serial",
              Kind.TEXT,
              "",
              "the serial number of the token, where labels are not enough"),
          new Known(
              PASSWORD,
              Kind.SECRET,
              "",
              "the PIN, or better where it is: `file:` and a path, or `env:` and the name of an environment"
                  + " variable; `raw:` stands before a PIN that begins so itself"),
          new Known("password_file", Kind.TEXT, "", "the file that holds the PIN"),
          new Known(
              "password_env",
              Kind.TEXT,
              "",
              "the name of the environment variable that holds the PIN"),
          new Known("session_cache_size", Kind.NUMBER, "10", "how many sessions are kept open"),
          new Known(
              "hash", Kind.TEXT, "SHA256", "`SHA256` or `SM3`: makes the identity of the key"),
          new Known(
              "mode",
              Kind.TEXT,
              "envelope",
              "`envelope`: the token wraps data keys; `direct`: it seals every value"),
          new Known(
              "route",
              Kind.TEXT,
              "auto",
              "how the token is spoken to: `native`, `sunpkcs11` (AES only), or `auto`: the first that serves"),
          new Known(
              "profile", Kind.TEXT, "standard, for AES", "the numbers of a maker's own mechanisms"),
          new Known(
              "mac_key",
              Kind.TEXT,
              "",
              "in mode `direct`: the key that authenticates what CBC encrypted"),
          new Known(
              "archive",
              Kind.TEXT,
              "token",
              "in mode `direct`: where archives are sealed: `token` or `memory`"));

  static final List<Known> LOG =
      List.of(
          new Known(
              LogSettings.LEVEL,
              Kind.LEVEL,
              "info",
              "`trace`, `debug`, `info`, `warning`, `error` or `fatal`; may change at any time, also"
                  + " while a command runs. Without `file_path` it is `warning` where it is not set"),
          new Known(
              LogSettings.FILE_PATH,
              Kind.TEXT,
              "",
              "the file of the log; a process that finds another one writing there takes `-2`, `-3`, …"
                  + " into the name. Without it, standard error has the log"),
          new Known(
              LogSettings.ROTATION_SIZE,
              Kind.NUMBER,
              "100",
              "at how many MB a file ends and the next begins, as it does with the day"),
          new Known(
              LogSettings.MAX_AGE,
              Kind.NUMBER,
              "365",
              "how many days files are kept that have ended"),
          new Known(
              LogSettings.TOTAL_SIZE,
              Kind.NUMBER,
              "2000",
              "how many MB these may have together; the oldest go first"),
          new Known(
              LogSettings.COMPRESS,
              Kind.FLAG,
              "true",
              "whether files that have ended are compressed, with gzip"),
          new Known(
              LogSettings.LOG_IN_CONSOLE,
              Kind.FLAG,
              "false",
              "whether standard error has all that the file has, not only what is `warning` or worse"),
          new Known(
              LogSettings.CONFIG_FILE,
              Kind.TEXT,
              "",
              "where ChainMaker keeps the settings of its own log; not read"));

  private static final String NO_FILES =
      "blocks lie in the block database, as with disable_block_file_db: true";
  private static final String AT_ONCE = "archive and restore jobs work when they are called";

  static final List<Refused> REFUSED =
      List.of(
          Refused.of("archive_check_interval", AT_ONCE),
          Refused.of(
              "bigfilter_config", "the filter of ids is the ledger's own and needs no server"),
          Refused.of("block_store_tmp_path", NO_FILES),
          Refused.of("block_write_buffer_size", "set cache-bytes in the section leveldb", "0"),
          Refused.of("bloom_filter_bits", "the engine's tables have no filter", "0"),
          Refused.of("contract_eventdb_config", "events are kept by none of the databases"),
          Refused.of("db_prefix", "there is no SQL engine"),
          Refused.of("disable_block_file_db", NO_FILES, "true"),
          Refused.of(
              "disable_contract_eventdb", "events are kept by none of the databases", "true"),
          Refused.of("disable_historydb", "the history is always kept", "false"),
          Refused.of("disable_logdb_mmap", "there is no log beside the databases"),
          Refused.of("disable_resultdb", "results are always kept", "false"),
          Refused.of("disable_state_cache", "values are cached by the engine alone", "true"),
          Refused.of(
              "enable_bigfilter",
              "the filter of ids is the ledger's own and always there",
              "false"),
          Refused.of(
              "enable_rwc", "the filter of ids is the ledger's own and always there", "false"),
          Refused.of("is_async", "a commit is durable when it returns", "false"),
          Refused.of("logdb_segment_async", "a commit is durable when it returns", "false"),
          Refused.of("logdb_segment_size", "there is no log beside the databases"),
          Refused.of("read_bfdb_timeout", NO_FILES),
          Refused.of("restore_interval", AT_ONCE),
          Refused.of("resultdb_config", "results lie in the block database: see blockdb_config"),
          Refused.of("rolling_window_cache_capacity", "the filter of ids is the ledger's own", "0"),
          Refused.of("slow_log", "measures tell what is slow", "0"),
          Refused.of("state_cache_config", "values are cached by the engine alone"),
          Refused.of("txexistdb_config", "the block database has the index of ids"),
          Refused.of("write_batch_size", "batches are as large as the engine takes", "0"),
          Refused.of("write_block_type", "there is one way to write blocks", "0"),
          Refused.of("write_buffer_size", "set write-buffer-bytes in the section leveldb", "0"));

  private static final String FLAT = "the keys of the log stand right below log:";

  static final List<Refused> REFUSED_OF_LOG =
      List.of(
          Refused.of("brief", FLAT),
          Refused.of("event", FLAT),
          Refused.of("log_level_default", "set level"),
          Refused.of("log_levels", "one level holds for all modules"),
          Refused.of("rotation_time", "a file ends with the day, and at rotation_size", "24"),
          Refused.of("show_color", "lines have no colours", "false"),
          Refused.of("system", FLAT));

  static final List<Refused> REFUSED_OF_DATABASE =
      List.of(
          Refused.of("badgerdb_config", "set the section badgerdb, which all databases share"),
          Refused.of("bloom_config", "the engine's tables have no filter"),
          Refused.of("disable_account_history", "there is no history of accounts", "true"),
          Refused.of("disable_contract_history", "there is no history of contracts", "true"),
          Refused.of("disable_key_history", "the history of keys is always kept", "false"),
          Refused.of(
              "leveldb_config",
              "set the section leveldb, which all databases share; migrate --database brings one to"
                  + " another directory"),
          Refused.of("sqldb_config", "there is no SQL engine"),
          Refused.of("tikvdb_config", "there is no engine for TiKV yet"));

  private ConfigKeys() {}

  static List<String> names(List<Known> keys) {
    return keys.stream().map(Known::name).toList();
  }

  static Known known(List<Known> keys, String name) {
    return keys.stream().filter(key -> key.name().equals(name)).findFirst().orElseThrow();
  }

  static Optional<Refused> refused(List<Refused> keys, String name) {
    return keys.stream().filter(key -> key.name().equals(name)).findFirst();
  }

  /** Returns the value of a key as it may be shown: a secret only where it says where that is. */
  static String shown(Known key, String value) {
    boolean isPlace =
        Stream.of("file:", "env:").anyMatch(value::startsWith)
            || (key.name().equals(ConfigFile.ENCRYPT_KEY) && value.startsWith("/"));
    return key.kind() == Kind.SECRET && !isPlace ? "***" : value;
  }

  // ------------------------------------------------------------------------------------ the page

  /** Returns the tables of the reference page. */
  static String page() {
    return """
    # Configuration

    All keys of the file of `--config`, as `ledgerkeep config print` shows them with their values. This
    page is made of the code, and a test keeps it so. Paths that do not begin with `/` begin where the
    command is run.

    ## `storage:`

    %s
    The sections `blockdb_config`, `statedb_config` and `historydb_config` have:

    %s
    ## `node.pkcs11:`

    What each means is told in [operations](operations.md#keys-in-a-token).

    %s
    ## `log:`

    What is logged, and how the level changes while something runs, is told in [operations](operations.md#logs).

    %s
    ## Keys of ChainMaker that are refused

    A file of ChainMaker is read as it is, but for what its `storage:` asks for and a ledger does not do.
    Such a key is refused with the reason, unless its value asks for what holds anyway.

    %s
    In the sections of one database:

    %s
    In `log:`, where ChainMaker's own file of log settings has them:

    %s"""
        .formatted(
            known(STORAGE),
            known(DATABASE),
            known(TOKEN),
            known(LOG),
            refused(REFUSED),
            refused(REFUSED_OF_DATABASE),
            refused(REFUSED_OF_LOG));
  }

  private static String known(List<Known> keys) {
    return keys.stream()
        .map(
            key ->
                "| `%s` | %s | %s |\n"
                    .formatted(
                        key.name(),
                        key.meaning(),
                        key.otherwise().isEmpty() || key.otherwise().contains(" ")
                            ? key.otherwise()
                            : "`" + key.otherwise() + "`"))
        .collect(Collectors.joining("", "| key | meaning | default |\n|---|---|---|\n", ""));
  }

  private static String refused(List<Refused> keys) {
    return keys.stream()
        .map(
            key ->
                "| `%s` | %s | %s |\n"
                    .formatted(
                        key.name(),
                        key.reason(),
                        key.harmless().stream()
                            .map(value -> "`" + value + "`")
                            .collect(Collectors.joining(", "))))
        .collect(Collectors.joining("", "| key | why | accepted |\n|---|---|---|\n", ""));
  }
}
