package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import io.ledgerkeep.testkit.contract.KeyWrapperContract;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/** For each test of the wrappers' contract one that is sound but for what the test checks. */
final class BrokenWrappers {

  /** Makes wrappers of one test. */
  interface Maker {

    /**
     * Opens a wrapper of a master key.
     *
     * @param shared what the wrappers of one test have in common
     */
    KeyWrapper open(int masterKey, Map<Object, Object> shared);
  }

  /** The contract for one broken wrapper. */
  static final class Contract extends KeyWrapperContract {

    /** What the next run is about; JUnit makes the instances, so it waits here. */
    static Maker twin = (masterKey, shared) -> new SampleWrapper(masterKey);

    private final Map<Object, Object> shared = new ConcurrentHashMap<>();

    @Override
    protected KeyWrapper open(int masterKey) {
      return twin.open(masterKey, shared);
    }

    @Override
    protected CipherSuite software() {
      return new SampleSuite();
    }
  }

  private final List<Twin<Maker>> twins = new ArrayList<>();

  private BrokenWrappers() {}

  static List<Twin<Maker>> all() {
    BrokenWrappers wrappers = new BrokenWrappers();
    wrappers.unwrapWrongly();
    wrappers.bindWrongly();
    wrappers.keepWrongly();
    wrappers.closeAndTellWrongly();
    wrappers.sealInTheDeviceWrongly();
    wrappers.countWrongly();
    return wrappers.twins;
  }

  private void twin(String caughtBy, String flaw, Maker maker, String... maybeCaughtBy) {
    twins.add(new Twin<>(flaw, caughtBy, Set.of(maybeCaughtBy), maker));
  }

  // ---- rules 1 and 2

  private void unwrapWrongly() {
    twin(
        "rule1_theSecretComesBack",
        "wraps 32 bytes at most",
        (masterKey, shared) ->
            new SampleWrapper(masterKey) {
              @Override
              public byte[] wrap(byte[] secret, byte[] context) {
                return super.wrap(Arrays.copyOf(secret, Math.min(32, secret.length)), context);
              }
            });
    twin(
        "rule1_anotherWrapperOfTheMasterKeyUnwraps",
        "mixes a number of its own into the master key",
        (masterKey, shared) -> new SampleWrapper(System.nanoTime() * 2 + masterKey),
        "rule5_closingTwiceDoesNothing");
    twin(
        "rule1_confirmingChangesNothing",
        "forgets the master key when it is confirmed",
        (masterKey, shared) ->
            new SampleWrapper(masterKey) {
              @Override
              public void confirm() {
                close();
              }
            },
        "rule5_afterCloseTheMethodsRefuse");
    twin(
        "rule2_everyChangedByteIsRefused",
        "adds a byte that it never looks at",
        (masterKey, shared) ->
            new SampleWrapper(masterKey) {
              @Override
              public byte[] wrap(byte[] secret, byte[] context) {
                byte[] wrapped = super.wrap(secret, context);
                return Arrays.copyOf(wrapped, wrapped.length + 1);
              }

              @Override
              public byte[] unwrap(byte[] wrapped, byte[] context) {
                return super.unwrap(
                    Arrays.copyOf(wrapped, Math.max(0, wrapped.length - 1)), context);
              }
            });
    twin(
        "rule2_whatWasCutOffOrAddedIsRefused",
        "does not look behind the length that it wrote",
        (masterKey, shared) ->
            new SampleWrapper(masterKey) {
              @Override
              public byte[] wrap(byte[] secret, byte[] context) {
                byte[] wrapped = super.wrap(secret, context);
                return ByteBuffer.allocate(4 + wrapped.length)
                    .putInt(wrapped.length)
                    .put(wrapped)
                    .array();
              }

              @Override
              public byte[] unwrap(byte[] wrapped, byte[] context) {
                int size = wrapped.length < 4 ? -1 : ByteBuffer.wrap(wrapped).getInt();
                boolean fits = size >= 0 && size <= wrapped.length - 4;
                byte[] inner = fits ? Arrays.copyOfRange(wrapped, 4, 4 + size) : new byte[0];
                return super.unwrap(inner, context);
              }
            });
  }

