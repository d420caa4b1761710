package io.ledgerkeep.badger;

import static io.ledgerkeep.badger.Stores.content;
import static io.ledgerkeep.badger.Stores.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.UnsupportedFormatException;
import io.ledgerkeep.storage.StorageEngine;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Engines of a sidecar that somebody runs: what becomes of them as it comes and goes. */
final class ConnectionTest {

  @TempDir private static Path certificates;
  private static Certificates ours;
  private static Certificates others;

  @TempDir private Path temporary;

  private Path root;
  private Path directory;

  @BeforeAll
  static void assumeSidecar() {
    Stores.assumeSidecar();
  }

  @BeforeAll
  static void makeCertificates() throws Exception {
    ours = Certificates.make(certificates.resolve("ours"));
    others = Certificates.make(certificates.resolve("others"));
  }

  @BeforeEach
  void choosePlaces() {
    root = temporary.resolve("root");
    directory = temporary.resolve("store");
  }

  @Test
  void theDirectoryNamesTheStoreAndHoldsNothingElse() throws IOException {
    try (RunningSidecar sidecar = RunningSidecar.onSocket(root)) {
      Options options = RunningSidecar.options(root).with("database", "ledger1");
      try (StorageEngine engine = Stores.open(directory, options)) {
        put(engine, "a", "1");
      }
      assertThat(directory).isDirectoryContaining("glob:**SIDECAR");
      assertThat(Files.readString(directory.resolve("SIDECAR")))
          .startsWith("ledgerkeep-badger 1 ledger1/");
      try (StorageEngine engine = Stores.open(directory, options)) {
        assertThat(content(engine)).containsOnlyKeys("a");
      }
    }
  }

  @Test
  void aDirectoryMadeAnewGetsAnEmptyStore() throws IOException {
    try (RunningSidecar sidecar = RunningSidecar.onSocket(root)) {
      try (StorageEngine engine = Stores.open(directory, RunningSidecar.options(root))) {
        put(engine, "a", "1");
      }
      Stores.delete(directory);

      try (StorageEngine engine = Stores.open(directory, RunningSidecar.options(root))) {
        assertThat(content(engine)).isEmpty();
      }
    }
  }

  @Test
  void aDirectoryOfAnotherDatabaseOrOfOtherFilesIsRefused() throws IOException {
    try (RunningSidecar sidecar = RunningSidecar.onSocket(root)) {
      Options options = RunningSidecar.options(root);
      Stores.open(directory, options.with("database", "ledger1")).close();
      Path other = Files.createDirectory(temporary.resolve("other"));
      Files.writeString(other.resolve("file"), "text");

      assertThatThrownBy(() -> Stores.open(directory, options.with("database", "ledger2")))
          .isInstanceOf(ConflictException.class)
          .hasMessageContaining("ledger2");
      assertThatThrownBy(() -> Stores.open(other, options))
          .isInstanceOf(UnsupportedFormatException.class);
    }
  }

  @Test
  void aStoreThatTheSidecarLostIsNotMadeAnew() throws IOException {
    try (RunningSidecar sidecar = RunningSidecar.onSocket(root)) {
      Stores.open(directory, RunningSidecar.options(root)).close();
    }
    Path otherRoot = Files.createDirectory(temporary.resolve("elsewhere"));

    try (RunningSidecar other =
        RunningSidecar.start(otherRoot, "--socket", RunningSidecar.socket(root).toString())) {
      assertThatThrownBy(() -> Stores.open(directory, RunningSidecar.options(root)))
          .isInstanceOf(IntegrityException.class);
    }
    assertThat(otherRoot).isEmptyDirectory();
  }

  @Test
  void whileItIsAwayCallsFailWithWhatToDoAndWhenItIsBackTheyGoOn() throws IOException {
    RunningSidecar first = RunningSidecar.onSocket(root);
    try (StorageEngine engine = Stores.open(directory, RunningSidecar.options(root))) {
      put(engine, "a", "1");
      first.kill();

      assertThatThrownBy(() -> engine.get(Bytes.ofUtf8("a")))
          .isInstanceOfSatisfying(StorageException.class, e -> assertThat(e.isRetryable()).isTrue())
          .hasMessageContaining("unix:" + RunningSidecar.socket(root))
          .hasMessageContaining("see that it runs");
      assertThatThrownBy(() -> put(engine, "b", "2")).isInstanceOf(StorageException.class);

      try (RunningSidecar second = RunningSidecar.onSocket(root)) {
        assertThat(engine.get(Bytes.ofUtf8("a"))).contains(Bytes.ofUtf8("1"));
        put(engine, "c", "3");
        assertThat(content(engine)).containsOnlyKeys("a", "c");
        engine.close();
      }
    }
  }

