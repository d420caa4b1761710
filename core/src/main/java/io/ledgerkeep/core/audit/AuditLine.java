package io.ledgerkeep.core.audit;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A line of the audit file, in the form of the logs: {@code level|yyyy-MM-dd
 * HH:mm:ss.SSSSSS|[AUDIT][job]event,name=value,...}. Times are UTC. What would end a value or a
 * line is written as {@code %} and two hexadecimal digits for each byte.
 *
 * @param level {@code info}, {@code warning} or {@code error}
 * @param at when it was written
 * @param job what was done
 * @param event how far it was: {@link #BEGUN}, or how it ended
 * @param fields names, which are not escaped, and values
 */
public record AuditLine(
    String level, Instant at, String job, String event, Map<String, String> fields) {

  /** The event of a job that begins. */
  public static final String BEGUN = "begun";

  /** The name of the field that counts the lines. */
  public static final String NUMBER = "number";

  /** The name of the field with the number of the line that tells of the begin. */
  public static final String OF = "of";

  /** The name of the field that says who did it. */
  public static final String BY = "by";

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSSSSS", Locale.ROOT);
  private static final Pattern FORM =
      Pattern.compile("(\\w+)\\|([^|]+)\\|\\[AUDIT\\]\\[([^\\]]+)\\]([\\w-]+),([^|]*)");
  private static final Pattern ESCAPED = Pattern.compile("(?:%[0-9A-F]{2})+");
  private static final int MAX_VALUE = 1000;

  /** Returns the number of the line, or 0 where it has none. */
  public long number() {
    return number(NUMBER);
  }

  /** Returns the value of a field that counts, or 0 where it has none. */
  public long number(String name) {
    String value = fields.getOrDefault(name, "");
    return value.matches("[0-9]{1,18}") ? Long.parseLong(value) : 0;
  }

  /** Returns what the line tells of the job itself. */
  public Map<String, String> told() {
    Map<String, String> told = new LinkedHashMap<>(fields);
    List.of(NUMBER, OF, BY, "previous", "key", "mac").forEach(told::remove);
    return told;
  }

  /** Returns the text of the line. */
  String text() {
    StringBuilder text =
        new StringBuilder(level)
            .append('|')
            .append(TIME.format(LocalDateTime.ofInstant(at, ZoneOffset.UTC)))
            .append("|[AUDIT][")
            .append(job)
            .append(']')
            .append(event);
    fields.forEach(
        (name, value) -> text.append(',').append(name).append('=').append(escape(value)));
    return text.toString();
  }

  /** Returns the line that a text is, or nothing where it is none. */
  public static Optional<AuditLine> parse(String text) {
    Matcher parts = FORM.matcher(text);
    if (!parts.matches()) {
      return Optional.empty();
    }
    Map<String, String> fields = new LinkedHashMap<>();
    for (String field : parts.group(5).split(",", -1)) {
      int end = field.indexOf('=');
      if (end < 1
          || fields.put(field.substring(0, end), unescape(field.substring(end + 1))) != null) {
        return Optional.empty();
      }
    }
    try {
      Instant at = LocalDateTime.parse(parts.group(2), TIME).toInstant(ZoneOffset.UTC);
      return Optional.of(new AuditLine(parts.group(1), at, parts.group(3), parts.group(4), fields));
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  private static String escape(String value) {
    StringBuilder escaped = new StringBuilder();
    value
        .codePoints()
        .limit(MAX_VALUE)
        .forEach(
            c -> {
              if (isPlain(c)) {
                escaped.appendCodePoint(c);
              } else {
                for (byte b : Character.toString(c).getBytes(StandardCharsets.UTF_8)) {
                  escaped.append("%%%02X".formatted(b));
                }
              }
            });
    return escaped.toString();
  }

  /** Letters of all languages stay, as who reads it may know them. */
  private static boolean isPlain(int c) {
    return c < 0x7F ? c >= ' ' && "%,=|".indexOf(c) < 0 : Character.isLetterOrDigit(c);
  }

  private static String unescape(String value) {
    return ESCAPED
        .matcher(value)
        .replaceAll(
            found -> {
              String digits = found.group().replace("%", "");
              byte[] bytes = io.ledgerkeep.Bytes.fromHex(digits.toLowerCase(Locale.ROOT)).toArray();
              return Matcher.quoteReplacement(new String(bytes, StandardCharsets.UTF_8));
            });
  }
}
