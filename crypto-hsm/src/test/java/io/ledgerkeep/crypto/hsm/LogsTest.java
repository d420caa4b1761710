package io.ledgerkeep.crypto.hsm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.KeyWrapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What is logged tells an operator what he needs, and no secrets. */
final class LogsTest {

  private final Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
  private final ListAppender<ILoggingEvent> events = new ListAppender<>();
  private final Level before = root.getLevel();
  private TestToken token;

  @BeforeEach
  void start() {
    token = TestToken.start().key("master", "aes", TestToken.value(new byte[32]));
    events.start();
    root.setLevel(Level.TRACE);
    root.addAppender(events);
  }

  @AfterEach
  void stop() {
    root.detachAppender(events);
    root.setLevel(before);
  }

  private Options options() {
    return Settings.aes(token, "master");
  }

  private static Options without(Options options, String name) {
    Map<String, String> left = new HashMap<>(options.asMap());
    left.remove(name);
    return Options.of(left);
  }

  private List<String> logged(Level level) {
    return events.list.stream()
        .filter(event -> event.getLevel() == level)
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }

  @Test
  void aConfigurationWithoutAModeIsWarnedOfOnce() {
    new Pkcs11Provider().openKey(without(options(), "mode")).close();
    assertThat(logged(Level.WARN)).singleElement().asString().contains("'mode'", "envelope");
  }

  @Test
  void aKeyInMemoryForArchivesIsWarnedOfOnce() {
    Options direct = options().with("mode", "direct");
    new Pkcs11Provider().openKey(direct).close();
    assertThat(logged(Level.WARN)).isEmpty();
    new Pkcs11Provider().openKey(direct.with("archive", "memory")).close();
    assertThat(logged(Level.WARN)).singleElement().asString().contains("'memory'");
  }

  @Test
  void theRouteIsLogged() {
    new Pkcs11Provider().openKey(options()).close();
    assertThat(logged(Level.INFO)).singleElement().asString().contains("route native", "'master'");
  }

  @Test
  void aLossAndAReturnAreLogged() {
    try (KeyWrapper wrapper = new Pkcs11Provider().openKey(options())) {
      token.killSessions();
      wrapper.wrap(new byte[32], new byte[0]);
    }
    assertThat(logged(Level.WARN)).singleElement().asString().contains("was lost");
    assertThat(logged(Level.INFO)).hasSize(2).last().asString().contains("is open again");
  }

  @Test
  void noPinIsLoggedOrThrownWhateverHappens() {
    String wrong = "9753-wrong";
    Throwable refused =
        catchThrowable(() -> new Pkcs11Provider().openKey(options().with("password", wrong)));
    Throwable unknown =
        catchThrowable(() -> new Pkcs11Provider().openKey(options().with("pasword", wrong)));
    try (KeyWrapper wrapper = new Pkcs11Provider().openKey(options())) {
      token.set("pin=other").killSessions();
      Throwable lost = catchThrowable(() -> wrapper.wrap(new byte[32], new byte[0]));
      for (Throwable thrown : List.of(refused, unknown, lost)) {
        StringWriter trace = new StringWriter();
        thrown.printStackTrace(new PrintWriter(trace));
        assertThat(trace.toString()).doesNotContain(wrong, TestToken.PIN);
      }
    }
    assertThat(events.list.stream().map(ILoggingEvent::getFormattedMessage))
        .isNotEmpty()
        .noneMatch(line -> line.contains(wrong) || line.contains(TestToken.PIN));
  }
}
