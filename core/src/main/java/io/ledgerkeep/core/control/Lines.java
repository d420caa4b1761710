package io.ledgerkeep.core.control;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Lines of text over a socket, without waiting longer than wanted. For one thread; close it. */
final class Lines implements AutoCloseable {

  private static final int BUFFER_BYTES = 64 << 10;

  private final SocketChannel channel;
  private final Selector selector;
  private final SelectionKey key;
  private final int maxBytes;
  private final ByteBuffer in = ByteBuffer.allocate(BUFFER_BYTES).flip();
  private final ByteArrayOutputStream begun = new ByteArrayOutputStream();
  private ByteBuffer unsent = ByteBuffer.allocate(0);

  /**
   * Takes the channel over.
   *
   * @param maxBytes how long a line may be that is read
   */
  Lines(SocketChannel channel, int maxBytes) throws IOException {
    this.channel = channel;
    this.maxBytes = maxBytes;
    channel.configureBlocking(false);
    this.selector = Selector.open();
    this.key = channel.register(selector, SelectionKey.OP_READ);
  }

  /**
   * Returns the next line, or nothing if none is whole within the time.
   *
   * @throws EOFException if the other side is gone
   */
  @Nullable String read(long millis) throws IOException {
    String line = readyLine();
    if (line == null && millis > 0) {
      await(SelectionKey.OP_READ, millis);
      line = readyLine();
    }
    return line;
  }

  private @Nullable String readyLine() throws IOException {
    while (true) {
      while (in.hasRemaining()) {
        byte next = in.get();
        if (next == '\n') {
          String line = begun.toString(StandardCharsets.UTF_8);
          begun.reset();
          return line;
        }
        begun.write(next);
        if (begun.size() > maxBytes) {
          throw new IOException("a line is longer than %s bytes".formatted(maxBytes));
        }
      }
      in.clear();
      int read = channel.read(in);
      in.flip();
      if (read < 0) {
        throw new EOFException("the other side closed the connection");
      }
      if (read == 0) {
        return null;
      }
    }
  }

  /** Writes a line, however long that takes. */
  void write(String line) throws IOException {
    flush();
    unsent = encode(line);
    flush();
  }

  private void flush() throws IOException {
    channel.write(unsent);
    while (unsent.hasRemaining()) {
      await(SelectionKey.OP_WRITE, 1000);
      channel.write(unsent);
    }
  }

  /** Writes a line if the other side keeps up with reading; else it does not get this one. */
  void offer(String line) throws IOException {
    channel.write(unsent);
    if (!unsent.hasRemaining()) {
      unsent = encode(line);
      channel.write(unsent);
    }
  }

  private static ByteBuffer encode(String line) {
    return ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private void await(int operation, long millis) throws IOException {
    key.interestOps(operation);
    selector.select(millis);
    selector.selectedKeys().clear();
  }

  @Override
  public void close() throws IOException {
    selector.close();
    channel.close();
  }
}
