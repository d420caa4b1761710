package io.ledgerkeep.cli;

import io.ledgerkeep.logback.LogLevel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The command without a subcommand: holds the options that may stand before or after one. */
@Command(
    name = "ledgerkeep",
    description = "Keeps a blockchain node's ledger, archives its old blocks, brings them back.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    scope = ScopeType.INHERIT,
    sortOptions = false,
    usageHelpAutoWidth = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      InitCommand.class,
      ImportCommand.class,
      ExportCommand.class,
      StatusCommand.class,
      ArchiveCommand.class,
      RestoreCommand.class,
      QueryCommand.class,
      VerifyCommand.class,
      JobsCommand.class,
      RebuildCommand.class,
      BackupCommand.class,
      RestoreBackupCommand.class,
      SyncCommand.class,
      MigrateCommand.class,
      CompareCommand.class,
      DoctorCommand.class,
      TdeCommand.class,
      HsmCommand.class,
      ConfigCommand.class,
      CertsCommand.class,
      DeployCommand.class,
      MonitorCommand.class,
      HelpCommand.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done, also when there was nothing left to do",
      "1:failed",
      "2:wrong usage or configuration",
      "3:refused, nothing changed",
      "4:integrity violation",
      "5:locked by another process or job",
      "130:interrupted, can be run again"
    })
final class GlobalOptions {

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "The directory of the ledger.",
      scope = ScopeType.INHERIT)
  @Nullable Path data;

  @Option(
      names = "--archive",
      paramLabel = "DIR",
      description = "The directory of the archive.",
      scope = ScopeType.INHERIT)
  @Nullable Path archive;

  @Option(
      names = "--ledger",
      paramLabel = "GENESIS[/ID]",
      description = "Which ledger of the archive, where it holds several and --data is not given.",
      scope = ScopeType.INHERIT)
  @Nullable String ledger;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "A YAML file; its sections storage, log and node.pkcs11 give what no option does.",
      scope = ScopeType.INHERIT)
  @Nullable Path config;

  @Option(
      names = "--json",
      description = "Print one JSON object to standard output, also for an error.",
      scope = ScopeType.INHERIT)
  boolean json;

  @Option(
      names = "--log-level",
      paramLabel = "LEVEL",
      description = "How much is logged: trace, debug, info, warning, error or fatal.",
      scope = ScopeType.INHERIT)
  @Nullable LogLevel logLevel;

  final Console console;

  GlobalOptions(Console console) {
    this.console = console;
  }
}
