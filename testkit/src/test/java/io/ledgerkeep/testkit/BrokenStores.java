package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.StorageException;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** For each test of the stores' contract a store that is sound but for what the test checks. */
final class BrokenStores {

  /**
   * A store that the contract has to catch.
   *
   * @param flaw what is wrong with it
   * @param caughtBy the test that must fail
   * @param maybeCaughtBy tests that may fail too, as the flaw touches what they look at
   * @param store makes such a store of a sound one
   */
  record Twin(
      String flaw,
      String caughtBy,
      Set<String> maybeCaughtBy,
      Function<InMemoryArchiveStore, ArchiveStore> store) {

    @Override
    public String toString() {
      return caughtBy + " catches a store that " + flaw;
    }
  }

  private final List<Twin> twins = new ArrayList<>();

  private BrokenStores() {}

  static List<Twin> all() {
    BrokenStores stores = new BrokenStores();
    stores.misreadNames();
    stores.writeWrongly();
    stores.replaceObjects();
    stores.readWrongly();
    stores.listWrongly();
    stores.deleteWrongly();
    stores.stumbleAndClose();
    stores.failWrongly();
    return stores.twins;
  }

  private void store(
      String caughtBy,
      String flaw,
      Function<InMemoryArchiveStore, ArchiveStore> store,
      String... maybeCaughtBy) {
    twins.add(new Twin(flaw, caughtBy, Set.of(maybeCaughtBy), store));
  }

  // ---- rule 1

