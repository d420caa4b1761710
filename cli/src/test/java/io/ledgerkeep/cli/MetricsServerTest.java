package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
final class MetricsServerTest {

  private static final String TEXT = "answer 42\n";

  private MetricsServer server;
  private int port;

  @BeforeEach
  void start() throws IOException {
    server = MetricsServer.start(0, () -> TEXT);
    port = URI.create(server.address()).getPort();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  /** Asks by hand: clients would put the host right. */
  private static String answer(int port, String request, String host) throws IOException {
    try (Socket socket = new Socket(InetAddress.getByName("127.0.0.1"), port)) {
      String text =
          "%s HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
              .formatted(request, host);
      socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void theMeasuresAreTextForPrometheus() throws IOException {
    assertThat(server.address()).isEqualTo("http://127.0.0.1:" + port + "/metrics");
    assertThat(answer(port, "GET /metrics?x=1", "127.0.0.1:" + port))
        .startsWith("HTTP/1.1 200 ")
        .containsIgnoringCase("Content-type: text/plain; version=0.0.4; charset=utf-8\r\n")
        .endsWith("\r\n\r\n" + TEXT);
  }

  @Test
  void halfARequestHoldsUpNobodyElse() throws IOException {
    try (Socket slow = new Socket(InetAddress.getByName("127.0.0.1"), port)) {
      slow.getOutputStream()
          .write(
              "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: "
                  .getBytes(StandardCharsets.US_ASCII));
      assertThat(answer(port, "GET /metrics", "localhost")).startsWith("HTTP/1.1 200 ");
      assertThat(slow.getInputStream().readAllBytes()).as("it is thrown out").isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "GET /, 404",
    "GET /metrics/, 404",
    "GET /metrics/x, 404",
    "GET /%6Detrics, 404",
    "POST /x, 404",
    "POST /metrics, 405",
    "PUT /metrics, 405",
    "DELETE /metrics, 405",
    "HEAD /metrics, 405"
  })
  void thereIsNothingElse(String request, int code) throws IOException {
    assertThat(answer(port, request, "localhost"))
        .startsWith("HTTP/1.1 " + code + " ")
        .doesNotContain(TEXT);
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, 200",
    "localhost:1234, 200",
    "node.example, 403",
    "127.0.0.1.node.example:80, 403",
    "'', 403"
  })
  void whoCallsItByAnotherNameIsSentAway(String host, int code) throws IOException {
    assertThat(answer(port, "GET /metrics", host)).startsWith("HTTP/1.1 " + code + " ");
  }

  @Test
  void nobodyElseIsHeard() throws IOException {
    List<InetAddress> others = new ArrayList<>();
    for (NetworkInterface any : Collections.list(NetworkInterface.getNetworkInterfaces())) {
      others.addAll(Collections.list(any.getInetAddresses()));
    }
    others.remove(InetAddress.getByName("127.0.0.1"));
    others.add(InetAddress.getByName("127.0.0.2")); // there, where the system has all of 127
    for (InetAddress other : others) {
      try (Socket socket = new Socket()) {
        assertThatExceptionOfType(IOException.class)
            .as(other.toString())
            .isThrownBy(() -> socket.connect(new InetSocketAddress(other, port), 5000))
            .isInstanceOf(ConnectException.class);
      }
    }
  }

  @Test
  void aFailureIsAnAnswerToo() throws IOException {
    try (MetricsServer failing =
        MetricsServer.start(
            0,
            () -> {
              throw new IllegalStateException("no round");
            })) {
      int there = URI.create(failing.address()).getPort();
      for (int i = 0; i < 2; i++) {
        assertThat(answer(there, "GET /metrics", "localhost"))
            .startsWith("HTTP/1.1 500 ")
            .contains("no round");
      }
    }
  }

  @Test
  void aPortThatIsTakenIsTold() {
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> MetricsServer.start(port, () -> TEXT))
        .withMessageContaining("cannot listen on port " + port + " of 127.0.0.1: ")
        .withMessageContaining("give another one");
  }
}
