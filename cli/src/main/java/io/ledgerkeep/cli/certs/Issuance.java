package io.ledgerkeep.cli.certs;

import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.util.IPAddress;

/**
 * Makes the key and the certificate of a node, an SDK or an organisation that is new. Files are
 * added and none is changed.
 */
public final class Issuance {

  /** Parts that begin with a dot are not for certificates; what is not ASCII is no good name. */
  private static final Pattern NAME = Pattern.compile("(\\w[\\w.-]*/){0,6}\\w[\\w.-]*");

  private static final Pattern HOST =
      Pattern.compile("(\\*\\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*");

  private static final String CERTIFICATE = ".crt";
  private static final String KEY = ".key";

  private final CertificateDirectory directory;
  private final Wanted wanted;
  private final Instant now;
  private final SecureRandom random;

  private Issuance(Path root, Wanted wanted, Instant now, SecureRandom random) throws IOException {
    this.directory = CertificateDirectory.read(root);
    this.wanted = wanted;
    this.now = now;
    this.random = random;
  }

  /**
   * What is asked for.
   *
   * @param name what it is called, whose last part tells the role: {@code node1/ssl}
   * @param issuer what who signs it is called
   * @param subject its subject
   * @param hosts names and addresses it is for
   * @param days for how long it is valid
   */
  public record Wanted(
      String name, String issuer, X500Principal subject, List<String> hosts, long days) {

    /** Copies the hosts, in lower case. */
    public Wanted {
      hosts = hosts.stream().map(host -> host.toLowerCase(Locale.ROOT)).toList();
    }
  }

  /** What was made, or would be. */
  public record Issued(X509Certificate certificate, List<Path> files) {

    /** Copies the files. */
    public Issued {
      files = List.copyOf(files);
    }
  }

  /**
   * Makes key and certificate, verifies them, and writes them unless that is only tried.
   *
   * @throws ConfigurationException if no such certificate would be valid
   * @throws ConflictException if a file is there already, the key of who signs is not, or another
   *     command changes the directory
   */
  @SuppressWarnings("try") // the lock is only held
  public static Issued issue(
      Path directory, Wanted wanted, boolean dryRun, Clock clock, SecureRandom random)
      throws IOException, GeneralSecurityException {
    Path root = CertificateDirectory.rootOf(directory);
    if (dryRun) {
      return new Issuance(root, wanted, clock.instant(), random).issue(true);
    }
    try (FileChannel ignored = Backups.lock(root)) {
      return new Issuance(root, wanted, clock.instant(), random).issue(false);
    }
  }

  private Issued issue(boolean dryRun) throws IOException, GeneralSecurityException {
    if (Backups.recordOf(directory.root()).filter(last -> !last.ended()).isPresent()) {
      throw new ConflictException(
          ConflictException.Reason.JOB_RUNNING,
          "a change of " + directory.root() + " was interrupted: certs rotate ends it");
    }
    X509Certificate signer = signer();
    KeyPair pair = Keys.freshLike(signer.getPublicKey(), random);
    X509Certificate made = made(signer, pair);
    verify(made, pair.getPrivate());
    try (ChangeSet files = files(made, pair.getPrivate())) {
      if (!dryRun) {
        write(files);
      }
      return new Issued(made, files.changes().stream().map(FileChange::path).toList());
    }
  }

  private Role role() {
    if (!NAME.matcher(wanted.name()).matches()
        || wanted.name().startsWith(CertificateDirectory.BACKUPS + "/")) {
      throw new ConfigurationException(
          "'%s' is no name for a certificate: letters, digits, '_', '-' and '.', in directories of DIR"
              .formatted(wanted.name()));
    }
    String last = lastName();
    Role role = Role.of(isNamedSm() ? last.substring(CertificateEntry.SM_PREFIX.length()) : last);
    if (role == Role.OTHER) {
      throw new ConfigurationException(
          "the last part of '%s' must tell whose it is: ssl or node, sdk, agency or ca, after sm_ for SM2"
              .formatted(wanted.name()));
    }
    return role;
  }

  private String lastName() {
    return wanted.name().substring(wanted.name().lastIndexOf('/') + 1);
  }

  private boolean isNamedSm() {
    return lastName().startsWith(CertificateEntry.SM_PREFIX);
  }

  private X509Certificate signer() {
    X509Certificate signer =
        directory.named(List.of(wanted.issuer())).get(0).certificate().orElseThrow();
    if (!Chains.maySign(signer)) {
      throw new ConfigurationException(wanted.issuer() + " may sign no certificates");
    }
    if (signer.getSubjectX500Principal().equals(wanted.subject())) {
      throw new ConfigurationException("--subject must not be that of who signs");
    }
    if (Keys.isSm2(signer.getPublicKey()) != isNamedSm()) {
      throw new ConfigurationException(
          "%s is of %s, and what SM2 signs, and nothing else, is called sm_…: %s does not fit"
              .formatted(wanted.issuer(), Keys.algorithm(signer.getPublicKey()), wanted.name()));
    }
    return signer;
  }

  private X509Certificate made(X509Certificate signer, KeyPair pair)
      throws GeneralSecurityException {
    PrivateKey key =
        directory
            .keyOf(signer)
            .orElseThrow(
                () ->
                    new ConflictException(
                        ConflictException.Reason.KEY,
                        "there is no readable key of %s in %s, which would have to sign"
                            .formatted(wanted.issuer(), directory.root())));
    CertificateMaker.Issuer issuer =
        CertificateMaker.Issuer.of(signer, new KeyPair(signer.getPublicKey(), key));
    return CertificateMaker.issue(
        X500Name.getInstance(wanted.subject().getEncoded()),
        extensions(role()),
        new CertificateMaker.Fresh(
            pair.getPublic(),
            Renewal.serial(random),
            Renewal.from(now),
            Renewal.until(now, wanted.days(), issuer)),
        issuer);
  }

