package io.ledgerkeep.cli.interchange;

import io.ledgerkeep.Bytes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * Takes the tokens of one JSON line after the other from a stream: the few that the interchange
 * format needs, and no lenience. A line break is no white space here, as it ends the block.
 */
final class JsonScanner {

  /** Divisible by 4, so that a full buffer of base64 needs no carry; small enough for any heap. */
  private static final int BUFFER_BYTES = 64 << 10;

  private static final int END = -1;
  private static final String NOT_BASE64 = "not base64 in its canonical form, with padding";

  private final InputStream in;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private int position;
  private int limit;

  JsonScanner(InputStream in) {
    this.in = in;
  }

  /** Returns whether the input has ended. */
  boolean atEnd() throws IOException {
    return position == limit && !fill();
  }

  /** Passes over white space, then returns the next byte without taking it, or -1 at the end. */
  int peek() throws IOException {
    while (!atEnd()) {
      byte next = buffer[position];
      if (next != ' ' && next != '\t' && next != '\r') {
        return next & 0xff;
      }
      position++;
    }
    return END;
  }

  /** Takes the byte if it comes next. */
  boolean takeIf(char expected) throws IOException {
    if (peek() != expected) {
      return false;
    }
    position++;
    return true;
  }

  void expect(char expected) throws IOException, Malformed {
    if (!takeIf(expected)) {
      throw new Malformed("expected '" + expected + "', found " + shown(peek()));
    }
  }

  /** Takes the line break, or the end of the input instead of it. */
  void endOfLine() throws IOException, Malformed {
    if (peek() != END && !takeIf('\n')) {
      throw new Malformed("expected the end of the line, found " + shown(peek()));
    }
  }

  /** Takes {@code null} if it comes next. */
  boolean takeNull() throws IOException, Malformed {
    if (peek() != 'n') {
      return false;
    }
    for (char c : "null".toCharArray()) {
      if (next() != c) {
        throw new Malformed("expected null");
      }
    }
    return true;
  }

  /** Takes a whole number that is not negative and has no leading zeros. */
  long wholeNumber() throws IOException, Malformed {
    StringBuilder digits = new StringBuilder();
    for (int c = peek(); c >= '0' && c <= '9' && digits.length() < 20; c = here()) {
      digits.append((char) c);
      position++;
    }
    int after = here();
    boolean leadingZero = digits.length() > 1 && digits.charAt(0) == '0';
    if (digits.isEmpty() || leadingZero || ".eE".indexOf(after) >= 0) {
      throw new Malformed(
          "expected a whole number"
              + (digits.isEmpty()
                  ? ", found " + shown(after)
                  : " without sign, point or exponent"));
    }
    try {
      return Long.parseLong(digits.toString());
    } catch (NumberFormatException e) {
      throw new Malformed("the number is too large", e);
    }
  }

  /** Takes a text of at most the given number of bytes. */
  String text(int maxBytes) throws IOException, Malformed {
    openQuote();
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    while (true) {
      int run = plainRun();
      text.write(buffer, position, run);
      position += run;
      if (text.size() > maxBytes) {
        throw new Malformed("the text is longer than " + maxBytes + " bytes");
      }
      if (run == 0 && takeQuoteOrEscape(text)) {
        return utf8(text.toByteArray());
      }
    }
  }

  /** Returns how many of the bytes at hand stand for themselves within a text. */
  private int plainRun() throws IOException, Malformed {
    requireMore();
    int end = position;
    while (end < limit
        && (buffer[end] & 0xff) >= 0x20
        && buffer[end] != '"'
        && buffer[end] != '\\') {
      end++;
    }
    return end - position;
  }

  /** Takes the closing quote and returns true, or takes an escape and returns false. */
  private boolean takeQuoteOrEscape(ByteArrayOutputStream text) throws IOException, Malformed {
    int c = next();
    if (c == '"') {
      return true;
    }
    if (c != '\\') {
      throw new Malformed("a control character must be escaped within a text");
    }
    text.writeBytes(escape().getBytes(StandardCharsets.UTF_8));
    return false;
  }

  private String escape() throws IOException, Malformed {
    int c = next();
    return switch (c) {
      case '"', '\\', '/' -> String.valueOf((char) c);
      case 'b' -> "\b";
      case 'f' -> "\f";
      case 'n' -> "\n";
      case 'r' -> "\r";
      case 't' -> "\t";
      case 'u' -> unicodeEscape();
      default -> throw new Malformed("unknown escape " + shown(c) + " within a text");
    };
  }

  private String unicodeEscape() throws IOException, Malformed {
    char first = fourHexDigits();
    if (!Character.isSurrogate(first)) {
      return String.valueOf(first);
    }
    if (Character.isHighSurrogate(first) && next() == '\\' && next() == 'u') {
      char second = fourHexDigits();
      if (Character.isLowSurrogate(second)) {
        return new String(new char[] {first, second});
      }
    }
    throw new Malformed("half a surrogate pair within a text");
  }

