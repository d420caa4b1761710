package io.ledgerkeep.cli;

import io.ledgerkeep.crypto.hsm.Pkcs11Keys;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys.Check;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys.Probe;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;

@Command(
    name = "hsm",
    description = "Looks at the token that holds the master key.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = HsmCommand.ProbeCommand.class)
final class HsmCommand {

  /** Returns the master key of the configuration, which has to be in a token. */
  static MasterKey keyInToken(Settings settings) {
    return settings
        .masterKey()
        .filter(named -> named.encryptor().equals(MasterKey.PKCS11))
        .orElseThrow(
            () ->
                CommandException.usage(
                    "--config FILE must name a key in a token: node.pkcs11 with enabled:"
                        + " true, storage.encryptor and storage.encrypt_key"));
  }

  @Command(
      name = "probe",
      description = {
        "Tries what the token and the key of --config can do, and shows it. Changes nothing there;"
            + " a wrong PIN counts as one attempt."
      })
  static final class ProbeCommand extends LedgerCommand {

    @Override
    Outcome run(Settings settings) {
      MasterKey key = keyInToken(settings);
      Probe probe = Pkcs11Keys.withPinInOptions().probe(key.options());
      Outcome outcome = Outcome.of(probe.passed() ? ExitCode.DONE : ExitCode.FAILED);
      Map<String, Object> fields = fields(probe);
      fields.forEach((name, value) -> outcome.say("%-14s%s".formatted(words(name), shown(value))));
      outcome.putAll(fields);
      tellChecks(outcome, probe.checks());
      return outcome.put("passed", probe.passed());
    }

    private static Map<String, Object> fields(Probe probe) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("library", probe.library());
      fields.put("route", probe.route());
      fields.put("token", probe.token());
      fields.put("serial", probe.serial());
      fields.put("maker", probe.maker());
      fields.put("sessions", (long) probe.sessions());
      fields.put("key", probe.key());
      fields.put("keyBytes", (long) probe.keyBytes());
      fields.put("identity", probe.identity());
      fields.put("mechanisms", probe.mechanisms());
      fields.put("envelope", probe.envelope());
      fields.put("direct", probe.direct());
      fields.put("ownIv", probe.ownIv());
      fields.put("largestText", (long) probe.largestText());
      fields.put("tagError", probe.tagError());
      return fields;
    }

    private static void tellChecks(Outcome outcome, List<Check> checks) {
      List<Map<String, Object>> shown = new ArrayList<>();
      for (Check check : checks) {
        String came = words(check.outcome().name().toLowerCase(Locale.ROOT));
        outcome.say("%-14s%s: %s".formatted(came, check.name(), check.detail()));
        shown.add(Map.of("name", check.name(), "outcome", came, "detail", check.detail()));
      }
      outcome.put("checks", shown);
    }

    /** Turns {@code keyBytes} and {@code not_possible} into words. */
    private static String words(String name) {
      return name.replace('_', ' ').replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT);
    }

    private static String shown(Object value) {
      return value instanceof List<?> list
          ? String.join(", ", list.stream().map(String::valueOf).toList())
          : String.valueOf(value);
    }
  }
}
