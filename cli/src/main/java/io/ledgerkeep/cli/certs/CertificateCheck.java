package io.ledgerkeep.cli.certs;

import io.ledgerkeep.cli.report.Finding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Says what is wrong with the certificates and keys of a directory, or will be soon. */
public final class CertificateCheck {

  private static final Set<PosixFilePermission> OWNER_ONLY =
      EnumSet.of(
          PosixFilePermission.OWNER_READ,
          PosixFilePermission.OWNER_WRITE,
          PosixFilePermission.OWNER_EXECUTE);
  static final String ENCRYPTION_PREFIX = CertificateEntry.SM_PREFIX + "en";

  /** Bits of the key usage, RFC 5280. */
  private static final int DIGITAL_SIGNATURE = 0;

  private static final int KEY_ENCIPHERMENT = 2;
  private static final int DATA_ENCIPHERMENT = 3;
  private static final int KEY_AGREEMENT = 4;

  private final CertificateDirectory directory;
  private final Request request;
  private final List<Finding> findings = new ArrayList<>();

  /**
   * What is asked.
   *
   * @param warnDays how many days before its end a certificate is told of
   * @param names host names and addresses that certificates of nodes must be for
   * @param now the time
   */
  public record Request(long warnDays, List<String> names, Instant now) {

    /** Copies the names. */
    public Request {
      names = List.copyOf(names);
    }
  }

  private CertificateCheck(CertificateDirectory directory, Request request) {
    this.directory = directory;
    this.request = request;
  }

  /** Returns what was found, the worst first. */
  public static List<Finding> findings(CertificateDirectory directory, Request request)
      throws IOException {
    CertificateCheck check = new CertificateCheck(directory, request);
    for (CertificateEntry entry : directory.entries()) {
      check.check(entry);
    }
    check.checkSerials();
    check.checkRecord();
    directory.others().forEach(check::tellOther);
    check.findings.sort(Comparator.comparing(Finding::severity).reversed());
    return List.copyOf(check.findings);
  }

  private void checkRecord() throws IOException {
    if (Backups.recordOf(directory.root()).filter(last -> !last.ended()).isPresent()) {
      findings.add(
          Finding.wrong(
              CertificateDirectory.BACKUPS,
              "a change was interrupted: certs rotate ends it, certs rotate --undo takes it back"));
    }
  }

  private void tellOther(Path file, String what) {
    findings.add(
        what.equals(CertificateDirectory.UNKNOWN)
            ? Finding.note(file.toString(), what)
            : Finding.warning(file.toString(), what));
  }

  private void check(CertificateEntry entry) throws IOException {
    entry.problems().forEach(problem -> wrong(entry, problem));
    if (entry.certificate().isPresent()) {
      X509Certificate own = entry.certificate().get();
      checkTime(entry, own);
      checkChain(entry, own);
      checkNames(entry, own);
      checkUse(entry, own);
      checkKey(entry, own);
    } else if (entry.certificateFile().isEmpty()) {
      findings.add(Finding.note(entry.name(), "is a key without a certificate"));
    }
    if (entry.keyFile().isPresent()) {
      checkPermissions(entry.keyFile().get());
    }
  }

  private void checkTime(CertificateEntry entry, X509Certificate own) {
    long days = CertificateEntry.daysLeft(own, request.now());
    if (own.getNotBefore().toInstant().isAfter(request.now())) {
      wrong(entry, "is valid only from " + own.getNotBefore().toInstant() + " on");
    } else if (days < 0) {
      wrong(entry, "expired at " + own.getNotAfter().toInstant());
    } else if (days < request.warnDays()) {
      warn(entry, "expires in " + days + " days, at " + own.getNotAfter().toInstant());
    }
  }

  private void checkChain(CertificateEntry entry, X509Certificate own) {
    Collection<X509Certificate> all = directory.certificates();
    List<X509Certificate> chain = Chains.chain(own, all);
    X509Certificate last = chain.get(chain.size() - 1);
    if (!Chains.isSelfSigned(last)) {
      wrong(
          entry,
          all.stream().anyMatch(other -> isCalledAsIssuer(other, last))
              ? "was signed by another "
                  + last.getIssuerX500Principal().getName()
                  + " than the one here"
              : "leads to no root: there is no certificate of "
                  + last.getIssuerX500Principal().getName());
    }
    for (X509Certificate issuer : chain.subList(1, chain.size())) {
      if (!Chains.maySign(issuer)) {
        wrong(entry, issuer.getSubjectX500Principal().getName() + " signed it, and may sign none");
      }
      if (issuer.getNotAfter().toInstant().isBefore(own.getNotAfter().toInstant())) {
        warn(
            entry,
            "is valid for longer than "
                + issuer.getSubjectX500Principal().getName()
                + ", its issuer");
      }
    }
    if (findings.stream().noneMatch(each -> isWrong(each, entry))) {
      validate(entry, own);
    }
  }

