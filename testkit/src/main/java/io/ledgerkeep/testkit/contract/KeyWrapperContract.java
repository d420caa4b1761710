package io.ledgerkeep.testkit.contract;

import static io.ledgerkeep.testkit.contract.Samples.noise;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.encryption.KeyWrapper.Calls;
import io.ledgerkeep.encryption.KeyWrapper.Direct;
import io.ledgerkeep.error.KeyUnavailableException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Checks that a wrapper of keys keeps the rules of {@link KeyWrapper}; each test is named after the
 * rule that it checks.
 *
 * <pre>{@code
 * final class MyWrapperTest extends KeyWrapperContract {
 *   @Override
 *   protected KeyWrapper open(int masterKey) {
 *     return new MyProvider().openKey(Options.of("key", "hex:" + keys.get(masterKey)));
 *   }
 * }
 * }</pre>
 */
@SuppressWarnings("exports") // who uses the fakes alone needs no JUnit
public abstract class KeyWrapperContract {

  private static final int THREADS = 4;
  private static final Bytes SECRET = noise(1, 32);
  private static final byte[] CONTEXT = "store 1, key 2".getBytes(StandardCharsets.UTF_8);

  private static final Calls UNLIMITED = calls -> {};

  private final List<KeyWrapper> opened = new ArrayList<>();
  private final List<Direct> directs = new ArrayList<>();

  /** Creates the contract; JUnit makes one for each test. */
  protected KeyWrapperContract() {}

  /**
   * Opens a wrapper of one of two master keys, number 0 and number 1; several may be open at once.
   */
  protected abstract KeyWrapper open(int masterKey);

  /** Returns the secrets of the wrapper that the test knows, to look for them in messages. */
  protected List<Bytes> secrets() {
    return List.of();
  }

  /** Returns the suite that the wrapper names; asked for where it opens one that seals directly. */
  protected CipherSuite software() {
    throw new AssertionError("say which suite of keys in memory goes with the direct one");
  }

  /** Closes what the test left open. Called by JUnit. */
  @AfterEach
  public void closeAll() {
    directs.forEach(Direct::close);
    opened.forEach(KeyWrapper::close);
  }

  /** Opens what seals in the device, or nothing where there is none: its tests hold then. */
  private Optional<Direct> direct(KeyWrapper wrapper, Calls calls) {
    Optional<Direct> direct = wrapper.openDirect(calls);
    direct.ifPresent(directs::add);
    return direct;
  }

  private KeyWrapper opened(int masterKey) {
    KeyWrapper wrapper = open(masterKey);
    opened.add(wrapper);
    return wrapper;
  }

  private static byte[] wrap(KeyWrapper wrapper) {
    return wrapper.wrap(SECRET.toArray(), CONTEXT.clone());
  }

  private static Bytes unwrap(KeyWrapper wrapper, byte[] wrapped) {
    return Bytes.wrap(wrapper.unwrap(wrapped, CONTEXT.clone()));
  }

