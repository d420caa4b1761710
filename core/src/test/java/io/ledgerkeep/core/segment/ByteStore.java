package io.ledgerkeep.core.segment;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import java.util.List;
import java.util.OptionalLong;

/** One object whose bytes a test has in its hands. */
record ByteStore(byte[] object) implements ArchiveStore {

  @Override
  public String place() {
    return "a test";
  }

  @Override
  public void put(String name, Content content) {
    throw new UnsupportedOperationException();
  }

  @Override
  public OptionalLong size(String name) {
    return OptionalLong.of(object.length);
  }

  @Override
  public Bytes get(String name, long offset, int length) {
    int from = (int) Math.min(offset, object.length);
    int until = (int) Math.min(offset + length, object.length);
    return Bytes.copyOf(java.util.Arrays.copyOfRange(object, from, until));
  }

  @Override
  public List<String> list(String prefix) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void delete(String name) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
