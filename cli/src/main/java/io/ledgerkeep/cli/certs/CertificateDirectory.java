package io.ledgerkeep.cli.certs;

import io.ledgerkeep.error.ConfigurationException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a directory holds of certificates and keys, with all directories in it. Symbolic links are
 * never followed.
 */
public final class CertificateDirectory {

  /** Where backups of what was replaced are kept. */
  static final String BACKUPS = "backups";

  /** What is said of a file that is none of ours. */
  static final String UNKNOWN = "is not known";

  /** What is said of one that nobody looks after, as its name does not end like that of a key. */
  static final String UNKNOWN_KEY = "holds a private key, and its name is none of a key: remove it";

  private static final int MAX_DEPTH = 8;
  private static final int MAX_FILES = 10_000;
  private static final int MAX_BYTES = 1 << 20;

  private final Path root;
  private final Map<String, CertificateEntry> entries = new TreeMap<>();
  private final List<Path> files = new ArrayList<>();

  /** By what they have in common with their public keys. */
  private final Map<String, PrivateKey> keys = new HashMap<>();

  private final Map<Path, String> notes = new TreeMap<>();

  private CertificateDirectory(Path root) {
    this.root = root;
  }

  /**
   * Reads a directory.
   *
   * @throws ConfigurationException if there is none, or it holds more than such a directory does
   */
  public static CertificateDirectory read(Path directory) throws IOException {
    CertificateDirectory found = new CertificateDirectory(rootOf(directory));
    found.walk();
    found.readEntries();
    return found;
  }

