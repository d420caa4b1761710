package io.ledgerkeep.testkit.contract;

import static io.ledgerkeep.testkit.contract.Samples.key;
import static io.ledgerkeep.testkit.contract.Samples.noise;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.Encryptor;
import io.ledgerkeep.encryption.Encryptor.Context;
import io.ledgerkeep.error.IntegrityException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checks that an encryptor keeps the rules of {@link Encryptor}; each test is named after the rule
 * that it checks.
 *
 * <pre>{@code
 * final class MyEncryptorTest extends EncryptorContract {
 *   @Override
 *   protected Encryptor open(Path place) {
 *     return MyEncryptor.open(place);
 *   }
 * }
 * }</pre>
 */
@SuppressWarnings("exports") // who uses the fakes alone needs no JUnit
public abstract class EncryptorContract {

  private static final int THREADS = 4;
  private static final UUID STORE = new UUID(1, 2);
  private static final Context CONTEXT = new Context(STORE, "state", key(1));
  private static final Bytes VALUE = Bytes.ofUtf8("a value that nobody else may read");

  private final List<Encryptor> opened = new ArrayList<>();
  private Path directory = Path.of("");

  /** Creates the contract; JUnit makes one for each test. */
  protected EncryptorContract() {}

  /**
   * Opens the encryptor of a place: under the same key whenever it is opened for the same place,
   * under another for another. No two are open for a place at once. It may keep files there; the
   * place is an absent directory at first.
   */
  protected abstract Encryptor open(Path place);

  /** Returns the secrets of the encryptor that the test knows, to look for them in messages. */
  protected List<Bytes> secrets() {
    return List.of();
  }

  /** Chooses the places of the test. Called by JUnit. */
  @BeforeEach
  public void prepare(@TempDir Path temporary) {
    directory = temporary;
  }

  /** Closes what the test left open. Called by JUnit. */
  @AfterEach
  public void closeAll() {
    opened.forEach(Encryptor::close);
  }

  private Encryptor open() {
    return open("place");
  }

  private Encryptor open(String name) {
    Encryptor encryptor = open(directory.resolve(name));
    opened.add(encryptor);
    return encryptor;
  }

  private static void assertRefused(ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(IntegrityException.class);
  }

  // ---- rule 1: what was sealed comes back

  @Test
  public void rule1_whatWasSealedIsOpened() {
    Encryptor encryptor = open();
    for (int size : new int[] {0, 1, 15, 16, 17, 255, 4096, 65_537, 1_000_000}) {
      Bytes value = noise(size, size);
      assertThat(encryptor.open(CONTEXT, encryptor.seal(CONTEXT, value))).isEqualTo(value);
    }
  }

  @Test
  public void rule1_equalContextsAreTheSame() {
    Encryptor encryptor = open();
    Bytes sealed = encryptor.seal(CONTEXT, VALUE);
    Bytes padded = Bytes.wrap(("--" + "k").getBytes(StandardCharsets.UTF_8));
    Context whole = new Context(STORE, "state", Bytes.ofUtf8("k"));
    Context slice = new Context(new UUID(1, 2), "sta".concat("te"), padded.slice(2, 3));

    assertThat(encryptor.open(new Context(new UUID(1, 2), "state", key(1)), sealed))
        .isEqualTo(VALUE);
    assertThat(encryptor.open(slice, encryptor.seal(whole, VALUE))).isEqualTo(VALUE);
  }

