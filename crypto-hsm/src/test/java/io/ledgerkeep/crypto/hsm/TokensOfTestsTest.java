package io.ledgerkeep.crypto.hsm;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.security.KeyStore;
import java.security.Provider;
import java.security.Security;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Optional;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tokens that the other tests stand on. */
class TokensOfTestsTest {

  private static byte[] roundTrip(KeyStore keys, String alias) throws Exception {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding", keys.getProvider());
    GCMParameterSpec parameters = new GCMParameterSpec(128, new byte[12]);
    cipher.init(Cipher.ENCRYPT_MODE, keys.getKey(alias, null), parameters);
    byte[] text = cipher.doFinal("text".getBytes());
    cipher.init(Cipher.DECRYPT_MODE, keys.getKey(alias, null), parameters);
    return cipher.doFinal(text);
  }

  private static KeyStore load(Path library, String pin) throws Exception {
    String configuration = "--name=tests\nlibrary=\"" + library + "\"\nslotListIndex=0";
    Provider provider = Security.getProvider("SunPKCS11").configure(configuration);
    KeyStore keys = KeyStore.getInstance("PKCS11", provider);
    keys.load(null, pin.toCharArray());
    return keys;
  }

  @Test
  void softHsmHasTheKeysThatWereAskedFor(@TempDir Path folder) throws Exception {
    SoftHsm soft = SoftHsm.in(folder).aesKey("one", 32).aesKey("two", 16);

    KeyStore keys = load(soft.library(), SoftHsm.PIN);

    assertThat(Collections.list(keys.aliases())).containsExactlyInAnyOrder("one", "two");
    assertThat(roundTrip(keys, "one")).isEqualTo("text".getBytes());
  }

  @Test
  void theTestTokenHasTheKeysThatWereAskedFor() throws Exception {
    TestToken token = TestToken.start().profile("koal").aesKey("one", 32).sm4Key("two");

    KeyStore keys = load(token.library(), TestToken.PIN);

    assertThat(Collections.list(keys.aliases())).contains("one");
    assertThat(roundTrip(keys, "one")).isEqualTo("text".getBytes());
    assertThat(token.calls("C_Login")).isOne();
  }

  private static TokenKey nativeKey(TestToken device, String profile, Algorithm algorithm) {
    TokenRequest request =
        new TokenRequest(
            device.library(),
            TestToken.LABEL,
            Optional.empty(),
            algorithm,
            Profile.named(profile),
            1);
    Pin pin = new Pin(TestToken.PIN::toCharArray, "a test");
    return NativeToken.open(request, pin).find(KeyName.of("key", "known"));
  }

  private static byte[] hex(String digits) {
    return HexFormat.of().parseHex(digits);
  }

  /** The example of GB/T 32907, appendix A.1. */
  @Test
  void sm4OfTheTestTokenIsSm4() {
    String example = "0123456789abcdeffedcba9876543210";
    TestToken device = TestToken.start().profile("sansec").key("known", "sm4", "value=" + example);

    assertThat(nativeKey(device, "sansec", Algorithm.SM4).encryptEcb(hex(example)))
        .isEqualTo(hex("681edf34d206965e86b3e94f536e4246"));
  }

  /** Example 2 of RFC 4493. */
  @Test
  void cmacOfTheTestTokenIsCmac() {
    TestToken device =
        TestToken.start().key("known", "aes", "value=2b7e151628aed2a6abf7158809cf4f3c");

    assertThat(
            nativeKey(device, "standard", Algorithm.AES)
                .mac(hex("6bc1bee22e409f96e93d7e117393172a")))
        .isEqualTo(hex("070a16b46b4d4144f79bdd9dd04a287c"));
  }
}