  static Path rootOf(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      throw new ConfigurationException("there is no directory " + directory);
    }
    return directory.toRealPath();
  }

  /** Returns the real path of the directory. */
  public Path root() {
    return root;
  }

  /** Returns what was found, in the order of names. */
  public List<CertificateEntry> entries() {
    return List.copyOf(entries.values());
  }

  /** Returns what is there besides: the file, and what it is in words. */
  Map<Path, String> others() {
    return Collections.unmodifiableMap(notes);
  }

  /** Returns the entries of the names, in that order. */
  List<CertificateEntry> named(List<String> names) {
    return names.stream().map(this::named).toList();
  }

  private CertificateEntry named(String name) {
    CertificateEntry entry = entries.get(name);
    if (entry == null || entry.certificate().isEmpty()) {
      throw new ConfigurationException(
          "there is no certificate '%s' in %s; there are: %s"
              .formatted(
                  name,
                  root,
                  String.join(
                      ", ",
                      entries.values().stream()
                          .filter(known -> known.certificate().isPresent())
                          .map(CertificateEntry::name)
                          .toList())));
    }
    return entry;
  }

  /** Returns every certificate there is, once. */
  Set<X509Certificate> certificates() {
    Set<X509Certificate> all = Collections.newSetFromMap(new LinkedHashMap<>());
    entries.values().forEach(entry -> all.addAll(entry.certificates()));
    return all;
  }

  /** Returns the private key that goes with a certificate, wherever it lies. */
  Optional<PrivateKey> keyOf(X509Certificate certificate) {
    return Keys.identity(certificate.getPublicKey())
        .map(keys::get)
        .filter(key -> Keys.isPair(key, certificate.getPublicKey()));
  }

  private void walk() throws IOException {
    Path backups = root.resolve(BACKUPS);
    Files.walkFileTree(
        root,
        EnumSet.noneOf(FileVisitOption.class),
        MAX_DEPTH,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path each, BasicFileAttributes attributes) {
            return each.equals(backups) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            visit(root.relativize(file), attributes);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) {
            notes.put(root.relativize(file), "cannot be read");
            return FileVisitResult.CONTINUE;
          }
        });
    Collections.sort(files);
  }

  private void visit(Path file, BasicFileAttributes attributes) {
    if (files.size() + notes.size() >= MAX_FILES) {
      throw new ConfigurationException(
          root + " holds more than " + MAX_FILES + " files: it is no directory of certificates");
    }
    if (attributes.isSymbolicLink()) {
      notes.put(file, "is a symbolic link, which is not followed");
    } else if (attributes.isDirectory()) {
      notes.put(file, "lies too deep and was not looked at");
    } else if (SafeFile.isLeftover(file)) {
      notes.put(file, "was left by a change that was interrupted");
    } else if (!attributes.isRegularFile()) {
      notes.put(file, "is no file");
    } else if (!isOfOurs(file)) {
      notes.put(file, holdsKey(root.resolve(file)) ? UNKNOWN_KEY : UNKNOWN);
    } else if (attributes.size() > MAX_BYTES) {
      notes.put(file, "has more than " + MAX_BYTES + " bytes, so it was not read");
    } else {
      files.add(file);
    }
  }

  /** Looks at the beginning of a file: copies of keys are small. */
  private static boolean holdsKey(Path file) {
    try (InputStream in = newInputStream(file)) {
      byte[] begin = in.readNBytes(MAX_BYTES);
      boolean secret = Pem.isSecret(begin);
      Arrays.fill(begin, (byte) 0);
      return secret;
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean isOfOurs(Path file) {
    String name = file.toString();
    return name.endsWith(".crt") || name.endsWith(".key") || name.endsWith(".pem");
  }

  /** What is read of the files of one name. */
  private static final class Draft {
    private @Nullable Path certificateFile;
    private List<X509Certificate> certificates = List.of();
    private @Nullable Path keyFile;
    private Optional<PrivateKey> key = Optional.empty();
    private final List<String> problems = new ArrayList<>();
  }

  private void readEntries() {
    Map<String, Draft> drafts = new TreeMap<>();
    for (Path file : files) {
      String text = file.toString();
      String name = text.substring(0, text.lastIndexOf('.'));
      read(file, drafts.computeIfAbsent(name, absent -> new Draft()));
    }
    drafts.forEach((name, draft) -> entries.put(name, entry(name, draft)));
    for (CertificateEntry entry : entries.values()) {
      entry.key().ifPresent(key -> Keys.identity(key).ifPresent(id -> keys.put(id, key)));
    }
  }

  private static CertificateEntry entry(String name, Draft draft) {
    return new CertificateEntry(
        name,
        role(name, draft.certificates),
        Optional.ofNullable(draft.certificateFile),
        draft.certificates,
        Optional.ofNullable(draft.keyFile),
        draft.key,
        draft.problems);
  }

  /** An organisation's certificate may be called as the chain's is; it does not sign itself. */
  private static Role role(String name, List<X509Certificate> certificates) {
    String last = name.substring(name.lastIndexOf('/') + 1);
    Role role =
        Role.of(
            last.startsWith(CertificateEntry.SM_PREFIX)
                ? last.substring(CertificateEntry.SM_PREFIX.length())
                : last);
    boolean signed = !certificates.isEmpty() && !Chains.isSelfSigned(certificates.get(0));
    return role == Role.CHAIN && signed ? Role.ORGANISATION : role;
  }

  private void read(Path file, Draft draft) {
    byte[] text = new byte[0];
    try {
      text = content(root.resolve(file));
      boolean secret = Pem.isSecret(text);
      if (secret || file.toString().endsWith(".key")) {
        readKey(file, text, draft);
      }
      if (!file.toString().endsWith(".key")) {
        readCertificates(file, text, secret, draft);
      }
    } catch (IOException | Pem.MalformedException e) {
      draft.problems.add(
          file + (e instanceof IOException ? " cannot be read" : " " + e.getMessage()));
    } finally {
      Arrays.fill(text, (byte) 0);
    }
  }

  private static void readKey(Path file, byte[] text, Draft draft) throws Pem.MalformedException {
    if (draft.keyFile != null) {
      throw new Pem.MalformedException("is a second key of the same name");
    }
    draft.keyFile = file;
    draft.key = Pem.privateKey(text);
  }

  private static void readCertificates(Path file, byte[] text, boolean withKey, Draft draft)
      throws Pem.MalformedException {
    List<X509Certificate> certificates = Pem.certificates(text);
    if (certificates.isEmpty() && withKey) {
      return;
    }
    if (withKey) {
      throw new Pem.MalformedException("holds a key and a certificate: keep them in two files");
    }
    if (draft.certificateFile != null) {
      throw new Pem.MalformedException("is a second certificate of the same name");
    }
    draft.certificateFile = file;
    if (certificates.isEmpty()) {
      throw new Pem.MalformedException("holds no certificate in PEM");
    }
    draft.certificates = certificates;
  }

  /** Returns what a file holds, which the caller wipes; a link is refused. */
  static byte[] content(Path file) throws IOException {
    try (InputStream in = newInputStream(file)) {
      byte[] content = in.readNBytes(MAX_BYTES + 1);
      if (content.length > MAX_BYTES) {
        throw new IOException(file + " has more than " + MAX_BYTES + " bytes");
      }
      return content;
    }
  }

  private static InputStream newInputStream(Path file) throws IOException {
    return Channels.newInputStream(
        Files.newByteChannel(file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)));
  }
}
