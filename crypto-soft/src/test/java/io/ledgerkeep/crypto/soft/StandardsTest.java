package io.ledgerkeep.crypto.soft;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.bouncycastle.crypto.engines.SM4Engine;
import org.bouncycastle.crypto.params.KeyParameter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The values that the standards publish. */
final class StandardsTest {

  private static final HexFormat HEX = HexFormat.of();

  private static final String P60 =
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
          + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
  private static final String P64 = P60 + "1aafd255";
  private static final String K = "feffe9928665731c6d6a8f9467308308";
  private static final String N = "cafebabefacedbaddecaf888";
  private static final String A = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
  private static final String ZERO_NONCE = "00".repeat(12);

  /** The test cases of "The Galois/Counter Mode of Operation" whose nonces have 96 bits. */
  @Test
  void aesGcmComputesTheCasesOfTheSpecification() {
    String zero = "00".repeat(16);
    String k192 = K + K.substring(0, 16);
    String c3 =
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
            + "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985";
    String c9 =
        "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
            + "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710acade256";
    String c15 =
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
            + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad";

    checkAes(zero, ZERO_NONCE, "", "", "", "58e2fccefa7e3061367f1d57a4e7455a");
    checkAes(
        zero,
        ZERO_NONCE,
        "",
        zero,
        "0388dace60b6a392f328c2b971b2fe78",
        "ab6e47d42cec13bdf53a67b21257bddf");
    checkAes(K, N, "", P64, c3, "4d5c2af327cd64a62cf35abd2ba6fab4");
    checkAes(K, N, A, P60, c3.substring(0, 120), "5bc94fbc3221a5db94fae95ae7121a47");

    String zero192 = "00".repeat(24);
    checkAes(zero192, ZERO_NONCE, "", "", "", "cd33b28ac773f74ba00ed1f312572435");
    checkAes(
        zero192,
        ZERO_NONCE,
        "",
        zero,
        "98e7247c07f0fe411c267e4384b0f600",
        "2ff58d80033927ab8ef4d4587514f0fb");
    checkAes(k192, N, "", P64, c9, "9924a7c8587336bfb118024db8674a14");
    checkAes(k192, N, A, P60, c9.substring(0, 120), "2519498e80f1478f37ba55bd6d27618c");

    String zero256 = "00".repeat(32);
    checkAes(zero256, ZERO_NONCE, "", "", "", "530f8afbc74536b9a963b4f1c4cb738b");
    checkAes(
        zero256,
        ZERO_NONCE,
        "",
        zero,
        "cea7403d4d606b6e074ec5d3baf39d18",
        "d0d1c8a799996bf0265b98b5d48ab919");
    checkAes(K + K, N, "", P64, c15, "b094dac5d93471bdec1a502270e3cc6c");
    checkAes(K + K, N, A, P60, c15.substring(0, 120), "76fc6ece0f4e1768cddf8853bb2d551b");
  }

  private static void checkAes(
      String key, String nonce, String additional, String plain, String sealed, String tag) {
    CipherSuite suite =
        AesSuites.proven().stream()
            .filter(s -> s.keyBytes() == key.length() / 2)
            .findFirst()
            .orElseThrow();
    check(suite, key, nonce, additional, plain, sealed + tag);
  }

  private static void check(
      CipherSuite suite, String key, String nonce, String additional, String plain, String sealed) {
    byte[] n = HEX.parseHex(nonce);
    byte[] a = HEX.parseHex(additional);
    byte[] p = HEX.parseHex(plain);
    byte[] s = HEX.parseHex(sealed);
    try (Aead aead = suite.aead(HEX.parseHex(key))) {
      byte[] buffer = Arrays.copyOf(p, p.length + CipherSuite.TAG_BYTES);
      aead.seal(n, a, buffer, 0, p.length);
      assertThat(HEX.formatHex(buffer)).isEqualTo(sealed);
      byte[] target = new byte[p.length];
      assertThat(aead.open(n, a, s, 0, s.length, target, 0)).isTrue();
      assertThat(HEX.formatHex(target)).isEqualTo(plain);
    }
  }

  @Test
  void bouncyCastleComputesTheExampleOfRfc8998() {
    checkRfc8998(Sm4Suites.bouncyCastle());
  }