  private char fourHexDigits() throws IOException, Malformed {
    int value = 0;
    for (int i = 0; i < 4; i++) {
      int c = next();
      int digit = c < 0x80 ? Character.digit(c, 16) : -1;
      if (digit < 0) {
        throw new Malformed("\\u needs four hexadecimal digits");
      }
      value = value << 4 | digit;
    }
    return (char) value;
  }

  private static String utf8(byte[] bytes) throws Malformed {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new Malformed("the text is not valid UTF-8", e);
    }
  }

  /**
   * Takes base64 of at most the given number of decoded bytes. A long one is decoded buffer by
   * buffer, so that neither its text nor more than one copy of the bytes is held for long.
   */
  Bytes base64(long maxBytes) throws IOException, Malformed {
    openQuote();
    List<byte[]> parts = new ArrayList<>();
    long size = 0;
    while (true) {
      keepAQuantum();
      int length = base64Run();
      boolean last = buffer[position + length] == '"';
      byte[] part = decode(length, last);
      size += part.length;
      if (size > maxBytes) {
        throw new Malformed("longer than the limit of " + maxBytes + " bytes");
      }
      position += length;
      if (last) {
        position++;
        return parts.isEmpty() ? Bytes.wrap(part) : joined(parts, part, (int) size);
      }
      parts.add(part);
    }
  }

  /** Returns how many of the bytes at hand to decode: up to the quote, else whole quanta. */
  private int base64Run() throws Malformed {
    int end = position;
    while (end < limit && buffer[end] != '"') {
      end++;
    }
    int length = end - position;
    if (end < limit) {
      return length;
    }
    // The byte after the run is looked at, and must be at hand.
    int whole = (length - 1) / 4 * 4;
    if (whole <= 0) {
      throw endedEarly();
    }
    return whole;
  }

  private byte[] decode(int length, boolean last) throws Malformed {
    byte[] decoded;
    try {
      ByteBuffer result = Base64.getDecoder().decode(ByteBuffer.wrap(buffer, position, length));
      decoded =
          result.remaining() == result.array().length
              ? result.array()
              : Arrays.copyOf(result.array(), result.remaining());
    } catch (IllegalArgumentException e) {
      throw new Malformed(NOT_BASE64, e);
    }
    if (length % 4 != 0 || !isCanonical(decoded, length, last)) {
      throw new Malformed(NOT_BASE64);
    }
    return decoded;
  }

  /** Padding may stand at the very end only, and the bits that it cuts off must be zero. */
  private boolean isCanonical(byte[] decoded, int length, boolean last) {
    int odd = decoded.length % 3;
    if (odd == 0 || !last) {
      return odd == 0;
    }
    byte[] tail = Arrays.copyOfRange(decoded, decoded.length - odd, decoded.length);
    int end = position + length;
    return Arrays.equals(
        Base64.getEncoder().encode(tail), Arrays.copyOfRange(buffer, end - 4, end));
  }

  private static Bytes joined(List<byte[]> parts, byte[] last, int size) {
    byte[] all = new byte[size];
    int at = 0;
    for (byte[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    System.arraycopy(last, 0, all, at, last.length);
    return Bytes.wrap(all);
  }

  /** Brings at least a quantum and the byte after it to hand, if there are as many. */
  private void keepAQuantum() throws IOException {
    if (limit - position <= 4) {
      System.arraycopy(buffer, position, buffer, 0, limit - position);
      limit -= position;
      position = 0;
    }
    while (limit - position <= 4) {
      int read = in.read(buffer, limit, buffer.length - limit);
      if (read < 0) {
        return;
      }
      limit += read;
    }
  }

  private void openQuote() throws IOException, Malformed {
    if (!takeIf('"')) {
      throw new Malformed("expected a text in quotes, found " + shown(peek()));
    }
  }

  private int next() throws IOException, Malformed {
    requireMore();
    return buffer[position++] & 0xff;
  }

  private int here() throws IOException {
    return atEnd() ? END : buffer[position] & 0xff;
  }

  private void requireMore() throws IOException, Malformed {
    if (atEnd()) {
      throw endedEarly();
    }
  }

  private static Malformed endedEarly() {
    return new Malformed("the input ends in the middle of a text");
  }

  private boolean fill() throws IOException {
    position = 0;
    limit = Math.max(0, in.read(buffer, 0, buffer.length));
    return limit > 0;
  }

  private static String shown(int c) {
    return switch (c) {
      case END -> "the end of the input";
      case '\n' -> "the end of the line";
      case 0xef -> "a byte order mark or other text";
      default -> c > 0x20 && c < 0x7f ? "'" + (char) c + "'" : String.format("byte 0x%02x", c);
    };
  }
}