  private static boolean isWrong(Finding finding, CertificateEntry entry) {
    return finding.severity() == Finding.Severity.WRONG && finding.subject().equals(entry.name());
  }

  /**
   * What the rules of RFC 5280 ask for besides: of lengths, of names, of who signs at this time.
   */
  private void validate(CertificateEntry entry, X509Certificate own) {
    try {
      Chains.validate(own, directory.certificates(), request.now());
    } catch (GeneralSecurityException e) {
      wrong(entry, "is not valid: " + e.getMessage());
    }
  }

  private static boolean isCalledAsIssuer(X509Certificate other, X509Certificate of) {
    return other.getSubjectX500Principal().equals(of.getIssuerX500Principal());
  }

  private void checkNames(CertificateEntry entry, X509Certificate own) {
    if (own.getSubjectX500Principal().getName().isEmpty()) {
      wrong(entry, "has no subject");
    }
    boolean sm2 = Keys.isSm2(own.getPublicKey());
    if (sm2 != entry.isNamedSm()) {
      wrong(
          entry,
          sm2
              ? "is of SM2, whose files are called " + CertificateEntry.SM_PREFIX + "…"
              : "is called as one of SM2, and is of " + entry.algorithm());
    }
    if (entry.role() == Role.NODE && !request.names().isEmpty()) {
      List<String> names = Purpose.hosts(own);
      request.names().stream()
          .filter(name -> !Purpose.isFor(names, name))
          .forEach(name -> wrong(entry, "is not for " + name + " (subject alternative names)"));
    }
  }

  private void checkUse(CertificateEntry entry, X509Certificate own) {
    boolean maySign = Chains.maySign(own);
    if (entry.role().signs() && !maySign) {
      wrong(entry, "is called as one that signs others, and may sign none");
    } else if (!entry.role().signs() && entry.role() != Role.OTHER && maySign) {
      wrong(entry, "may sign others, which one of its role must not");
    }
    boolean[] usage = own.getKeyUsage();
    if (usage == null || entry.role().signs()) {
      return;
    }
    if (entry.lastName().startsWith(ENCRYPTION_PREFIX)) {
      if (!usage[KEY_ENCIPHERMENT] && !usage[DATA_ENCIPHERMENT] && !usage[KEY_AGREEMENT]) {
        wrong(entry, "is the one to encrypt with, and its key usage does not allow that");
      }
    } else if (entry.role() != Role.OTHER && !usage[DIGITAL_SIGNATURE]) {
      wrong(entry, "is to sign with, and its key usage does not allow that");
    }
  }

  private void checkKey(CertificateEntry entry, X509Certificate own) {
    switch (entry.keyState()) {
      case "absent" -> {
        if (entry.role() == Role.NODE || entry.role() == Role.SDK) {
          warn(entry, "has no key beside it");
        }
      }
      case "another's" -> wrong(entry, "has a key beside it that does not belong to it");
      case "under a passphrase" ->
          warn(entry, "has a key under a passphrase, which was not compared with it");
      default -> {
        if (!Keys.isKnown(own.getPublicKey())) {
          warn(entry, "is of " + entry.algorithm() + ", whose keys are not compared");
        }
      }
    }
  }

  private void checkPermissions(Path file) throws IOException {
    Path path = directory.root().resolve(file);
    if (!path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      return;
    }
    Set<PosixFilePermission> found = Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS);
    if (!OWNER_ONLY.containsAll(found)) {
      findings.add(
          Finding.wrong(
              file.toString(),
              "is open to others, %s: chmod 600".formatted(PosixFilePermissions.toString(found))));
    }
    Path parent = Objects.requireNonNull(path.getParent());
    if (Files.getPosixFilePermissions(parent).contains(PosixFilePermission.OTHERS_WRITE)) {
      findings.add(
          Finding.wrong(file.toString(), "lies where everybody can put another in its place"));
    }
  }

  /** An issuer gives a number once. */
  private void checkSerials() {
    Map<List<Object>, X509Certificate> seen = new HashMap<>();
    for (CertificateEntry entry : directory.entries()) {
      for (X509Certificate certificate : entry.certificate().stream().toList()) {
        @Nullable X509Certificate other =
            seen.putIfAbsent(
                Arrays.asList(certificate.getIssuerX500Principal(), certificate.getSerialNumber()),
                certificate);
        if (other != null && !other.equals(certificate)) {
          wrong(entry, "has the serial number of another certificate of its issuer");
        }
      }
    }
  }

  private void wrong(CertificateEntry entry, String what) {
    findings.add(Finding.wrong(entry.name(), what));
  }

  private void warn(CertificateEntry entry, String what) {
    findings.add(Finding.warning(entry.name(), what));
  }
}