  private static void assertWrong(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            KeyUnavailableException.class,
            e -> assertThat(e.reason()).isEqualTo(KeyUnavailableException.Reason.WRONG));
  }

  // ---- rule 1: the secret comes back

  @Test
  public void rule1_theSecretComesBack() {
    KeyWrapper wrapper = opened(0);
    for (int size : new int[] {1, 16, 24, 32, 64}) {
      for (int contextSize : new int[] {0, 1, 200}) {
        byte[] context = noise(2, contextSize).toArray();
        byte[] wrapped = wrapper.wrap(noise(size, size).toArray(), context);
        assertThat(Bytes.wrap(wrapper.unwrap(wrapped, context))).isEqualTo(noise(size, size));
      }
    }
  }

  @Test
  public void rule1_anotherWrapperOfTheMasterKeyUnwraps() {
    KeyWrapper wrapper = opened(0);
    byte[] wrapped = wrap(wrapper);
    assertThat(unwrap(opened(0), wrapped)).isEqualTo(SECRET);
    wrapper.confirm();
    wrapper.close();
    assertThat(unwrap(opened(0), wrapped)).isEqualTo(SECRET);
  }

  @Test
  public void rule1_confirmingChangesNothing() {
    KeyWrapper wrapper = opened(0);
    byte[] wrapped = wrap(wrapper);
    wrapper.confirm();
    wrapper.confirm();
    assertThat(unwrap(wrapper, wrapped)).isEqualTo(SECRET);
    assertThat(unwrap(wrapper, wrap(wrapper))).isEqualTo(SECRET);
  }

  // ---- rule 2: anything else is refused

  @Test
  public void rule2_everyChangedByteIsRefused() {
    KeyWrapper wrapper = opened(0);
    byte[] wrapped = wrap(wrapper);
    for (int i = 0; i < wrapped.length; i++) {
      for (int change : new int[] {1, 0x80, 0xFF}) {
        byte[] changed = wrapped.clone();
        changed[i] ^= (byte) change;
        assertWrong(() -> unwrap(wrapper, changed));
      }
    }
  }

  @Test
  public void rule2_whatWasCutOffOrAddedIsRefused() {
    KeyWrapper wrapper = opened(0);
    byte[] wrapped = wrap(wrapper);
    for (int left = 0; left < wrapped.length; left++) {
      byte[] begin = Arrays.copyOf(wrapped, left);
      byte[] end = Arrays.copyOfRange(wrapped, wrapped.length - left, wrapped.length);
      assertWrong(() -> unwrap(wrapper, begin));
      assertWrong(() -> unwrap(wrapper, end));
    }
    assertWrong(() -> unwrap(wrapper, Arrays.copyOf(wrapped, wrapped.length + 1)));
  }

  @Test
  public void rule2_anotherMasterKeyIsRefused() {
    byte[] wrapped = wrap(opened(0));
    KeyWrapper other = opened(1);
    assertWrong(() -> unwrap(other, wrapped));
  }

  @Test
  public void rule2_anotherContextIsRefused() {
    KeyWrapper wrapper = opened(0);
    byte[] wrapped = wrap(wrapper);
    assertWrong(() -> wrapper.unwrap(wrapped, new byte[0]));
    assertWrong(() -> wrapper.unwrap(wrapped, "store 1, key 3".getBytes(StandardCharsets.UTF_8)));
    assertWrong(() -> wrapper.unwrap(wrapped, Arrays.copyOf(CONTEXT, CONTEXT.length + 1)));
    assertWrong(() -> wrapper.unwrap(wrapped, Arrays.copyOf(CONTEXT, CONTEXT.length - 1)));
  }

  // ---- rule 3: never twice the same

  @Test
  public void rule3_wrappingTwiceGivesDifferentBytes() {
    KeyWrapper wrapper = opened(0);
    KeyWrapper again = opened(0);
    List<Bytes> wrapped = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      wrapped.add(Bytes.wrap(wrap(wrapper)));
      wrapped.add(Bytes.wrap(wrap(again)));
    }
    assertThat(wrapped).doesNotHaveDuplicates();
  }

  // ---- rule 4: arrays

  @Test
  public void rule4_arraysHandedInAreNotChanged() {
    KeyWrapper wrapper = opened(0);
    byte[] secret = SECRET.toArray();
    byte[] context = CONTEXT.clone();
    byte[] wrapped = wrapper.wrap(secret, context);
    byte[] before = wrapped.clone();
    wrapper.unwrap(wrapped, context);

    assertThat(secret).isEqualTo(SECRET.toArray());
    assertThat(context).isEqualTo(CONTEXT);
    assertThat(wrapped).isEqualTo(before);
  }

  @Test
  public void rule4_arraysHandedInAreNotKept() {
    KeyWrapper wrapper = opened(0);
    byte[] secret = SECRET.toArray();
    byte[] context = CONTEXT.clone();
    byte[] wrapped = wrapper.wrap(secret, context);
    Arrays.fill(secret, (byte) 0);
    Arrays.fill(context, (byte) 0);

    assertThat(unwrap(wrapper, wrapped)).isEqualTo(SECRET);
  }

  @Test
  public void rule4_theSecretReturnedIsTheCallersToWipe() {
    KeyWrapper wrapper = opened(0);
    byte[] wrapped = wrap(wrapper);
    Arrays.fill(wrapper.unwrap(wrapped, CONTEXT), (byte) 0);

    assertThat(unwrap(wrapper, wrapped)).isEqualTo(SECRET);
  }

  // ---- rule 5: threads and closing

  @Test
  public void rule5_manyThreadsWrapAndUnwrapAtOnce() {
    KeyWrapper wrapper = opened(0);
    List<Crowd.Task> tasks = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      int seed = i;
      tasks.add(
          () -> {
            for (int n = 0; n < 50; n++) {
              Bytes secret = noise(seed * 100L + n, 32);
              byte[] context = {(byte) seed, (byte) n};
              byte[] wrapped = wrapper.wrap(secret.toArray(), context);
              assertThat(Bytes.wrap(wrapper.unwrap(wrapped, context))).isEqualTo(secret);
            }
          });
    }
    Crowd.run(tasks);
  }

  @Test
  public void rule5_afterCloseTheMethodsRefuse() {
    KeyWrapper wrapper = opened(0);
    byte[] wrapped = wrap(wrapper);
    wrapper.close();

    assertClosed(() -> wrap(wrapper));
    assertClosed(() -> unwrap(wrapper, wrapped));
    assertClosed(() -> unwrap(wrapper, new byte[0]));
    assertClosed(wrapper::suite);
    assertClosed(wrapper::place);
    assertClosed(wrapper::confirm);
  }

  private static void assertClosed(ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(IllegalStateException.class);
  }

  @Test
  public void rule5_closingTwiceDoesNothing() {
    KeyWrapper wrapper = opened(0);
    KeyWrapper other = opened(0);
    byte[] wrapped = wrap(wrapper);
    wrapper.close();
    wrapper.close();

    assertThat(unwrap(other, wrapped)).isEqualTo(SECRET);
  }

  // ---- rule 6: no secrets in messages

  @Test
  public void rule6_noMessageHoldsASecret() {
    KeyWrapper wrapper = opened(0);
    List<Bytes> secrets = new ArrayList<>(secrets());
    secrets.add(SECRET);
    byte[] wrapped = wrap(wrapper);
    KeyWrapper other = opened(1);

    Traces.assertNone(catchThrowable(() -> unwrap(other, wrapped)), secrets);
    Traces.assertNone(catchThrowable(() -> unwrap(wrapper, SECRET.toArray())), secrets);
    Traces.assertNone(wrapper.place() + wrapper.suite() + wrapper, secrets);
    wrapper.close();
    Traces.assertNone(catchThrowable(() -> wrap(wrapper)), secrets);
    Traces.assertNone(wrapper.toString(), secrets);
  }

  // ---- rule 7: sealing in the device

  @Test
  public void rule7_aDirectSuiteDerivesAsTheOneInSoftware() {
    direct(opened(0), UNLIMITED)
        .ifPresent(
            direct -> {
              CipherSuite suite = direct.suite();
              assertThat(software().name()).isEqualTo(opened(0).suite());
              assertThat(suite.keyBytes()).isEqualTo(software().keyBytes());
              assertThat(suite.id()).isNotEqualTo(software().id());
              assertThat(suite.name()).endsWith("-DIRECT");
              assertThat(suite.mac(CONTEXT, CONTEXT)).isEqualTo(software().mac(CONTEXT, CONTEXT));
              assertThat(suite.derive(SECRET.toArray(), CONTEXT, CONTEXT, 70))
                  .isEqualTo(software().derive(SECRET.toArray(), CONTEXT, CONTEXT, 70));
            });
  }

  @Test
  public void rule7_theSameKeyOpensAndNoOther() {
    direct(opened(0), UNLIMITED)
        .ifPresent(
            direct -> {
              byte[] sealed = seal(direct);
              Direct same = direct(opened(0), UNLIMITED).orElseThrow();
              Direct other = direct(opened(1), UNLIMITED).orElseThrow();
              assertThat(direct.identity()).isEqualTo(same.identity());
              assertThat(direct.identity().size()).isEqualTo(32);
              assertThat(other.identity()).isNotEqualTo(direct.identity());
              assertThat(opens(same, sealed)).isTrue();
              assertThat(opens(other, sealed)).isFalse();
            });
  }

  @Test
  public void rule7_aDirectSuiteOutlivesItsWrapper() {
    KeyWrapper wrapper = opened(0);
    direct(wrapper, UNLIMITED)
        .ifPresent(
            direct -> {
              byte[] before = seal(direct);
              wrapper.close();
              assertThat(opens(direct, before)).isTrue();
              assertThat(opens(direct, seal(direct))).isTrue();
            });
  }

  @Test
  public void rule7_aClosedDirectSuiteRefuses() {
    KeyWrapper wrapper = opened(0);
    direct(wrapper, UNLIMITED)
        .ifPresent(
            direct -> {
              byte[] sealed = seal(direct);
              Direct second = direct(wrapper, UNLIMITED).orElseThrow();
              direct.close();
              direct.close();
              assertClosed(() -> seal(direct));
              assertClosed(() -> opens(direct, sealed));
              assertThat(opens(second, sealed)).isTrue();
              assertThat(unwrap(wrapper, wrap(wrapper))).isEqualTo(SECRET);
            });
  }

  private static byte[] seal(Direct direct) {
    CipherSuite suite = direct.suite();
    byte[] buffer = Arrays.copyOf(SECRET.toArray(), suite.sealedBytes(SECRET.size()));
    try (Aead aead = suite.aead(new byte[suite.keyBytes()])) {
      aead.seal(new byte[CipherSuite.NONCE_BYTES], CONTEXT, buffer, 0, SECRET.size());
    }
    return buffer;
  }

  private static boolean opens(Direct direct, byte[] sealed) {
    CipherSuite suite = direct.suite();
    byte[] target = new byte[SECRET.size()];
    try (Aead aead = suite.aead(new byte[suite.keyBytes()])) {
      return aead.open(
              new byte[CipherSuite.NONCE_BYTES], CONTEXT, sealed, 0, sealed.length, target, 0)
          && SECRET.equals(Bytes.wrap(target));
    }
  }

  // ---- rule 8: counting

  @Test
  public void rule8_everyCallThatSealsIsCounted() {
    AtomicLong counted = new AtomicLong();
    direct(opened(0), counted::addAndGet)
        .ifPresent(
            direct -> {
              for (int values = 1; values <= 20; values++) {
                seal(direct);
                assertThat(counted).hasValueGreaterThanOrEqualTo(values);
              }
            });
  }

  @Test
  public void rule8_whatIsNotAllowedIsNotSealed() {
    KeyUnavailableException usedUp =
        new KeyUnavailableException(KeyUnavailableException.Reason.RETIRED, "used up");
    Calls none =
        calls -> {
          throw usedUp;
        };
    direct(opened(0), none)
        .ifPresent(
            direct -> {
              byte[] sealed = seal(direct(opened(0), UNLIMITED).orElseThrow());
              assertThatThrownBy(() -> seal(direct)).isSameAs(usedUp);
              assertThat(opens(direct, sealed)).isTrue();
            });
  }
}
