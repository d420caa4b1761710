package io.ledgerkeep.testkit.contract;

import static io.ledgerkeep.testkit.contract.Samples.noise;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.ArchiveStore.Content;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checks that an archive store keeps the rules of {@link ArchiveStore}; each test is named after
 * the rule that it checks.
 *
 * <pre>{@code
 * final class MyStoreTest extends ArchiveStoreContract {
 *   @Override
 *   protected ArchiveStore open(Path directory) {
 *     return new MyStoreProvider().open(Options.of("path", directory.toString()));
 *   }
 * }
 * }</pre>
 *
 * <p>What not every store can be made to suffer in a test is played by hooks; where a hook returns
 * false, the tests that need it are skipped.
 */
@SuppressWarnings("exports") // who uses the fakes alone needs no JUnit
public abstract class ArchiveStoreContract {

  private static final int THREADS = 4;
  private static final String NAME = "genesis/ledger/segment-1.seg";

  private final List<ArchiveStore> opened = new ArrayList<>();
  private Path directory = Path.of("");

  /** Creates the contract; JUnit makes one for each test. */
  protected ArchiveStoreContract() {}

  /**
   * Opens a store at a place that is empty when the test begins, and the same for the whole test.
   * It may lie in the directory, which is absent at first.
   */
  protected abstract ArchiveStore open(Path storeDirectory);

  /** Lets the medium of the place fail. Returns false where that cannot be played. */
  protected boolean breakMedium(Path storeDirectory) {
    return false;
  }

  /** Lets the medium work again after {@link #breakMedium}. */
  protected void repairMedium(Path storeDirectory) {}

  /**
   * Leaves room for about so many more bytes at the place. Returns false where that cannot be
   * played.
   */
  protected boolean limitSpace(Path storeDirectory, long freeBytes) {
    return false;
  }

  /** Gives back the room that {@link #limitSpace} took. */
  protected void unlimitSpace(Path storeDirectory) {}

  /** Chooses the place of the test. Called by JUnit. */
  @BeforeEach
  public void prepare(@TempDir Path temporary) {
    directory = temporary.resolve("archive");
  }

  /** Closes what the test left open. Called by JUnit. */
  @AfterEach
  public void closeAll() {
    opened.forEach(ArchiveStore::close);
  }

  private ArchiveStore open() {
    ArchiveStore store = open(directory);
    opened.add(store);
    return store;
  }

  private static Content content(Bytes bytes) {
    return bytes::writeTo;
  }

  private static void put(ArchiveStore store, String name, Bytes bytes) {
    store.put(name, content(bytes));
  }

  private static Bytes whole(ArchiveStore store, String name) {
    return store.get(name, 0, Math.toIntExact(store.size(name).orElseThrow()));
  }

  // ---- rule 1: names

  @Test
  public void rule1_everyNameOfTheFormIsAccepted() {
    List<String> names =
        List.of("a", "0", "-", "a.b", "a-b.c", "x/y/z", "9/-/a..b", "m".repeat(64));
    ArchiveStore store = open();
    for (String name : names) {
      put(store, name, Bytes.ofUtf8(name));
    }

    assertThat(names).allSatisfy(n -> assertThat(whole(store, n)).isEqualTo(Bytes.ofUtf8(n)));
    assertThat(store.list("")).containsExactlyElementsOf(new TreeSet<>(names));
  }

  @Test
  public void rule1_anyOtherNameIsRefused() {
    ArchiveStore store = open();
    List<String> names =
        List.of(
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            ".a",
            "a/.b",
            "a/../b",
            "A",
            "a b",
            "a_b",
            "ä",
            "a\\b",
            "a\u0000b",
            "a\n",
            "a:b",
            "a*");

    assertThat(names)
        .allSatisfy(
            name -> {
              assertRefused(() -> put(store, name, Bytes.EMPTY));
              assertRefused(() -> store.size(name));
              assertRefused(() -> store.get(name, 0, 1));
              assertRefused(() -> store.delete(name));
            });
    assertThat(store.list("")).isEmpty();
  }

