package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.crypto.hsm.Abilities.Mode;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys.Check;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys.Outcome;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;

/**
 * Finds out what a token really does under a key, before anything is entrusted to it: the number of
 * a mechanism is only a claim, and the same one means CTR to one vendor and a MAC to another.
 *
 * <p>Texts are random, of the lengths at which ciphers stumble. Where the token has ECB as well,
 * CBC and GCM are computed a second time from single blocks. GCM is compared in its ciphertext
 * only: computing the tag would take the key's secret of authentication out of the token.
 */
final class SelfTest {

  private static final int[] LENGTHS = {0, 1, 15, 16, 17, 255, 256};
  private static final int LEAST_LIMIT = 512;
  private static final byte[] ADDITIONAL = {'l', 'e', 'd', 'g', 'e', 'r'};
  private static final byte[] NOTHING = new byte[0];

  private final TokenKey key;
  private final SecureRandom random;
  private final List<Check> checks = new ArrayList<>();

  private boolean makesIv;
  private OptionalLong tagError = OptionalLong.empty();
  private int largestText;

  private SelfTest(TokenKey key, SecureRandom random) {
    this.key = key;
    this.random = random;
    this.largestText = key.abilities().largestText();
  }

  /**
   * What came out.
   *
   * @param makesIv whether the token makes the IVs of GCM itself
   * @param tagError what the token answers where a tag does not fit
   * @param largestText how many bytes it took in one call
   * @param checks one by one, for people
   */
  record Result(boolean makesIv, OptionalLong tagError, int largestText, List<Check> checks) {

    Result {
      checks = List.copyOf(checks);
    }
  }

  /**
   * Runs all checks that the key's abilities permit.
   *
   * @throws TokenException if the token is lost meanwhile
   */
  static Result run(TokenKey key, SecureRandom random) {
    SelfTest test = new SelfTest(key, random);
    test.runAll();
    return new Result(test.makesIv, test.tagError, test.largestText, test.checks);
  }

  /** Checks a key that only makes authentication codes. */
  static List<Check> runMac(TokenKey key, SecureRandom random) {
    SelfTest test = new SelfTest(key, random);
    test.check("MAC", Mode.MAC, test::mac);
    return List.copyOf(test.checks);
  }

  private void runAll() {
    check("ECB comes back", Mode.ECB, this::ecb);
    check("CBC comes back", Mode.CBC, () -> longest(Mode.CBC));
    check("CBC is CBC", Mode.CBC, this::cbcFromBlocks);
    check("GCM comes back", Mode.GCM, () -> longest(Mode.GCM));
    check("GCM is CTR with a tag", Mode.GCM, this::gcmFromBlocks);
    check("GCM refuses a changed text", Mode.GCM, this::changedTag);
    check("GCM refuses other additional data", Mode.GCM, this::otherAdditional);
  }

  /** Returns a detail if it holds. */
  private interface Claim {
    String test();
  }

  /** What does not hold, in words for people. */
  private static final class Refuted extends RuntimeException {
    Refuted(String message) {
      super(message);
    }
  }

  /** A check that this token leaves no way to make. */
  private static final class NotPossible extends RuntimeException {
    NotPossible(String message) {
      super(message);
    }
  }

  private void check(String name, Mode mode, Claim claim) {
    if (!key.abilities().has(mode)) {
      checks.add(new Check(name, Outcome.NOT_POSSIBLE, "the token or the key has no " + mode));
      return;
    }
    try {
      checks.add(new Check(name, Outcome.PASSED, claim.test()));
    } catch (NotPossible e) {
      checks.add(new Check(name, Outcome.NOT_POSSIBLE, message(e)));
    } catch (Refuted | RouteException e) {
      checks.add(new Check(name, Outcome.FAILED, message(e)));
    } catch (TokenException e) {
      if (isGone(e.code())) {
        throw e;
      }
      checks.add(new Check(name, Outcome.FAILED, message(e)));
    }
  }

  private static String message(Exception e) {
    return String.valueOf(e.getMessage());
  }

  /**
   * Whether the token is lost, and not just unable: two of these some tokens answer to everything,
   * and one comes where an operation before failed for want of room for its result.
   */
  private static boolean isGone(long code) {
    return Ckr.isLost(code)
        && code != Ckr.GENERAL_ERROR
        && code != Ckr.FUNCTION_FAILED
        && code != Ckr.OPERATION_ACTIVE;
  }

  private byte[] noise(int length) {
    byte[] noise = new byte[length];
    random.nextBytes(noise);
    return noise;
  }

  private String ecb() {
    byte[] text = noise(4 * TokenKey.BLOCK_BYTES);
    byte[] sealed = key.encryptEcb(text);
    require(!Arrays.equals(sealed, text), "the text was not encrypted");
    require(Arrays.equals(key.decryptEcb(sealed), text), "another text came back");
    byte[] first = key.encryptEcb(Arrays.copyOf(text, TokenKey.BLOCK_BYTES));
    require(
        Arrays.equals(first, Arrays.copyOf(sealed, TokenKey.BLOCK_BYTES)),
        "a block depends on others");
    return text.length + " bytes";
  }

  /** Lets texts of all lengths come back, and then the longest that the token takes. */
  private String longest(Mode mode) {
    for (int length : LENGTHS) {
      comesBack(mode, length);
    }
    while (true) {
      try {
        comesBack(mode, largestText);
        return "texts of 0 to " + largestText + " bytes in one call";
      } catch (TokenException e) {
        if (isGone(e.code()) || largestText / 2 < LEAST_LIMIT) {
          throw e;
        }
        largestText = Integer.highestOneBit(largestText - 1);
      }
    }
  }

