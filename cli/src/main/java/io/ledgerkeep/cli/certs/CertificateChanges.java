package io.ledgerkeep.cli.certs;

import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Changes the certificates and keys of a directory, a set of files at a time: what they held and
 * will hold is backed up encrypted first; then each file is replaced in one step. A change that was
 * interrupted is ended by carrying out {@link #interrupted}, or taken back by {@link #undo}.
 */
public final class CertificateChanges implements AutoCloseable {

  static final byte ROTATION = 1;
  static final byte RETIREMENT = 2;
  static final byte REQUEST = 3;

  private final CertificateDirectory directory;
  private final Backups backups;
  private final Clock clock;
  private final SecureRandom random;

  private CertificateChanges(
      CertificateDirectory directory, Backups backups, Clock clock, SecureRandom random) {
    this.directory = directory;
    this.backups = backups;
    this.clock = clock;
    this.random = random;
  }

  /**
   * Takes hold of a directory.
   *
   * @throws ConflictException if another process has it
   */
  public static CertificateChanges hold(
      Path directory, BackupKey key, Clock clock, SecureRandom random) throws IOException {
    Path root = CertificateDirectory.rootOf(directory);
    Backups backups = Backups.hold(root, key);
    try {
      return new CertificateChanges(CertificateDirectory.read(root), backups, clock, random);
    } catch (IOException | RuntimeException e) {
      backups.close();
      throw e;
    }
  }

  /** Looks at a directory to plan with; nothing can be changed then. */
  public static CertificateChanges look(
      Path directory, BackupKey key, Clock clock, SecureRandom random) throws IOException {
    CertificateDirectory found = CertificateDirectory.read(directory);
    return new CertificateChanges(found, Backups.look(found.root(), key), clock, random);
  }

  /** What is to become of the files; wiped when closed. */
  public static final class Plan implements AutoCloseable {

    private final ChangeSet changes;
    private final byte kind;
    private final Optional<Backups.LastChange> record;

    private Plan(ChangeSet changes, byte kind, Optional<Backups.LastChange> record) {
      this.changes = changes;
      this.kind = kind;
      this.record = record;
    }

    /** Returns the files, relative to the directory. */
    public List<Path> files() {
      return changes.changes().stream().map(FileChange::path).toList();
    }

    /** Returns what becomes of each certificate, in the order of files. */
    public List<Replaced> certificates() {
      List<Replaced> replaced = new ArrayList<>();
      for (FileChange change : changes.changes()) {
        Optional<X509Certificate> former = certificate(change.formerContent());
        Optional<X509Certificate> next = certificate(change.nextContent());
        if (former.isPresent() || next.isPresent()) {
          replaced.add(new Replaced(change.path(), former, next));
        }
      }
      return replaced;
    }

    private static Optional<X509Certificate> certificate(Optional<byte[]> content) {
      try {
        return content.isEmpty()
            ? Optional.empty()
            : Pem.certificates(content.get()).stream().findFirst();
      } catch (Pem.MalformedException e) {
        return Optional.empty();
      }
    }

    @Override
    public void close() {
      changes.close();
    }
  }

  /** What becomes of a certificate: there is none before, or none after, if it is not there. */
  public record Replaced(
      Path file, Optional<X509Certificate> former, Optional<X509Certificate> next) {}

  // ------------------------------------------------------------------------------------ plans

  /** Returns the change that was interrupted, to be carried out first, if there is one. */
  public Optional<Plan> interrupted() throws IOException {
    Optional<Backups.LastChange> record = backups.record().filter(last -> !last.ended());
    return record.isEmpty() ? Optional.empty() : Optional.of(plan(record.get()));
  }

  /** Returns what puts back the files that the last change replaced or removed. */
  public Plan undo() throws IOException {
    Backups.LastChange last =
        backups
            .record()
            .filter(record -> record.toNext() || !record.ended())
            .orElseThrow(
                () ->
                    new ConflictException(
                        ConflictException.Reason.EXISTS,
                        "there is no change of " + directory.root() + " to undo"));
    return plan(new Backups.LastChange(last.backup(), false, false));
  }

  /** A file that somebody changed since is not overwritten. */
  private Plan plan(Backups.LastChange record) throws IOException {
    ChangeSet saved = backups.load(record.backup());
    ChangeSet changes = record.toNext() ? saved : saved.reversed();
    try {
      for (FileChange change : changes.changes()) {
        SafeFile file = file(change.path());
        if (!file.holds(change.former()) && !file.holds(change.next())) {
          throw new ConflictException(
              ConflictException.Reason.EXISTS,
              "%s was changed since %s was made: put it back, or move %s away to leave all as it is"
                  .formatted(change.path(), backups.file(record.backup()), backups.recordFile()));
        }
      }
      return new Plan(changes, (byte) 0, Optional.of(record));
    } catch (IOException | RuntimeException e) {
      changes.close();
      throw e;
    }
  }

  /**
   * Returns the replacement of the named certificates, with their keys, and of all that they
   * signed, made and verified.
   */
  public Plan renewal(List<String> names, OptionalLong days)
      throws IOException, GeneralSecurityException {
    Renewal renewal = new Renewal(directory, clock.instant(), random);
    renewal.make(directory.named(names), days);
    verify(renewal.certificates(), renewal.keys(), List.of());
    return replacement(renewal.certificates(), renewal.keys(), List.of());
  }

  /** Returns the replacement of a certificate by one that was signed elsewhere for a request. */
  public Plan signed(byte[] text) throws IOException, GeneralSecurityException {
    List<X509Certificate> signed = signedCertificates(text);
    X509Certificate own = signed.get(0);
    Requested requested = requested(own);
    X509Certificate former =
        directory.named(List.of(requested.name())).get(0).certificate().orElseThrow();
    if (!own.getSubjectX500Principal().equals(former.getSubjectX500Principal())) {
      throw new ConfigurationException(
          "the signed certificate is that of %s, but %s is that of %s"
              .formatted(
                  own.getSubjectX500Principal().getName(),
                  requested.name(),
                  former.getSubjectX500Principal().getName()));
    }
    if (Chains.maySign(own) && !Chains.maySign(former)) {
      throw new ConfigurationException(
          "the signed certificate may sign others, and the former may not");
    }
    Purpose.lost(former, own)
        .ifPresent(
            lost -> {
              throw new ConfigurationException(
                  "the signed certificate is not for all that the former is for: it lacks " + lost);
            });
    List<X509Certificate> above = signed.subList(1, signed.size());
    verify(Map.of(former, own), Map.of(former, requested.key()), above);
    for (CertificateEntry entry : directory.entries()) {
      if (entry.certificate().filter(former::equals).isPresent()) {
        requireInOrder(replaced(entry, Map.of(former, own), above));
      }
    }
    return replacement(Map.of(former, own), Map.of(former, requested.key()), above);
  }

  /**
   * Whoever is shown the file of a node takes each certificate for the issuer of the one before.
   */
  private static void requireInOrder(List<X509Certificate> certificates) {
    for (int i = 1; i < certificates.size(); i++) {
      if (!Chains.isSignedBy(certificates.get(i - 1), certificates.get(i))) {
        throw new ConfigurationException(
            "the file would hold %s after %s, which it did not sign: let the file of --signed hold all"
                    .formatted(
                        certificates.get(i).getSubjectX500Principal().getName(),
                        certificates.get(i - 1).getSubjectX500Principal().getName())
                + " that are above the new certificate, in order");
      }
    }
  }

  private static List<X509Certificate> signedCertificates(byte[] text) {
    try {
      List<X509Certificate> signed = Pem.certificates(text);
      if (!signed.isEmpty()) {
        return signed;
      }
    } catch (Pem.MalformedException e) {
      // told below
    }
    throw new ConfigurationException("the signed certificate is not one in PEM");
  }

  /** The key that waits for a certificate, and the name that it goes to. */
  private record Requested(String name, PrivateKey key) {}

  private Requested requested(X509Certificate signed) throws IOException {
    for (int number : backups.numbers()) {
      if (backups.kind(number) == REQUEST) {
        try (ChangeSet request = backups.load(number)) {
          FileChange change = request.changes().get(0);
          Optional<PrivateKey> key = Pem.privateKey(Objects.requireNonNull(change.next()));
          if (key.filter(each -> Keys.isPair(each, signed.getPublicKey())).isPresent()) {
            String file = change.path().toString();
            return new Requested(file.substring(0, file.lastIndexOf('.')), key.get());
          }
        } catch (Pem.MalformedException e) {
          throw new IntegrityException(backups.file(number) + " holds no key", e);
        }
      }
    }
    throw new ConflictException(
        ConflictException.Reason.KEY,
        "no request was made here for the key of the signed certificate: make one with --csr FILE and"
            + " have that signed");
  }

  /**
   * Makes a key for a new certificate in the place of the named one, and returns the request for
   * it, in PEM. The key waits in a backup, encrypted.
   */
  public byte[] request(String name) throws IOException, GeneralSecurityException {
    Renewal.Request request = Renewal.request(requestable(name), random);
    byte[] key = Pem.of(request.key());
    try (ChangeSet waiting =
        new ChangeSet(List.of(new FileChange(Path.of(name + ".key"), null, key)))) {
      backups.save(REQUEST, waiting);
    }
    return request.text();
  }

  /**
   * Returns the named certificate, if a request for another in its place can be made.
   *
   * @throws ConfigurationException if there is none, or it signed others
   */
  public X509Certificate requestable(String name) {
    X509Certificate former = directory.named(List.of(name)).get(0).certificate().orElseThrow();
    if (directory.certificates().stream().anyMatch(each -> isBelow(each, former))) {
      throw new ConfigurationException(
          name
              + " signed others here, which would have to be signed anew: replace it without --csr");
    }
    return former;
  }

  private static boolean isBelow(X509Certificate each, X509Certificate issuer) {
    return !each.equals(issuer) && Chains.isSignedBy(each, issuer);
  }

  /** Returns the removal of the named certificates and their keys. */
  public Plan retirement(List<String> names) throws IOException {
    Set<X509Certificate> retired = new HashSet<>();
    directory.named(names).forEach(entry -> retired.add(entry.certificate().orElseThrow()));
    for (X509Certificate each : directory.certificates()) {
      Optional<X509Certificate> issuer =
          retired.stream().filter(one -> isBelow(each, one)).findFirst();
      if (issuer.isPresent() && !retired.contains(each) && !isSignedByOthers(each, retired)) {
        throw new ConflictException(
            ConflictException.Reason.KEY,
            "%s signed %s, which is still there: retire that too, or replace it first"
                .formatted(
                    issuer.get().getSubjectX500Principal().getName(),
                    each.getSubjectX500Principal().getName()));
      }
    }
    try (Draft draft = new Draft()) {
      for (CertificateEntry entry : directory.entries()) {
        if (entry.certificate().filter(retired::contains).isPresent()) {
          draft.add(entry.certificateFile().orElseThrow(), null);
        }
        if (entry.keyFile().isPresent()
            && ofWhich(entry, retired).isPresent()
            && alsoOf(entry, retired).isEmpty()) {
          requireOnlyOneKey(entry);
          draft.add(entry.keyFile().get(), null);
        }
      }
      return draft.plan(RETIREMENT);
    }
  }

  /** A certificate of an authority may have been renewed with the same key. */
  private boolean isSignedByOthers(X509Certificate each, Set<X509Certificate> than) {
    return directory.certificates().stream()
        .anyMatch(issuer -> stays(issuer, than) && Chains.isSignedBy(each, issuer));
  }

  /** Returns whether a certificate is not among those that change, and has not expired. */
  private boolean stays(X509Certificate certificate, Set<X509Certificate> changed) {
    return !changed.contains(certificate)
        && certificate.getNotAfter().toInstant().isAfter(clock.instant());
  }

  /** Returns a certificate that stays and needs the key of an entry. */
  private Optional<X509Certificate> alsoOf(CertificateEntry entry, Set<X509Certificate> changed) {
    Optional<String> identity = entry.key().flatMap(Keys::identity);
    return directory.certificates().stream()
        .filter(each -> identity.isPresent() && stays(each, changed))
        .filter(each -> identity.equals(Keys.identity(each.getPublicKey())))
        .findFirst();
  }

  /** What lies beside the key in its file would be lost, and a second file with it would stay. */
  private static void requireOnlyOneKey(CertificateEntry entry) {
    if (entry.key().isPresent() && !entry.problems().isEmpty()) {
      throw new ConflictException(
          ConflictException.Reason.KEY,
          entry.problems().get(0) + "; put that in order first, so that no key is lost or left");
    }
  }

  private Plan replacement(
      Map<X509Certificate, X509Certificate> next,
      Map<X509Certificate, PrivateKey> keys,
      List<X509Certificate> above)
      throws IOException {
    Set<X509Certificate> placed = new HashSet<>();
    try (Draft draft = new Draft()) {
      for (CertificateEntry entry : directory.entries()) {
        if (entry.certificates().stream().anyMatch(next::containsKey)) {
          draft.add(entry.certificateFile().orElseThrow(), Pem.of(replaced(entry, next, above)));
        }
        Optional<X509Certificate> owner =
            entry.keyFile().isEmpty() ? Optional.empty() : ofWhich(entry, keys.keySet());
        if (owner.isPresent()) {
          requireOnlyOneKey(entry);
          requireNoOther(entry, keys.keySet());
          draft.add(
              entry.keyFile().orElseThrow(), Pem.of(Objects.requireNonNull(keys.get(owner.get()))));
          placed.add(owner.get());
        }
      }
      for (CertificateEntry entry : directory.entries()) {
        Optional<X509Certificate> own =
            entry.certificate().filter(keys::containsKey).filter(placed::add);
        if (own.isPresent()) {
          draft.add(
              Path.of(entry.name() + ".key"), Pem.of(Objects.requireNonNull(keys.get(own.get()))));
        }
      }
      return draft.plan(ROTATION);
    }
  }

  private void requireNoOther(CertificateEntry entry, Set<X509Certificate> changed) {
    Optional<X509Certificate> other = alsoOf(entry, changed);
    if (other.isPresent()) {
      throw new ConflictException(
          ConflictException.Reason.KEY,
          "the key in %s is also that of a certificate of %s with the serial number %s, which would stay"
                  .formatted(
                      entry.keyFile().orElseThrow(),
                      other.get().getSubjectX500Principal().getName(),
                      other.get().getSerialNumber().toString(16))
              + " without one: replace or retire that too");
    }
  }

  private static List<X509Certificate> replaced(
      CertificateEntry entry,
      Map<X509Certificate, X509Certificate> next,
      List<X509Certificate> above) {
    List<X509Certificate> certificates = new ArrayList<>();
    entry.certificates().forEach(each -> certificates.add(next.getOrDefault(each, each)));
    if (above.isEmpty() || entry.certificate().filter(next::containsKey).isEmpty()) {
      return certificates;
    }
    List<X509Certificate> withAbove = new ArrayList<>(certificates.subList(0, 1));
    withAbove.addAll(above);
    return withAbove;
  }

  /** Returns which of the certificates a key file belongs to: by its name, or by its key. */
  private static Optional<X509Certificate> ofWhich(
      CertificateEntry entry, Set<X509Certificate> certificates) {
    Optional<String> identity = entry.key().flatMap(Keys::identity);
    return entry
        .certificate()
        .filter(certificates::contains)
        .or(
            () ->
                certificates.stream()
                    .filter(each -> identity.isPresent())
                    .filter(each -> identity.equals(Keys.identity(each.getPublicKey())))
                    .findFirst());
  }

  /** All that is new must be valid, up to a root that will be there, and fit its key. */
  private void verify(
      Map<X509Certificate, X509Certificate> next,
      Map<X509Certificate, PrivateKey> keys,
      List<X509Certificate> above)
      throws GeneralSecurityException {
    Set<X509Certificate> then = new HashSet<>(directory.certificates());
    then.removeAll(next.keySet());
    then.addAll(next.values());
    for (Map.Entry<X509Certificate, X509Certificate> each : next.entrySet()) {
      String subject = each.getValue().getSubjectX500Principal().getName();
      Set<X509Certificate> among = new HashSet<>(then);
      among.addAll(above.stream().filter(one -> !Chains.isSelfSigned(one)).toList());
      try {
        Chains.validate(each.getValue(), among, clock.instant());
      } catch (GeneralSecurityException e) {
        throw new ConfigurationException(
            "the new certificate of %s would not be valid: %s".formatted(subject, e.getMessage()),
            e);
      }
      PrivateKey key = Objects.requireNonNull(keys.get(each.getKey()));
      if (!Keys.isPair(key, each.getValue().getPublicKey())) {
        throw new GeneralSecurityException("the new key of " + subject + " does not fit");
      }
    }
  }

  /** Changes as they are collected; wiped unless they became a plan. */
  private final class Draft implements AutoCloseable {

    private final List<FileChange> changes = new ArrayList<>();
    private boolean taken;

    void add(Path path, byte @Nullable [] next) throws IOException {
      requireText(path);
      SafeFile file = file(path);
      FileChange change = new FileChange(path, file.content(), next);
      changes.add(change);
      if (change.isSecret() && file.hasOtherNames()) {
        throw new ConflictException(
            ConflictException.Reason.KEY,
            path
                + " has a second name elsewhere (a hard link), so that the key would stay: remove it");
      }
    }

    /** A backup could not say where the file goes. */
    private static void requireText(Path path) {
      try {
        if (Path.of(path.toString()).equals(path)) {
          return;
        }
      } catch (InvalidPathException e) {
        // told below
      }
      throw new ConfigurationException(
          "the name of "
              + path
              + " is no text in the character set of this system: rename the file");
    }

    Plan plan(byte kind) {
      taken = true;
      return new Plan(new ChangeSet(changes), kind, Optional.empty());
    }

    @Override
    public void close() {
      if (!taken) {
        changes.forEach(FileChange::wipe);
      }
    }
  }

  private SafeFile file(Path path) throws IOException {
    Path file = directory.root().resolve(path);
    Path parent = Objects.requireNonNull(file.getParent());
    if (!parent.toRealPath().equals(parent)) {
      throw new ConflictException(
          ConflictException.Reason.EXISTS, parent + " leads elsewhere: it must be no link");
    }
    return new SafeFile(file, random);
  }

  // --------------------------------------------------------------------------------- carry out

  /**
   * Carries out a plan: backs up what the files hold and will hold, then replaces each of them.
   * Where that fails, those that were replaced are put back.
   *
   * @return the backup
   */
  public Path carryOut(Plan plan) throws IOException {
    Backups.LastChange record;
    if (plan.record.isPresent()) {
      record = plan.record.get();
    } else {
      requireEnded();
      requireAsPlanned(plan.changes);
      record = new Backups.LastChange(backups.save(plan.kind, plan.changes), true, false);
      Steps.pass("backed up");
    }
    backups.reserve();
    backups.record(record);
    Steps.pass("begun");
    try {
      replace(plan.changes);
    } catch (IOException | RuntimeException e) {
      putBack(plan.changes, record, e);
      throw e;
    }
    backups.recordInReserve(record.asEnded());
    Steps.pass("ended");
    return backups.file(record.backup());
  }

  private void requireEnded() throws IOException {
    if (backups.record().filter(last -> !last.ended()).isPresent()) {
      throw new ConflictException(
          ConflictException.Reason.JOB_RUNNING,
          "a change of " + directory.root() + " was interrupted, and is to be ended first");
    }
  }

  /** A person may have been asked in between. */
  private void requireAsPlanned(ChangeSet changes) throws IOException {
    for (FileChange change : changes.changes()) {
      if (!file(change.path()).holds(change.former())) {
        throw new ConflictException(
            ConflictException.Reason.EXISTS,
            change.path() + " was changed since it was read: run the command again");
      }
    }
  }

  private void replace(ChangeSet changes) throws IOException {
    for (FileChange change : changes.changes()) {
      file(change.path()).change(change);
    }
    for (FileChange change : changes.changes()) {
      if (!file(change.path()).holds(change.next())) {
        throw new IOException(change.path() + " does not hold what was written: check the disk");
      }
    }
  }

  private void putBack(ChangeSet changes, Backups.LastChange record, Exception failure) {
    Backups.LastChange back = new Backups.LastChange(record.backup(), !record.toNext(), false);
    try {
      backups.recordInReserve(back);
      replace(changes.reversed());
      backups.record(back.asEnded());
    } catch (IOException | RuntimeException e) {
      e.addSuppressed(failure);
      throw new StorageException(
          StorageException.Kind.FATAL,
          "the files in %s are half replaced, and could not be put back: %s; run the same command again to"
                  .formatted(directory.root(), e.getMessage())
              + " end that, or certs rotate --undo",
          e);
    }
  }

  @Override
  public void close() throws IOException {
    backups.close();
  }
}
