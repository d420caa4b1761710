package io.ledgerkeep.testkit;

import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.testkit.contract.CipherSuiteContract;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;

/** For each test of the suites' contract one that is sound but for what the test checks. */
final class BrokenSuites {

  /** The contract for one broken suite. */
  static final class Contract extends CipherSuiteContract {

    /** What the next run is about; JUnit makes the instances, so it waits here. */
    static Supplier<CipherSuite> twin = SampleSuite::new;

    @Override
    protected CipherSuite suite() {
      return twin.get();
    }

    @Override
    protected byte[] hash(byte[] data) {
      return SampleSuite.sha256(data);
    }
  }

  private final List<Twin<Supplier<CipherSuite>>> twins = new ArrayList<>();

  private BrokenSuites() {}

  static List<Twin<Supplier<CipherSuite>>> all() {
    BrokenSuites suites = new BrokenSuites();
    suites.computeWrongly();
    suites.openWrongly();
    suites.keepWrongly();
    suites.shareAndCloseWrongly();
    suites.measureWrongly();
    return suites.twins;
  }

  private void suite(
      String caughtBy, String flaw, Supplier<CipherSuite> maker, String... maybeCaughtBy) {
    twins.add(new Twin<>(flaw, caughtBy, Set.of(maybeCaughtBy), maker));
  }

  private void cipher(
      String caughtBy,
      String flaw,
      Function<byte[], CipherSuite.Aead> maker,
      String... maybeCaughtBy) {
    suite(
        caughtBy,
        flaw,
        () ->
            new SampleSuite() {
              @Override
              public Aead aead(byte[] key) {
                return maker.apply(key);
              }
            },
        maybeCaughtBy);
  }

  /** Changes nonce and additional data before it hands them on. */
  private static class Changing extends SampleSuite.SampleAead {

    private final Function<byte[], byte[]> nonceChange;
    private final Function<byte[], byte[]> additionalChange;

    Changing(
        byte[] key,
        Function<byte[], byte[]> nonceChange,
        Function<byte[], byte[]> additionalChange) {
      super(key);
      this.nonceChange = nonceChange;
      this.additionalChange = additionalChange;
    }

    @Override
    public void seal(byte[] nonce, byte[] additional, byte[] buffer, int offset, int length) {
      super.seal(
          nonceChange.apply(nonce), additionalChange.apply(additional), buffer, offset, length);
    }

    @Override
    public boolean open(
        byte[] nonce,
        byte[] additional,
        byte[] sealed,
        int offset,
        int length,
        byte[] target,
        int targetOffset) {
      return super.open(
          nonceChange.apply(nonce),
          additionalChange.apply(additional),
          sealed,
          offset,
          length,
          target,
          targetOffset);
    }
  }

  // ---- rules 1 and 3

  private void computeWrongly() {
    AtomicInteger ciphers = new AtomicInteger();
    cipher(
        "rule1_theSameInputsGiveTheSameBytes",
        "mixes a number of its own into the nonces",
        key -> {
          byte number = (byte) ciphers.incrementAndGet();
          return new Changing(
              key,
              nonce -> {
                byte[] mixed = nonce.clone();
                mixed[3] ^= number;
                return mixed;
              },
              additional -> additional);
        },
        "rule2_anyPlaceInAnArrayIsServed",
        "rule2_whatIsOpenedDoesNotHinderSealing",
        "rule4_arraysHandedInAreNotKept",
        "rule5_closingTwiceDoesNothing");
    AtomicInteger numbers = new AtomicInteger();
    suite(
        "rule1_numberNameAndLengthNeverChange",
        "has another number each time",
        () ->
            new SampleSuite() {
              @Override
              public int id() {
                return numbers.incrementAndGet();
              }
            });
    suite(
        "rule3_macIsHmac",
        "hashes the key and the data",
        () ->
            new SampleSuite() {
              @Override
              public byte[] mac(byte[] key, byte[] data) {
                byte[] both = Arrays.copyOf(key, key.length + data.length);
                System.arraycopy(data, 0, both, key.length, data.length);
                return sha256(both);
              }

              @Override
              public byte[] derive(byte[] secret, byte[] salt, byte[] info, int bytes) {
                return new SampleSuite().derive(secret, salt, info, bytes);
              }
            });
    suite(
        "rule3_deriveIsHkdf",
        "leaves the salt out",
        () ->
            new SampleSuite() {
              @Override
              public byte[] derive(byte[] secret, byte[] salt, byte[] info, int bytes) {
                return super.derive(secret, new byte[0], info, bytes);
              }
            });
  }

  // ---- rule 2

  private void openWrongly() {
    cipher(
        "rule2_everySizeComesBack",
        "cannot open what is longer than 64 KiB",
        key ->
            new SampleSuite.SampleAead(key) {
              @Override
              public boolean open(
                  byte[] nonce,
                  byte[] additional,
                  byte[] sealed,
                  int offset,
                  int length,
                  byte[] target,
                  int targetOffset) {
                return length <= (1 << 16)
                    && super.open(nonce, additional, sealed, offset, length, target, targetOffset);
              }
            });
    cipher(
        "rule2_anyPlaceInAnArrayIsServed",
        "opens to the beginning of the target",
        key ->
            new SampleSuite.SampleAead(key) {
              @Override
              public boolean open(
                  byte[] nonce,
                  byte[] additional,
                  byte[] sealed,
                  int offset,
                  int length,
                  byte[] target,
                  int targetOffset) {
                return super.open(nonce, additional, sealed, offset, length, target, 0);
              }
            },
        "rule4_arraysHandedInAreNotChanged");
    cipher(
        "rule2_everyChangedBitIsRefused",
        "does not bind one bit of the additional data",
        key ->
            new Changing(
                key,
                nonce -> nonce,
                additional -> {
                  byte[] masked = additional.clone();
                  if (masked.length > 0) {
                    masked[0] &= 0x7F;
                  }
                  return masked;
                }));
    cipher(
        "rule2_whatWasCutOffOrAddedIsRefused",
        "fills additional data up with zeros",
        key ->
            new Changing(
                key,
                nonce -> nonce,
                additional -> Arrays.copyOf(additional, Math.max(32, additional.length))));
    cipher(
        "rule2_whatIsOpenedDoesNotHinderSealing",
        "refuses to seal with the last nonce that it saw",
        Wary::new,
        "rule5_manyThreadsSealAndOpenAtOnce");
  }

