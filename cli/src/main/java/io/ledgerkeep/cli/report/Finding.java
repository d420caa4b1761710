package io.ledgerkeep.cli.report;

import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What an examination found, on one line.
 *
 * @param severity how bad it is
 * @param subject what it is about, such as a file
 * @param what the finding, in words
 */
public record Finding(Severity severity, String subject, String what) {

  /** How bad a finding is, from the least on. */
  public enum Severity {
    /** Worth knowing; nothing has to be done. */
    NOTE,
    /** Something is to be done, or could not be looked at. */
    WARNING,
    /** Not as it must be. */
    WRONG
  }

  /** Returns a finding that nothing has to be done about. */
  public static Finding note(String subject, String what) {
    return new Finding(Severity.NOTE, subject, what);
  }

  /** Returns a finding of something to be done. */
  public static Finding warning(String subject, String what) {
    return new Finding(Severity.WARNING, subject, what);
  }

  /** Returns a finding of something that is not as it must be. */
  public static Finding wrong(String subject, String what) {
    return new Finding(Severity.WRONG, subject, what);
  }

  /** Returns the worst of the findings; a note where there is none. */
  public static Severity worst(Collection<Finding> findings) {
    return findings.stream()
        .map(Finding::severity)
        .max(Comparator.naturalOrder())
        .orElse(Severity.NOTE);
  }

  private String severityName() {
    return severity.name().toLowerCase(Locale.ROOT);
  }

  /** Returns the line for people. */
  public String line() {
    return severityName() + ": " + subject + ": " + what;
  }

  /** Returns the fields for programs. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("severity", severityName());
    json.put("subject", subject);
    json.put("what", what);
    return json;
  }
}
