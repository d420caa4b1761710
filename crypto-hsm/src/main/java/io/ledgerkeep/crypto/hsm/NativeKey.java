package io.ledgerkeep.crypto.hsm;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.ledgerkeep.crypto.hsm.Abilities.Mode;
import io.ledgerkeep.crypto.hsm.Profile.Layout;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A key in a {@link NativeToken}. What goes into a call lies in the memory of its session, one
 * after the other:
 *
 * <pre>
 *   0 CK_MECHANISM  24 its parameters  72 IV  88 length out  96 text in ‖ additional data ‖ out
 * </pre>
 */
final class NativeKey implements TokenKey {

  private static final long CMAC_AES = 0x108A;
  private static final long HMAC_SHA256 = 0x251;

  private static final long FLAGS_CIPHER = 0x100 | 0x200;
  private static final long FLAG_SIGN = 0x800;

  private static final int PARAMETERS_AT = 24;
  private static final int IV_AT = 72;
  private static final int LENGTH_AT = 88;
  private static final int TEXT_AT = 96;

  private static final int PARAMETERS_WITH_IV_BITS = 48;
  private static final int PARAMETERS_WITHOUT = 40;

  /** More than any operation adds, so that a token that adds more is seen, not cut off. */
  private static final int SPARE_BYTES = 64;

  private static final byte[] NOTHING = new byte[0];

  private final NativeToken token;
  private final long handle;
  private final KeyFacts facts;
  private final Abilities abilities;
  private final OptionalLong macMechanism;

  /** The one that the token takes, once it is known. */
  private volatile Layout layout;

  NativeKey(NativeToken token, long handle, KeyFacts facts) {
    this.token = token;
    this.handle = handle;
    this.facts = facts;
    this.layout = token.profile().layout();
    this.macMechanism = macMechanism(token.profile(), facts);
    this.abilities = new Abilities(modes(), token.profile().largestText());
  }

  private static OptionalLong macMechanism(Profile profile, KeyFacts facts) {
    OptionalLong type = profile.macKeyType();
    if (profile.mac().isPresent() && (type.isEmpty() || type.getAsLong() == facts.type())) {
      return profile.mac();
    }
    if (facts.type() == Ckk.AES) {
      return OptionalLong.of(CMAC_AES);
    }
    return facts.type() == Ckk.GENERIC_SECRET || facts.type() == Ckk.SHA256_HMAC
        ? OptionalLong.of(HMAC_SHA256)
        : OptionalLong.empty();
  }

  private Set<Mode> modes() {
    Profile profile = token.profile();
    Set<Mode> modes = EnumSet.noneOf(Mode.class);
    if (facts.encrypts() && facts.decrypts()) {
      addIfThere(modes, Mode.GCM, profile.gcm(), FLAGS_CIPHER);
      addIfThere(modes, Mode.CBC, profile.cbc(), FLAGS_CIPHER);
      addIfThere(modes, Mode.ECB, profile.ecb(), FLAGS_CIPHER);
    }
    if (facts.signs()) {
      addIfThere(modes, Mode.MAC, macMechanism, FLAG_SIGN);
    }
    return modes;
  }

  private void addIfThere(Set<Mode> modes, Mode mode, OptionalLong mechanism, long flags) {
    if (mechanism.isPresent() && token.has(mechanism.getAsLong(), flags)) {
      modes.add(mode);
    }
  }

  @Override
  public KeyFacts facts() {
    return facts;
  }

  @Override
  public Abilities abilities() {
    return abilities;
  }

  private long mechanism(Mode mode, OptionalLong number) {
    if (!abilities.has(mode)) {
      throw new RouteException(
          "the token or the key does no " + mode.name().toUpperCase(Locale.ROOT));
    }
    return number.orElseThrow();
  }

  @FunctionalInterface
  private interface Call {
    void run(long session, long key, long mechanism, long in, long length, long out, long n);
  }

  @Override
  public void encryptGcm(
      byte[] iv,
      byte[] additional,
      byte[] text,
      int offset,
      int length,
      byte[] out,
      int outOffset) {
    if (token.profile().tokenMakesIv()) {
      Arrays.fill(iv, (byte) 0);
    }
    int expected = length + TAG_BYTES;
    gcm(token.library()::encrypt, iv, additional, text, offset, length, out, outOffset, expected);
  }

