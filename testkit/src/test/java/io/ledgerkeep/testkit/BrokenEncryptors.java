package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.Encryptor;
import io.ledgerkeep.encryption.Encryptor.Context;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.testkit.contract.EncryptorContract;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/** For each test of the encryptors' contract one that is sound but for what the test checks. */
final class BrokenEncryptors {

  /** Makes encryptors of one test. */
  interface Maker {

    /**
     * Opens the encryptor of a place.
     *
     * @param shared what the encryptors of one test have in common
     */
    Encryptor open(Path place, Map<Object, Object> shared);
  }

  /** The contract for one broken encryptor. */
  static final class Contract extends EncryptorContract {

    /** What the next run is about; JUnit makes the instances, so it waits here. */
    static Maker twin = (place, shared) -> sound(place);

    private final Map<Object, Object> shared = new ConcurrentHashMap<>();

    @Override
    protected Encryptor open(Path place) {
      return twin.open(place, shared);
    }
  }

  private final List<Twin<Maker>> twins = new ArrayList<>();

  private BrokenEncryptors() {}

  static List<Twin<Maker>> all() {
    BrokenEncryptors encryptors = new BrokenEncryptors();
    encryptors.openWrongly();
    encryptors.bindWrongly();
    encryptors.sealWrongly();
    encryptors.closeAndTellWrongly();
    return encryptors.twins;
  }

  private static Encryptor sound(Path place) {
    return new SampleEncryptor(place.toString().hashCode());
  }

  private void twin(String caughtBy, String flaw, Maker maker, String... maybeCaughtBy) {
    twins.add(new Twin<>(flaw, caughtBy, Set.of(maybeCaughtBy), maker));
  }

  private void bound(String caughtBy, String flaw, Function<Context, Context> rebound) {
    twin(
        caughtBy,
        flaw,
        (place, shared) ->
            new ForwardingEncryptor(sound(place)) {
              @Override
              public Bytes seal(Context context, Bytes value) {
                return sound.seal(rebound.apply(context), value);
              }

              @Override
              public Bytes open(Context context, Bytes sealed) {
                return sound.open(rebound.apply(context), sealed);
              }
            });
  }

  // ---- rules 1 and 2

  private void openWrongly() {
    twin(
        "rule1_whatWasSealedIsOpened",
        "takes the empty value for a damaged one",
        (place, shared) ->
            new ForwardingEncryptor(sound(place)) {
              @Override
              public Bytes open(Context context, Bytes sealed) {
                if (sealed.size() <= overheadBytes()) {
                  throw new IntegrityException("too short");
                }
                return sound.open(context, sealed);
              }
            });
    twin(
        "rule1_whatWasSealedIsOpenedAfterARestart",
        "makes a key of its own at each start",
        (place, shared) ->
            new SampleEncryptor(System.identityHashCode(new Object()) + System.nanoTime()),
        "rule7_closingTwiceDoesNothing");
    twin(
        "rule2_everyChangedBitIsRefused",
        "adds a byte that it never looks at",
        (place, shared) ->
            new ForwardingEncryptor(sound(place)) {
              @Override
              public Bytes seal(Context context, Bytes value) {
                byte[] sealed = sound.seal(context, value).toArray();
                return Bytes.wrap(Arrays.copyOf(sealed, sealed.length + 1));
              }

              @Override
              public Bytes open(Context context, Bytes sealed) {
                return sound.open(context, sealed.slice(0, Math.max(0, sealed.size() - 1)));
              }

              @Override
              public int overheadBytes() {
                return sound.overheadBytes() + 1;
              }
            });
    twin(
        "rule2_whatWasCutOffOrAddedIsRefused",
        "does not look behind the length that it wrote",
        (place, shared) ->
            new ForwardingEncryptor(sound(place)) {
              @Override
              public Bytes seal(Context context, Bytes value) {
                Bytes sealed = sound.seal(context, value);
                return Bytes.wrap(
                    ByteBuffer.allocate(4 + sealed.size())
                        .putInt(sealed.size())
                        .put(sealed.asBuffer())
                        .array());
              }

              @Override
              public Bytes open(Context context, Bytes sealed) {
                int size = sealed.size() < 4 ? -1 : sealed.asBuffer().getInt();
                boolean fits = size >= 0 && size <= sealed.size() - 4;
                return sound.open(context, fits ? sealed.slice(4, 4 + size) : Bytes.EMPTY);
              }

              @Override
              public int overheadBytes() {
                return sound.overheadBytes() + 4;
              }
            });
    twin(
        "rule2_bytesThatWereNeverSealedAreRefused",
        "takes nothing for a sealed nothing",
        (place, shared) ->
            new ForwardingEncryptor(sound(place)) {
              @Override
              public Bytes open(Context context, Bytes sealed) {
                overheadBytes();
                return sealed.isEmpty() ? Bytes.EMPTY : sound.open(context, sealed);
              }
            },
        "rule2_whatWasCutOffOrAddedIsRefused");
  }

  // ---- rules 1 and 3

