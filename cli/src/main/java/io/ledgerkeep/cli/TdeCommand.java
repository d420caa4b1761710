package io.ledgerkeep.cli;

import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.encryption.LedgerKeys.DataKey;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "tde",
    description = {
      "Shows the keys of an encrypted ledger (status), or makes a new data key (rotate): what is"
          + " written from then on is sealed under it, what was written before stays as it is."
    },
    subcommands = {TdeConvertCommand.Encrypt.class, TdeConvertCommand.Decrypt.class})
final class TdeCommand extends LedgerCommand {

  /** What can be done with keys. */
  enum Action {
    STATUS,
    ROTATE
  }

  @Parameters(arity = "0..1", paramLabel = "status|rotate", description = "What to do.")
  private @Nullable Action action;

  @Option(
      names = "--suite",
      paramLabel = "NAME",
      description =
          "The suite of the new key, such as AES-256-GCM or SM4-GCM; that of the old one.")
  private @Nullable String suite;

  @Override
  Outcome run(Settings settings) {
    if (action == null) {
      throw CommandException.usage("say what to do: status, rotate, encrypt or decrypt");
    }
    if (suite != null && action != Action.ROTATE) {
      throw CommandException.usage("--suite goes with rotate");
    }
    try (OpenLedger open = OpenLedger.existing(settings.ledger())) {
      LedgerKeys keys =
          open.ledger()
              .keys()
              .orElseThrow(
                  () -> CommandException.refused("the ledger is in plain: it has no keys"));
      Outcome outcome = Outcome.done();
      if (action == Action.ROTATE) {
        DataKey fresh = keys.rotate(suite != null ? suite : open.ledger().status().encryption());
        outcome.say("new values are sealed under data key " + fresh.number());
      }
      return keys(outcome, keys.dataKeys());
    }
  }

  private static Outcome keys(Outcome outcome, List<DataKey> keys) {
    List<Map<String, Object>> shown = new ArrayList<>();
    for (DataKey key : keys) {
      String state = key.state().name().toLowerCase(Locale.ROOT).replace('_', ' ');
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("number", (long) key.number());
      fields.put("suite", key.suite());
      fields.put("state", state);
      fields.put("exposed", key.exposed());
      fields.put("createdAt", key.createdAt().toString());
      shown.add(fields);
      outcome.say(
          String.format(
              Locale.ROOT,
              "data key %-4s %-12s %-10s made %s%s",
              key.number(),
              key.suite(),
              state,
              key.createdAt(),
              key.exposed() ? ", exposed" : ""));
    }
    return outcome.put("dataKeys", shown);
  }
}
