package io.ledgerkeep.cli;

import io.ledgerkeep.cli.certs.Issuance;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import javax.security.auth.x500.X500Principal;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "issue",
    description = {
      "Makes the key and the certificate of a new node, SDK or organisation, signed by a CA whose key"
          + " is in DIR, of its algorithm. The root comes beside them. Nothing is overwritten."
    })
final class CertsIssueCommand extends CertsCommand.OnDirectory {

  private static final long MOST_DAYS = 36_500;

  @Parameters(
      index = "1",
      paramLabel = "NAME",
      description = "What to issue; the last part tells whose it is: node1/ssl, node1/sm_ssl.")
  @SuppressWarnings("NullAway.Init") // set by picocli before the call
  private String name;

  @Option(
      names = "--by",
      paramLabel = "CA",
      required = true,
      description = "Who signs, called as certs list does: agency/agency.")
  @SuppressWarnings("NullAway.Init") // set by picocli before the call
  private String issuer;

  @Option(
      names = "--subject",
      paramLabel = "NAME",
      required = true,
      description = "Whose it is: CN=node1,O=agencyA.")
  @SuppressWarnings("NullAway.Init") // set by picocli before the call
  private String subject;

  @Option(
      names = "--name",
      paramLabel = "HOST",
      description = "A name or an address that it is for; any number of times.")
  private List<String> hosts = new ArrayList<>();

  @Option(
      names = "--days",
      paramLabel = "N",
      defaultValue = "365",
      description = "For how long it is valid; 365, and never longer than the CA.")
  private long days;

  @Option(names = "--dry-run", description = "Only show what would be done.")
  private boolean dryRun;

  @Override
  Outcome run(Settings settings) throws IOException, GeneralSecurityException {
    if (days < 1 || days > MOST_DAYS) {
      throw CommandException.usage("--days must be 1 to " + MOST_DAYS);
    }
    Issuance.Issued issued =
        Issuance.issue(
            directory,
            new Issuance.Wanted(name, issuer, principal(), hosts, days),
            dryRun,
            Clock.systemUTC(),
            new SecureRandom());
    X509Certificate made = issued.certificate();
    Outcome outcome =
        Outcome.done()
            .say(
                "%s %s, signed by %s, until %s:"
                    .formatted(
                        dryRun ? "would issue" : "issued",
                        made.getSubjectX500Principal().getName(),
                        made.getIssuerX500Principal().getName(),
                        made.getNotAfter().toInstant()));
    issued.files().forEach(file -> outcome.say("  " + file));
    return outcome
        .put("name", name)
        .put("subject", made.getSubjectX500Principal().getName())
        .put("issuer", made.getIssuerX500Principal().getName())
        .put("validUntil", made.getNotAfter().toInstant().toString())
        .put("changed", !dryRun)
        .put("files", issued.files().stream().map(Path::toString).toList());
  }

  private X500Principal principal() {
    try {
      X500Principal principal = new X500Principal(subject);
      if (!principal.getName().isEmpty()) {
        return principal;
      }
    } catch (IllegalArgumentException e) {
      // told below
    }
    throw CommandException.usage("--subject must be like CN=node1,O=agencyA");
  }
}
