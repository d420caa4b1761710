package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.StorageException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.NavigableMap;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/**
 * The archive store for tests: keeps all rules of {@link ArchiveStore}, in memory. Safe for any
 * number of threads.
 *
 * <p>What it holds outlives it: {@link #reopen} opens the same place once more, {@link #copy} makes
 * another place that holds the same. Below the rules a test can play what happens to archives:
 * {@link #flipBit}, {@link #truncate}, {@link #remove}, {@link #setReachable}, {@link #limitBytes}.
 * These hooks work on a closed store too, and on everything open at its place.
 */
public final class InMemoryArchiveStore implements ArchiveStore {

  private static final Pattern NAME =
      Pattern.compile("[a-z0-9-][a-z0-9.-]*(/[a-z0-9-][a-z0-9.-]*)*");

  /** What all stores of one place share; guarded by its lock. */
  private static final class Place {

    private final ReentrantLock lock = new ReentrantLock();
    private final NavigableMap<String, Bytes> objects = new TreeMap<>();
    private long limitBytes = Long.MAX_VALUE;
    private boolean reachable = true;
    private long bytesRead;

    private <T> T exclusively(Supplier<T> action) {
      lock.lock();
      try {
        return action.get();
      } finally {
        lock.unlock();
      }
    }
  }

  private final Place place;
  private volatile boolean closed;

  /** Creates a store at an empty place of its own. */
  public InMemoryArchiveStore() {
    this(new Place());
  }

  private InMemoryArchiveStore(Place place) {
    this.place = place;
  }

  /** Opens the place of this store once more; this one may be open or closed. */
  public InMemoryArchiveStore reopen() {
    return new InMemoryArchiveStore(place);
  }

  /** Opens another place that holds what this one holds now. */
  public InMemoryArchiveStore copy() {
    Place other = new Place();
    place.exclusively(
        () -> {
          other.objects.putAll(place.objects);
          return other;
        });
    return new InMemoryArchiveStore(other);
  }

  // ---- the rules

  @Override
  public String place() {
    requireOpen();
    return "memory";
  }

  @Override
  public void put(String name, Content content) {
    onMedium(name, () -> requireAbsent(name));
    Bytes bytes = bytesOf(name, content);
    onMedium(
        name,
        () -> {
          requireAbsent(name);
          requireRoom(name, bytes.size());
          return place.objects.put(name, bytes);
        });
  }

  /** Lets the content write; as nothing of it is kept yet, whatever it throws leaves nothing. */
  private static Bytes bytesOf(String name, Content content) {
    try (ByteArrayOutputStream out = new ByteArrayOutputStream()) {
      content.writeTo(out);
      return Bytes.wrap(out.toByteArray());
    } catch (IOException e) {
      throw new StorageException(
          StorageException.Kind.FATAL, "the content of " + name + " cannot be written", e);
    }
  }

  @Override
  public OptionalLong size(String name) {
    return onMedium(
        name,
        () ->
            place.objects.containsKey(name)
                ? OptionalLong.of(object(name).size())
                : OptionalLong.empty());
  }

  @Override
  public Bytes get(String name, long offset, int length) {
    if (offset < 0 || length < 0) {
      throw new IllegalArgumentException(
          "offset %s and length %s must not be negative".formatted(offset, length));
    }
    return onMedium(
        name,
        () -> {
          Bytes object = object(name);
          int from = (int) Math.min(offset, object.size());
          Bytes found = object.slice(from, from + Math.min(length, object.size() - from));
          place.bytesRead += found.size();
          return found;
        });
  }

  @Override
  public List<String> list(String prefix) {
    return onMedium(
        () ->
            place.objects.tailMap(prefix, true).keySet().stream()
                .takeWhile(name -> name.startsWith(prefix))
                .toList());
  }

  @Override
  public void delete(String name) {
    onMedium(name, () -> place.objects.remove(name));
  }

  @Override
  public void close() {
    closed = true;
  }

  // ---- what a test can do to it

  /** Turns one bit of the object over; bit 0 is the lowest of the first byte. */
  public void flipBit(String name, long bit) {
    change(
        name,
        object -> {
          byte[] bytes = object.toArray();
          bytes[Math.toIntExact(bit / 8)] ^= (byte) (1 << bit % 8);
          return Bytes.wrap(bytes);
        });
  }

  /** Cuts the object off after so many bytes. */
  public void truncate(String name, int bytes) {
    change(name, object -> object.slice(0, bytes));
  }

  /** Replaces the object, as no rule allows. */
  public void replace(String name, Bytes content) {
    change(name, object -> content);
  }

  private void change(String name, UnaryOperator<Bytes> change) {
    place.exclusively(() -> place.objects.put(name, change.apply(object(name))));
  }

  /** Loses the object without a word. */
  public void remove(String name) {
    place.exclusively(() -> place.objects.remove(name));
  }

  /** Lets the medium fail, with {@link StorageException} for every call, or work again. */
  public void setReachable(boolean reachable) {
    place.exclusively(() -> place.reachable = reachable);
  }

  /** Lets all objects together take so many bytes; an object that needs more is refused. */
  public void limitBytes(long bytes) {
    place.exclusively(() -> place.limitBytes = bytes);
  }

  /** Returns how many bytes of objects were read at this place so far. */
  public long bytesRead() {
    return place.exclusively(() -> place.bytesRead);
  }

  /** Returns the size of all objects, in bytes. */
  public long usedBytes() {
    return place.exclusively(() -> place.objects.values().stream().mapToLong(Bytes::size).sum());
  }

  // ---- what both need

  private <T> T onMedium(String name, Supplier<T> action) {
    return onMedium(
        () -> {
          requireName(name);
          return action.get();
        });
  }

  private <T> T onMedium(Supplier<T> action) {
    return place.exclusively(
        () -> {
          requireOpen();
          if (!place.reachable) {
            throw new StorageException(
                StorageException.Kind.RETRYABLE,
                "the archive in memory cannot be reached; the test wanted it so");
          }
          return action.get();
        });
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the archive store in memory is closed");
    }
  }

  private static void requireName(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("'" + name + "' is no name of an object");
    }
  }

  private boolean requireAbsent(String name) {
    if (place.objects.containsKey(name)) {
      throw new ConflictException(
          ConflictException.Reason.EXISTS, "the object " + name + " exists already");
    }
    return true;
  }

  private void requireRoom(String name, long bytes) {
    long used = usedBytes();
    if (bytes > place.limitBytes - used) {
      throw new StorageException(
          StorageException.Kind.OUT_OF_SPACE,
          "no space left for %s: %s of %s bytes are used, %s more were needed; make room"
              .formatted(name, used, place.limitBytes, bytes));
    }
  }

  private Bytes object(String name) {
    Bytes object = place.objects.get(name);
    if (object == null) {
      throw new StorageException(
          StorageException.Kind.FATAL, "there is no object " + name + " in the archive in memory");
    }
    return object;
  }
}