  // ---- rules 2 and 3

  private void bindWrongly() {
    twin(
        "rule2_anotherMasterKeyIsRefused",
        "has one master key only",
        (masterKey, shared) -> new SampleWrapper(7),
        "rule6_noMessageHoldsASecret");
    twin(
        "rule2_anotherContextIsRefused",
        "does not bind the context",
        (masterKey, shared) ->
            new SampleWrapper(masterKey) {
              @Override
              public byte[] wrap(byte[] secret, byte[] context) {
                return super.wrap(secret, new byte[0]);
              }

              @Override
              public byte[] unwrap(byte[] wrapped, byte[] context) {
                return super.unwrap(wrapped, new byte[0]);
              }
            });
    twin(
        "rule3_wrappingTwiceGivesDifferentBytes",
        "wraps equal secrets equally",
        (masterKey, shared) ->
            new SampleWrapper(masterKey) {
              @Override
              public byte[] wrap(byte[] secret, byte[] context) {
                suite();
                Object same = List.of(masterKey, Bytes.copyOf(secret), Bytes.copyOf(context));
                byte[] wrapped =
                    (byte[]) shared.computeIfAbsent(same, key -> super.wrap(secret, context));
                return wrapped.clone();
              }
            });
  }

  // ---- rule 4

  private void keepWrongly() {
    twin(
        "rule4_arraysHandedInAreNotChanged",
        "wipes the secret that it wrapped",
        (masterKey, shared) ->
            new SampleWrapper(masterKey) {
              @Override
              public byte[] wrap(byte[] secret, byte[] context) {
                byte[] wrapped = super.wrap(secret, context);
                Arrays.fill(secret, (byte) 0);
                return wrapped;
              }
            });
    twin(
        "rule4_arraysHandedInAreNotKept",
        "remembers the secret that it wrapped",
        (masterKey, shared) ->
            new SampleWrapper(masterKey) {
              private final Map<List<Bytes>, byte[]> known = new ConcurrentHashMap<>();

              @Override
              public byte[] wrap(byte[] secret, byte[] context) {
                byte[] wrapped = super.wrap(secret, context);
                known.put(List.of(Bytes.copyOf(wrapped), Bytes.copyOf(context)), secret);
                return wrapped;
              }

              @Override
              public byte[] unwrap(byte[] wrapped, byte[] context) {
                suite();
                byte[] secret = known.get(List.of(Bytes.copyOf(wrapped), Bytes.copyOf(context)));
                return secret == null ? super.unwrap(wrapped, context) : secret.clone();
              }
            });
    twin(
        "rule4_theSecretReturnedIsTheCallersToWipe",
        "hands out the secret that it keeps",
        (masterKey, shared) ->
            new SampleWrapper(masterKey) {
              private final Map<List<Bytes>, byte[]> known = new ConcurrentHashMap<>();

              @Override
              public byte[] unwrap(byte[] wrapped, byte[] context) {
                suite();
                return known.computeIfAbsent(
                    List.of(Bytes.copyOf(wrapped), Bytes.copyOf(context)),
                    key -> super.unwrap(wrapped, context));
              }
            });
  }

  // ---- rules 5 and 6

  private void closeAndTellWrongly() {
    twin(
        "rule5_manyThreadsWrapAndUnwrapAtOnce",
        "has one place for the secret of all threads",
        (masterKey, shared) ->
            new SampleWrapper(masterKey) {
              private volatile byte[] pending = new byte[0];

              @Override
              public byte[] wrap(byte[] secret, byte[] context) {
                pending = secret;
                for (int i = 0; i < 10; i++) {
                  Thread.yield();
                }
                return super.wrap(pending, context);
              }
            });
    twin(
        "rule5_afterCloseTheMethodsRefuse",
        "tells its place after it was closed",
        (masterKey, shared) ->
            new SampleWrapper(masterKey) {
              @Override
              public String place() {
                return "memory";
              }
            });
    twin(
        "rule5_closingTwiceDoesNothing",
        "destroys the master key when it is closed again",
        (masterKey, shared) ->
            new SampleWrapper(masterKey) {
              private boolean closed;

              @Override
              public byte[] unwrap(byte[] wrapped, byte[] context) {
                if (shared.containsKey(masterKey)) {
                  throw new KeyUnavailableException(Reason.WRONG, "destroyed");
                }
                return super.unwrap(wrapped, context);
              }

              @Override
              public void close() {
                super.close();
                if (closed) {
                  shared.put(masterKey, true);
                }
                closed = true;
              }
            });
    twin(
        "rule6_noMessageHoldsASecret",
        "shows what it wrapped last",
        (masterKey, shared) ->
            new SampleWrapper(masterKey) {
              private volatile String last = "";

              @Override
              public byte[] wrap(byte[] secret, byte[] context) {
                byte[] wrapped = super.wrap(secret, context);
                last = Arrays.toString(secret);
                return wrapped;
              }

              @Override
              public String toString() {
                return "KeyWrapper" + last;
              }
            });
  }

