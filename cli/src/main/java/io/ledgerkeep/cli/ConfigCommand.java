package io.ledgerkeep.cli;

import io.ledgerkeep.Database;
import io.ledgerkeep.Options;
import io.ledgerkeep.cli.ConfigKeys.Known;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.storage.StorageEngineProvider;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeMap;
import picocli.CommandLine.Command;

@Command(
    name = "config",
    description = "Looks at the configuration file of --config.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {ConfigCommand.CheckCommand.class, ConfigCommand.PrintCommand.class})
final class ConfigCommand {

  /** A file is read by these commands alone, so that a wrong one can be looked at. */
  abstract static class FileCommand extends LedgerCommand {

    @Override
    final boolean readsConfiguration() {
      return false;
    }

    final Path file() {
      return config()
          .orElseThrow(
              () -> CommandException.usage("--config FILE is missing: the file to look at"));
    }
  }

  @Command(
      name = "check",
      description = {
        "Reads the file and names every key that is wrong, with its line, and what the engines refuse of"
            + " their sections. What depends on a ledger, a token or a disk is told when these are"
            + " opened."
      })
  static final class CheckCommand extends FileCommand {

    @Override
    Outcome run(Settings settings) {
      List<String> findings = new ArrayList<>();
      ConfigFile config =
          ConfigFile.read(file(), wrong -> findings.add(String.valueOf(wrong.getMessage())));
      List<Path> places = new ArrayList<>();
      for (String key : List.of(ConfigFile.STORE_PATH, ConfigFile.ARCHIVE_PATH)) {
        note(findings, () -> Settings.path(config.storage(), key).ifPresent(places::add));
      }
      config.checkEngines(providers(StorageEngineProvider.class));
      note(findings, () -> MasterKey.of(config).ifPresent(CheckCommand::requireKnown));
      note(findings, () -> new LogSettings(config, places).builder());
      Outcome outcome = Outcome.of(findings.isEmpty() ? ExitCode.DONE : ExitCode.USAGE);
      findings.forEach(outcome::say);
      if (findings.isEmpty()) {
        outcome.say(file() + ": nothing is wrong with it");
      }
      return outcome.put("config", file().toString()).put("findings", findings);
    }

    private static void requireKnown(MasterKey key) {
      List<String> known =
          providers(EncryptorProvider.class).stream()
              .map(EncryptorProvider::name)
              .sorted()
              .toList();
      if (!known.contains(key.encryptor())) {
        throw new ConfigurationException(
            "there is no encryptor '%s'; there are %s"
                .formatted(key.encryptor(), String.join(", ", known)));
      }
    }

    private static <T> List<T> providers(Class<T> type) {
      return ServiceLoader.load(type).stream().map(ServiceLoader.Provider::get).toList();
    }

    /** Notes what is wrong with keys that are well each for itself. */
    private void note(List<String> findings, Runnable reading) {
      try {
        reading.run();
      } catch (ConfigurationException e) {
        findings.add(file() + ": " + e.getMessage());
      }
    }
  }

  @Command(
      name = "print",
      description = {
        "Prints what the file sets and, behind #, what holds for all that it does not; secrets are"
            + " masked."
      })
  static final class PrintCommand extends FileCommand {

    @Override
    Outcome run(Settings settings) {
      ConfigFile config = ConfigFile.read(file());
      Outcome outcome = Outcome.done();
      Map<String, String> storage = new TreeMap<>(config.storage().asMap());
      outcome.say("storage:").put("storage", printed(outcome, "  ", ConfigKeys.STORAGE, storage));
      Map<String, Object> databases = new LinkedHashMap<>();
      for (Database database : Database.values()) {
        Optional.ofNullable(config.databases().get(database))
            .ifPresent(
                engine -> {
                  outcome.say("  %sdb_config:".formatted(database.lowerCaseName()));
                  outcome.say("    provider: " + engine);
                  databases.put(database.lowerCaseName(), engine);
                });
      }
      outcome.put("engines", databases);
      for (String engine : List.of(ConfigFile.BADGERDB, ConfigFile.LEVELDB)) {
        Map<String, String> options = new TreeMap<>(config.engine(engine).asMap());
        if (!options.isEmpty()) {
          outcome.say("  " + engine + ":");
          options.forEach((key, value) -> outcome.say("    " + key + ": " + value));
          outcome.put(engine, options);
        }
      }
      outcome.say("log:");
      outcome.put("log", printed(outcome, "  ", ConfigKeys.LOG, config.log().asMap()));
      Options token = config.token();
      outcome.say("node:").say("  pkcs11:");
      outcome.put("pkcs11", printed(outcome, "    ", ConfigKeys.TOKEN, token.asMap()));
      return outcome;
    }

    /** Returns what is set, as it may be shown. */
    private static Map<String, String> printed(
        Outcome outcome, String indent, List<Known> keys, Map<String, String> set) {
      Map<String, String> shown = new LinkedHashMap<>();
      for (Known key : keys) {
        String value = set.get(key.name());
        if (value != null) {
          shown.put(key.name(), ConfigKeys.shown(key, value));
          outcome.say("%s%s: %s".formatted(indent, key.name(), shown.get(key.name())));
        } else if (!key.otherwise().isEmpty() && key.kind() != ConfigKeys.Kind.SECTION) {
          outcome.say("%s# %s: %s".formatted(indent, key.name(), key.otherwise()));
        }
      }
      return shown;
    }
  }
}
