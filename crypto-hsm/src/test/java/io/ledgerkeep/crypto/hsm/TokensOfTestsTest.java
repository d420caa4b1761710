package io.ledgerkeep.crypto.hsm;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.security.KeyStore;
import java.security.Provider;
import java.security.Security;
import java.util.Collections;
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
}
