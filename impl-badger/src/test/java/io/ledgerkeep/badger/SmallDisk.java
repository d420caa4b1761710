package io.ledgerkeep.badger;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file system of its own, in memory, that can be filled. Needs root on Linux. */
final class SmallDisk implements AutoCloseable {

  private final Path root;

  private SmallDisk(Path root) {
    this.root = root;
  }

  /** Mounts a disk on the directory; skips the test where that is not allowed. */
  static SmallDisk mount(Path directory, long bytes) throws IOException, InterruptedException {
    Files.createDirectories(directory);
    String said =
        run("mount", "-t", "tmpfs", "-o", "size=" + bytes, "ledgerkeep-test", directory.toString());
    boolean isMounted = said.isEmpty();
    if (!isMounted && "1".equals(System.getenv("LEDGERKEEP_NO_SKIP"))) {
      throw new AssertionError("LEDGERKEEP_NO_SKIP=1, and no disk can be mounted: " + said);
    }
    assumeTrue(isMounted, "no disk can be mounted to be filled, which needs root: " + said);
    return new SmallDisk(directory);
  }

  Path root() {
    return root;
  }

  long freeBytes() throws IOException {
    return Files.getFileStore(root).getUsableSpace();
  }

  /** Takes all room but about so many bytes. */
  void fillBut(long bytes) throws IOException {
    empty();
    try (RandomAccessFile file = new RandomAccessFile(filler().toFile(), "rw")) {
      byte[] part = new byte[64 << 10];
      for (long left = freeBytes() - bytes; left > 0; left -= part.length) {
        file.write(part, 0, (int) Math.min(left, part.length));
      }
    }
  }

  /** Gives the room back. */
  void empty() throws IOException {
    Files.deleteIfExists(filler());
  }

  private Path filler() {
    return root.resolve("filler");
  }

  @Override
  public void close() throws IOException, InterruptedException {
    String said = run("umount", root.toString());
    if (!said.isEmpty()) {
      throw new AssertionError("the test disk stays mounted: " + said);
    }
  }

  private static String run(String... command) throws IOException, InterruptedException {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor() == 0 ? "" : "failed: " + said;
    } catch (IOException e) {
      return e.toString();
    }
  }
}
