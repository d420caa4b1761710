package io.ledgerkeep.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Answers {@code GET /metrics} to programs on this machine, and nothing else to nobody else. */
final class MetricsServer implements AutoCloseable {

  private static final String PATH = "/metrics";
  private static final String LOOPBACK = "127.0.0.1";

  private static final int OK = 200;
  private static final int FORBIDDEN = 403;
  private static final int NOT_FOUND = 404;
  private static final int WRONG_METHOD = 405;
  private static final int FAILED = 500;

  /** Whoever sends half a request keeps one of them until it is thrown out. */
  private static final int THREADS = 4;

  /** Read once by the server of the JDK: how many seconds a request may take to come. */
  private static final String MAX_REQUEST_SECONDS = "sun.net.httpserver.maxReqTime";

  private final HttpServer server;
  private final ExecutorService threads;
  private final Supplier<String> text;

  private MetricsServer(HttpServer server, ExecutorService threads, Supplier<String> text) {
    this.server = server;
    this.threads = threads;
    this.text = text;
  }

  /**
   * Begins to listen.
   *
   * @param port 0 takes one that is free
   * @param text the answer; asked for by one thread at a time
   */
  static MetricsServer start(int port, Supplier<String> text) throws IOException {
    if (System.getProperty(MAX_REQUEST_SECONDS) == null) {
      System.setProperty(MAX_REQUEST_SECONDS, "5");
    }
    InetAddress here = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    HttpServer server;
    try {
      server = HttpServer.create(new InetSocketAddress(here, port), 0);
    } catch (IOException e) {
      throw new IOException(
          "cannot listen on port %s of %s: %s; give another one, or 0 for any that is free"
              .formatted(port, LOOPBACK, e.getMessage()),
          e);
    }
    ExecutorService threads = Executors.newFixedThreadPool(THREADS, MetricsServer::thread);
    server.setExecutor(threads);
    MetricsServer metrics = new MetricsServer(server, threads, text);
    server.createContext("/", metrics::answer);
    server.start();
    return metrics;
  }

  private static Thread thread(Runnable task) {
    Thread thread = new Thread(task, "ledgerkeep-metrics");
    thread.setDaemon(true);
    return thread;
  }

  /** Returns the address of the page. */
  String address() {
    return "http://" + LOOPBACK + ":" + server.getAddress().getPort() + PATH;
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      if (!isForHere(exchange.getRequestHeaders().getFirst("Host"))) {
        send(exchange, FORBIDDEN, "only for programs on this machine, by " + address() + "\n");
      } else if (!exchange.getRequestURI().getRawPath().equals(PATH)) {
        send(exchange, NOT_FOUND, "there is only " + PATH + "\n");
      } else if (!exchange.getRequestMethod().equals("GET")) {
        exchange.getResponseHeaders().set("Allow", "GET");
        send(exchange, WRONG_METHOD, "only GET\n");
      } else {
        sendText(exchange);
      }
    }
  }

  private void sendText(HttpExchange exchange) throws IOException {
    String answer;
    try {
      synchronized (text) {
        answer = text.get();
      }
    } catch (RuntimeException e) {
      send(exchange, FAILED, Failure.of(e).message() + "\n");
      return;
    }
    send(exchange, OK, answer);
  }

  /** A page of another place, open in a browser here, may have its name lead to this address. */
  private static boolean isForHere(@Nullable String host) {
    return host != null
        && Set.of(LOOPBACK, "localhost").contains(host.replaceFirst(":[0-9]+$", ""));
  }

  private static void send(HttpExchange exchange, int code, String text) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange
        .getResponseHeaders()
        .set("Content-Type", code == OK ? MetricsText.CONTENT_TYPE : "text/plain; charset=utf-8");
    boolean isHead = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(code, isHead ? -1 : body.length);
    if (!isHead) {
      exchange.getResponseBody().write(body);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
