package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.crypto.hsm.Abilities.Mode;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.spec.AlgorithmParameterSpec;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import org.jspecify.annotations.Nullable;

/**
 * A key of a {@link SunToken}. Each operation is one {@code doFinal} of a cipher of its own: what
 * comes after an {@code update} the provider may lose, and a cipher that failed it may not use
 * again. Results are counted nevertheless.
 */
final class SunKey implements TokenKey {

  private static final String GCM = "AES/GCM/NoPadding";
  private static final String CBC = "AES/CBC/NoPadding";
  private static final String ECB = "AES/ECB/NoPadding";

  private static final Pattern LENGTH = Pattern.compile("(\\d+) bits");
  private static final int LONGEST_BYTES = 32;

  private final SunToken token;
  private final String alias;
  private final SecretKey key;
  private final KeyFacts facts;
  private final Abilities abilities;

  SunKey(SunToken token, String alias, SecretKey key, KeyFacts facts) {
    this.token = token;
    this.alias = alias;
    this.key = key;
    this.facts = facts;
    this.abilities = new Abilities(modes(), token.profile().largestText());
  }

  private Set<Mode> modes() {
    Set<Mode> modes = EnumSet.noneOf(Mode.class);
    addIfOffered(modes, Mode.GCM, GCM);
    addIfOffered(modes, Mode.CBC, CBC);
    addIfOffered(modes, Mode.ECB, ECB);
    return modes;
  }

  private void addIfOffered(Set<Mode> modes, Mode mode, String transformation) {
    if (token.provider().getService("Cipher", transformation) != null) {
      modes.add(mode);
    }
  }

  /**
   * Reads the attributes that the provider shows, which it does in the text of a key only; nothing
   * if that text is another than we know. What it does not show, such as whether the key was always
   * sensitive, is taken to be as it is now.
   */
  static Optional<KeyFacts> facts(Key key) {
    String text = key.toString();
    Matcher length = LENGTH.matcher(text);
    boolean known = text.contains("sensitive") && text.contains("extractable");
    if (!known || !length.find()) {
      return Optional.empty();
    }
    boolean sensitive = !text.contains("not sensitive");
    boolean extractable = !text.contains("unextractable");
    return Optional.of(
        new KeyFacts(
            key.getAlgorithm().equals("AES") ? Ckk.AES : Ckk.GENERIC_SECRET,
            bytes(Integer.parseInt(length.group(1))),
            sensitive,
            extractable,
            !extractable,
            sensitive,
            true,
            true,
            false));
  }

  /** The provider takes CKA_VALUE_LEN, which is in bytes, for bits; should it learn, that too. */
  private static int bytes(int length) {
    return length <= LONGEST_BYTES ? length : length / Byte.SIZE;
  }

  @Override
  public KeyFacts facts() {
    return facts;
  }

  @Override
  public Abilities abilities() {
    return abilities;
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
    byte[] sealedText = run(GCM, Cipher.ENCRYPT_MODE, gcm(iv), additional, text, offset, length);
    put(sealedText, length + TAG_BYTES, out, outOffset);
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
      // The provider takes nothing at all for something that was encrypted rightly.
      throw new TokenException(Ckr.ENCRYPTED_DATA_LEN_RANGE, "C_Decrypt");
    }
    byte[] opened = run(GCM, Cipher.DECRYPT_MODE, gcm(iv), additional, text, offset, length);
    put(opened, length - TAG_BYTES, out, outOffset);
  }

  private static GCMParameterSpec gcm(byte[] iv) {
    return new GCMParameterSpec(TAG_BYTES * Byte.SIZE, iv);
  }

  @Override
  public void encryptCbc(
      byte[] iv, byte[] text, int offset, int length, byte[] out, int outOffset) {
    IvParameterSpec parameters = new IvParameterSpec(iv);
    byte[] done = run(CBC, Cipher.ENCRYPT_MODE, parameters, null, text, offset, length);
    put(done, length, out, outOffset);
  }

  @Override
  public void decryptCbc(
      byte[] iv, byte[] text, int offset, int length, byte[] out, int outOffset) {
    IvParameterSpec parameters = new IvParameterSpec(iv);
    byte[] done = run(CBC, Cipher.DECRYPT_MODE, parameters, null, text, offset, length);
    put(done, length, out, outOffset);
  }

  @Override
  public byte[] encryptEcb(byte[] blocks) {
    return ecb(Cipher.ENCRYPT_MODE, blocks);
  }

  @Override
  public byte[] decryptEcb(byte[] blocks) {
    return ecb(Cipher.DECRYPT_MODE, blocks);
  }

  private byte[] ecb(int mode, byte[] blocks) {
    byte[] done = run(ECB, mode, null, null, blocks, 0, blocks.length);
    byte[] out = new byte[blocks.length];
    put(done, blocks.length, out, 0);
    return out;
  }

  @Override
  public byte[] mac(byte[] data) {
    throw new RouteException("SunPKCS11 has no authentication code for keys of AES");
  }

  private byte[] run(
      String transformation,
      int mode,
      @Nullable AlgorithmParameterSpec parameters,
      byte @Nullable [] additional,
      byte[] text,
      int offset,
      int length) {
    if (token.provider().getService("Cipher", transformation) == null) {
      throw new RouteException("SunPKCS11 offers no " + transformation + " of this token");
    }
    token.acquire();
    try {
      Cipher cipher = Cipher.getInstance(transformation, token.provider());
      cipher.init(mode, key, parameters);
      if (additional != null && additional.length > 0) {
        cipher.updateAAD(additional);
      }
      return cipher.doFinal(text, offset, length);
    } catch (GeneralSecurityException | RuntimeException e) {
      throw token.failed(e, mode == Cipher.ENCRYPT_MODE ? "C_Encrypt" : "C_Decrypt");
    } finally {
      token.release();
    }
  }

  /** Hands out a result, if nothing of it was lost. */
  private static void put(byte[] result, int expected, byte[] out, int offset) {
    if (result.length != expected) {
      Arrays.fill(result, (byte) 0);
      throw new TokenException(
          Ckr.FUNCTION_FAILED,
          "SunPKCS11, which gave " + result.length + " bytes and not " + expected);
    }
    System.arraycopy(result, 0, out, offset, expected);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof SunKey that && token == that.token && alias.equals(that.alias);
  }

  @Override
  public int hashCode() {
    return alias.hashCode();
  }
}