  @Test
  void whoWasOvertakenWhileTheSidecarWasAwayIsToldAndChangesNothing() throws IOException {
    Options options = RunningSidecar.options(root);
    RunningSidecar first = RunningSidecar.onSocket(root);
    try (StorageEngine overtaken = Stores.open(directory, options)) {
      put(overtaken, "a", "1");
      Path copy = Files.createDirectory(temporary.resolve("copy"));
      Files.copy(directory.resolve("SIDECAR"), copy.resolve("SIDECAR"));
      first.kill();
      try (RunningSidecar second = RunningSidecar.onSocket(root)) {
        try (StorageEngine other = Stores.open(copy, options)) {
          put(other, "b", "2");
        }

        assertThatThrownBy(() -> put(overtaken, "a", "3")).isInstanceOf(ConflictException.class);
        assertThatThrownBy(() -> overtaken.get(Bytes.ofUtf8("a")))
            .isInstanceOf(ConflictException.class);
        overtaken.close();
        try (StorageEngine other = Stores.open(copy, options)) {
          assertThat(other.get(Bytes.ofUtf8("a"))).contains(Bytes.ofUtf8("1"));
        }
      }
    }
  }

  @Test
  void whereNothingListensOpeningSaysSo() {
    assertThatThrownBy(() -> Stores.open(directory, RunningSidecar.options(root)))
        .isInstanceOf(StorageException.class)
        .hasMessageContaining("unix:" + RunningSidecar.socket(root));
    assertThat(directory).doesNotExist();
  }

  @Test
  void aPortOfThisMachineIsUsedWithoutTlsWhenThatIsSaid() throws IOException {
    String address = "127.0.0.1:" + freePort();
    Options options =
        Options.of("sidecar", address, "plaintext", "loopback").with("reconnect-seconds", "1");
    try (RunningSidecar sidecar = RunningSidecar.start(root, "--insecure-plaintext", address);
        StorageEngine engine = Stores.open(directory, options)) {
      put(engine, "a", "1");
      assertThat(content(engine)).containsOnlyKeys("a");
    }
  }

  @Test
  void overTlsBothSidesAreChecked() throws Exception {
    String address = "127.0.0.1:" + freePort();
    try (RunningSidecar sidecar = RunningSidecar.start(root, serving(address, ours))) {
      try (StorageEngine engine =
          Stores.open(directory, tls(address, ours.client(), ours.clientKey(), ours.authority()))) {
        put(engine, "a", "1");
        assertThat(content(engine)).containsOnlyKeys("a");
      }
      assertNotLetIn(tls(address, others.client(), others.clientKey(), ours.authority()));
      assertNotLetIn(tls(address, ours.client(), ours.clientKey(), others.authority()));
    }
  }

  @Test
  void certificatesThatWereReplacedServeTheNextConnection() throws Exception {
    String address = "127.0.0.1:" + freePort();
    Certificates inUse = new Certificates(Files.createDirectory(temporary.resolve("in-use")));
    ours.copyClientTo(inUse);
    Options options =
        tls(address, inUse.client(), inUse.clientKey(), inUse.authority())
            .with("reconnect-seconds", "60");
    RunningSidecar first = RunningSidecar.start(root, serving(address, ours));
    try (StorageEngine engine = Stores.open(directory, options)) {
      put(engine, "a", "1");
      others.copyClientTo(inUse);
      first.close();
      try (RunningSidecar second = RunningSidecar.start(root, serving(address, others))) {
        assertThat(content(engine)).containsOnlyKeys("a");
        engine.close();
      }
    }
  }

  private static String[] serving(String address, Certificates certificates) {
    return new String[] {
      "--listen",
      address,
      "--tls-certificate",
      certificates.server().toString(),
      "--tls-key",
      certificates.serverKey().toString(),
      "--client-ca",
      certificates.authority().toString()
    };
  }

  private static Options tls(String address, Path certificate, Path key, Path authority) {
    return Options.of("sidecar", address, "reconnect-seconds", "1")
        .with("tls-certificate", certificate.toString())
        .with("tls-key", key.toString())
        .with("tls-ca", authority.toString());
  }

  private void assertNotLetIn(Options options) {
    assertThatThrownBy(() -> Stores.open(directory, options))
        .isInstanceOf(StorageException.class)
        .hasMessageContaining("does not answer");
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
