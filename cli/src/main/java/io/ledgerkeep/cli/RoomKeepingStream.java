package io.ledgerkeep.cli;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Writes a file on the disk of a ledger and stops while the ledger still has room there. Its engine
 * asks for room before it begins to write, and does not bear that others take it meanwhile.
 */
final class RoomKeepingStream extends FilterOutputStream {

  /** About what a commit with all that may follow from it takes, at the default settings. */
  static final long KEPT_BYTES = 256L << 20;

  private static final int LOOK_EVERY_BYTES = 1 << 20;

  private final Path file;
  private final FileStore disk;
  private long unlookedBytes = LOOK_EVERY_BYTES;

  private RoomKeepingStream(OutputStream out, Path file, FileStore disk) {
    super(out);
    this.file = file;
    this.disk = disk;
  }

  /** Returns the stream as it is, if the file is on another disk than the ledger, or on none. */
  static OutputStream of(OutputStream out, Path file, Path ledger) throws IOException {
    if (!AtomicFile.isReplaceable(file)) {
      return out;
    }
    FileStore disk = Files.getFileStore(AtomicFile.target(file).resolveSibling(""));
    return disk.equals(Files.getFileStore(ledger)) ? new RoomKeepingStream(out, file, disk) : out;
  }

  @Override
  public void write(int value) throws IOException {
    lookFor(1);
    out.write(value);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    lookFor(length);
    out.write(bytes, offset, length);
  }

  private void lookFor(int bytes) throws IOException {
    unlookedBytes += bytes;
    if (unlookedBytes >= LOOK_EVERY_BYTES) {
      unlookedBytes = 0;
      long left = disk.getUsableSpace();
      if (left < KEPT_BYTES) {
        throw new FileSystemException(
            file.toString(),
            null,
            "it is on the disk of the ledger, which needs %s bytes there, and %s are free;"
                    .formatted(KEPT_BYTES, left)
                + " make room or choose another disk");
      }
    }
  }
}