  @Test
  void libgcryptComputesTheExampleOfRfc8998() {
    checkRfc8998(Libgcrypt.suite());
  }

  private static void checkRfc8998(CipherSuite suite) {
    check(
        suite,
        "0123456789abcdeffedcba9876543210",
        "00001234567800000000abcd",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
            + "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
            + "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
            + "83de3541e4c2b58177e065a9bf7b62ec");
  }

  /** Both examples of GB/T 32907, the second of which enciphers a million times. */
  @Test
  void bouncyCastleComputesTheExamplesOfGbt32907() {
    byte[] block = HEX.parseHex("0123456789abcdeffedcba9876543210");
    SM4Engine engine = new SM4Engine();
    engine.init(true, new KeyParameter(block));
    engine.processBlock(block, 0, block, 0);
    assertThat(HEX.formatHex(block)).isEqualTo("681edf34d206965e86b3e94f536e4246");
    for (int i = 1; i < 1_000_000; i++) {
      engine.processBlock(block, 0, block, 0);
    }
    assertThat(HEX.formatHex(block)).isEqualTo("595298c7c6fd271f0402f804c33d3f66");
  }

  @ParameterizedTest
  @CsvSource({
    "0b*20, Hi There, b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    "4a656665, what do ya want for nothing?,"
        + " 5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    "aa*131, Test Using Larger Than Block-Size Key - Hash Key First,"
        + " 60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    "aa*131, This is a test using a larger than block-size key and a larger than block-size data."
        + " The key needs to be hashed before being used by the HMAC algorithm.,"
        + " 9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
  })
  void macComputesTheCasesOfRfc4231(String key, String data, String code) {
    assertThat(HEX.formatHex(aes().mac(bytes(key), data.getBytes(US_ASCII)))).isEqualTo(code);
  }

  @ParameterizedTest
  @CsvSource({
    "aa*20, dd*50, 773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    "0102030405060708090a0b0c0d0e0f10111213141516171819, cd*50,"
        + " 82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
  })
  void macComputesTheCasesOfRfc4231ThatAreNoText(String key, String data, String code) {
    assertThat(HEX.formatHex(aes().mac(bytes(key), bytes(data)))).isEqualTo(code);
  }

  private static CipherSuite aes() {
    return AesSuites.proven().get(0);
  }

  /** Reads hexadecimal digits, or such as {@code aa*131}. */
  private static byte[] bytes(String text) {
    int times = text.indexOf('*');
    return HEX.parseHex(
        times < 0
            ? text
            : text.substring(0, times).repeat(Integer.parseInt(text.substring(times + 1))));
  }

  @Test
  void deriveComputesTheCasesOfRfc5869() {
    byte[] secret = bytes("0b*22");
    assertThat(derive(secret, range(0x00, 0x0c), range(0xf0, 0xf9), 42))
        .isEqualTo(
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    assertThat(derive(range(0x00, 0x4f), range(0x60, 0xaf), range(0xb0, 0xff), 82))
        .isEqualTo(
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
                + "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
                + "cc30c58179ec3e87c14c01d5c1f3434f1d87");
    assertThat(derive(secret, new byte[0], new byte[0], 42))
        .isEqualTo(
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  }

  private static String derive(byte[] secret, byte[] salt, byte[] info, int bytes) {
    return HEX.formatHex(aes().derive(secret, salt, info, bytes));
  }

  private static byte[] range(int first, int last) {
    byte[] range = new byte[last - first + 1];
    for (int i = 0; i < range.length; i++) {
      range[i] = (byte) (first + i);
    }
    return range;
  }

  @Test
  void sm3ComputesTheExamplesOfGbt32905() {
    for (List<String> example :
        List.of(
            List.of("abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
            List.of(
                "abcd".repeat(16),
                "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"))) {
      Hash hash = Hash.sm3();
      hash.update(example.get(0).getBytes(US_ASCII));
      assertThat(HEX.formatHex(hash.finish())).isEqualTo(example.get(1));
    }
  }

  @Test
  void thereIsAnEndToWhatCanBeDerived() {
    for (int bytes : new int[] {0, -1, 255 * 32 + 1}) {
      assertThatThrownBy(() -> aes().derive(new byte[16], new byte[0], new byte[0], bytes))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
