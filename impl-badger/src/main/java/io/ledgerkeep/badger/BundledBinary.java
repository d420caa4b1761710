package io.ledgerkeep.badger;

import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.StorageException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * The sidecar's binary, which comes in an artifact of its own for each platform. It is unpacked to
 * a folder that only this user can write to, and is never run unless it has the digest that this
 * module was built with.
 */
final class BundledBinary {

  private static final String RESOURCES = "/META-INF/ledgerkeep-badger/";
  private static final String NAME = "ledgerkeep-badger";
  private static final Set<PosixFilePermission> OURS_ONLY =
      PosixFilePermissions.fromString("rwx------");

  private BundledBinary() {}

  /** Returns the path of the checked binary, unpacked below the directory, or the temporary one. */
  static Path unpacked(Optional<Path> directory) {
    String platform =
        platform(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
    Path parent =
        directory.orElseGet(
            () ->
                Path.of(System.getProperty("java.io.tmpdir"))
                    .resolve(NAME + "-of-" + System.getProperty("user.name")));
    try {
      return unpacked(parent, platform, expectedDigest(platform));
    } catch (IOException e) {
      throw new StorageException(
          Kind.FATAL,
          "the Badger sidecar cannot be unpacked to " + parent + ": " + e.getMessage(),
          e);
    }
  }

  /** Returns what the artifact for a platform is called. */
  static String platform(String osName, String architecture) {
    String name = osName.toLowerCase(Locale.ROOT);
    String os = name.startsWith("mac") ? "darwin" : name;
    String processor =
        switch (architecture) {
          case "amd64" -> "x86_64";
          case "arm64" -> "aarch64";
          default -> architecture;
        };
    return os + "-" + processor;
  }

  /** Returns the digest that was recorded when this module was built. */
  private static String expectedDigest(String platform) throws IOException {
    try (InputStream in = BundledBinary.class.getResourceAsStream(RESOURCES + "SHA256SUMS")) {
      if (in != null) {
        for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
          if (line.endsWith("  " + platform)) {
            return line.substring(0, line.indexOf(' '));
          }
        }
      }
    }
    throw missing(platform);
  }

  private static ConfigurationException missing(String platform) {
    return new ConfigurationException(
        "there is no Badger sidecar for "
            + platform
            + " here: add the artifact ledgerkeep-badger with the classifier "
            + platform
            + ", or name a sidecar in the option 'sidecar-binary' or 'sidecar'");
  }

  /** Returns the binary with the digest, unpacking it unless it is there. */
  static Path unpacked(Path parent, String platform, String digest) throws IOException {
    Path directory = ownDirectory(parent).resolve(digest.substring(0, 16));
    Path binary = ownDirectory(directory).resolve(NAME);
    if (!Files.exists(binary) || !digest(binary).equals(digest)) {
      unpack(platform, binary);
      requireDigest(binary, digest);
    }
    return binary;
  }

  private static void requireDigest(Path binary, String expected) throws IOException {
    String found = digest(binary);
    if (!found.equals(expected)) {
      Files.delete(binary);
      throw new IntegrityException(
          "the Badger sidecar in the artifact has the digest "
              + found
              + ", but this release was built with "
              + expected
              + "; it was not run. Use artifacts of one release");
    }
  }

  /**
   * Makes the folder; one that is there must be ours, or somebody else could change what is run.
   */
  private static Path ownDirectory(Path directory) throws IOException {
    try {
      Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(OURS_ONLY));
    } catch (FileAlreadyExistsException e) {
      if (Files.isSymbolicLink(directory)) {
        throw new ConfigurationException(
            directory + " is a link, which somebody else could turn; nothing is run from there", e);
      }
      Path probe = Files.createTempFile(directory, "probe", "");
      boolean isOurs = Files.getOwner(directory).equals(Files.getOwner(probe));
      Files.delete(probe);
      if (!isOurs || !OURS_ONLY.containsAll(Files.getPosixFilePermissions(directory))) {
        throw new ConfigurationException(
            directory + " can be written to by others; nothing is run from there", e);
      }
    }
    return directory;
  }

  private static void unpack(String platform, Path binary) throws IOException {
    Path fresh = Files.createTempFile(binary.getParent(), NAME, ".new");
    try (InputStream in =
            BundledBinary.class.getResourceAsStream(RESOURCES + platform + "/" + NAME);
        OutputStream out = Files.newOutputStream(fresh)) {
      if (in == null) {
        throw missing(platform);
      }
      in.transferTo(out);
      Files.setPosixFilePermissions(fresh, OURS_ONLY);
      Files.move(fresh, binary, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(fresh);
    }
  }

  /** Returns the SHA-256 of the file in hexadecimal digits. */
  static String digest(Path file) throws IOException {
    try (DigestInputStream in =
        new DigestInputStream(Files.newInputStream(file), MessageDigest.getInstance("SHA-256"))) {
      in.transferTo(OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(in.getMessageDigest().digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }
}
