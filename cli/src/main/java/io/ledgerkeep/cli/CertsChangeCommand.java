package io.ledgerkeep.cli;

import io.ledgerkeep.Options;
import io.ledgerkeep.cli.certs.BackupKey;
import io.ledgerkeep.cli.certs.CertificateChanges;
import io.ledgerkeep.cli.certs.CertificateChanges.Plan;
import io.ledgerkeep.cli.certs.CertificateChanges.Replaced;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What the commands that change certificates share: they back up what they change first. */
abstract class CertsChangeCommand extends CertsCommand.OnDirectory {

  private static final String AES = "aes";

  @Option(
      names = "--key",
      paramLabel = "FILE",
      description =
          "The file of an AES key that encrypts the backups; else the key of --config does.")
  private @Nullable Path keyFile;

  @Mixin final Consent consent = new Consent();

  private final SecureRandom random = new SecureRandom();

  /** Returns what is to be done, and was not begun before. */
  abstract Plan plan(CertificateChanges changes) throws IOException, GeneralSecurityException;

  /** Returns what is done with the files, as in "would replace". */
  abstract String verb();

  /** Returns what was done with them, as in "replaced". */
  abstract String pastVerb();

  /** Adds what is to be done by hand. */
  abstract void advise(Outcome outcome);

  @Override
  Outcome run(Settings settings) throws Exception {
    try (BackupKey key = key(settings);
        CertificateChanges changes = changes(key)) {
      return run(changes);
    }
  }

  private BackupKey key(Settings settings) throws IOException {
    if (keyFile != null) {
      requireElsewhere(keyFile);
      Options options = Options.of("key", "file:" + keyFile.toAbsolutePath().normalize());
      return BackupKey.open(AES, options, random);
    }
    MasterKey master =
        settings
            .masterKey()
            .orElseThrow(
                () ->
                    CommandException.usage(
                        "what is replaced is backed up encrypted: give --key FILE, a file with the 32"
                            + " bytes of an AES key, or --config FILE that names a key"));
    return BackupKey.open(master.encryptor(), master.options(), random);
  }

  /** Whoever takes the directory would have the backups and what opens them. */
  private void requireElsewhere(Path file) throws IOException {
    if (Files.exists(file)
        && Files.isDirectory(directory)
        && file.toRealPath().startsWith(directory.toRealPath())) {
      throw CommandException.refused(
          "the key of --key lies in "
              + directory
              + ", beside what it is to protect: move it elsewhere");
    }
  }

  private CertificateChanges changes(BackupKey key) throws IOException {
    return consent.dryRun()
        ? CertificateChanges.look(directory, key, Clock.systemUTC(), random)
        : CertificateChanges.hold(directory, key, Clock.systemUTC(), random);
  }

  Outcome run(CertificateChanges changes) throws IOException, GeneralSecurityException {
    Optional<Plan> left = endsInterrupted() ? changes.interrupted() : Optional.empty();
    try (Plan plan = left.isPresent() ? left.get() : plan(changes)) {
      boolean ends = left.isPresent();
      Outcome shown =
          Outcome.done().say(ends ? "would end what was interrupted:" : "would " + verb() + ":");
      tell(shown, plan);
      if (consent.dryRun()) {
        return shown.put("changed", false).put("backup", "");
      }
      consent.ask(console(), shown);
      Path backup = changes.carryOut(plan);
      Outcome outcome = Outcome.done().say(ends ? "ended what was interrupted:" : pastVerb() + ":");
      tell(outcome, plan);
      outcome.say("backed up, encrypted, in " + backup);
      if (ends) {
        outcome.say("nothing else was done: run the command again if it is still wanted");
      }
      advise(outcome);
      return outcome.put("changed", true).put("backup", backup.toString());
    }
  }

  /** Returns whether a change that was interrupted is ended first. */
  boolean endsInterrupted() {
    return true;
  }

  private void tell(Outcome outcome, Plan plan) {
    List<Map<String, Object>> shown = new ArrayList<>();
    List<String> others = new ArrayList<>(plan.files().stream().map(Path::toString).toList());
    for (Replaced each : plan.certificates()) {
      others.remove(each.file().toString());
      X509Certificate some = each.next().or(each::former).orElseThrow();
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("file", each.file().toString());
      fields.put("subject", some.getSubjectX500Principal().getName());
      each.former().ifPresent(former -> put(fields, "former", former));
      each.next().ifPresent(next -> put(fields, "next", next));
      shown.add(fields);
      outcome.say(
          "  %s, %s: %s -> %s"
              .formatted(
                  each.file(),
                  some.getSubjectX500Principal().getName(),
                  each.former().map(CertsChangeCommand::until).orElse("none"),
                  each.next().map(CertsChangeCommand::until).orElse("none")));
    }
    others.forEach(file -> outcome.say("  " + file));
    outcome
        .put("dryRun", consent.dryRun())
        .put("certificates", shown)
        .put("files", plan.files().stream().map(Path::toString).toList());
  }

  private static void put(Map<String, Object> fields, String which, X509Certificate certificate) {
    fields.put(which + "Serial", certificate.getSerialNumber().toString(16));
    fields.put(which + "Until", certificate.getNotAfter().toInstant().toString());
  }

