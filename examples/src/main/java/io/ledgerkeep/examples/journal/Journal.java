package io.ledgerkeep.examples.journal;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.StorageException.Kind;
import io.ledgerkeep.storage.WriteBatch;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.zip.CRC32C;

/**
 * A file of batches, one record after the other: size, checksum, mutations. For one thread.
 *
 * <p>A record that the file ends in was being written when the machine stopped: it is cut off. A
 * whole one that does not fit its checksum is damage. (A file system that leaves foreign bytes
 * instead of an end where it lost power is taken for damage too; an engine for production would
 * record how far it had synced, to tell the two apart.)
 */
final class Journal implements AutoCloseable {

  private static final int HEADER_BYTES = 8;
  private static final byte PUT = 1;
  private static final byte DELETE = 0;

  /** Beside the lock on the file, which a second opener in this process would take along. */
  private static final Set<Path> OPEN_HERE = ConcurrentHashMap.newKeySet();

  private final Path directory;
  private final Path file;
  private final LongSupplier maxBytes;
  private final FileChannel lock;
  private FileChannel channel;
  private long end;
  private long synced;
  private boolean failed;

  private Journal(
      Path directory, Path file, LongSupplier maxBytes, FileChannel lock, FileChannel channel) {
    this.directory = directory;
    this.file = file;
    this.maxBytes = maxBytes;
    this.lock = lock;
    this.channel = channel;
  }

  /** Opens or makes the journal of the directory; it has to be replayed before anything else. */
  static Journal open(Path directory, LongSupplier maxBytes) {
    try {
      Files.createDirectories(directory);
      Path real = directory.toRealPath();
      if (!OPEN_HERE.add(real)) {
        throw inUse(directory);
      }
      try {
        return locked(real, maxBytes);
      } catch (IOException | RuntimeException e) {
        OPEN_HERE.remove(real);
        throw e;
      }
    } catch (IOException e) {
      throw failure("cannot open the journal in " + directory, e);
    }
  }

