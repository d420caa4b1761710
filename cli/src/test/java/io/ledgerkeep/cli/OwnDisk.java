package io.ledgerkeep.cli;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * A file system that a test has for itself: a small one that fills up, or one that loses its power.
 * Mounting takes a superuser; without one the test is skipped, or fails where the environment has
 * {@code LEDGERKEEP_NO_SKIP=1}. Unmounted on close.
 */
final class OwnDisk implements AutoCloseable {

  private static final int MEBIBYTE = 1 << 20;

  /** Stops the file system as a power cut would: what is not synced by now is lost. */
  private static final String GO_DOWN =
      "open(my $root, '<', $ARGV[0]) or die $!;"
          + " my $without_the_log = pack('L', 2);"
          + " ioctl($root, 0x8004587d, $without_the_log) or die $!;";

  private final Path root;
  private final List<String> mount;

  private OwnDisk(Path root, List<String> mount) {
    this.root = root;
    this.mount = mount;
  }

  /** Mounts an empty disk in memory. */
  static OwnDisk inMemory(Path root, int mebibytes) throws IOException, InterruptedException {
    Files.createDirectories(root);
    return mounted(
        root, List.of("mount", "-t", "tmpfs", "-o", "size=" + mebibytes + "m", "tmpfs", "" + root));
  }

  /** Mounts an empty disk in a file, on which the power can be cut. */
  static OwnDisk inFile(Path root, Path image, int mebibytes)
      throws IOException, InterruptedException {
    Files.createDirectories(root);
    try (OutputStream out = Files.newOutputStream(image)) {
      out.write(new byte[mebibytes * MEBIBYTE]);
    }
    requireOrSkip(
        succeeds(List.of("mkfs.ext4", "-q", "-F", image.toString())), "mkfs.ext4 is missing");
    return mounted(root, List.of("mount", "-o", "loop", image.toString(), root.toString()));
  }

  /** Returns a disk that another process has mounted, for filling it. */
  static OwnDisk mountedAt(Path root) {
    return new OwnDisk(root, List.of());
  }

  private static OwnDisk mounted(Path root, List<String> mount)
      throws IOException, InterruptedException {
    requireOrSkip(succeeds(mount), "mounting a file system takes a superuser");
    return new OwnDisk(root, mount);
  }

  /** Skips the test, loudly, where something that it takes is not there. */
  static void requireOrSkip(boolean there, String otherwise) {
    if (!there && "1".equals(System.getenv("LEDGERKEEP_NO_SKIP"))) {
      throw new AssertionError(otherwise + ", and LEDGERKEEP_NO_SKIP=1 forbids to skip");
    }
    if (!there) {
      System.err.println("SKIPPED: " + otherwise);
    }
    assumeTrue(there, otherwise);
  }

  static boolean succeeds(List<String> command) throws IOException, InterruptedException {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getInputStream().readAllBytes();
      return process.waitFor() == 0;
    } catch (IOException missing) {
      return false;
    }
  }

  Path root() {
    return root;
  }

  long freeBytes() throws IOException {
    return Files.getFileStore(root).getUsableSpace();
  }

  /** Leaves so much room and no more, as somebody else's files would. */
  void fillUpTo(long freeBytes) throws IOException {
    try (OutputStream out =
        Files.newOutputStream(
            foreignFile(), StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      long left = freeBytes() - freeBytes;
      while (left > 0) {
        int some = (int) Math.min(left, MEBIBYTE);
        out.write(new byte[some]);
        left -= some;
      }
    } catch (IOException full) {
      // Nothing more fits, which is what was asked for.
    }
  }

  /** Fills the last byte. */
  void fill() throws IOException {
    fillUpTo(0);
    try (OutputStream out = Files.newOutputStream(foreignFile(), StandardOpenOption.APPEND)) {
      while (true) {
        out.write("full".getBytes(StandardCharsets.US_ASCII));
      }
    } catch (IOException full) {
      // as it should be
    }
  }

  /** Removes what filled it. */
  void makeRoom() throws IOException {
    Files.deleteIfExists(foreignFile());
  }

  /** Gives a disk in memory another size. */
  void resize(int mebibytes) throws IOException, InterruptedException {
    require(List.of("mount", "-o", "remount,size=" + mebibytes + "m", root.toString()));
  }

  private Path foreignFile() {
    return root.resolve("somebody-elses-file");
  }

  /** Loses everything that was not synced; from now on no write to it succeeds. */
  void cutPower() throws IOException, InterruptedException {
    require(List.of("perl", "-e", GO_DOWN, root.toString()));
  }

  /** Comes back with what is on the disk. All processes that used it have ended. */
  void startAgain() throws IOException, InterruptedException {
    require(List.of("umount", root.toString()));
    require(mount);
  }

  private static void require(List<String> command) throws IOException, InterruptedException {
    if (!succeeds(command)) {
      throw new AssertionError(command + " failed");
    }
  }

  /** Unmounts, at once for all who look; a file that is still mapped goes with its mapping. */
  @Override
  public void close() throws IOException, InterruptedException {
    require(List.of("umount", "--lazy", root.toString()));
  }
}