  @Override
  public void decryptGcm(
      byte[] iv,
      byte[] additional,
      byte[] text,
      int offset,
      int length,
      byte[] out,
      int outOffset) {
    if (length < TAG_BYTES) {
      throw new TokenException(Ckr.ENCRYPTED_DATA_LEN_RANGE, "a text shorter than its tag");
    }
    int expected = length - TAG_BYTES;
    byte[] same = iv.clone();
    gcm(token.library()::decrypt, same, additional, text, offset, length, out, outOffset, expected);
  }

  private void gcm(
      Call call,
      byte[] iv,
      byte[] additional,
      byte[] text,
      int offset,
      int length,
      byte[] out,
      int outOffset,
      int expected) {
    long mechanism = mechanism(Mode.GCM, token.profile().gcm());
    Layout known = layout;
    if (known != Layout.EITHER) {
      Parameters parameters = new Parameters(mechanism, iv, additional, known);
      run(call, parameters, text, offset, length, out, outOffset, expected);
      return;
    }
    try {
      Parameters parameters = new Parameters(mechanism, iv, additional, Layout.WITH_IV_BITS);
      run(call, parameters, text, offset, length, out, outOffset, expected);
      layout = Layout.WITH_IV_BITS;
    } catch (TokenException e) {
      if (e.code() != Ckr.MECHANISM_PARAM_INVALID && e.code() != Ckr.ARGUMENTS_BAD) {
        throw e;
      }
      Parameters parameters = new Parameters(mechanism, iv, additional, Layout.WITHOUT_IV_BITS);
      run(call, parameters, text, offset, length, out, outOffset, expected);
      layout = Layout.WITHOUT_IV_BITS;
    }
  }

  @Override
  public void encryptCbc(
      byte[] iv, byte[] text, int offset, int length, byte[] out, int outOffset) {
    cbc(token.library()::encrypt, iv, text, offset, length, out, outOffset);
  }

  @Override
  public void decryptCbc(
      byte[] iv, byte[] text, int offset, int length, byte[] out, int outOffset) {
    cbc(token.library()::decrypt, iv, text, offset, length, out, outOffset);
  }

  private void cbc(
      Call call, byte[] iv, byte[] text, int offset, int length, byte[] out, int outOffset) {
    long mechanism = mechanism(Mode.CBC, token.profile().cbc());
    Parameters parameters = new Parameters(mechanism, iv.clone(), NOTHING, Layout.EITHER);
    run(call, parameters, text, offset, length, out, outOffset, length);
  }

  @Override
  public byte[] encryptEcb(byte[] blocks) {
    return ecb(token.library()::encrypt, blocks);
  }

  @Override
  public byte[] decryptEcb(byte[] blocks) {
    return ecb(token.library()::decrypt, blocks);
  }

  private byte[] ecb(Call call, byte[] blocks) {
    long mechanism = mechanism(Mode.ECB, token.profile().ecb());
    byte[] out = new byte[blocks.length];
    Parameters parameters = new Parameters(mechanism, NOTHING, NOTHING, Layout.EITHER);
    run(call, parameters, blocks, 0, blocks.length, out, 0, blocks.length);
    return out;
  }

  @Override
  public byte[] mac(byte[] data) {
    long mechanism = mechanism(Mode.MAC, macMechanism);
    boolean takesLength =
        token.profile().macTakesLength() && macMechanism.equals(token.profile().mac());
    byte[] out = new byte[TAG_BYTES];
    Parameters parameters = new Parameters(mechanism, NOTHING, NOTHING, Layout.EITHER);
    try (SessionPool.Use use = token.sessions().borrow()) {
      Memory memory = use.session().memory(TEXT_AT + (long) data.length + SPARE_BYTES);
      parameters.write(memory, 0);
      if (takesLength) {
        memory.setLong(PARAMETERS_AT, TAG_BYTES);
        Parameters.point(memory, Long.BYTES);
      }
      memory.write(TEXT_AT, data, 0, data.length);
      long outAt = TEXT_AT + (long) data.length;
      memory.setLong(LENGTH_AT, SPARE_BYTES);
      try {
        token
            .library()
            .sign(
                use.session().handle(),
                handle,
                address(memory, 0),
                address(memory, TEXT_AT),
                data.length,
                address(memory, outAt),
                address(memory, LENGTH_AT));
      } catch (TokenException e) {
        use.failed(e.code());
        throw e;
      }
      if (memory.getLong(LENGTH_AT) < TAG_BYTES) {
        throw new TokenException(
            Ckr.MECHANISM_INVALID, "C_Sign, whose code is shorter than " + TAG_BYTES + " bytes");
      }
      memory.read(outAt, out, 0, TAG_BYTES);
      use.succeeded();
      return out;
    }
  }

