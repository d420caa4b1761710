package io.ledgerkeep.crypto.outside;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.Native;
import io.ledgerkeep.crypto.soft.AesProvider;
import io.ledgerkeep.encryption.CipherSuite;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bouncycastle.crypto.engines.SM4Engine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;

/** The module is found and works on the module path and on the class path, with JNA and without. */
final class ModulesTest {

  private static final String MODULE = "io.ledgerkeep.crypto.soft";
  private static final List<Class<?>> NEEDED =
      List.of(CipherSuite.class, AesProvider.class, SM4Engine.class, Logger.class);

  @TempDir private Path directory;

  private static String path(Stream<Class<?>> types) {
    return types.map(ModulesTest::place).collect(Collectors.joining(File.pathSeparator));
  }

  private static String place(Class<?> type) {
    try {
      URI place = type.getProtectionDomain().getCodeSource().getLocation().toURI();
      return Path.of(place).toString();
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  private String run(String... arguments) throws IOException, InterruptedException {
    Path output = directory.resolve("output");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"));
    command.addAll(List.of(arguments));
    command.add(Sealing.class.getName());
    int code =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start()
            .waitFor();
    String said = Files.readString(output);
    assertThat(code).as(said).isZero();
    return said;
  }

  @Test
  void onTheModulePath() throws Exception {
    assertWorks(onModulePath(NEEDED.stream(), MODULE), MODULE);
    assertWorks(onModulePath(withJna(), MODULE + ",com.sun.jna"), MODULE);
  }

  private String onModulePath(Stream<Class<?>> types, String modules) throws Exception {
    return run("-p", path(types), "--add-modules", modules, "-cp", place(Sealing.class));
  }

  private static Stream<Class<?>> withJna() {
    return Stream.concat(NEEDED.stream(), Stream.of(Native.class));
  }

  private static void assertWorks(String said, String module) {
    assertThat(said).contains(module + " AES-128-GCM 81", module + " SM4-GCM 81");
  }

  @Test
  void onTheClassPath() throws Exception {
    String mine = place(Sealing.class) + File.pathSeparator;
    assertWorks(run("-cp", mine + path(NEEDED.stream())), "null");
    assertWorks(run("-cp", mine + path(withJna())), "null");
  }
}