  // ---- rules 7 and 8

  /** Adds one that opens a direct suite otherwise. */
  private void direct(String caughtBy, String flaw, DirectMaker maker, String... maybeCaughtBy) {
    twin(
        caughtBy,
        flaw,
        (masterKey, shared) ->
            new DirectWrapper(masterKey, shared) {
              @Override
              public Optional<Direct> openDirect(Calls calls) {
                return maker.open(this, super::openDirect, calls);
              }
            },
        maybeCaughtBy);
  }

  /** Opens a direct suite by way of a sound one. */
  private interface DirectMaker {
    Optional<KeyWrapper.Direct> open(
        DirectWrapper wrapper,
        Function<KeyWrapper.Calls, Optional<KeyWrapper.Direct>> sound,
        KeyWrapper.Calls calls);
  }

  private void sealInTheDeviceWrongly() {
    direct(
        "rule7_aDirectSuiteDerivesAsTheOneInSoftware",
        "has the suite in software itself",
        (wrapper, sound, calls) ->
            sound
                .apply(calls)
                .map(
                    direct ->
                        new DirectWrapper.Forwarding(direct) {
                          @Override
                          public CipherSuite suite() {
                            return new SampleSuite();
                          }
                        }),
        "rule7_theSameKeyOpensAndNoOther",
        "rule7_aClosedDirectSuiteRefuses",
        "rule8_everyCallThatSealsIsCounted",
        "rule8_whatIsNotAllowedIsNotSealed");
    direct(
        "rule7_theSameKeyOpensAndNoOther",
        "has one identity for all keys",
        (wrapper, sound, calls) ->
            sound
                .apply(calls)
                .map(
                    direct ->
                        new DirectWrapper.Forwarding(direct) {
                          @Override
                          public Bytes identity() {
                            return Bytes.wrap(new byte[32]);
                          }
                        }));
    direct(
        "rule7_aDirectSuiteOutlivesItsWrapper",
        "needs the wrapper",
        (wrapper, sound, calls) ->
            sound
                .apply(calls)
                .map(
                    direct ->
                        new DirectWrapper.Forwarding(direct) {
                          @Override
                          public CipherSuite suite() {
                            wrapper.place();
                            return super.suite();
                          }
                        }));
    direct(
        "rule7_aClosedDirectSuiteRefuses",
        "stays open",
        (wrapper, sound, calls) ->
            sound
                .apply(calls)
                .map(
                    direct ->
                        new DirectWrapper.Forwarding(direct) {
                          @Override
                          public void close() {
                            identity();
                          }
                        }));
  }

  private void countWrongly() {
    direct(
        "rule8_everyCallThatSealsIsCounted",
        "counts the first ten values only",
        (wrapper, sound, calls) -> {
          AtomicInteger values = new AtomicInteger();
          return sound.apply(
              made -> {
                if (values.incrementAndGet() <= 10) {
                  calls.take(made);
                }
              });
        });
    direct(
        "rule8_whatIsNotAllowedIsNotSealed",
        "takes no refusal",
        (wrapper, sound, calls) ->
            sound.apply(
                made -> {
                  try {
                    calls.take(made);
                  } catch (KeyUnavailableException e) {
                    wrapper.place(); // and goes on
                  }
                }));
  }
}
