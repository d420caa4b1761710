package io.ledgerkeep.badger;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** An authority, and a server and a client with certificates of it; made by the JDK's keytool. */
record Certificates(Path directory) {

  private static final String PASSWORD = "password";

  static Certificates make(Path directory)
      throws IOException, InterruptedException, GeneralSecurityException {
    Files.createDirectories(directory);
    Certificates made = new Certificates(directory);
    made.generate("authority", "-ext", "bc:c");
    made.generate("server");
    made.generate("client");
    made.sign("server", "-ext", "san=ip:127.0.0.1");
    made.sign("client");
    made.write("authority");
    made.write("server");
    made.write("client");
    return made;
  }

  /** Copies what a client needs, in place of what is there. */
  void copyClientTo(Certificates other) throws IOException {
    Files.copy(authority(), other.authority(), StandardCopyOption.REPLACE_EXISTING);
    Files.copy(clientKey(), other.clientKey(), StandardCopyOption.REPLACE_EXISTING);
    Files.copy(client(), other.client(), StandardCopyOption.REPLACE_EXISTING);
  }

  Path authority() {
    return directory.resolve("authority.pem");
  }

  Path server() {
    return directory.resolve("server.pem");
  }

  Path serverKey() {
    return directory.resolve("server.key");
  }

  Path client() {
    return directory.resolve("client.pem");
  }

  Path clientKey() {
    return directory.resolve("client.key");
  }

  private void generate(String name, String... more) throws IOException, InterruptedException {
    keytool(List.of("-genkeypair", "-alias", name, "-keyalg", "EC", "-dname", "CN=" + name), more);
  }

  private void sign(String name, String... more) throws IOException, InterruptedException {
    Path request = directory.resolve(name + ".csr");
    Path signed = directory.resolve(name + ".crt");
    keytool(List.of("-certreq", "-alias", name, "-file", request.toString()));
    keytool(
        List.of(
            "-gencert",
            "-alias",
            "authority",
            "-infile",
            request.toString(),
            "-outfile",
            signed.toString()),
        more);
    keytool(List.of("-importcert", "-noprompt", "-alias", name, "-file", signed.toString()));
  }

  private void keytool(List<String> arguments, String... more)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(arguments);
    command.addAll(List.of(more));
    command.addAll(List.of("-keystore", store().toString(), "-storepass", PASSWORD));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new AssertionError("keytool failed: " + said);
    }
  }

  private Path store() {
    return directory.resolve("store.p12");
  }

  private void write(String name) throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance(store().toFile(), PASSWORD.toCharArray());
    Key key = store.getKey(name, PASSWORD.toCharArray());
    Certificate certificate = store.getCertificate(name);
    Files.writeString(
        directory.resolve(name + ".pem"), pem("CERTIFICATE", certificate.getEncoded()));
    Files.writeString(directory.resolve(name + ".key"), pem("PRIVATE KEY", key.getEncoded()));
  }

  private static String pem(String what, byte[] bytes) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(what, Base64.getMimeEncoder().encodeToString(bytes), what);
  }
}
