package io.ledgerkeep.cli.certs;

import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What lies in a directory under one name: a certificate, its key, or both.
 *
 * @param name the path in the directory, without its ending: {@code node0/sm_ssl}
 * @param role whose it is
 * @param certificateFile where the certificate lies, relative to the directory
 * @param certificates those of the file: its own, then maybe those above it
 * @param keyFile where the key lies, relative to the directory
 * @param key the key, unless it lies under a passphrase or cannot be read
 * @param problems what could not be read, in words
 */
public record CertificateEntry(
    String name,
    Role role,
    Optional<Path> certificateFile,
    List<X509Certificate> certificates,
    Optional<Path> keyFile,
    Optional<PrivateKey> key,
    List<String> problems) {

  /** What names of files with material of SM2 begin with. */
  static final String SM_PREFIX = "sm_";

  /** Copies the lists. */
  public CertificateEntry {
    certificates = List.copyOf(certificates);
    problems = List.copyOf(problems);
  }

  /** Returns the certificate, if one was read. */
  public Optional<X509Certificate> certificate() {
    return certificates.stream().findFirst();
  }

  /** Returns the last part of the name. */
  String lastName() {
    return name.substring(name.lastIndexOf('/') + 1);
  }

  boolean isNamedSm() {
    return lastName().startsWith(SM_PREFIX);
  }

  /** Returns the algorithm of the certificate's key, in words. */
  public String algorithm() {
    return certificate().map(own -> Keys.algorithm(own.getPublicKey())).orElse("");
  }

  /** Returns whether the key is there, in a word. */
  public String keyState() {
    if (keyFile.isEmpty()) {
      return "absent";
    }
    if (key.isEmpty()) {
      return problems.isEmpty() ? "under a passphrase" : "unreadable";
    }
    return certificate().isEmpty() || hasOwnKey() ? "present" : "another's";
  }

  /** Of keys that are not known it is not found out. */
  private boolean hasOwnKey() {
    PublicKey own = certificate().orElseThrow().getPublicKey();
    return !Keys.isKnown(own) || Keys.isPair(key.orElseThrow(), own);
  }

  /** Returns how many whole days a certificate is still valid; negative once it expired. */
  public static long daysLeft(X509Certificate certificate, Instant now) {
    Duration left = Duration.between(now, certificate.getNotAfter().toInstant());
    return Math.floorDiv(left.toSeconds(), Duration.ofDays(1).toSeconds());
  }
}
