package io.ledgerkeep.cli.certs;

import io.ledgerkeep.error.IntegrityException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What becomes of several files, with all that they held and will hold. Wiped when closed. */
final class ChangeSet implements AutoCloseable {

  private static final int ABSENT = -1;

  private final List<FileChange> changes;

  ChangeSet(List<FileChange> changes) {
    this.changes = List.copyOf(changes);
  }

  List<FileChange> changes() {
    return changes;
  }

  ChangeSet reversed() {
    return new ChangeSet(changes.stream().map(FileChange::reversed).toList());
  }

  /** Returns the content of a backup, which the caller wipes. */
  byte[] encoded() {
    int size = Integer.BYTES;
    for (FileChange change : changes) {
      size += Short.BYTES + name(change).length;
      size += Integer.BYTES + change.formerContent().map(content -> content.length).orElse(0);
      size += Integer.BYTES + change.nextContent().map(content -> content.length).orElse(0);
    }
    ByteBuffer out = ByteBuffer.allocate(size).putInt(changes.size());
    for (FileChange change : changes) {
      out.putShort((short) name(change).length).put(name(change));
      put(out, change.formerContent());
      put(out, change.nextContent());
    }
    return out.array();
  }

  private static byte[] name(FileChange change) {
    return change.path().toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void put(ByteBuffer out, Optional<byte[]> content) {
    out.putInt(content.map(bytes -> bytes.length).orElse(ABSENT));
    content.ifPresent(out::put);
  }

  /**
   * Returns what was encoded.
   *
   * @throws IntegrityException if it is none, or names a file outside of a directory
   */
  static ChangeSet decoded(byte[] content, String place) {
    try {
      ByteBuffer in = ByteBuffer.wrap(content);
      List<FileChange> changes = new ArrayList<>();
      int count = in.getInt();
      for (int i = 0; i < count; i++) {
        byte[] name = new byte[Short.toUnsignedInt(in.getShort())];
        in.get(name);
        changes.add(
            new FileChange(
                inside(Path.of(new String(name, StandardCharsets.UTF_8)), place),
                taken(in),
                taken(in)));
      }
      if (in.hasRemaining()) {
        throw new IntegrityException(place + " holds more than it says");
      }
      return new ChangeSet(changes);
    } catch (BufferUnderflowException | InvalidPathException e) {
      throw new IntegrityException(place + " holds less than it says", e);
    } finally {
      Arrays.fill(content, (byte) 0);
    }
  }

  private static Path inside(Path path, String place) {
    if (path.isAbsolute() || !path.equals(path.normalize()) || path.startsWith("..")) {
      throw new IntegrityException(place + " names a file outside of its directory");
    }
    return path;
  }

  private static byte @Nullable [] taken(ByteBuffer in) {
    int length = in.getInt();
    if (length == ABSENT) {
      return null;
    }
    if (length < 0 || length > in.remaining()) {
      throw new BufferUnderflowException();
    }
    byte[] taken = new byte[length];
    in.get(taken);
    return taken;
  }

  @Override
  public void close() {
    changes.forEach(FileChange::wipe);
  }
}
