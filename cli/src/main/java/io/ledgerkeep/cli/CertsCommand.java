package io.ledgerkeep.cli;

import io.ledgerkeep.cli.certs.CertificateCheck;
import io.ledgerkeep.cli.certs.CertificateDirectory;
import io.ledgerkeep.cli.certs.CertificateEntry;
import io.ledgerkeep.cli.report.Finding;
import java.io.IOException;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "certs",
    description = "Looks after the certificates and keys of a chain, its organisations and nodes.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      CertsCommand.ListCommand.class,
      CertsCommand.CheckCommand.class,
      CertsIssueCommand.class,
      CertsChangeCommand.Rotate.class,
      CertsChangeCommand.Retire.class
    })
final class CertsCommand {

  /** What all of them share: the directory. */
  abstract static class OnDirectory extends LedgerCommand {

    @Parameters(
        index = "0",
        paramLabel = "DIR",
        description = "Holds certificates and keys in PEM, also in directories of its own.")
    @SuppressWarnings("NullAway.Init") // set by picocli before the call
    Path directory;
  }

  @Command(name = "list", description = "Shows the certificates and whether their keys are there.")
  static final class ListCommand extends OnDirectory {

    @Override
    Outcome run(Settings settings) throws IOException {
      Outcome outcome = Outcome.done();
      List<Map<String, Object>> shown = new ArrayList<>();
      for (CertificateEntry entry : CertificateDirectory.read(directory).entries()) {
        Map<String, Object> fields = fields(entry);
        shown.add(fields);
        outcome.say(entry.name() + " (" + fields.get("role") + ", key " + fields.get("key") + ")");
        if (entry.certificate().isPresent()) {
          outcome
              .say("  subject  " + fields.get("subject"))
              .say("  issuer   " + fields.get("issuer"))
              .say("  serial   " + fields.get("serial") + ", " + fields.get("algorithm"))
              .say(
                  "  valid    %s to %s, %s days left"
                      .formatted(
                          fields.get("validFrom"),
                          fields.get("validUntil"),
                          fields.get("daysLeft")));
        }
      }
      if (shown.isEmpty()) {
        outcome.say("there are no certificates in " + directory);
      }
      return outcome.put("certificates", shown);
    }

    private static Map<String, Object> fields(CertificateEntry entry) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("name", entry.name());
      fields.put("role", entry.role().name().toLowerCase(Locale.ROOT));
      fields.put("key", entry.keyState());
      entry.certificate().ifPresent(certificate -> putAll(fields, entry, certificate));
      return fields;
    }

    private static void putAll(
        Map<String, Object> fields, CertificateEntry entry, X509Certificate certificate) {
      fields.put("subject", certificate.getSubjectX500Principal().getName());
      fields.put("issuer", certificate.getIssuerX500Principal().getName());
      fields.put("serial", certificate.getSerialNumber().toString(16));
      fields.put("algorithm", entry.algorithm());
      fields.put("validFrom", certificate.getNotBefore().toInstant().toString());
      fields.put("validUntil", certificate.getNotAfter().toInstant().toString());
      fields.put("daysLeft", CertificateEntry.daysLeft(certificate, Instant.now()));
    }
  }

  @Command(
      name = "check",
      description = {
        "Checks validity, chain up to the root in DIR, keys, names and permissions, and tells of"
            + " files that are not known.",
        "The exit code is 4 if something is wrong, 1 if something is to be done soon or could not be"
            + " looked at, else 0."
      })
  static final class CheckCommand extends OnDirectory {

    @Option(
        names = "--warn-days",
        paramLabel = "N",
        defaultValue = "30",
        description = "How many days before its end a certificate is told of; 30.")
    private long warnDays;

    @Option(
        names = "--name",
        paramLabel = "HOST",
        description = "A name or an address that every node's certificate must be for.")
    private List<String> names = new ArrayList<>();

    @Override
    Outcome run(Settings settings) throws IOException {
      CertificateDirectory found = CertificateDirectory.read(directory);
      List<Finding> findings =
          CertificateCheck.findings(
              found,
              new CertificateCheck.Request(
                  requireNotNegative("--warn-days", warnDays), names, Instant.now()));
      Outcome outcome = FindingsOutcome.of(findings);
      return outcome
          .say(
              "looked at what lies under %s: %s"
                  .formatted(
                      Units.counted(found.entries().size(), "name"),
                      switch (outcome.exitCode()) {
                        case ExitCode.DONE -> "nothing is wrong";
                        case ExitCode.FAILED -> "something is to be done";
                        default -> "something is wrong";
                      }))
          .put("looked", (long) found.entries().size());
    }
  }
}