  private static String until(X509Certificate certificate) {
    return "until " + certificate.getNotAfter().toInstant();
  }

  @Command(
      name = "rotate",
      description = {
        "Replaces certificates and their keys, with everything that they signed: a new CA takes all"
            + " below it along. Old and new are backed up encrypted in DIR/backups; all is verified"
            + " before a file is replaced; --undo puts back what was there.",
        "After a kill the next call ends what was begun, or undoes it with --undo."
      })
  static final class Rotate extends CertsChangeCommand {

    private static final long MOST_DAYS = 36_500;
    private static final int MOST_SIGNED_BYTES = 1 << 20;

    @Parameters(
        index = "1..*",
        arity = "0..*",
        paramLabel = "NAME",
        description = "What to replace, called as certs list does: ca, agency/agency, node0/ssl.")
    private List<String> names = new ArrayList<>();

    @Option(
        names = "--days",
        paramLabel = "N",
        description = "For how long the new ones are valid; as long as the former otherwise.")
    private @Nullable Long days;

    @Option(
        names = "--csr",
        paramLabel = "FILE",
        description = "Make a key, kept encrypted, and a request for the certificate only.")
    private @Nullable Path request;

    @Option(
        names = "--signed",
        paramLabel = "FILE",
        description = "Take in the certificate that was signed elsewhere for such a request.")
    private @Nullable Path signed;

    @Option(names = "--undo", description = "Put back what the last change replaced or removed.")
    private boolean undo;

    @Override
    Outcome run(Settings settings) throws Exception {
      if ((names.isEmpty() ? 0 : 1) + (signed == null ? 0 : 1) + (undo ? 1 : 0) != 1) {
        throw CommandException.usage("say what to do: NAME, --signed FILE or --undo, one of them");
      }
      if (days != null && (names.isEmpty() || request != null)) {
        throw CommandException.usage("--days goes with the NAME of what is signed here");
      }
      if (days != null && (days < 1 || days > MOST_DAYS)) {
        throw CommandException.usage("--days must be 1 to " + MOST_DAYS);
      }
      if (request != null && names.size() != 1) {
        throw CommandException.usage("--csr FILE goes with one NAME");
      }
      return super.run(settings);
    }

    @Override
    Outcome run(CertificateChanges changes) throws IOException, GeneralSecurityException {
      return request == null ? super.run(changes) : makeRequest(changes, request);
    }

    private Outcome makeRequest(CertificateChanges changes, Path file)
        throws IOException, GeneralSecurityException {
      String name = names.get(0);
      changes.requestable(name);
      if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && AtomicFile.isReplaceable(file)) {
        throw CommandException.refused(file + " is there already: name a new file for the request");
      }
      Outcome outcome = Outcome.done().put("name", name).put("changed", !consent.dryRun());
      if (consent.dryRun()) {
        return outcome.say("would make a key and a request for " + name);
      }
      byte[] text = changes.request(name);
      AtomicFile.replace(
          file,
          out -> {
            out.write(text);
            return text.length;
          });
      return outcome
          .say("made a key for " + name + ", which waits encrypted, and a request in " + file)
          .say("have that signed, and take it in with --signed FILE")
          .put("request", file.toString());
    }

    @Override
    Plan plan(CertificateChanges changes) throws IOException, GeneralSecurityException {
      if (undo) {
        return changes.undo();
      }
      return signed == null
          ? changes.renewal(names, days == null ? OptionalLong.empty() : OptionalLong.of(days))
          : changes.signed(content(signed));
    }

    private static byte[] content(Path file) throws IOException {
      try (InputStream in = Files.newInputStream(file)) {
        byte[] content = in.readNBytes(MOST_SIGNED_BYTES + 1);
        if (content.length > MOST_SIGNED_BYTES) {
          throw CommandException.usage(
              "--signed: " + file + " has more bytes than a certificate with all above it");
        }
        return content;
      }
    }

    @Override
    boolean endsInterrupted() {
      return !undo;
    }

    @Override
    String verb() {
      return undo ? "put back" : "replace";
    }

    @Override
    String pastVerb() {
      return undo ? "put back" : "replaced";
    }

    @Override
    void advise(Outcome outcome) {
      outcome
          .say(
              "A Badger sidecar and the ledger that use these files take them for new connections by"
                  + " themselves, the sidecar within its --tls-reload.")
          .say("A node that reads its files when it starts is to be restarted.");
    }
  }

  @Command(
      name = "retire",
      description = {
        "Archives certificates that expired or are used no more, with their keys, encrypted in"
            + " DIR/backups; then overwrites and removes the keys, and removes the certificates."
      })
  static final class Retire extends CertsChangeCommand {

    @Parameters(
        index = "1..*",
        arity = "1..*",
        paramLabel = "NAME",
        description = "What to retire, called as certs list does.")
    private List<String> names = new ArrayList<>();

    @Override
    Plan plan(CertificateChanges changes) throws IOException {
      return changes.retirement(names);
    }

    @Override
    String verb() {
      return "retire";
    }

    @Override
    String pastVerb() {
      return "retired";
    }

    @Override
    void advise(Outcome outcome) {
      outcome.say("Keep a copy of the backup elsewhere; certs rotate --undo puts the files back.");
    }
  }
}