  /** Returns where in the process a place in the memory is, which the session holds on to. */
  private static long address(Memory memory, long at) {
    return Pointer.nativeValue(memory) + at;
  }

  /** Returns the address of a part of the memory, or NULL where it is empty. */
  private static long part(Memory memory, long at, long length) {
    return length == 0 ? 0 : address(memory, at);
  }

  /** What a mechanism takes; the IV is changed where the token changes it. */
  private static final class Parameters {

    private final long mechanism;
    private final byte[] iv;
    private final byte[] additional;
    private final Layout layout;

    Parameters(long mechanism, byte[] iv, byte[] additional, Layout layout) {
      this.mechanism = mechanism;
      this.iv = iv;
      this.additional = additional;
      this.layout = layout;
    }

    private static void point(Memory memory, long length) {
      memory.setLong(Long.BYTES, length == 0 ? 0 : address(memory, PARAMETERS_AT));
      memory.setLong(2L * Long.BYTES, length);
    }

    void write(Memory memory, long additionalAt) {
      memory.setLong(0, mechanism);
      memory.write(IV_AT, iv, 0, iv.length);
      if (layout == Layout.EITHER) {
        // CBC takes the IV alone, ECB nothing.
        memory.setLong(Long.BYTES, part(memory, IV_AT, iv.length));
        memory.setLong(2L * Long.BYTES, iv.length);
        return;
      }
      memory.write(additionalAt, additional, 0, additional.length);
      long at = PARAMETERS_AT;
      memory.setLong(at, address(memory, IV_AT));
      memory.setLong(at + 8, iv.length);
      at += 16;
      if (layout == Layout.WITH_IV_BITS) {
        memory.setLong(at, (long) iv.length * Byte.SIZE);
        at += 8;
      }
      memory.setLong(at, part(memory, additionalAt, additional.length));
      memory.setLong(at + 8, additional.length);
      memory.setLong(at + 16, (long) TAG_BYTES * Byte.SIZE);
      point(memory, layout == Layout.WITH_IV_BITS ? PARAMETERS_WITH_IV_BITS : PARAMETERS_WITHOUT);
    }
  }

  private void run(
      Call call,
      Parameters parameters,
      byte[] text,
      int offset,
      int length,
      byte[] out,
      int outOffset,
      int expected) {
    try (SessionPool.Use use = token.sessions().borrow()) {
      long additionalAt = TEXT_AT + (long) length;
      long outAt = additionalAt + parameters.additional.length;
      long room = Math.max(length, expected) + (long) SPARE_BYTES;
      Memory memory = use.session().memory(outAt + room);
      try {
        parameters.write(memory, additionalAt);
        memory.write(TEXT_AT, text, offset, length);
        memory.setLong(LENGTH_AT, room);
        call.run(
            use.session().handle(),
            handle,
            address(memory, 0),
            address(memory, TEXT_AT),
            length,
            address(memory, outAt),
            address(memory, LENGTH_AT));
        long got = memory.getLong(LENGTH_AT);
        if (got != expected) {
          throw new TokenException(
              Ckr.DATA_LEN_RANGE, "a call that gave " + got + " bytes where " + expected + " fit");
        }
        memory.read(outAt, out, outOffset, expected);
        memory.read(IV_AT, parameters.iv, 0, parameters.iv.length);
        use.succeeded();
      } catch (TokenException e) {
        use.failed(e.code());
        throw e;
      } finally {
        // Texts in plain, of which one side is one.
        memory.setMemory(TEXT_AT, outAt + room - TEXT_AT, (byte) 0);
      }
    }
  }

  @Override
  public boolean equals(Object object) {
    return object instanceof NativeKey other && token == other.token && handle == other.handle;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(handle);
  }

  @Override
  public String toString() {
    return "NativeKey[" + facts + "]";
  }
}
