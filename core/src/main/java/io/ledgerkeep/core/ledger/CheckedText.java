package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.Crc32c;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Small files of text in a ledger's directory that everybody can read: a first line that says what
 * it is, lines, and a checksum over all of them in the last one.
 */
final class CheckedText {

  private CheckedText() {}

  /** Replaces the file; durable when it returns. */
  static void write(Path file, List<String> lines) {
    String text = String.join("\n", lines) + "\n";
    SmallFile.replaceDurably(
        file, (text + checksumLine(text) + "\n").getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Returns the lines before the checksum.
   *
   * @param firstWords how the first line begins, whatever the version
   * @param firstLine the first line of the version that is known
   */
  static List<String> read(Path file, String firstWords, String firstLine) {
    String text = text(file);
    List<String> lines = text.lines().toList();
    String first = lines.isEmpty() ? "" : lines.get(0);
    if (!first.equals(firstLine) && first.startsWith(firstWords)) {
      throw new UnsupportedFormatException(
          "%s begins with '%s'; this release knows '%s'".formatted(file, first, firstLine));
    }
    String last = lines.isEmpty() ? "" : lines.get(lines.size() - 1);
    if (!first.equals(firstLine)
        || !text.endsWith(last + "\n")
        || !last.equals(checksumLine(text.substring(0, text.length() - last.length() - 1)))) {
      throw new IntegrityException(file + " does not fit its checksum; restore it from a copy");
    }
    return lines.subList(0, lines.size() - 1);
  }

  /** Turns the lines before the checksum into what they say. */
  interface Format<T> {
    T of(List<String> lines);
  }

  /** Returns what the file says, or empty where it is not there. */
  static <T> Optional<T> readIfThere(
      Path file, String firstWords, String firstLine, Format<T> format) {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    List<String> lines = read(file, firstWords, firstLine);
    try {
      return Optional.of(format.of(lines));
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      throw new IntegrityException(file + " fits its checksum and no format", e);
    }
  }

  /** Returns whether the file is there and its first line is the given one. */
  static boolean beginsWith(Path file, String firstLine) {
    return Files.exists(file) && text(file).startsWith(firstLine + "\n");
  }

  /** Removes the file, if it is there; durable when it returns. */
  static void remove(Path file) {
    try {
      Files.deleteIfExists(file);
      Path directory = file.resolve("..").normalize();
      if (Files.exists(directory)) {
        SmallFile.syncDirectory(directory);
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot remove " + file, e);
    }
  }

  private static String text(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw SmallFile.failed("cannot read " + file, e);
    }
  }

  private static String checksumLine(String text) {
    return "crc32c %08x".formatted(Crc32c.of(Bytes.ofUtf8(text)));
  }
}