  private void misreadNames() {
    store(
        "rule1_everyNameOfTheFormIsAccepted",
        "fears two dots anywhere",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public void put(String name, Content content) {
                sound.put(name.contains("..") ? "" : name, content);
              }
            });
    store(
        "rule1_anyOtherNameIsRefused",
        "does not tell capitals from small letters",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public OptionalLong size(String name) {
                return sound.size(name.toLowerCase(Locale.ROOT));
              }
            });
  }

  // ---- rule 2

  private void writeWrongly() {
    store(
        "rule2_anObjectIsWholeWhenPutReturns",
        "loses the last byte of objects of some megabytes",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public void put(String name, Content content) {
                Recorded recorded = new Recorded(content);
                sound.put(name, recorded);
                int size = recorded.bytes().size();
                if (size > 5 << 19) {
                  sound.truncate(name, size - 1);
                }
              }
            });
    store(
        "rule2_contentMayBeWrittenInPiecesOfAnySize",
        "has a stream that takes arrays only",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public void put(String name, Content content) {
                sound.put(name, out -> content.writeTo(new ArraysOnly(out)));
              }
            });
    store(
        "rule2_anObjectIsSeenByEveryOpenerAndAfterOpeningAgain",
        "knows what was there when it was opened, and what it wrote itself",
        Secluded::new);
    store(
        "rule2_nothingIsSeenBeforePutReturns",
        "tells the size of an object that is being written",
        sound ->
            new Hasty(sound) {
              @Override
              public OptionalLong size(String name) {
                return underWay().contains(name) ? OptionalLong.of(0) : sound.size(name);
              }
            });
    store(
        "rule2_whatTheContentThrowsPassesThroughAndNothingIsSeen",
        "takes a failure of the content for one of its own",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public void put(String name, Content content) {
                try {
                  sound.put(name, content);
                } catch (IllegalCallerException e) {
                  throw new StorageException(StorageException.Kind.FATAL, "cannot write", e);
                }
              }
            });
    store(
        "rule2_whatTheContentThrowsPassesThroughAndNothingIsSeen",
        "does not clean up after errors",
        sound -> new Untidy(sound, LinkageError.class));
    store(
        "rule2_contentThatCannotBeReadLeavesNothing",
        "does not clean up when the content cannot be read",
        sound -> new Untidy(sound, StorageException.class),
        "rule8_aFullMediumIsToldAndNothingIsSeen");
  }

  private static final class ArraysOnly extends FilterOutputStream {

    ArraysOnly(OutputStream out) {
      super(out);
    }

    @Override
    public void write(int b) {}

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }
  }

  private static final class Secluded extends ForwardingStore {

    private final Set<String> known;

    Secluded(InMemoryArchiveStore sound) {
      super(sound);
      known = ConcurrentHashMap.newKeySet();
      known.addAll(sound.list(""));
    }

    @Override
    public void put(String name, Content content) {
      sound.put(name, content);
      known.add(name);
    }

    @Override
    public List<String> list(String prefix) {
      return sound.list(prefix).stream().filter(known::contains).toList();
    }
  }

  /** A store that knows which objects are being written. */
  private abstract static class Hasty extends ForwardingStore {

    private final Set<String> underWay = ConcurrentHashMap.newKeySet();

    Hasty(InMemoryArchiveStore sound) {
      super(sound);
    }

    final Set<String> underWay() {
      return underWay;
    }

    @Override
    public void put(String name, Content content) {
      underWay.add(name);
      try {
        sound.put(name, content);
      } finally {
        underWay.remove(name);
      }
    }
  }

  /** Leaves what was written when a failure of the kind comes. */
  private static final class Untidy extends ForwardingStore {

    private final Class<? extends Throwable> failure;

    Untidy(InMemoryArchiveStore sound, Class<? extends Throwable> failure) {
      super(sound);
      this.failure = failure;
    }

    @Override
    public void put(String name, Content content) {
      Recorded recorded = new Recorded(content);
      try {
        sound.put(name, recorded);
      } catch (RuntimeException | Error e) {
        if (failure.isInstance(e) && !recorded.bytes().isEmpty()) {
          sound.put(name, recorded.bytes().slice(0, 1)::writeTo);
        }
        throw e;
      }
    }
  }

  // ---- rule 3

  private void replaceObjects() {
    store(
        "rule3_anObjectThatExistsIsNeverReplaced",
        "takes the same content twice",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public void put(String name, Content content) {
                Recorded recorded = new Recorded(content);
                try {
                  sound.put(name, recorded);
                } catch (ConflictException e) {
                  if (!sameContent(name, content)) {
                    throw e;
                  }
                }
              }

              private boolean sameContent(String name, Content content) {
                Bytes present = sound.get(name, 0, Integer.MAX_VALUE);
                InMemoryArchiveStore other = new InMemoryArchiveStore();
                other.put(name, content);
                return other.get(name, 0, Integer.MAX_VALUE).equals(present);
              }
            },
        "rule3_aWriterThatBeganFirstButEndsLaterLoses");
    store(
        "rule3_aWriterThatBeganFirstButEndsLaterLoses",
        "looks for the object before it writes, and not again",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public void put(String name, Content content) {
                boolean absent = sound.size(name).isEmpty();
                Recorded recorded = new Recorded(content);
                try {
                  sound.put(name, recorded);
                } catch (ConflictException e) {
                  if (!absent) {
                    throw e;
                  }
                  sound.replace(name, recorded.bytes());
                }
              }
            },
        "rule3_ofSeveralWritersOneWins");
    store(
        "rule3_ofSeveralWritersOneWins",
        "looks for the object and makes it in two steps",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public void put(String name, Content content) {
                InMemoryArchiveStore aside = new InMemoryArchiveStore();
                aside.put(name, content);
                boolean absent = sound.size(name).isEmpty();
                for (int i = 0; i < 20; i++) {
                  Thread.yield();
                }
                if (absent) {
                  sound.delete(name);
                }
                sound.put(name, aside.get(name, 0, Integer.MAX_VALUE)::writeTo);
              }
            });
  }

  // ---- rule 4

  private void readWrongly() {
    store(
        "rule4_getReturnsExactlyTheBytesAskedFor",
        "stops at the end of a 64 KiB block",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public Bytes get(String name, long offset, int length) {
                long toBlockEnd = (1 << 16) - offset % (1 << 16);
                return sound.get(
                    name, offset, offset == 0 ? length : (int) Math.min(length, toBlockEnd));
              }
            });
    store(
        "rule4_fewerBytesOnlyWhereTheObjectEnds",
        "fails behind the end of an object",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public Bytes get(String name, long offset, int length) {
                if (offset > sound.size(name).orElse(offset)) {
                  throw new StorageException(StorageException.Kind.FATAL, "behind the end");
                }
                return sound.get(name, offset, length);
              }
            });
    store(
        "rule4_getOfAnAbsentObjectFails",
        "does not look where nothing is asked for",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public Bytes get(String name, long offset, int length) {
                return length == 0 ? Bytes.EMPTY : sound.get(name, offset, length);
              }
            });
    store("rule4_whatWasReadStaysAsItIs", "reads into the same array again", OneArray::new);
  }

  private static final class OneArray extends ForwardingStore {

    private final ThreadLocal<Map<Integer, byte[]>> arrays = ThreadLocal.withInitial(HashMap::new);

    OneArray(InMemoryArchiveStore sound) {
      super(sound);
    }

    @Override
    public Bytes get(String name, long offset, int length) {
      Bytes found = sound.get(name, offset, length);
      byte[] array = arrays.get().computeIfAbsent(found.size(), byte[]::new);
      found.copyTo(array, 0);
      return Bytes.wrap(array);
    }
  }

  // ---- rule 5

  private void listWrongly() {
    store(
        "rule5_listReturnsNamesInAscendingOrder",
        "lists names as a walk over directories finds them",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public List<String> list(String prefix) {
                Comparator<String[]> byParts = Arrays::compare;
                return sound.list(prefix).stream()
                    .sorted(Comparator.comparing(name -> name.split("/"), byParts))
                    .toList();
              }
            });
    store(
        "rule5_listReturnsTheNamesThatBeginWithThePrefix",
        "takes a prefix for a directory",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public List<String> list(String prefix) {
                return sound.list(prefix).stream()
                    .filter(name -> !prefix.contains("/") || isBelow(name, prefix))
                    .toList();
              }

              private boolean isBelow(String name, String prefix) {
                return prefix.endsWith("/") || name.equals(prefix) || name.startsWith(prefix + "/");
              }
            });
    store(
        "rule5_listReturnsWholeObjectsOnly",
        "lists objects that are being written",
        sound ->
            new Hasty(sound) {
              @Override
              public List<String> list(String prefix) {
                Set<String> names = new TreeSet<>(sound.list(prefix));
                underWay().stream().filter(name -> name.startsWith(prefix)).forEach(names::add);
                return List.copyOf(names);
              }
            },
        "rule7_manyThreadsReadAndWriteAtOnce");
  }

  // ---- rule 6

  private void deleteWrongly() {
    store("rule6_whatWasDeletedIsGone", "deletes for itself only", Hiding::new);
    store(
        "rule6_deletingWhatDoesNotExistDoesNothing",
        "cannot delete what is not there",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public void delete(String name) {
                sound.get(name, 0, 0);
                sound.delete(name);
              }
            });
    store(
        "rule6_aDeletedNameCanBeWrittenAgain",
        "never takes a name again",
        sound ->
            new ForwardingStore(sound) {
              private final Set<String> taken = ConcurrentHashMap.newKeySet();

              @Override
              public void delete(String name) {
                if (sound.size(name).isPresent()) {
                  taken.add(name);
                }
                sound.delete(name);
              }

              @Override
              public void put(String name, Content content) {
                if (taken.contains(name)) {
                  throw new ConflictException(ConflictException.Reason.EXISTS, "existed once");
                }
                sound.put(name, content);
              }
            });
  }

  private static final class Hiding extends ForwardingStore {

    private final Set<String> hidden = ConcurrentHashMap.newKeySet();

    Hiding(InMemoryArchiveStore sound) {
      super(sound);
    }

    @Override
    public void delete(String name) {
      if (sound.size(name).isPresent()) {
        hidden.add(name);
      }
    }

    @Override
    public void put(String name, Content content) {
      if (hidden.remove(name)) {
        sound.delete(name);
      }
      sound.put(name, content);
    }

    @Override
    public OptionalLong size(String name) {
      return hidden.contains(name) ? OptionalLong.empty() : sound.size(name);
    }

    @Override
    public Bytes get(String name, long offset, int length) {
      return sound.get(hidden.contains(name) ? "hidden" : name, offset, length);
    }

    @Override
    public List<String> list(String prefix) {
      List<String> names = new ArrayList<>(sound.list(prefix));
      names.removeAll(new HashSet<>(hidden));
      return names;
    }
  }

  // ---- rule 7

  private void stumbleAndClose() {
    store(
        "rule7_manyThreadsReadAndWriteAtOnce",
        "has one place in the file for all threads",
        sound ->
            new ForwardingStore(sound) {
              private volatile long position;

              @Override
              public Bytes get(String name, long offset, int length) {
                position = offset;
                Thread.yield();
                return sound.get(name, position, length);
              }
            });
    store(
        "rule7_afterCloseEveryMethodRefuses",
        "tells its place after it was closed",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public String place() {
                return "memory";
              }
            });
    store(
        "rule7_closingTwiceDoesNothing",
        "tears the place down when it is closed again",
        sound ->
            new ForwardingStore(sound) {
              private boolean closed;

              @Override
              public void close() {
                sound.setReachable(!closed);
                closed = true;
                sound.close();
              }
            });
  }

  // ---- rule 8

  private void failWrongly() {
    store(
        "rule8_aFailureOfTheMediumIsNotTakenForAnAbsentObject",
        "takes a failure of the medium for an absent object",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public OptionalLong size(String name) {
                try {
                  return sound.size(name);
                } catch (StorageException e) {
                  return OptionalLong.empty();
                }
              }
            });
    store(
        "rule8_aFullMediumIsToldAndNothingIsSeen",
        "leaves what there was room for",
        sound ->
            new ForwardingStore(sound) {
              @Override
              public void put(String name, Content content) {
                try {
                  sound.put(name, content);
                } catch (StorageException e) {
                  if (e.isOutOfSpace()) {
                    sound.put(name, Bytes.EMPTY::writeTo);
                  }
                  throw e;
                }
              }
            });
  }
}