  private static void assertRefused(ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class);
  }

  // ---- rule 2: written once, whole

  @Test
  public void rule2_anObjectIsWholeWhenPutReturns() {
    ArchiveStore store = open();
    for (int size : new int[] {0, 1, 100, 70_000, 3_000_000}) {
      String name = "object-" + size;
      put(store, name, noise(size, size));

      assertThat(store.size(name)).hasValue(size);
      assertThat(whole(store, name)).isEqualTo(noise(size, size));
    }
  }

  @Test
  public void rule2_contentMayBeWrittenInPiecesOfAnySize() {
    ArchiveStore store = open();
    byte[] bytes = noise(1, 300_000).toArray();
    store.put(
        NAME,
        out -> {
          out.write(bytes[0]);
          for (int at = 1, size = 1; at < bytes.length; at += size, size = size * 3 + 1) {
            out.write(bytes, at, Math.min(size, bytes.length - at));
            out.flush();
          }
        });

    assertThat(whole(store, NAME)).isEqualTo(Bytes.wrap(bytes));
  }

  @Test
  public void rule2_anObjectIsSeenByEveryOpenerAndAfterOpeningAgain() {
    ArchiveStore store = open();
    ArchiveStore other = open();
    put(store, NAME, noise(1, 1000));

    assertThat(whole(other, NAME)).isEqualTo(noise(1, 1000));
    assertThat(other.list("")).containsExactly(NAME);
    store.close();
    other.close();
    assertThat(whole(open(), NAME)).isEqualTo(noise(1, 1000));
  }

  @Test
  public void rule2_nothingIsSeenBeforePutReturns() {
    ArchiveStore store = open();
    store.put(
        NAME,
        out -> {
          noise(1, 500_000).writeTo(out);
          out.flush();
          assertThat(store.size(NAME)).isEmpty();
          assertThatThrownBy(() -> store.get(NAME, 0, 1)).isInstanceOf(StorageException.class);
        });

    assertThat(store.size(NAME)).hasValue(500_000);
  }

  @Test
  public void rule2_whatTheContentThrowsPassesThroughAndNothingIsSeen() {
    ArchiveStore store = open();
    for (Throwable failure :
        List.of(new IllegalCallerException("mine"), new LinkageError("mine"))) {
      assertThatThrownBy(
              () ->
                  store.put(
                      NAME,
                      out -> {
                        noise(1, 500_000).writeTo(out);
                        sneak(failure);
                      }))
          .isSameAs(failure);
      assertThat(store.size(NAME)).isEmpty();
      assertThat(store.list("")).isEmpty();
    }
    put(store, NAME, noise(2, 10));
    assertThat(whole(open(), NAME)).isEqualTo(noise(2, 10));
  }

  private static void sneak(Throwable failure) {
    if (failure instanceof Error error) {
      throw error;
    }
    throw (RuntimeException) failure;
  }

  @Test
  public void rule2_contentThatCannotBeReadLeavesNothing() {
    ArchiveStore store = open();

    assertThatThrownBy(
            () ->
                store.put(
                    NAME,
                    out -> {
                      out.write(1);
                      throw new IOException("the source of the content failed");
                    }))
        .isInstanceOf(RuntimeException.class);
    assertThat(store.size(NAME)).isEmpty();
    assertThat(open().list("")).isEmpty();
  }

  // ---- rule 3: never replaced

  @Test
  public void rule3_anObjectThatExistsIsNeverReplaced() {
    ArchiveStore store = open();
    put(store, NAME, noise(1, 100));

    assertExists(() -> put(store, NAME, noise(2, 100)));
    assertExists(() -> put(store, NAME, noise(1, 100)));
    assertExists(() -> put(open(), NAME, Bytes.EMPTY));

    assertThat(whole(store, NAME)).isEqualTo(noise(1, 100));
  }

  @Test
  public void rule3_aWriterThatBeganFirstButEndsLaterLoses() {
    ArchiveStore store = open();
    assertExists(
        () ->
            store.put(
                NAME,
                out -> {
                  noise(1, 100).writeTo(out);
                  put(store, NAME, noise(2, 100));
                }));

    assertThat(whole(store, NAME)).isEqualTo(noise(2, 100));
    assertThat(store.list("")).containsExactly(NAME);
  }

  @Test
  public void rule3_ofSeveralWritersOneWins() {
    ArchiveStore store = open();
    for (int round = 0; round < 20; round++) {
      String name = "round-" + round;
      AtomicInteger refused = new AtomicInteger();
      AtomicReference<Bytes> winner = new AtomicReference<>(Bytes.EMPTY);
      List<Crowd.Task> writers = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        Bytes mine = noise(i, 50_000);
        writers.add(
            () -> {
              try {
                put(store, name, mine);
                winner.set(mine);
              } catch (ConflictException e) {
                refused.incrementAndGet();
              }
            });
      }
      Crowd.run(writers);

      assertThat(refused).hasValue(THREADS - 1);
      assertThat(whole(store, name)).isEqualTo(winner.get());
    }
  }

  private static void assertExists(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            ConflictException.class,
            e -> assertThat(e.reason()).isEqualTo(ConflictException.Reason.EXISTS));
  }

  // ---- rule 4: exactly the bytes asked for

  @Test
  public void rule4_getReturnsExactlyTheBytesAskedFor() {
    ArchiveStore store = open();
    Bytes object = noise(1, 200_000);
    put(store, NAME, object);

    for (int from : new int[] {0, 1, 65_535, 65_536, 150_000}) {
      for (int length : new int[] {0, 1, 4096, 50_000}) {
        assertThat(store.get(NAME, from, length)).isEqualTo(object.slice(from, from + length));
      }
    }
    assertThat(store.get(NAME, 0, 200_000)).isEqualTo(object);
  }

  @Test
  public void rule4_fewerBytesOnlyWhereTheObjectEnds() {
    ArchiveStore store = open();
    Bytes object = noise(1, 1000);
    put(store, NAME, object);

    assertThat(store.get(NAME, 990, 100)).isEqualTo(object.slice(990, 1000));
    assertThat(store.get(NAME, 0, 1 << 20)).isEqualTo(object);
    assertThat(store.get(NAME, 1000, 10)).isEqualTo(Bytes.EMPTY);
    assertThat(store.get(NAME, 5000, 10)).isEqualTo(Bytes.EMPTY);
    assertThat(store.get(NAME, 1L << 40, 10)).isEqualTo(Bytes.EMPTY);
  }

  @Test
  public void rule4_getOfAnAbsentObjectFails() {
    ArchiveStore store = open();
    put(store, NAME, noise(1, 10));

    assertThat(store.size("genesis/ledger/other")).isEmpty();
    assertThatThrownBy(() -> store.get("genesis/ledger/other", 0, 1))
        .isInstanceOf(StorageException.class);
    assertThatThrownBy(() -> store.get("genesis/ledger/other", 0, 0))
        .isInstanceOf(StorageException.class);
    assertThat(store.size("genesis/ledger")).isEmpty();
    assertThatThrownBy(() -> store.get("genesis/ledger", 0, 1))
        .isInstanceOf(StorageException.class);
  }

  @Test
  public void rule4_whatWasReadStaysAsItIs() {
    ArchiveStore store = open();
    put(store, NAME, noise(1, 100_000));
    Bytes first = store.get(NAME, 0, 1000);
    Bytes second = store.get(NAME, 1000, 1000);

    store.delete(NAME);
    store.close();

    assertThat(first).isEqualTo(noise(1, 100_000).slice(0, 1000));
    assertThat(second).isEqualTo(noise(1, 100_000).slice(1000, 2000));
  }

  // ---- rule 5: lists

  @Test
  public void rule5_listReturnsNamesInAscendingOrder() {
    List<String> ascending =
        List.of("a", "a-b", "a.b", "a0", "b/-/x", "b/a-c", "b/a.c", "b/a/c", "b/a0", "b/b", "c-1");
    ArchiveStore store = open();
    assertThat(store.list("")).isEmpty();
    for (int i = 0; i < ascending.size(); i++) {
      put(store, ascending.get(i * 4 % ascending.size()), Bytes.EMPTY);
    }

    assertThat(store.list("")).isEqualTo(ascending);
    assertThat(open().list("")).isEqualTo(ascending);
  }

  @Test
  public void rule5_listReturnsTheNamesThatBeginWithThePrefix() {
    ArchiveStore store = open();
    List.of("g1/l1/m", "g1/l1/segment-1", "g1/l1/segment-2", "g1/l2/m", "g2/l1/m", "g10/l1/m")
        .forEach(name -> put(store, name, Bytes.EMPTY));

    assertThat(store.list("g1/"))
        .containsExactly("g1/l1/m", "g1/l1/segment-1", "g1/l1/segment-2", "g1/l2/m");
    assertThat(store.list("g1")).hasSize(5);
    assertThat(store.list("g1/l1/seg")).containsExactly("g1/l1/segment-1", "g1/l1/segment-2");
    assertThat(store.list("g1/l1/segment-2")).containsExactly("g1/l1/segment-2");
    assertThat(store.list("g1/l1/segment-2/")).isEmpty();
    assertThat(store.list("no/such")).isEmpty();
  }

  @Test
  public void rule5_listReturnsWholeObjectsOnly() {
    ArchiveStore store = open();
    put(store, "b", noise(1, 10));
    store.put(
        NAME,
        out -> {
          noise(1, 500_000).writeTo(out);
          out.flush();
          assertThat(store.list("")).containsExactly("b");
          assertThat(store.list("genesis")).isEmpty();
        });

    assertThat(store.list("")).containsExactly("b", NAME);
  }

  // ---- rule 6: deleting

  @Test
  public void rule6_whatWasDeletedIsGone() {
    ArchiveStore store = open();
    put(store, NAME, noise(1, 10));
    put(store, NAME + "2", noise(2, 10));

    store.delete(NAME);

    assertThat(store.size(NAME)).isEmpty();
    assertThat(store.list("")).containsExactly(NAME + "2");
    assertThatThrownBy(() -> store.get(NAME, 0, 1)).isInstanceOf(StorageException.class);
    ArchiveStore other = open();
    assertThat(other.size(NAME)).isEmpty();
    assertThat(whole(other, NAME + "2")).isEqualTo(noise(2, 10));
  }

  @Test
  public void rule6_deletingWhatDoesNotExistDoesNothing() {
    ArchiveStore store = open();
    store.delete(NAME);
    put(store, NAME, noise(1, 10));

    store.delete("genesis/ledger/other");
    store.delete("other/place");
    store.delete("genesis");
    store.delete("genesis/ledger");
    assertThat(whole(store, NAME)).isEqualTo(noise(1, 10));
    store.delete(NAME);
    store.delete(NAME);

    assertThat(store.list("")).isEmpty();
  }

  @Test
  public void rule6_aDeletedNameCanBeWrittenAgain() {
    ArchiveStore store = open();
    put(store, NAME, noise(1, 10));
    store.delete(NAME);

    put(store, NAME, noise(2, 20));

    assertThat(whole(store, NAME)).isEqualTo(noise(2, 20));
  }

  // ---- rule 7: threads, and closing

  @Test
  public void rule7_manyThreadsReadAndWriteAtOnce() {
    ArchiveStore store = open();
    put(store, "shared", noise(0, 100_000));
    List<Crowd.Task> tasks = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      String own = "of-" + i + "/";
      tasks.add(() -> liveBelow(store, own));
    }

    Crowd.run(tasks);

    assertThat(store.list("of-")).hasSize(THREADS * 25);
  }

  private static void liveBelow(ArchiveStore store, String own) {
    for (int i = 0; i < 50; i++) {
      String name = own + "object-" + i;
      put(store, name, noise(i, 5000));
      assertThat(whole(store, name)).isEqualTo(noise(i, 5000));
      assertThat(store.get("shared", i * 1000L, 1000))
          .isEqualTo(noise(0, 100_000).slice(i * 1000, i * 1000 + 1000));
      if (i % 2 == 1) {
        store.delete(name);
      }
      assertThat(store.list(own)).hasSize(i / 2 + 1);
    }
  }

  @Test
  public void rule7_afterCloseEveryMethodRefuses() {
    ArchiveStore store = open();
    put(store, NAME, noise(1, 10));
    assertThat(store.place()).isNotBlank();
    store.close();

    assertClosed(store::place);
    assertClosed(() -> put(store, "other", Bytes.EMPTY));
    assertClosed(() -> store.size(NAME));
    assertClosed(() -> store.get(NAME, 0, 1));
    assertClosed(() -> store.list(""));
    assertClosed(() -> store.delete(NAME));
    assertThat(open().list("")).containsExactly(NAME);
  }

  private static void assertClosed(ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(IllegalStateException.class);
  }

  @Test
  public void rule7_closingTwiceDoesNothing() {
    ArchiveStore store = open();
    ArchiveStore other = open();
    store.close();
    assertThatCode(store::close).doesNotThrowAnyException();

    put(other, NAME, noise(1, 10));
    assertThat(whole(other, NAME)).isEqualTo(noise(1, 10));
  }

  // ---- rule 8: failures of the medium

  @Test
  public void rule8_aFailureOfTheMediumIsNotTakenForAnAbsentObject() {
    ArchiveStore store = open();
    put(store, NAME, noise(1, 10));
    assumeTrue(
        breakMedium(directory), "not this backend: a failure of the medium cannot be played");

    assertFails(() -> store.size(NAME));
    assertFails(() -> store.get(NAME, 0, 1));
    assertFails(() -> store.list(""));
    assertFails(() -> store.delete(NAME));
    assertFails(() -> put(store, "other", noise(2, 10)));

    repairMedium(directory);
    assertThat(store.list("")).containsExactly(NAME);
    assertThat(whole(store, NAME)).isEqualTo(noise(1, 10));
  }

  private static void assertFails(ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(StorageException.class);
  }

  @Test
  public void rule8_aFullMediumIsToldAndNothingIsSeen() {
    ArchiveStore store = open();
    put(store, "before", noise(1, 10));
    assumeTrue(limitSpace(directory, 1 << 20), "not this backend: a full medium cannot be played");

    assertThatThrownBy(() -> put(store, NAME, noise(2, 2 << 20)))
        .isInstanceOfSatisfying(
            StorageException.class,
            e -> assertThat(e.isOutOfSpace()).as("out of space: %s", e).isTrue());
    assertThat(store.list("")).containsExactly("before");

    unlimitSpace(directory);
    put(store, NAME, noise(2, 2 << 20));
    assertThat(whole(store, NAME)).isEqualTo(noise(2, 2 << 20));
  }
}
