package io.ledgerkeep.crypto.hsm;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Options;
import java.io.File;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** JNA is optional: the provider of the JVM leads to a token too. */
final class WithoutJnaTest {

  @TempDir Path folder;

  @Test
  void theRouteIsTheOneOfTheJvm() throws Exception {
    SoftHsm token = SoftHsm.in(folder).aesKey("one", 32);
    String classes =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> !Path.of(entry).getFileName().toString().startsWith("jna-"))
            .collect(Collectors.joining(File.pathSeparator));
    Workshop.Result said =
        Workshop.run(
            Map.of("SOFTHSM2_CONF", folder.resolve("softhsm2.conf").toString()),
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            classes,
            WithoutJnaTest.class.getName(),
            token.library().toString());
    assertThat(said.output()).contains("route=sunpkcs11").contains("passed=true");
    assertThat(said.status()).isZero();
  }

  /** Prints by which route the token was reached. */
  public static void main(String[] arguments) {
    Pkcs11Keys.Probe probe =
        Pkcs11Keys.withPinInOptions()
            .probe(
                Options.of("encryptor", "aes", "library", arguments[0])
                    .with("label", SoftHsm.LABEL)
                    .with("password", SoftHsm.PIN)
                    .with("key", "one")
                    .with("mode", "envelope"));
    System.out.println("\nroute=" + probe.route() + " passed=" + probe.passed());
  }
}