  @Test
  public void rule1_whatWasSealedIsOpenedAfterARestart() {
    List<Bytes> sealed = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Encryptor encryptor = open();
      sealed.add(encryptor.seal(CONTEXT, VALUE));
      assertThat(sealed).allSatisfy(s -> assertThat(encryptor.open(CONTEXT, s)).isEqualTo(VALUE));
      encryptor.close();
    }
  }

  // ---- rule 2: nothing but what was sealed

  @Test
  public void rule2_everyChangedBitIsRefused() {
    Encryptor encryptor = open();
    for (Bytes value : List.of(VALUE, Bytes.EMPTY)) {
      byte[] sealed = encryptor.seal(CONTEXT, value).toArray();
      for (int bit = 0; bit < sealed.length * Byte.SIZE; bit++) {
        byte[] changed = sealed.clone();
        changed[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
        assertRefused(() -> encryptor.open(CONTEXT, Bytes.wrap(changed)));
      }
    }
  }

  @Test
  public void rule2_whatWasCutOffOrAddedIsRefused() {
    Encryptor encryptor = open();
    Bytes sealed = encryptor.seal(CONTEXT, VALUE);
    for (int cut = 1; cut <= sealed.size(); cut++) {
      int left = sealed.size() - cut;
      Bytes begin = sealed.slice(0, left);
      Bytes end = sealed.slice(cut, sealed.size());
      assertRefused(() -> encryptor.open(CONTEXT, begin));
      assertRefused(() -> encryptor.open(CONTEXT, end));
    }
    Bytes zero = Bytes.wrap(new byte[1]);
    assertRefused(() -> encryptor.open(CONTEXT, joined(sealed, zero)));
    assertRefused(() -> encryptor.open(CONTEXT, joined(zero, sealed)));
    assertRefused(() -> encryptor.open(CONTEXT, joined(sealed, sealed)));
  }

  private static Bytes joined(Bytes first, Bytes second) {
    byte[] both = new byte[first.size() + second.size()];
    first.copyTo(both, 0);
    second.copyTo(both, first.size());
    return Bytes.wrap(both);
  }

  @Test
  public void rule2_bytesThatWereNeverSealedAreRefused() {
    Encryptor encryptor = open();
    for (int size : new int[] {0, 1, 12, 16, 28, 29, 100, 5000}) {
      assertRefused(() -> encryptor.open(CONTEXT, Bytes.wrap(new byte[size])));
      assertRefused(() -> encryptor.open(CONTEXT, noise(7, size)));
    }
    assertRefused(() -> encryptor.open(CONTEXT, VALUE));
  }

  // ---- rule 3: under its context only

  @Test
  public void rule3_anotherStoreDatabaseOrKeyIsRefused() {
    Encryptor encryptor = open();
    Bytes sealed = encryptor.seal(CONTEXT, VALUE);

    assertThat(
            List.of(
                new Context(new UUID(1, 3), "state", key(1)),
                new Context(new UUID(2, 2), "state", key(1)),
                new Context(STORE, "history", key(1)),
                new Context(STORE, "", key(1)),
                new Context(STORE, "state", key(2)),
                new Context(STORE, "state", Bytes.EMPTY),
                new Context(STORE, "state", joined(key(1), Bytes.wrap(new byte[1])))))
        .allSatisfy(other -> assertRefused(() -> encryptor.open(other, sealed)));
  }

  @Test
  public void rule3_contextsWhosePartsJoinedAreEqualAreDifferent() {
    Encryptor encryptor = open();
    String[] parts = {"", "s", "st", "sta", "stat"};
    for (String database : parts) {
      Bytes sealed = encryptor.seal(splitAfter(database), VALUE);
      for (String other : parts) {
        if (!other.equals(database)) {
          assertRefused(() -> encryptor.open(splitAfter(other), sealed));
        }
      }
    }
  }

  private static Context splitAfter(String database) {
    return new Context(STORE, database, Bytes.ofUtf8("stat".substring(database.length())));
  }

  // ---- rule 4: never twice the same

  @Test
  public void rule4_sealingTwiceGivesDifferentBytes() {
    Encryptor encryptor = open();
    assertThat(encryptor.seal(CONTEXT, VALUE)).isNotEqualTo(encryptor.seal(CONTEXT, VALUE));
    assertThat(encryptor.seal(CONTEXT, Bytes.EMPTY))
        .isNotEqualTo(encryptor.seal(CONTEXT, Bytes.EMPTY));
  }

  @Test
  public void rule4_noNonceComesTwiceByManyThreadsAndAfterRestarts() {
    // Under equal nonces the same empty value would be sealed as equal bytes.
    Set<Bytes> sealed = ConcurrentHashMap.newKeySet();
    int each = 500;
    int restarts = 3;
    for (int i = 0; i < restarts; i++) {
      Encryptor encryptor = open();
      Crowd.Task task =
          () -> {
            for (int n = 0; n < each; n++) {
              sealed.add(encryptor.seal(CONTEXT, Bytes.EMPTY));
            }
          };
      Crowd.run(List.of(task, task, task, task));
      encryptor.close();
    }

    assertThat(sealed).hasSize(restarts * THREADS * each);
  }

  // ---- rule 5: size

  @Test
  public void rule5_aSealedValueIsAtMostTheOverheadLonger() {
    Encryptor encryptor = open();
    for (int size : new int[] {0, 1, 16, 1000, 70_000}) {
      int sealed = encryptor.seal(CONTEXT, noise(size, size)).size();
      int spans = Math.max(1, (size + Encryptor.OVERHEAD_SPAN - 1) / Encryptor.OVERHEAD_SPAN);
      assertThat(sealed - size).isBetween(0, spans * encryptor.overheadBytes());
    }
  }

  // ---- rule 6: what is handed in

  @Test
  public void rule6_bytesHandedInAreNotChanged() {
    Encryptor encryptor = open();
    byte[] plain = noise(1, 5000).toArray();
    byte[] sealed = encryptor.seal(CONTEXT, Bytes.wrap(plain)).toArray();
    byte[] sealedBefore = sealed.clone();
    encryptor.open(CONTEXT, Bytes.wrap(sealed));

    assertThat(Bytes.wrap(plain)).isEqualTo(noise(1, 5000));
    assertThat(sealed).isEqualTo(sealedBefore);
  }

  @Test
  public void rule6_bytesHandedInAreNotKept() {
    Encryptor encryptor = open();
    byte[] plain = noise(1, 5000).toArray();
    Bytes sealed = encryptor.seal(CONTEXT, Bytes.wrap(plain));
    Arrays.fill(plain, (byte) 0);
    byte[] copy = sealed.toArray();
    Bytes value = encryptor.open(CONTEXT, Bytes.wrap(copy));
    Arrays.fill(copy, (byte) 0);

    assertThat(value).isEqualTo(noise(1, 5000));
    assertThat(encryptor.open(CONTEXT, sealed)).isEqualTo(noise(1, 5000));
  }

  // ---- rule 7: threads and closing

  @Test
  public void rule7_manyThreadsSealAndOpenAtOnce() {
    Encryptor encryptor = open();
    List<Crowd.Task> tasks = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      Context mine = new Context(STORE, "state", key(i));
      int seed = i;
      tasks.add(
          () -> {
            for (int n = 0; n < 300; n++) {
              Bytes value = noise(seed * 1000L + n, 1 + n * 7);
              assertThat(encryptor.open(mine, encryptor.seal(mine, value))).isEqualTo(value);
            }
          });
    }
    Crowd.run(tasks);
  }

  @Test
  public void rule7_afterCloseTheMethodsRefuse() {
    Encryptor encryptor = open();
    Bytes sealed = encryptor.seal(CONTEXT, VALUE);
    encryptor.close();

    assertClosed(() -> encryptor.seal(CONTEXT, VALUE));
    assertClosed(() -> encryptor.open(CONTEXT, sealed));
    assertClosed(() -> encryptor.open(CONTEXT, Bytes.EMPTY));
    assertClosed(encryptor::overheadBytes);
  }

  private static void assertClosed(ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(IllegalStateException.class);
  }

  @Test
  public void rule7_closingTwiceDoesNothing() {
    Encryptor encryptor = open();
    Bytes sealed = encryptor.seal(CONTEXT, VALUE);
    encryptor.close();
    encryptor.close();

    assertThat(open().open(CONTEXT, sealed)).isEqualTo(VALUE);
  }

  // ---- rule 8: another key

  @Test
  public void rule8_whatAnotherKeySealedIsRefused() {
    Encryptor encryptor = open();
    Encryptor other = open("other");

    Bytes sealed = encryptor.seal(CONTEXT, VALUE);
    Bytes otherSealed = other.seal(CONTEXT, VALUE);

    assertRefused(() -> other.open(CONTEXT, sealed));
    assertRefused(() -> encryptor.open(CONTEXT, otherSealed));
  }

  // ---- rule 9: no secrets in messages

  @Test
  public void rule9_noMessageHoldsASecret() {
    Encryptor encryptor = open();
    List<Bytes> secrets = new ArrayList<>(secrets());
    secrets.add(VALUE);
    Context other = new Context(STORE, "history", key(1));
    Bytes sealed = encryptor.seal(CONTEXT, VALUE);

    Traces.assertNone(catchThrowable(() -> encryptor.open(other, sealed)), secrets);
    Traces.assertNone(catchThrowable(() -> encryptor.open(CONTEXT, VALUE)), secrets);
    Traces.assertNone(encryptor.toString(), secrets);
    encryptor.close();
    Traces.assertNone(catchThrowable(() -> encryptor.seal(CONTEXT, VALUE)), secrets);
    Traces.assertNone(encryptor.toString(), secrets);
  }
}