  private void bindWrongly() {
    bound(
        "rule1_equalContextsAreTheSame",
        "tells contexts apart by their identity",
        context ->
            new Context(
                new UUID(0, System.identityHashCode(context.key())),
                context.database() + context.store(),
                context.key()));
    bound(
        "rule3_anotherStoreDatabaseOrKeyIsRefused",
        "does not bind the store",
        context -> new Context(new UUID(0, 0), context.database(), context.key()));
    bound(
        "rule3_contextsWhosePartsJoinedAreEqualAreDifferent",
        "joins database and key",
        context ->
            new Context(
                context.store(),
                "",
                Bytes.fromHex(Bytes.ofUtf8(context.database()).hex() + context.key().hex())));
  }

  // ---- rules 4, 5 and 6

  /** Seals what it sealed before as it was sealed then. */
  private static final class Repeating extends ForwardingEncryptor {

    private final Map<Object, Object> shared;
    private final Function<Integer, Integer> number;
    private final AtomicInteger count = new AtomicInteger();

    Repeating(Path place, Map<Object, Object> shared, Function<Integer, Integer> number) {
      super(sound(place));
      this.shared = shared;
      this.number = number;
    }

    @Override
    public Bytes seal(Context context, Bytes value) {
      overheadBytes();
      Object same = List.of(context, value, number.apply(count.incrementAndGet()));
      return (Bytes) shared.computeIfAbsent(same, key -> sound.seal(context, value));
    }
  }

  private void sealWrongly() {
    twin(
        "rule4_sealingTwiceGivesDifferentBytes",
        "makes the nonce of context and value",
        (place, shared) -> new Repeating(place, shared, count -> 0),
        "rule4_noNonceComesTwiceByManyThreadsAndAfterRestarts",
        "rule8_whatAnotherKeySealedIsRefused");
    twin(
        "rule4_noNonceComesTwiceByManyThreadsAndAfterRestarts",
        "counts nonces from the beginning at each start",
        (place, shared) -> new Repeating(place, shared, count -> count),
        "rule8_whatAnotherKeySealedIsRefused");
    twin(
        "rule5_aSealedValueIsAtMostTheOverheadLonger",
        "is longer than it says",
        (place, shared) ->
            new ForwardingEncryptor(sound(place)) {
              @Override
              public int overheadBytes() {
                return sound.overheadBytes() - 1;
              }
            });
    twin(
        "rule6_bytesHandedInAreNotChanged",
        "seals large values in place",
        (place, shared) ->
            new ForwardingEncryptor(sound(place)) {
              @Override
              public Bytes seal(Context context, Bytes value) {
                Bytes sealed = sound.seal(context, value);
                if (value.size() > 4096) {
                  Arrays.fill(value.toArrayUnsafe(), (byte) 0);
                }
                return sealed;
              }
            });
    twin(
        "rule6_bytesHandedInAreNotKept",
        "remembers values instead of opening them",
        (place, shared) ->
            new ForwardingEncryptor(sound(place)) {
              @Override
              public Bytes seal(Context context, Bytes value) {
                Bytes sealed = sound.seal(context, value);
                shared.put(List.of(context, sealed), value);
                return sealed;
              }

              @Override
              public Bytes open(Context context, Bytes sealed) {
                overheadBytes();
                Object known = shared.get(List.of(context, sealed));
                return known == null ? sound.open(context, sealed) : (Bytes) known;
              }
            },
        "rule8_whatAnotherKeySealedIsRefused");
  }

  // ---- rules 7, 8 and 9

  private void closeAndTellWrongly() {
    twin(
        "rule7_manyThreadsSealAndOpenAtOnce",
        "has one place for the value of all threads",
        (place, shared) ->
            new ForwardingEncryptor(sound(place)) {
              private volatile Bytes pending = Bytes.EMPTY;

              @Override
              public Bytes seal(Context context, Bytes value) {
                pending = value;
                for (int i = 0; i < 10; i++) {
                  Thread.yield();
                }
                return sound.seal(context, pending);
              }
            });
    twin(
        "rule7_afterCloseTheMethodsRefuse",
        "tells its overhead after it was closed",
        (place, shared) ->
            new ForwardingEncryptor(sound(place)) {
              @Override
              public int overheadBytes() {
                return 28;
              }
            });
    twin(
        "rule7_closingTwiceDoesNothing",
        "destroys its key when it is closed again",
        (place, shared) -> {
          int changes = (int) shared.getOrDefault(place, 0);
          return new ForwardingEncryptor(
              new SampleEncryptor(place.toString().hashCode() + changes)) {
            private boolean closed;

            @Override
            public void close() {
              sound.close();
              if (closed) {
                shared.merge(place, 1, (a, b) -> (int) a + (int) b);
              }
              closed = true;
            }
          };
        });
    twin(
        "rule8_whatAnotherKeySealedIsRefused",
        "has one key for all places",
        (place, shared) -> new SampleEncryptor(7));
    twin(
        "rule9_noMessageHoldsASecret",
        "shows what it sealed last",
        (place, shared) ->
            new ForwardingEncryptor(sound(place)) {
              private volatile String last = "";

              @Override
              public Bytes seal(Context context, Bytes value) {
                Bytes sealed = sound.seal(context, value);
                last = value.hex();
                return sealed;
              }

              @Override
              public String toString() {
                return "Encryptor[last=" + last + "]";
              }
            });
  }
}