  private void comesBack(Mode mode, int length) {
    int whole = mode == Mode.GCM ? length : length / TokenKey.BLOCK_BYTES * TokenKey.BLOCK_BYTES;
    if (whole == 0 && mode == Mode.CBC) {
      return;
    }
    byte[] text = noise(whole);
    byte[] back = mode == Mode.GCM ? throughGcm(text) : throughCbc(text);
    require(Arrays.equals(back, text), "of " + whole + " bytes others came back");
  }

  private byte[] throughCbc(byte[] text) {
    byte[] iv = noise(TokenKey.BLOCK_BYTES);
    byte[] out = new byte[text.length];
    key.encryptCbc(iv, text, 0, text.length, out, 0);
    require(!Arrays.equals(out, text), "the text was not encrypted");
    key.decryptCbc(iv, out, 0, out.length, out, 0);
    return out;
  }

  private byte[] throughGcm(byte[] text) {
    byte[] given = noise(TokenKey.GCM_IV_BYTES);
    byte[] iv = given.clone();
    byte[] sealed = new byte[text.length + TokenKey.TAG_BYTES];
    key.encryptGcm(iv, ADDITIONAL, text, 0, text.length, sealed, 0);
    makesIv = !Arrays.equals(iv, given);
    require(
        text.length < TokenKey.BLOCK_BYTES
            || !Arrays.equals(Arrays.copyOf(sealed, text.length), text),
        "the text was not encrypted");
    byte[] back = new byte[text.length];
    key.decryptGcm(iv, ADDITIONAL, sealed, 0, sealed.length, back, 0);
    return back;
  }

  private String cbcFromBlocks() {
    requireEcb();
    byte[] iv = noise(TokenKey.BLOCK_BYTES);
    byte[] text = noise(2 * TokenKey.BLOCK_BYTES);
    byte[] out = new byte[text.length];
    key.encryptCbc(iv, text, 0, text.length, out, 0);
    byte[] first = key.encryptEcb(xor(iv, text, 0));
    byte[] second = key.encryptEcb(xor(first, text, TokenKey.BLOCK_BYTES));
    require(
        Arrays.equals(first, Arrays.copyOf(out, TokenKey.BLOCK_BYTES))
            && Arrays.equals(second, Arrays.copyOfRange(out, TokenKey.BLOCK_BYTES, out.length)),
        "the mechanism chains blocks in another way");
    return "computed again from single blocks";
  }

  private String gcmFromBlocks() {
    requireEcb();
    byte[] iv = noise(TokenKey.GCM_IV_BYTES);
    byte[] text = noise(2 * TokenKey.BLOCK_BYTES);
    byte[] sealed = new byte[text.length + TokenKey.TAG_BYTES];
    key.encryptGcm(iv, NOTHING, text, 0, text.length, sealed, 0);
    for (int block = 0; block < 2; block++) {
      byte[] counter = Arrays.copyOf(iv, TokenKey.BLOCK_BYTES);
      // The counter of the first block of text is 2; 1 is the tag's.
      counter[TokenKey.BLOCK_BYTES - 1] = (byte) (2 + block);
      int at = block * TokenKey.BLOCK_BYTES;
      require(
          Arrays.equals(
              xor(key.encryptEcb(counter), text, at),
              Arrays.copyOfRange(sealed, at, at + TokenKey.BLOCK_BYTES)),
          "the mechanism encrypts in another way");
    }
    return "computed again from single blocks, IV by the " + (makesIv ? "token" : "caller");
  }

  private void requireEcb() {
    if (!key.abilities().has(Mode.ECB)) {
      throw new NotPossible("it takes single blocks to compute it again, and there is no ECB");
    }
  }

  private static byte[] xor(byte[] block, byte[] text, int at) {
    byte[] xor = new byte[TokenKey.BLOCK_BYTES];
    for (int i = 0; i < xor.length; i++) {
      xor[i] = (byte) (block[i] ^ text[at + i]);
    }
    return xor;
  }

  private String changedTag() {
    long code = refusal(ADDITIONAL, true);
    tagError = OptionalLong.of(code);
    return Ckr.name(code);
  }

  private String otherAdditional() {
    return Ckr.name(refusal(NOTHING, false));
  }

  /** Returns the code with which the token refuses to decrypt. */
  private long refusal(byte[] additional, boolean changed) {
    byte[] iv = noise(TokenKey.GCM_IV_BYTES);
    byte[] sealed = new byte[20 + TokenKey.TAG_BYTES];
    key.encryptGcm(iv, ADDITIONAL, noise(20), 0, 20, sealed, 0);
    if (changed) {
      sealed[sealed.length - 1] ^= 1;
    }
    try {
      key.decryptGcm(iv, additional, sealed, 0, sealed.length, new byte[20], 0);
    } catch (TokenException e) {
      if (!Ckr.isRefusedText(e.code())) {
        throughGcm(noise(20)); // is it the tag that it means, or is it gone
      }
      return e.code();
    }
    throw new Refuted("it was accepted: the mechanism authenticates nothing");
  }

  private String mac() {
    byte[] data = noise(6 * TokenKey.BLOCK_BYTES);
    byte[] code = key.mac(data);
    require(Arrays.equals(code, key.mac(data)), "the same data give another code");
    data[data.length - 1] ^= 1;
    require(!Arrays.equals(code, key.mac(data)), "other data give the same code");
    return TokenKey.TAG_BYTES + " bytes";
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new Refuted(otherwise);
    }
  }
}
