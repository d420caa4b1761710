package io.ledgerkeep.core.backup;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.core.parallel.OrderedPipeline;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.concurrent.Executor;

/** Writes a file of rows; frames are compressed on any thread. For one thread; close it. */
final class RowFileWriter implements AutoCloseable {

  /** A frame with a last row of usual size; arrays twice as large are costly to a small heap. */
  private static final int FRAME_ROOM = RowFrame.FULL_BYTES + (64 << 10);

  static final Bytes MAGIC = Bytes.fromHex("894c4b420d0a1a0a01");

  private final Path file;
  private final FileChannel channel;
  private final OrderedPipeline<byte[]> frames;
  private final MessageDigest digest = Digests.SHA256.newDigest();
  private ByteWriter frame = new ByteWriter(FRAME_ROOM);
  private long rows;
  private long rawBytes;
  private long bytes;
  private boolean synced;

  private RowFileWriter(Path file, FileChannel channel, Executor executor) {
    this.file = file;
    this.channel = channel;
    this.frames = new OrderedPipeline<>(executor);
  }

  /** Creates a file, or begins it anew. */
  static RowFileWriter create(Path file, Executor executor) {
    try {
      FileChannel channel =
          FileChannel.open(
              file,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE);
      RowFileWriter writer = new RowFileWriter(file, channel, executor);
      writer.write(MAGIC.toArray());
      return writer;
    } catch (IOException e) {
      throw SmallFile.failed("cannot write " + file, e);
    }
  }

  /** Puts a row; returns how many bytes of rows there are by now. */
  long put(Bytes key, Bytes value) {
    int before = frame.size();
    frame.varint(key.size()).varint(value.size()).raw(key).raw(value);
    rows++;
    rawBytes += frame.size() - before;
    if (frame.size() >= RowFrame.FULL_BYTES) {
      submitFrame();
    }
    return rawBytes;
  }

  private void submitFrame() {
    byte[] content = frame.take().toArrayUnsafe();
    frame = new ByteWriter(FRAME_ROOM);
    while (frames.isFull()) {
      writeFrame();
    }
    frames.submit(content.length, () -> RowFrame.encode(content));
  }

  private void writeFrame() {
    try {
      write(frames.takeUninterruptibly());
    } catch (IOException e) {
      throw SmallFile.failed("cannot write " + file, e);
    }
  }

  /** Ends the rows. After a failure the file is of no use. */
  RowTotals end() {
    if (frame.size() > 0) {
      submitFrame();
    }
    while (!frames.isEmpty()) {
      writeFrame();
    }
    try {
      write(RowFrame.end());
    } catch (IOException e) {
      throw SmallFile.failed("cannot write " + file, e);
    }
    return new RowTotals(rows, rawBytes, bytes, Bytes.wrap(digest.digest()));
  }

  /** Makes the file durable, whose rows were ended, and closes it. On any thread. */
  void sync() {
    try {
      channel.force(true);
    } catch (IOException e) {
      throw SmallFile.failed("cannot write " + file, e);
    }
    synced = true;
    close();
  }

  private void write(byte[] content) throws IOException {
    digest.update(content);
    bytes += content.length;
    ByteBuffer buffer = ByteBuffer.wrap(content);
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  /** Closes the file; one that is not durable is removed. */
  @Override
  public void close() {
    try (frames) {
      channel.close();
      if (!synced) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot close " + file, e);
    }
  }
}
