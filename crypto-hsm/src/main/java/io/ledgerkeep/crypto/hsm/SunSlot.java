package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.error.ConfigurationException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AuthProvider;
import java.security.Provider;
import java.security.Security;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A slot with a token, and an instance of SunPKCS11 for it.
 *
 * <p>That provider takes the number of a slot, not the label of a token, and shows labels in the
 * report only that it prints when it is set up. So the report is caught and read; where it does not
 * say what we look for, no token is taken for the one that is meant.
 *
 * @param provider the instance
 * @param report what it printed
 */
record SunSlot(AuthProvider provider, String report) {

  private static final String PROVIDER = "SunPKCS11";
  private static final Pattern SLOTS = Pattern.compile("Slots with tokens: ([0-9, ]*)");
  private static final Pattern NUMBER = Pattern.compile("\\d+");

  /** What SunPKCS11 assumes where a token does not tell. */
  private static final int UNTOLD_SESSIONS = 32;

  /**
   * How the path of a library is spelt, where it has to be otherwise than it is. SunPKCS11
   * initializes a library once per spelling, so one that somebody finalized needs a new one.
   */
  private static final Map<Path, String> SPELLINGS = new ConcurrentHashMap<>();

  /**
   * Finds the token that is asked for.
   *
   * @throws ConfigurationException if several tokens fit, or there is no such library
   * @throws RouteException if the provider is not in this JVM, or does not tell what is needed
   * @throws TokenException if no token fits, or the library failed
   */
  static SunSlot find(TokenRequest request) {
    List<SunSlot> found = new ArrayList<>();
    Set<String> others = new TreeSet<>();
    TokenException failure = null;
    for (String number : numbers(request.library())) {
      try {
        SunSlot slot = configure(request.library(), "slot=" + number);
        if (slot.fits(request)) {
          found.add(slot);
        } else {
          others.add("'" + slot.label() + "' (serial " + slot.serial() + ")");
        }
      } catch (Unusable e) {
        failure = e.failure; // of a token that is perhaps not ours
      }
    }
    if (found.isEmpty() && failure != null && failure.code() != Ckr.TOKEN_NOT_RECOGNIZED) {
      throw failure; // the one of a token that was never set up tells nothing
    }
    if (found.size() > 1) {
      throw new ConfigurationException(
          found.size()
              + " tokens have the label '"
              + request.label()
              + "': say by option 'serial' which one is meant: "
              + String.join(", ", found.stream().map(SunSlot::serial).toList()));
    }
    if (found.isEmpty()) {
      throw new TokenException(
          Ckr.TOKEN_NOT_PRESENT,
          "the search of "
              + request.library()
              + ", which has "
              + (others.isEmpty() ? "no token at all" : "only " + String.join(", ", others)));
    }
    return found.get(0);
  }

  /**
   * Returns the numbers of the slots that have a token. The provider is asked for a place in the
   * list that there is not: it tells what there is, and fails, so that no instance is left over.
   */
  private static List<String> numbers(Path library) {
    try {
      configure(library, "slotListIndex=" + Integer.MAX_VALUE);
    } catch (Unusable e) {
      Matcher slots = SLOTS.matcher(e.report);
      if (slots.find()) {
        return NUMBER.matcher(slots.group(1)).results().map(MatchResult::group).toList();
      }
      if (SunErrors.hasCode(e)) {
        throw e.failure;
      }
      throw new ConfigurationException(
          "the library " + library + " cannot be used: " + SunErrors.innermost(e), e);
    }
    throw new RouteException("this JVM's SunPKCS11 does not tell which slots have tokens");
  }

  /** An instance that could not be set up, and what it printed before. */
  private static final class Unusable extends RuntimeException {

    private final String report;
    private final TokenException failure;

    Unusable(String report, TokenException failure) {
      super(failure);
      this.report = report;
      this.failure = failure;
    }
  }

  private static SunSlot configure(Path library, String slot) {
    if (!Files.isRegularFile(library)) {
      throw new ConfigurationException("there is no PKCS#11 library " + library);
    }
    String spelling = SPELLINGS.getOrDefault(library, library.toAbsolutePath().toString());
    try {
      return configure(spelling, slot);
    } catch (Unusable e) {
      if (e.failure.code() != Ckr.CRYPTOKI_NOT_INITIALIZED) {
        throw e;
      }
      String other = otherSpelling(spelling);
      SPELLINGS.put(library, other);
      return configure(other, slot);
    }
  }

  private static String otherSpelling(String path) {
    int name = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1;
    return path.substring(0, name) + "./" + path.substring(name);
  }

  private static SunSlot configure(String library, String slot) {
    Provider plain = Security.getProvider(PROVIDER);
    if (plain == null) {
      throw new RouteException("this JVM has no SunPKCS11 (module jdk.crypto.cryptoki)");
    }
    String configuration =
        "--name=ledgerkeep\nshowInfo=true\nlibrary=" + quoted(library) + "\n" + slot + "\n";
    StandardOutput.Caught<Provider> caught =
        StandardOutput.caught(() -> plain.configure(configuration));
    if (caught.failure().isPresent()) {
      Throwable failure = caught.failure().get();
      throw new Unusable(caught.lines(), SunErrors.of(failure, "the library " + library));
    }
    if (caught.result().orElse(null) instanceof AuthProvider provider) {
      return new SunSlot(provider, caught.lines());
    }
    throw new RouteException("this JVM's SunPKCS11 has no login");
  }

  /** Quoted as the provider reads it; it also replaces what looks like the name of a property. */
  private static String quoted(String library) {
    if (library.contains("\"") || library.contains("\n") || library.contains("${")) {
      throw new RouteException("SunPKCS11 cannot be given a path like " + library);
    }
    return "\"" + library.replace("\\", "\\\\") + "\"";
  }

  private boolean fits(TokenRequest request) {
    return label().equals(request.label()) && request.serial().map(serial()::equals).orElse(true);
  }

  private String label() {
    return field("label").orElse("");
  }

  private String serial() {
    return field("serialNumber").orElse("");
  }

  /** Returns what the report on the token says; the text in it has a character for each byte. */
  private Optional<String> field(String name) {
    Matcher line = Pattern.compile("^ *" + name + ": (.*)$", Pattern.MULTILINE).matcher(onToken());
    return line.find()
        ? Optional.of(
            new String(line.group(1).getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8)
                .replace('\0', ' ')
                .strip())
        : Optional.empty();
  }

  private String onToken() {
    int start = report.indexOf("Token info for token in slot");
    return start < 0 ? "" : report.substring(start);
  }

  boolean isPinLocked() {
    return field("flags").orElse("").contains("CKF_USER_PIN_LOCKED");
  }

  TokenInfo info(TokenRequest request) {
    String maker = field("manufacturerID").orElse("") + " " + field("model").orElse("");
    return new TokenInfo(
        SunToken.ROUTE,
        request.library().toString(),
        label(),
        serial(),
        maker.strip(),
        Math.min(request.sessions(), mostSessions()));
  }

  private int mostSessions() {
    String most = field("ulMaxRwSessionCount").orElse("");
    if (most.equals("CK_EFFECTIVELY_INFINITE")) {
      return Integer.MAX_VALUE;
    }
    return most.matches("[1-9]\\d{0,8}") ? Integer.parseInt(most) : UNTOLD_SESSIONS;
  }
}
