package io.ledgerkeep.crypto.hsm;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.encryption.KeyWrapper.Direct;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.stream.IntStream;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.crypto.engines.AESEngine;
import org.bouncycastle.crypto.macs.CMac;
import org.bouncycastle.crypto.params.KeyParameter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What docs/format.md says, computed a second time from there, with keys that the test knows. */
final class FormatTest {

  private static final byte[] MASTER = bytes(32, 5);
  private static final byte[] CODES = bytes(16, 9);
  private static final byte[] DERIVED = bytes(32, 77);
  private static final byte[] NONCE = bytes(12, 3);
  private static final byte[] ADDITIONAL = bytes(40, 1);

  private TestToken token;

  private static byte[] bytes(int length, int first) {
    byte[] bytes = new byte[length];
    IntStream.range(0, length).forEach(i -> bytes[i] = (byte) (first + 7 * i));
    return bytes;
  }

  @BeforeEach
  void start() {
    token =
        TestToken.start()
            .key("master", "aes", TestToken.value(MASTER))
            .key("codes", "aes", TestToken.value(CODES));
  }

  private Options options() {
    return Settings.aes(token, "master");
  }

  private static byte[] hmac(byte[] key, byte[]... data) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    for (byte[] part : data) {
      mac.update(part);
    }
    return mac.doFinal();
  }

  private static byte[] number(int value) {
    return ByteBuffer.allocate(4).putInt(value).array();
  }

  private static byte[] identity() throws GeneralSecurityException {
    byte[] block =
        Arrays.copyOf(hmac("ledgerkeep token key block 1".getBytes(US_ASCII), new byte[0]), 16);
    Cipher ecb = Cipher.getInstance("AES/ECB/NoPadding");
    ecb.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(MASTER, "AES"));
    return hmac("ledgerkeep token key identity 1".getBytes(US_ASCII), ecb.doFinal(block));
  }

  private static byte[] gcm(byte[] key, byte[] iv, byte[] additional, byte[] sealedText)
      throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    GCMParameterSpec parameters = new GCMParameterSpec(128, iv);
    cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "AES"), parameters);
    cipher.updateAAD(additional);
    return cipher.doFinal(sealedText);
  }

  private static byte[] hkdf(byte[] secret, byte[] salt, byte[] info)
      throws GeneralSecurityException {
    return hmac(hmac(salt, secret), info, new byte[] {1});
  }

  @Test
  void aWrappedKeyIsAsDocumented() throws Exception {
    byte[] secret = bytes(32, 50);
    byte[] wrapped;
    try (KeyWrapper wrapper = new Pkcs11Provider().openKey(options())) {
      wrapped = wrapper.wrap(secret, ADDITIONAL);
    }

    assertThat(HexFormat.of().formatHex(wrapped, 0, 36))
        .isEqualTo("02" + HexFormat.of().formatHex(identity()) + "01003c");
    byte[] seed =
        gcm(
            MASTER,
            Arrays.copyOfRange(wrapped, 36, 48),
            Arrays.copyOf(wrapped, 34),
            Arrays.copyOfRange(wrapped, 48, 96));
    byte[] info =
        ByteBuffer.allocate(37)
            .put("ledgerkeep key wrapped by a token 1".getBytes(US_ASCII))
            .putShort((short) 0x0103)
            .array();
    byte[] key = hkdf(seed, Arrays.copyOf(wrapped, 96), info);
    byte[] rest = Arrays.copyOfRange(wrapped, 96, wrapped.length);
    assertThat(gcm(key, new byte[12], ADDITIONAL, rest)).isEqualTo(secret);
  }

  private byte[] sealedValue(Options options, byte[] text) {
    try (KeyWrapper wrapper = new Pkcs11Provider().openKey(options.with("mode", "direct"));
        Direct direct = wrapper.openDirect(calls -> {}).orElseThrow();
        Aead aead = direct.suite().aead(DERIVED)) {
      CipherSuite suite = direct.suite();
      byte[] buffer = Arrays.copyOf(text, suite.sealedBytes(text.length));
      aead.seal(NONCE, ADDITIONAL, buffer, 0, text.length);
      return buffer;
    }
  }

  private static byte[] binding(int last, int length) throws GeneralSecurityException {
    byte[] label = "ledgerkeep token value 1".getBytes(US_ASCII);
    return hmac(DERIVED, label, NONCE, new byte[] {(byte) last}, number(length), ADDITIONAL);
  }

  private static byte[] iv(byte[] binding, int part, int bytes) throws GeneralSecurityException {
    byte[] label = "ledgerkeep token iv 1".getBytes(US_ASCII);
    return Arrays.copyOf(hmac(DERIVED, label, binding, number(part)), bytes);
  }

  @Test
  void aValueInPartsIsAsDocumented() throws Exception {
    token.set("text_limit=1000");
    byte[] text = bytes(1200, 21);
    byte[] value = sealedValue(options(), text);

    // Parts of 512 bytes, so e is 0, and no padding.
    assertThat(value).hasSize(1200 + 3 * 16 + 1).endsWith(0);
    byte[] binding = binding(0, 1200);
    ByteBuffer opened = ByteBuffer.allocate(1200);
    for (int part = 0, at = 0; part < 3; part++) {
      int size = Math.min(512, 1200 - 512 * part) + 16;
      byte[] additional = ByteBuffer.allocate(40).put(binding).putInt(part).putInt(3).array();
      byte[] iv = iv(binding, part, 12);
      opened.put(gcm(MASTER, iv, additional, Arrays.copyOfRange(value, at, at + size)));
      at += size;
    }
    assertThat(opened.array()).isEqualTo(text);
  }

  @Test
  void aValueUnderAnIvOfTheTokenIsAsDocumented() throws Exception {
    token.ownIv(TestToken.OwnIv.END);
    byte[] text = bytes(100, 21);
    byte[] value = sealedValue(options(), text);

    // Parts of 16 KiB are of 512 * 2^5 bytes.
    assertThat(value).hasSize(12 + 100 + 16 + 1).endsWith(0x50);
    byte[] additional = ByteBuffer.allocate(40).put(binding(0x50, 100)).putInt(0).putInt(1).array();
    byte[] opened =
        gcm(
            MASTER,
            Arrays.copyOf(value, 12),
            additional,
            Arrays.copyOfRange(value, 12, value.length - 1));
    assertThat(opened).isEqualTo(text);
  }

  @Test
  void aValueByCbcWithACodeIsAsDocumented() throws Exception {
    byte[] text = bytes(50, 21);
    byte[] value = sealedValue(options().with("mac_key", "codes"), text);

    // Parts of 8 KiB, as the code's data are longer than the part; 14 bytes fill up the last block.
    int last = 0x4E;
    assertThat(value).hasSize(64 + 16 + 1).endsWith(last);
    byte[] binding = binding(last, 50);
    byte[] iv = iv(binding, 0, 16);
    Cipher cbc = Cipher.getInstance("AES/CBC/NoPadding");
    cbc.init(Cipher.DECRYPT_MODE, new SecretKeySpec(MASTER, "AES"), new IvParameterSpec(iv));
    assertThat(cbc.doFinal(value, 0, 64)).isEqualTo(Arrays.copyOf(text, 64));

    byte[] data =
        ByteBuffer.allocate(64 + 64)
            .putInt(64)
            .putInt(0)
            .putInt(1)
            .putInt(0)
            .put(binding)
            .put(iv)
            .put(value, 0, 64)
            .array();
    CMac mac = new CMac(AESEngine.newInstance());
    mac.init(new KeyParameter(CODES));
    mac.update(data, 0, data.length);
    byte[] code = new byte[16];
    mac.doFinal(code, 0);
    assertThat(Arrays.copyOfRange(value, 64, 80)).isEqualTo(code);
  }

  @Test
  void theMechanismOfAVendorIsSm4ByTheStandard() {
    // The example of RFC 8998, appendix A.1, through the number of a vendor.
    HexFormat hex = HexFormat.of();
    token.profile("koal").key("sm4", "sm4", "value=0123456789abcdeffedcba9876543210");
    TokenRequest request = Pkcs11Config.of(Settings.sm4(token, "sm4", "koal")).request();
    Pin pin = new Pin(TestToken.PIN::toCharArray, "the test");
    byte[] text =
        hex.parseHex(
            "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
                + "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa");
    byte[] out = new byte[text.length + 16];
    try (Token opened = NativeToken.open(request, pin)) {
      opened
          .find(KeyName.of("key", "sm4"))
          .encryptGcm(
              hex.parseHex("00001234567800000000abcd"),
              hex.parseHex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
              text,
              0,
              text.length,
              out,
              0);
    }
    assertThat(hex.formatHex(out))
        .isEqualTo(
            "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
                + "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
                + "83de3541e4c2b58177e065a9bf7b62ec");
  }
}
