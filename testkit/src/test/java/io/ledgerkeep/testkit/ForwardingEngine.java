package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Hands everything on to another engine; what is to be broken overrides a method. */
class ForwardingEngine implements StorageEngine {

  final StorageEngine sound;

  ForwardingEngine(StorageEngine sound) {
    this.sound = sound;
  }

  @Override
  public Optional<Bytes> get(Bytes key) {
    return sound.get(key);
  }

  @Override
  public Cursor scan(KeyRange range) {
    return sound.scan(range);
  }

  @Override
  public Snapshot snapshot() {
    return sound.snapshot();
  }

  @Override
  public void write(WriteBatch batch, Durability durability) {
    sound.write(batch, durability);
  }

  @Override
  public void flush() {
    sound.flush();
  }

  @Override
  public void deleteRange(KeyRange range) {
    sound.deleteRange(range);
  }

  @Override
  public void compact(KeyRange range) {
    sound.compact(range);
  }

  @Override
  public Limits limits() {
    return sound.limits();
  }

  @Override
  public long sizeBytes() {
    return sound.sizeBytes();
  }

  @Override
  public void close() {
    sound.close();
  }

  /** Returns the entries of the range, in order. */
  final List<Map.Entry<Bytes, Bytes>> entries(KeyRange range) {
    return entries(sound.scan(range));
  }

  static List<Map.Entry<Bytes, Bytes>> entries(Cursor cursor) {
    List<Map.Entry<Bytes, Bytes>> entries = new ArrayList<>();
    try (cursor) {
      while (cursor.next()) {
        entries.add(Map.entry(cursor.key(), cursor.value()));
      }
    }
    return entries;
  }

  /** Hands everything on to another snapshot. */
  static class ForwardingSnapshot implements Snapshot {

    final Snapshot sound;

    ForwardingSnapshot(Snapshot sound) {
      this.sound = sound;
    }

    @Override
    public Optional<Bytes> get(Bytes key) {
      return sound.get(key);
    }

    @Override
    public Cursor scan(KeyRange range) {
      return sound.scan(range);
    }

    @Override
    public void close() {
      sound.close();
    }
  }

  /** Hands everything on to another cursor. */
  static class ForwardingCursor implements Cursor {

    final Cursor sound;

    ForwardingCursor(Cursor sound) {
      this.sound = sound;
    }

    @Override
    public boolean next() {
      return sound.next();
    }

    @Override
    public Bytes key() {
      return sound.key();
    }

    @Override
    public Bytes value() {
      return sound.value();
    }

    @Override
    public void close() {
      sound.close();
    }
  }

  /** Steps through a list; asks the cursor it stands in for whether it may. */
  static final class ListCursor extends ForwardingCursor {

    private final List<Map.Entry<Bytes, Bytes>> entries;
    private int at = -1;

    ListCursor(Cursor permission, List<Map.Entry<Bytes, Bytes>> entries) {
      super(permission);
      this.entries = entries;
    }

    @Override
    public boolean next() {
      sound.next();
      at++;
      return at < entries.size();
    }

    @Override
    public Bytes key() {
      sound.key();
      return entries.get(at).getKey();
    }

    @Override
    public Bytes value() {
      sound.value();
      return entries.get(at).getValue();
    }
  }
}
