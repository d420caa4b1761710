package io.ledgerkeep.core.ledger;

import io.ledgerkeep.core.files.SmallFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that only holds room: given back when the disk is full, so that a maintenance job can make
 * more, and taken again afterwards. Filled with noise, as some file systems store zeros for free.
 */
final class Reserve {

  private static final Logger LOG = LoggerFactory.getLogger(Reserve.class);
  private static final int CHUNK_BYTES = 1 << 20;

  private final Path file;
  private final Path fresh;
  private final long bytes;
  private boolean released;

  Reserve(Path databaseDirectory, long bytes) {
    this.file = databaseDirectory.resolve("RESERVE");
    this.fresh = databaseDirectory.resolve("RESERVE.new");
    this.bytes = bytes;
  }

  /** Takes the room unless it is taken; leaves it for later where the disk has too little. */
  synchronized void take() {
    try {
      Files.deleteIfExists(fresh); // a kill may have left it
      if (Files.exists(file) && Files.size(file) == bytes) {
        return;
      }
      if (bytes == 0) {
        Files.deleteIfExists(file);
      } else if (Files.getFileStore(file.toAbsolutePath().getParent()).getUsableSpace()
          < 2 * bytes) {
        LOG.warn("too little room for the reserve of {} bytes at {}; left for later", bytes, file);
      } else {
        fill();
      }
    } catch (IOException e) {
      LOG.warn("cannot take the reserve of {} bytes at {}: {}", bytes, file, e.toString());
    }
  }

  /** Takes the room again if it was given back and there is enough now. */
  synchronized void takeBack() {
    if (released) {
      take();
    }
  }

  /** Gives the room back; returns whether there was any. */
  synchronized boolean release() {
    try {
      boolean half = Files.deleteIfExists(fresh);
      boolean found = Files.deleteIfExists(file) || half;
      if (found) {
        LOG.warn("the disk is full: the reserve of {} bytes at {} was released", bytes, file);
      }
      released |= found;
      return found;
    } catch (IOException e) {
      throw SmallFile.failed("cannot release the reserve " + file, e);
    }
  }

  private void fill() throws IOException {
    SplittableRandom random = new SplittableRandom();
    byte[] noise = new byte[CHUNK_BYTES];
    try (FileChannel channel =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      for (long left = bytes; left > 0; ) {
        random.nextBytes(noise);
        left -= channel.write(ByteBuffer.wrap(noise, 0, (int) Math.min(left, CHUNK_BYTES)));
      }
      channel.force(true);
    } catch (IOException e) {
      Files.deleteIfExists(fresh);
      throw e;
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