  private static Journal locked(Path directory, LongSupplier maxBytes) throws IOException {
    FileChannel lock = openFile(directory.resolve("lock"));
    try {
      if (lock.tryLock() == null) {
        throw inUse(directory);
      }
      Path file = directory.resolve("journal");
      return new Journal(directory, file, maxBytes, lock, openFile(file));
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  private static FileChannel openFile(Path file) throws IOException {
    return FileChannel.open(
        file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  private static ConflictException inUse(Path directory) {
    return new ConflictException(
        ConflictException.Reason.LOCKED, "the store in " + directory + " is in use");
  }

  // ------------------------------------------------------------------------------------ read

  /** Shows every mutation of every whole record, and cuts off what is not whole. */
  void replay(WriteBatch.Visitor visitor) {
    try {
      long size = channel.size();
      while (size - end >= HEADER_BYTES) {
        ByteBuffer header = read(end, HEADER_BYTES);
        int length = header.getInt();
        if (length < 0) {
          throw damaged();
        }
        if (size - end - HEADER_BYTES < length) {
          break;
        }
        ByteBuffer body = read(end + HEADER_BYTES, length);
        if (checksum(body.duplicate()) != header.getInt()) {
          throw damaged();
        }
        show(body, visitor);
        end += HEADER_BYTES + length;
      }
      channel.truncate(end);
      sync();
      syncDirectory();
    } catch (IOException e) {
      throw failure("cannot read " + file, e);
    }
  }

  private ByteBuffer read(long position, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw damaged();
      }
    }
    return buffer.flip();
  }

  private static void show(ByteBuffer body, WriteBatch.Visitor visitor) {
    while (body.hasRemaining()) {
      byte kind = body.get();
      Bytes key = sized(body);
      if (kind == PUT) {
        visitor.put(key, sized(body));
      } else {
        visitor.delete(key);
      }
    }
  }

  private static Bytes sized(ByteBuffer in) {
    byte[] bytes = new byte[in.getInt()];
    in.get(bytes);
    return Bytes.wrap(bytes);
  }

  private IntegrityException damaged() {
    return new IntegrityException(
        "the record at byte %d of %s does not fit its checksum".formatted(end, file));
  }

  // ------------------------------------------------------------------------------------ write

  /** Adds a batch whole, or not at all. */
  void append(WriteBatch batch) {
    requireIntact();
    ByteBuffer record = record(batch);
    int size = record.remaining();
    if (end + size > maxBytes.getAsLong()) {
      throw new StorageException(Kind.OUT_OF_SPACE, "no space left for " + file);
    }
    try {
      writeFully(channel, record, end);
      end += size;
    } catch (IOException e) {
      cutOff();
      throw failure("cannot write " + file, e);
    }
  }

  /** Makes all that was appended durable. What a failed sync leaves on disk nobody can know. */
  void sync() {
    requireIntact();
    try {
      channel.force(true);
      synced = end;
    } catch (IOException e) {
      failed = true;
      throw failure("cannot sync " + file, e);
    }
  }

  /** Puts a journal of nothing but the content in the place of this one. */
  void rewrite(Map<Bytes, Bytes> content) {
    requireIntact();
    Path fresh = file.resolveSibling("journal.new");
    try {
      Files.deleteIfExists(fresh);
      FileChannel target = openFile(fresh);
      long position = 0;
      for (Map.Entry<Bytes, Bytes> entry : content.entrySet()) {
        ByteBuffer record = record(new WriteBatch().put(entry.getKey(), entry.getValue()));
        position += writeFully(target, record, position);
      }
      target.force(true);
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
      channel.close();
      channel = target;
      end = position;
      synced = position;
      syncDirectory();
    } catch (IOException e) {
      failed = true;
      throw failure("cannot compact " + file, e);
    }
  }

  private static int writeFully(FileChannel channel, ByteBuffer record, long position)
      throws IOException {
    int size = record.remaining();
    while (record.hasRemaining()) {
      channel.write(record, position + size - record.remaining());
    }
    return size;
  }

  private void cutOff() {
    try {
      channel.truncate(end);
    } catch (IOException e) {
      failed = true;
    }
  }

  private void syncDirectory() throws IOException {
    try (FileChannel entries = FileChannel.open(directory, StandardOpenOption.READ)) {
      entries.force(true);
    }
  }

  private static ByteBuffer record(WriteBatch batch) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    batch.forEach(
        new WriteBatch.Visitor() {
          @Override
          public void put(Bytes key, Bytes value) {
            write(out, PUT, key, value);
          }

          @Override
          public void delete(Bytes key) {
            write(out, DELETE, key);
          }
        });
    ByteBuffer body = ByteBuffer.wrap(bytes.toByteArray());
    return ByteBuffer.allocate(HEADER_BYTES + body.remaining())
        .putInt(body.remaining())
        .putInt(checksum(body.duplicate()))
        .put(body)
        .flip();
  }

  private static void write(DataOutputStream out, byte kind, Bytes... fields) {
    try {
      out.writeByte(kind);
      for (Bytes field : fields) {
        out.writeInt(field.size());
        field.writeTo(out);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int checksum(ByteBuffer body) {
    CRC32C checksum = new CRC32C();
    checksum.update(body);
    return (int) checksum.getValue();
  }

  // ------------------------------------------------------------------------------------ the rest

  long sizeBytes() {
    return end;
  }

  long syncedBytes() {
    return synced;
  }

  @Override
  public void close() {
    if (!lock.isOpen()) {
      return;
    }
    try {
      channel.close();
      lock.close();
    } catch (IOException e) {
      throw failure("cannot close " + file, e);
    } finally {
      OPEN_HERE.remove(directory);
    }
  }

  private void requireIntact() {
    if (failed) {
      throw new StorageException(
          Kind.FATAL, file + " failed before; open the store again to see what it holds");
    }
  }

  private static StorageException failure(String what, IOException e) {
    String reason = String.valueOf(e.getMessage());
    boolean full = reason.toLowerCase(java.util.Locale.ROOT).contains("no space left");
    return new StorageException(full ? Kind.OUT_OF_SPACE : Kind.FATAL, what + ": " + reason, e);
  }
}
