package io.ledgerkeep.cli;

import io.ledgerkeep.Ledgerkeep.Maintenance;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.encryption.LedgerKeys.ArchiveKey;
import io.ledgerkeep.encryption.LedgerKeys.DataKey;
import io.ledgerkeep.encryption.LedgerKeys.DirectKey;
import io.ledgerkeep.encryption.LedgerKeys.Holder;
import io.ledgerkeep.encryption.LedgerKeys.Reencryption;
import io.ledgerkeep.encryption.LedgerKeys.State;
import io.ledgerkeep.encryption.LedgerKeys.Usage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "tde",
    description = "Looks after the keys of an encrypted ledger and of its archive.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      TdeCommand.Status.class,
      TdeCommand.Rewrap.class,
      TdeCommand.Rotate.class,
      TdeCommand.Reencrypt.class,
      TdeCommand.MarkExposed.class,
      TdeCommand.Disable.class,
      TdeCommand.Enable.class,
      TdeCommand.Destroy.class,
      TdeCommand.Holders.class,
      TdeCommand.AddHolder.class,
      TdeCommand.DropHolder.class,
      TdeConvertCommand.Encrypt.class,
      TdeConvertCommand.Decrypt.class
    })
final class TdeCommand {

  /** What all of them share: they open the ledger, and end with its keys as they are then. */
  abstract static class OnKeys extends LedgerCommand {

    /** Does the work, and says what it did. */
    abstract void run(Maintenance ledger, LedgerKeys keys, Outcome outcome) throws IOException;

    @Override
    final Outcome run(Settings settings) throws IOException {
      try (MaintainedLedger open = OpenLedger.maintained(settings)) {
        LedgerKeys keys =
            open.ledger()
                .keys()
                .orElseThrow(
                    () ->
                        CommandException.refused(
                            "the ledger is in plain: it has no keys (ledgerkeep tde encrypt)"));
        Outcome outcome = Outcome.done();
        run(open.ledger(), keys, outcome);
        return outcome;
      }
    }

    static void tell(Outcome outcome, LedgerKeys keys, Map<Integer, Usage> usage) {
      List<Map<String, Object>> shown = new ArrayList<>();
      for (DataKey key : keys.dataKeys()) {
        Usage used = usage.get(key.number());
        shown.add(fields(key, used));
        outcome.say(line(key, used));
      }
      outcome.put("dataKeys", shown);
      tellOfArchive(outcome, keys.archiveKeys());
      advise(outcome, keys.dataKeys());
    }

    private static void tellOfArchive(Outcome outcome, List<ArchiveKey> keys) {
      List<Map<String, Object>> shown = new ArrayList<>();
      for (ArchiveKey key : keys) {
        boolean newest = key.number() == keys.size();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("number", (long) key.number());
        fields.put("suite", key.suite());
        fields.put("active", newest);
        fields.put("exposed", key.exposed());
        shown.add(fields);
        outcome.say(
            "archive key %-1s %-12s %s%s"
                .formatted(
                    key.number(),
                    key.suite(),
                    newest ? "active" : "read only",
                    key.exposed() ? ", exposed" : ""));
      }
      outcome.put("archiveKeys", shown);
    }

    /** Tells who can open the archive. */
    static void tell(Outcome outcome, List<Holder> holders) {
      List<Map<String, Object>> shown = new ArrayList<>();
      for (Holder holder : holders) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("id", holder.id());
        fields.put("name", holder.name());
        fields.put("suite", holder.suite());
        fields.put("own", holder.own());
        shown.add(fields);
        outcome.say(
            "holder %s %-12s %s%s"
                .formatted(
                    holder.id(),
                    holder.suite(),
                    holder.name(),
                    holder.own() ? ", the ledger itself" : ""));
      }
      outcome.put("holders", shown);
    }

