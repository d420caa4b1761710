package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where the options say that the PIN comes from: one place, and it is read when it is needed. */
final class PinSource {

  static final String PASSWORD = "password";
  static final String PASSWORD_FILE = "password_file";
  static final String PASSWORD_ENV = "password_env";

  private static final String ENV = "env:";
  private static final String FILE = "file:";
  private static final String RAW = "raw:";

  private static final Logger LOG = LoggerFactory.getLogger(PinSource.class);

  private static final int MOST_BYTES = 1024;

  private PinSource() {}

  /**
   * Returns the PIN of the callback or of the one option that names it.
   *
   * @param environment gives the value of a variable, or null
   * @throws ConfigurationException if there is none, or more than one
   */
  static Pin of(
      Options options, Optional<Supplier<char[]>> callback, Function<String, String> environment) {
    List<String> named =
        List.of(PASSWORD, PASSWORD_FILE, PASSWORD_ENV).stream()
            .filter(name -> options.text(name).isPresent())
            .toList();
    if (named.size() + (callback.isPresent() ? 1 : 0) != 1) {
      throw new ConfigurationException(
          "the PIN of the token comes from exactly one of: "
              + String.join(", ", PASSWORD, PASSWORD_FILE, PASSWORD_ENV)
              + ", or a callback in code; given are "
              + (named.isEmpty() ? "none of the options" : String.join(", ", named))
              + (callback.isPresent() ? " and a callback" : ""));
    }
    if (callback.isPresent()) {
      return new Pin(callback.get(), "the callback");
    }
    String value = options.requiredText(named.get(0));
    if (value.isEmpty()) {
      throw new ConfigurationException("option '" + named.get(0) + "' is empty");
    }
    return switch (named.get(0)) {
      case PASSWORD -> ofText(value, environment);
      case PASSWORD_FILE -> ofFile(Path.of(value));
      default -> ofVariable(value, environment);
    };
  }

  /** A reference, as the keys of software have them, or the PIN itself. */
  private static Pin ofText(String text, Function<String, String> environment) {
    for (String form : List.of(ENV, FILE, RAW)) {
      if (text.equals(form)) {
        throw new ConfigurationException("option 'password' has nothing after '" + form + "'");
      }
    }
    if (text.startsWith(ENV)) {
      return ofVariable(text.substring(ENV.length()), environment);
    }
    if (text.startsWith(FILE)) {
      return ofFile(Path.of(text.substring(FILE.length())));
    }
    String pin = text.startsWith(RAW) ? text.substring(RAW.length()) : text;
    return new Pin(pin::toCharArray, "option 'password'");
  }

  private static Pin ofVariable(String name, Function<String, String> environment) {
    return new Pin(() -> fromEnvironment(name, environment), "variable " + name);
  }

  private static Pin ofFile(Path file) {
    return new Pin(() -> fromFile(file), "file " + file);
  }

  private static char[] fromEnvironment(String name, Function<String, String> environment) {
    String value = environment.apply(name);
    if (value == null || value.isEmpty()) {
      throw new KeyUnavailableException(
          Reason.MISSING, "the variable " + name + ", which has the PIN of the token, is not set");
    }
    return value.toCharArray();
  }

  private static char[] fromFile(Path file) {
    byte[] bytes = new byte[MOST_BYTES + 1];
    try (SeekableByteChannel channel = Files.newByteChannel(file)) {
      warnOfReaders(file);
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
        // until the end of the file
      }
      return characters(file, buffer.flip());
    } catch (IOException e) {
      throw new KeyUnavailableException(
          Reason.MISSING,
          "the file " + file + ", which has the PIN of the token, cannot be read",
          e);
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  /** Returns what is in the file; a line feed at its end is none of the PIN. */
  private static char[] characters(Path file, ByteBuffer bytes) throws IOException {
    int length = bytes.limit();
    if (length > 0 && bytes.get(length - 1) == '\n') {
      length--;
    }
    if (length > 0 && bytes.get(length - 1) == '\r') {
      length--;
    }
    if (length == 0 || bytes.limit() > MOST_BYTES) {
      throw new KeyUnavailableException(
          Reason.MISSING,
          "the file " + file + " must hold the PIN of the token, 1 to " + MOST_BYTES + " bytes");
    }
    try {
      CharBuffer decoded = StandardCharsets.UTF_8.newDecoder().decode(bytes.slice(0, length));
      char[] pin = new char[decoded.remaining()];
      decoded.get(pin);
      Arrays.fill(decoded.array(), '\0');
      return pin;
    } catch (CharacterCodingException e) {
      throw new KeyUnavailableException(
          Reason.MISSING, "the file " + file + " holds no text in UTF-8", e);
    }
  }

  private static void warnOfReaders(Path file) throws IOException {
    if (!file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      return;
    }
    Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
    if (permissions.contains(PosixFilePermission.GROUP_READ)
        || permissions.contains(PosixFilePermission.OTHERS_READ)) {
      LOG.warn("others can read {}, which has the PIN of the token: set its mode to 0600", file);
    }
  }
}