  private static final class Wary extends SampleSuite.SampleAead {

    private volatile byte[] last = new byte[0];

    Wary(byte[] key) {
      super(key);
    }

    @Override
    public void seal(byte[] nonce, byte[] additional, byte[] buffer, int offset, int length) {
      if (Arrays.equals(nonce, last)) {
        throw new IllegalArgumentException("this nonce was used");
      }
      last = nonce.clone();
      super.seal(nonce, additional, buffer, offset, length);
    }

    @Override
    public boolean open(
        byte[] nonce,
        byte[] additional,
        byte[] sealed,
        int offset,
        int length,
        byte[] target,
        int targetOffset) {
      last = nonce.clone();
      return super.open(nonce, additional, sealed, offset, length, target, targetOffset);
    }
  }

  // ---- rule 4

  private void keepWrongly() {
    cipher(
        "rule4_arraysHandedInAreNotChanged",
        "counts on in the nonce that it is handed",
        key ->
            new SampleSuite.SampleAead(key) {
              @Override
              public void seal(
                  byte[] nonce, byte[] additional, byte[] buffer, int offset, int length) {
                super.seal(nonce, additional, buffer, offset, length);
                nonce[0]++;
              }
            });
    cipher(
        "rule4_arraysHandedInAreNotKept",
        "keeps the array of its key",
        key ->
            new SampleSuite.SampleAead(key) {
              @Override
              public void seal(
                  byte[] nonce, byte[] additional, byte[] buffer, int offset, int length) {
                super.seal(nonce, additional, buffer.clone(), offset, length);
                new SampleSuite.SampleAead(key).seal(nonce, additional, buffer, offset, length);
              }

              @Override
              public boolean open(
                  byte[] nonce,
                  byte[] additional,
                  byte[] sealed,
                  int offset,
                  int length,
                  byte[] target,
                  int targetOffset) {
                super.open(nonce, additional, sealed, offset, length, target, targetOffset);
                return new SampleSuite.SampleAead(key)
                    .open(nonce, additional, sealed, offset, length, target, targetOffset);
              }
            });
  }

  // ---- rule 5

  private void shareAndCloseWrongly() {
    cipher(
        "rule5_manyThreadsSealAndOpenAtOnce",
        "has one place for the nonce of all threads",
        key ->
            new SampleSuite.SampleAead(key) {
              private volatile byte[] current = new byte[0];

              @Override
              public void seal(
                  byte[] nonce, byte[] additional, byte[] buffer, int offset, int length) {
                current = nonce;
                for (int i = 0; i < 10; i++) {
                  Thread.yield();
                }
                super.seal(current, additional, buffer, offset, length);
              }
            });
    cipher(
        "rule5_afterCloseTheMethodsRefuse",
        "refuses what is too short without looking whether it is closed",
        key ->
            new SampleSuite.SampleAead(key) {
              @Override
              public boolean open(
                  byte[] nonce,
                  byte[] additional,
                  byte[] sealed,
                  int offset,
                  int length,
                  byte[] target,
                  int targetOffset) {
                return length >= CipherSuite.TAG_BYTES
                    && super.open(nonce, additional, sealed, offset, length, target, targetOffset);
              }
            });
    cipher(
        "rule5_closingTwiceDoesNothing",
        "fails when it is closed again",
        key ->
            new SampleSuite.SampleAead(key) {
              private boolean closed;

              @Override
              public void close() {
                if (closed) {
                  throw new IllegalStateException("closed already");
                }
                closed = true;
                super.close();
              }
            },
        "rule5_afterCloseTheMethodsRefuse");
  }

  // ---- rule 6

  private void measureWrongly() {
    suite(
        "rule6_sealedTextsAreAsLongAsIsSaid",
        "says more for one text than for a longer one",
        () ->
            new SampleSuite() {
              @Override
              public int sealedBytes(int length) {
                return super.sealedBytes(length) + (length == 1000 ? 5 : 0);
              }
            },
        "rule6_theLengthOfTheTextComesBack");
    suite(
        "rule6_theLengthOfTheTextComesBack",
        "forgets a byte of long texts",
        () ->
            new SampleSuite() {
              @Override
              public int openedBytes(byte[] sealedText, int offset, int length) {
                return super.openedBytes(sealedText, offset, length) - (length > 9000 ? 1 : 0);
              }
            },
        "rule2_everySizeComesBack");
    suite(
        "rule6_noBytesSayThatTheyAreMoreThanTheyAre",
        "believes the first byte of bytes that are too few",
        () ->
            new SampleSuite() {
              @Override
              public int openedBytes(byte[] sealedText, int offset, int length) {
                return length < TAG_BYTES
                    ? sealedText[offset]
                    : super.openedBytes(sealedText, offset, length);
              }
            },
        "rule5_afterCloseTheMethodsRefuse",
        "rule2_whatWasCutOffOrAddedIsRefused");
  }
}
