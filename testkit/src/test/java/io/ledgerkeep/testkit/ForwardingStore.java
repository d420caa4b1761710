package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.OptionalLong;

/** Hands everything on to a store in memory; what is to be broken overrides a method. */
class ForwardingStore implements ArchiveStore {

  final InMemoryArchiveStore sound;

  ForwardingStore(InMemoryArchiveStore sound) {
    this.sound = sound;
  }

  @Override
  public String place() {
    return sound.place();
  }

  @Override
  public void put(String name, Content content) {
    sound.put(name, content);
  }

  @Override
  public OptionalLong size(String name) {
    return sound.size(name);
  }

  @Override
  public Bytes get(String name, long offset, int length) {
    return sound.get(name, offset, length);
  }

  @Override
  public List<String> list(String prefix) {
    return sound.list(prefix);
  }

  @Override
  public void delete(String name) {
    sound.delete(name);
  }

  @Override
  public void close() {
    sound.close();
  }

  /** Lets the content write into a stream that keeps what came, also when the content fails. */
  static final class Recorded implements Content {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final Content content;

    Recorded(Content content) {
      this.content = content;
    }

    @Override
    public void writeTo(OutputStream out) throws IOException {
      content.writeTo(bytes);
      bytes.writeTo(out);
    }

    Bytes bytes() {
      return Bytes.wrap(bytes.toByteArray());
    }
  }
}