    private static Map<String, Object> fields(DataKey key, @Nullable Usage used) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("number", (long) key.number());
      fields.put("suite", key.suite());
      fields.put("state", words(key.state()));
      fields.put("exposed", key.exposed());
      fields.put("createdAt", key.createdAt().toString());
      if (used != null) {
        fields.put("values", used.values());
        fields.put("bytes", used.bytes());
      }
      return fields;
    }

    private static String line(DataKey key, @Nullable Usage used) {
      return String.format(
          Locale.ROOT,
          "data key %-4s %-12s %-10s made %s%s%s",
          key.number(),
          key.suite(),
          words(key.state()),
          key.createdAt(),
          key.exposed() ? ", exposed" : "",
          used == null
              ? ""
              : ", " + Units.counted(used.values(), "value") + " of " + Units.bytes(used.bytes()));
    }

    private static String words(State state) {
      return state.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private static void advise(Outcome outcome, List<DataKey> keys) {
      boolean exposed =
          keys.stream().anyMatch(key -> key.exposed() && key.state() != State.DESTROYED);
      outcome.put("exposed", exposed);
      if (exposed) {
        outcome.say(
            "somebody may know the keys marked as exposed: run tde rewrap --rotate where that"
                + " goes for the master key too, tde reencrypt, then tde disable and tde destroy"
                + " for each of them");
      }
    }
  }

  @Command(name = "status", description = "Shows the data keys; with --count what lies under each.")
  static final class Status extends OnKeys {

    @Option(
        names = "--count",
        description = "Count the values under each key: reads all of the databases.")
    private boolean count;

    @Override
    void run(Maintenance ledger, LedgerKeys keys, Outcome outcome) {
      Map<Integer, Usage> usage = new TreeMap<>();
      if (count) {
        try (JobWatch watch = JobWatch.begin(console())) {
          keys.usage(watch.control()).forEach(used -> usage.put(used.dataKey(), used));
          if (watch.cancelled()) {
            throw CommandException.interrupted("stopped before all values were counted");
          }
        }
      }
      tell(outcome, keys, usage);
      tellDirect(outcome, keys.directKeys());
      tellBudget(outcome, keys);
    }

    private static void tellDirect(Outcome outcome, List<DirectKey> keys) {
      List<Map<String, Object>> shown = new ArrayList<>();
      for (DirectKey key : keys) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("identity", key.identity());
        fields.put("suite", key.suite());
        fields.put("inUse", key.inUse());
        fields.put("leasedCalls", key.leasedCalls());
        fields.put("leftCalls", key.leftCalls());
        shown.add(fields);
        outcome.say(
            "key %s of a device, %s%s: %s leased, %s left"
                .formatted(
                    key.identity(),
                    key.suite(),
                    key.inUse() ? "" : ", not the master key's",
                    Units.counted(key.leasedCalls(), "call"),
                    key.leftCalls()));
      }
      outcome.put("directKeys", shown);
    }

    private static void tellBudget(Outcome outcome, LedgerKeys keys) {
      Map<String, Object> left = new LinkedHashMap<>();
      keys.budget()
          .ifPresent(
              budget -> {
                left.put("values", budget.values());
                left.put("bytes", budget.bytes());
                left.put("until", budget.until().toString());
              });
      outcome
          .put("budget", left)
          .say(
              keys.budget()
                  .map(
                      budget ->
                          "left before a fresh key is derived: %s, %s, until %s"
                              .formatted(
                                  Units.counted(budget.values(), "value"),
                                  Units.bytes(budget.bytes()),
                                  budget.until()))
                  .orElse("a fresh key is derived for the next value: all of its budget is left"));
    }
  }

  @Command(
      name = "rewrap",
      description = {
        "Puts all keys under another master key, in seconds: no data are touched. The"
            + " configuration of --new-config names it, and is the one to use from then on."
      })
  static final class Rewrap extends OnKeys {

    @Option(
        names = "--new-config",
        required = true,
        paramLabel = "FILE",
        description = "The configuration whose encryptor and encrypt_key are the new ones.")
    @SuppressWarnings("NullAway.Init") // required, so picocli sets it
    private Path newConfig;

    @Option(
        names = "--rotate",
        description = "Make new data and archive keys too; required where keys are exposed.")
    private boolean rotate;

    @Override
    void run(Maintenance ledger, LedgerKeys keys, Outcome outcome) {
      MasterKey next = MasterKey.of(newConfig);
      keys.rewrap(
          next.encryptor(),
          next.options(),
          rotate ? Optional.of(ledger.status().encryption()) : Optional.empty());
      outcome
          .say("the keys are under the master key of " + newConfig + " from now on")
          .put("masterKeyOf", newConfig.toString());
      tell(outcome, keys, Map.of());
    }
  }

  @Command(
      name = "rotate",
      description = {
        "Makes a new data key and a new archive key: what is written from then on is sealed under"
            + " them, what was written before stays as it is."
      })
  static final class Rotate extends OnKeys {

    @Option(
        names = "--suite",
        paramLabel = "NAME",
        description =
            "The suite of the new keys, such as AES-256-GCM or SM4-GCM; that in the device of the"
                + " master key where it seals there, else that of the old ones.")
    private @Nullable String suite;

    @Override
    void run(Maintenance ledger, LedgerKeys keys, Outcome outcome) {
      String ofDevice =
          keys.directKeys().stream()
              .filter(DirectKey::inUse)
              .map(DirectKey::suite)
              .findFirst()
              .orElse(ledger.status().encryption());
      DataKey fresh = keys.rotate(suite != null ? suite : ofDevice);
      outcome
          .say("new values are sealed under data key " + fresh.number())
          .put("dataKey", (long) fresh.number());
      tell(outcome, keys, Map.of());
    }
  }

  @Command(
      name = "reencrypt",
      description = {
        "Seals everything that is under older keys anew: the values of the databases and the"
            + " segments of the archive. Can be interrupted, and goes on when it is run again."
      })
  static final class Reencrypt extends OnKeys {

    @Mixin private final Pace pace = new Pace();

    @Override
    void run(Maintenance ledger, LedgerKeys keys, Outcome outcome) {
      pace.check();
      Reencryption done = pace.run(console(), keys::reencrypt);
      outcome
          .say(
              "sealed anew: %s of %s and %s of %s in %s"
                  .formatted(
                      Units.counted(done.values(), "value"),
                      Units.bytes(done.valueBytes()),
                      Units.counted(done.segments(), "segment"),
                      Units.bytes(done.segmentBytes()),
                      Units.duration(done.elapsed())))
          .put("values", done.values())
          .put("valueBytes", done.valueBytes())
          .put("segments", done.segments())
          .put("segmentBytes", done.segmentBytes())
          .put("millis", done.elapsed().toMillis());
      if (!done.complete()) {
        throw CommandException.interrupted(
            outcome.lines().get(0) + "; run the same command again to go on");
      }
      tell(outcome, keys, Map.of());
    }
  }

  @Command(
      name = "mark-exposed",
      description = {
        "Says that somebody may know the keys of the ledger, and makes new ones. From then on a new"
            + " master key alone is refused as the remedy."
      })
  static final class MarkExposed extends OnKeys {

    @Override
    void run(Maintenance ledger, LedgerKeys keys, Outcome outcome) {
      DataKey fresh = keys.markExposed();
      outcome
          .say("new values are sealed under data key " + fresh.number())
          .put("dataKey", (long) fresh.number());
      tell(outcome, keys, Map.of());
    }
  }

  /** What is done with one data key. */
  abstract static class OnOneKey extends OnKeys {

    @Parameters(paramLabel = "NUMBER", description = "The number of the data key.")
    int number;
  }

  @Command(
      name = "disable",
      description = {
        "Lets a data key open nothing more, until it is enabled again; refused while a value lies"
            + " under it."
      })
  static final class Disable extends OnOneKey {

    @Override
    void run(Maintenance ledger, LedgerKeys keys, Outcome outcome) {
      try (JobWatch watch = JobWatch.begin(console())) {
        if (!keys.disable(number, watch.control())) {
          throw CommandException.interrupted(
              "stopped before all values were looked through; nothing was disabled");
        }
      }
      tell(outcome, keys, Map.of());
    }
  }

  @Command(name = "enable", description = "Lets a disabled data key open again what it sealed.")
  static final class Enable extends OnOneKey {

    @Override
    void run(Maintenance ledger, LedgerKeys keys, Outcome outcome) {
      keys.enable(number);
      tell(outcome, keys, Map.of());
    }
  }

  @Command(
      name = "destroy",
      description = {
        "Forgets a disabled data key for ever, once all values were looked through and none lies"
            + " under it. Reaches no copy of the registry elsewhere, such as a backup."
      })
  static final class Destroy extends OnOneKey {

    @Option(names = "--yes", description = "Do not ask.")
    private boolean yes;

    @Override
    void run(Maintenance ledger, LedgerKeys keys, Outcome outcome) throws IOException {
      if (!yes) {
        ask();
      }
      try (JobWatch watch = JobWatch.begin(console())) {
        if (!keys.destroy(number, watch.control())) {
          throw CommandException.interrupted(
              "stopped before all values were looked through; nothing was destroyed");
        }
      }
      tell(outcome, keys, Map.of());
    }

    private void ask() throws IOException {
      if (!console().terminal()) {
        throw CommandException.usage("this destroys a key for ever: add --yes");
      }
      if (!console().confirms("Destroy data key " + number + " for ever?")) {
        throw CommandException.refused("nothing was changed");
      }
    }
  }

  @Command(name = "holders", description = "Shows who can open the archive without the node.")
  static final class Holders extends OnKeys {

    @Override
    void run(Maintenance ledger, LedgerKeys keys, Outcome outcome) {
      tell(outcome, keys.holders());
    }
  }

  @Command(
      name = "add-holder",
      description = {
        "Lets another master key open the archive, that of the configuration of --new-config:"
            + " what is there and what comes. Nothing is encrypted anew."
      })
  static final class AddHolder extends OnKeys {

    @Parameters(paramLabel = "NAME", description = "What people call the holder.")
    @SuppressWarnings("NullAway.Init") // required, so picocli sets it
    private String name;

    @Option(
        names = "--new-config",
        required = true,
        paramLabel = "FILE",
        description = "The configuration whose encryptor and encrypt_key are the holder's.")
    @SuppressWarnings("NullAway.Init") // required, so picocli sets it
    private Path newConfig;

    @Override
    void run(Maintenance ledger, LedgerKeys keys, Outcome outcome) {
      MasterKey master = MasterKey.of(newConfig);
      keys.addHolder(name, master.encryptor(), master.options());
      tell(outcome, keys.holders());
    }
  }

  @Command(
      name = "drop-holder",
      description = {
        "Takes from a holder what opens the archive. Who kept a copy of that still opens the"
            + " segments there are; those written after tde rotate he cannot."
      })
  static final class DropHolder extends OnKeys {

    @Parameters(paramLabel = "HOLDER", description = "The name or the id of the holder.")
    @SuppressWarnings("NullAway.Init") // required, so picocli sets it
    private String holder;

    @Override
    void run(Maintenance ledger, LedgerKeys keys, Outcome outcome) {
      keys.dropHolder(idOf(holder, keys.holders()));
      tell(outcome, keys.holders());
    }

    private static String idOf(String nameOrId, List<Holder> holders) {
      return holders.stream()
          .filter(known -> known.name().equals(nameOrId))
          .map(Holder::id)
          .findFirst()
          .orElse(nameOrId);
    }
  }
}
