package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.cli.certs.TestCertificates;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A sidecar and a ledger take new certificates from the files that were replaced. */
@Timeout(300)
final class SidecarCertificatesTest {

  @TempDir private Path directory;

  @BeforeAll
  static void requireSidecar() {
    BadgerLedgerTest.requireSidecar();
  }

  @Test
  void replacedFilesAreAllThatItTakes() throws Exception {
    Path certs = TestCertificates.copyTo(directory);
    Path key = TestCertificates.backupKey(directory);
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    Place place =
        new Place(
            directory,
            directory.resolve("data"),
            directory.resolve("archive"),
            "reserve_bytes: 0",
            "provider: badgerdb",
            "badgerdb:",
            "  sidecar: 127.0.0.1:" + port,
            "  reconnect-seconds: 60",
            "  tls-certificate: " + certs.resolve("node0/ssl.crt"),
            "  tls-key: " + certs.resolve("node0/ssl.key"),
            "  tls-ca: " + certs.resolve("node0/ca.crt"));
    Process sidecar = start(port, certs);
    try {
      place.withChain(20);
      for (String name : new String[] {"node0/ssl", "ca"}) {
        Run run = Run.of("certs", "rotate", certs, name, "--key", key, "--yes");
        assertThat(run.exitCode()).as(run.err()).isZero();
        X509Certificate next = read(certs.resolve("node0/ssl.crt"));
        while (!next.equals(served(port))) {
          Thread.sleep(50); // until the sidecar looks at its files again
        }
        Run status = place.run("status");
        assertThat(status.exitCode()).as(status.err()).isZero();
      }
    } finally {
      sidecar.destroy();
      sidecar.onExit().join();
    }
  }

  private Process start(int port, Path certs) throws Exception {
    Path output = directory.resolve("sidecar.log");
    Path binary = directory.resolve("sidecar");
    try (InputStream in = BadgerLedgerTest.sidecar()) {
      Files.copy(in, binary);
    }
    TestCertificates.mode(binary, "rwx------");
    Process process =
        new ProcessBuilder(
                binary.toString(),
                "--root",
                Files.createDirectory(directory.resolve("stores")).toString(),
                "--listen",
                "127.0.0.1:" + port,
                "--tls-certificate",
                certs.resolve("node0/ssl.crt").toString(),
                "--tls-key",
                certs.resolve("node0/ssl.key").toString(),
                "--client-ca",
                certs.resolve("node0/ca.crt").toString(),
                "--tls-reload",
                "100ms")
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    while (!Files.readString(output).contains("\"ready\":true")) {
      assertThat(process.isAlive()).as(Files.readString(output)).isTrue();
      Thread.sleep(20); // until it is ready
    }
    return process;
  }

  private static X509Certificate read(Path file) throws Exception {
    try (InputStream in = Files.newInputStream(file)) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }

  /** Returns what a handshake is answered with; it need not succeed. */
  private static X509Certificate served(int port) throws Exception {
    AtomicReference<X509Certificate> shown = new AtomicReference<>();
    SSLContext context = SSLContext.getInstance("TLSv1.3");
    context.init(
        null,
        new TrustManager[] {
          new X509TrustManager() {
            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type) {}

            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type) {
              shown.set(chain[0]);
            }

            @Override
            public X509Certificate[] getAcceptedIssuers() {
              return new X509Certificate[0];
            }
          }
        },
        new SecureRandom());
    try (SSLSocket socket =
        (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port)) {
      socket.startHandshake();
    } catch (IOException e) {
      // we have no certificate of our own
    }
    return shown.get();
  }
}
