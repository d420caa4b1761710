package io.ledgerkeep.cli.certs;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of one file.
 *
 * @param path relative to the directory
 * @param former what it holds, null where it is not there
 * @param next what it shall hold, null where it is not to be there
 */
@SuppressWarnings("ArrayRecordComponent") // wiped, which only arrays can be
record FileChange(Path path, byte @Nullable [] former, byte @Nullable [] next) {

  FileChange reversed() {
    return new FileChange(path, next, former);
  }

  boolean isSecret() {
    return wasSecret() || willBeSecret();
  }

  boolean wasSecret() {
    return former != null && isSecret(former);
  }

  boolean willBeSecret() {
    return next != null && isSecret(next);
  }

  /** What is called a key is taken for one in whatever form. */
  private boolean isSecret(byte[] content) {
    return path.toString().endsWith(".key") || Pem.isSecret(content);
  }

  Optional<byte[]> formerContent() {
    return Optional.ofNullable(former);
  }

  Optional<byte[]> nextContent() {
    return Optional.ofNullable(next);
  }

  void wipe() {
    formerContent().ifPresent(content -> Arrays.fill(content, (byte) 0));
    nextContent().ifPresent(content -> Arrays.fill(content, (byte) 0));
  }

  @Override
  public String toString() {
    return "FileChange[" + path + "]";
  }
}