  private List<Extension> extensions(Role role) {
    List<Extension> extensions = new ArrayList<>();
    extensions.add(
        CertificateMaker.extension(
            Extension.basicConstraints, true, new BasicConstraints(role.signs())));
    extensions.add(CertificateMaker.extension(Extension.keyUsage, true, new KeyUsage(usage(role))));
    if (role == Role.SDK) {
      extensions.add(
          CertificateMaker.extension(
              Extension.extendedKeyUsage,
              false,
              new ExtendedKeyUsage(KeyPurposeId.id_kp_clientAuth)));
    }
    if (!wanted.hosts().isEmpty()) {
      extensions.add(
          CertificateMaker.extension(
              Extension.subjectAlternativeName,
              false,
              new GeneralNames(
                  wanted.hosts().stream().map(Issuance::host).toArray(GeneralName[]::new))));
    }
    return extensions;
  }

  private int usage(Role role) {
    if (role.signs()) {
      return KeyUsage.keyCertSign | KeyUsage.cRLSign;
    }
    return lastName().startsWith(CertificateCheck.ENCRYPTION_PREFIX)
        ? KeyUsage.keyEncipherment | KeyUsage.dataEncipherment | KeyUsage.keyAgreement
        : KeyUsage.digitalSignature | (isNamedSm() ? 0 : KeyUsage.keyEncipherment);
  }

  private static GeneralName host(String host) {
    if (IPAddress.isValid(host)) {
      return new GeneralName(GeneralName.iPAddress, host);
    }
    if (!HOST.matcher(host).matches() || host.matches("[0-9.]+")) {
      throw new ConfigurationException("--name: '" + host + "' is no name or address of a host");
    }
    return new GeneralName(GeneralName.dNSName, host);
  }

  private void verify(X509Certificate made, PrivateKey key) throws GeneralSecurityException {
    try {
      Chains.validate(made, directory.certificates(), now);
    } catch (GeneralSecurityException e) {
      throw new ConfigurationException("the certificate would not be valid: " + e.getMessage(), e);
    }
    if (!Keys.isPair(key, made.getPublicKey())) {
      throw new GeneralSecurityException("the key that was made does not fit");
    }
  }

  /** The key comes first: where a certificate is, it is whole. */
  private ChangeSet files(X509Certificate made, PrivateKey key) throws IOException {
    List<X509Certificate> chain = Chains.chain(made, directory.certificates());
    X509Certificate root = chain.get(chain.size() - 1);
    for (CertificateEntry entry : directory.entries()) {
      if (entry.name().equals(wanted.name())) {
        throw isThere(entry.certificateFile().or(entry::keyFile).orElseThrow());
      }
    }
    List<FileChange> files = new ArrayList<>();
    files.add(fresh(wanted.name() + KEY, Pem.of(key)));
    if (!role().signs()) {
      String prefix = isNamedSm() ? CertificateEntry.SM_PREFIX : "";
      root(Path.of(wanted.name()).resolveSibling(prefix + "ca" + CERTIFICATE), root)
          .ifPresent(files::add);
    }
    List<X509Certificate> shown = chain.subList(0, Math.max(1, chain.size() - 1));
    files.add(fresh(wanted.name() + CERTIFICATE, Pem.of(shown)));
    return new ChangeSet(files);
  }

  private FileChange fresh(String name, byte[] content) {
    Path file = Path.of(name);
    if (Files.exists(directory.root().resolve(file), LinkOption.NOFOLLOW_LINKS)) {
      throw isThere(file);
    }
    return new FileChange(file, null, content);
  }

  private static ConflictException isThere(Path file) {
    return new ConflictException(
        ConflictException.Reason.EXISTS,
        file + " is there already, and nothing is overwritten: name another, or use certs rotate");
  }

  /** The root lies beside each node, where it is not there yet. */
  private Optional<FileChange> root(Path file, X509Certificate root) {
    String name = file.toString().substring(0, file.toString().length() - CERTIFICATE.length());
    for (CertificateEntry entry : directory.entries()) {
      if (entry.name().equals(name) && entry.certificates().contains(root)) {
        return Optional.empty();
      }
    }
    return Optional.of(fresh(file.toString(), Pem.of(List.of(root))));
  }

  private void write(ChangeSet files) throws IOException {
    Path folder = makeFolder();
    try {
      for (FileChange file : files.changes()) {
        SafeFile place = new SafeFile(folder.resolve(file.path().getFileName()), random);
        place.change(file);
        if (!place.holds(file.next())) {
          throw new IOException(file.path() + " does not hold what was written: check the disk");
        }
      }
    } catch (IOException | RuntimeException e) {
      remove(folder, files, e);
      throw e;
    }
  }

  private void remove(Path folder, ChangeSet files, Exception failure) {
    for (FileChange file : files.reversed().changes()) {
      try {
        new SafeFile(folder.resolve(file.path().getFileName()), random).change(file);
      } catch (IOException | RuntimeException e) {
        failure.addSuppressed(e);
      }
    }
  }

  private Path makeFolder() throws IOException {
    Path file = directory.root().resolve(wanted.name());
    Path folder = file.resolveSibling("");
    Path there = folder;
    while (!Files.exists(there, LinkOption.NOFOLLOW_LINKS)) {
      there = there.resolveSibling("");
    }
    if (!there.toRealPath().equals(there)) {
      throw new ConflictException(
          ConflictException.Reason.EXISTS, there + " leads elsewhere: it must be no link");
    }
    Files.createDirectories(folder);
    SafeFile.syncDirectory(folder.resolveSibling(""));
    return folder;
  }
}
