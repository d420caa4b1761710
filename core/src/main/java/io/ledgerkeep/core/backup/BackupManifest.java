package io.ledgerkeep.core.backup;

import com.google.common.base.Splitter;
import com.google.common.hash.Hashing;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.core.backup.BackupHead.Parent;
import io.ledgerkeep.core.chain.ChainKeys;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/**
 * The manifest of a backup: a text that says what it is and names every file with its digest. The
 * last line is the digest of all lines before; in that of an encrypted ledger a seal stands before
 * it, which nobody makes without the keys.
 *
 * @param files in the order in which they are restored
 * @param seal sealed nothing, bound to the digest of the lines before it; empty in plain
 * @param digest SHA-256 of the whole text, by which the next backup names this one
 */
public record BackupManifest(
    BackupHead head, List<BackupFile> files, Optional<Bytes> seal, Bytes digest) {

  static final String NAME = "MANIFEST";

  /** The same of a backup that is being made: what it has so far. */
  static final String BEGUN = "BEGUN";

  private static final String FIRST_WORDS = "ledgerkeep backup ";
  private static final String FIRST_LINE = FIRST_WORDS + "1";
  private static final String NOTHING = "-";

  /** Copies the list. */
  public BackupManifest {
    files = List.copyOf(files);
  }

  static BackupManifest of(
      BackupHead head, List<BackupFile> files, BiFunction<Bytes, Bytes, Optional<Bytes>> sealing) {
    String body = body(head, files);
    Optional<Bytes> seal = sealing.apply(sealedKey(body), Bytes.EMPTY);
    return new BackupManifest(head, files, seal, sha256(whole(body, seal)));
  }

  /** Returns the key under which the seal is made; nothing lies there in any database. */
  public Bytes sealedKey() {
    return sealedKey(body(head, files));
  }

  private static Bytes sealedKey(String body) {
    return ChainKeys.record("backup " + sha256(body).hex());
  }

  /** Returns the size of all files. */
  public long bytes() {
    return files.stream().mapToLong(file -> file.totals().bytes()).sum();
  }

  /** Returns what all rows take when they are not compressed. */
  public long rawBytes() {
    return files.stream().mapToLong(file -> file.totals().rawBytes()).sum();
  }

  /** Returns how many rows there are. */
  public long rows() {
    return files.stream().mapToLong(file -> file.totals().rows()).sum();
  }

  // ------------------------------------------------------------------------------------ text

  /** Writes the text whole; durable when it returns. */
  void write(Path file) {
    SmallFile.replaceDurably(file, whole(body(head, files), seal).getBytes(StandardCharsets.UTF_8));
  }

  private static String whole(String body, Optional<Bytes> seal) {
    String text = body + seal.map(bytes -> "seal " + bytes.hex() + "\n").orElse("");
    return text + "sha256 " + sha256(text).hex() + "\n";
  }

  private static String body(BackupHead head, List<BackupFile> files) {
    BackedUpLedger ledger = head.ledger();
    Position position = head.position();
    List<String> lines = new ArrayList<>();
    lines.add(FIRST_LINE);
    lines.add("number " + head.number());
    lines.add(
        "parent "
            + head.parent()
                .map(parent -> parent.number() + " " + parent.digest().hex())
                .orElse(NOTHING));
    lines.add("created " + head.created());
    lines.add("chain " + escaped(ledger.chainId()));
    lines.add("ledger " + ledger.ledgerId().hex());
    lines.add("genesis " + hex(head.genesis()));
    lines.add("digest " + ledger.digest());
    lines.add("format " + ledger.formatVersion() + " " + ledger.compatibilityVersion());
    lines.add(
        "engines " + String.join(" ", Stream.of(Database.values()).map(ledger::engine).toList()));
    lines.add("encrypted " + (ledger.encrypted() ? "yes" : "no"));
    lines.add("datakeys " + numbers(head.dataKeys()));
    lines.add("height " + position.height() + " " + hex(position.hash()));
    lines.add("pivot " + position.pivot() + " " + position.sequence());
    if (!head.branch().isEmpty()) {
      lines.add("branch " + head.branch().hex());
    }
    lines.add("state " + (head.stateIncluded() ? "included" : "follows"));
    files.forEach(file -> lines.add("file " + file.line()));
    return String.join("\n", lines) + "\n";
  }

  private static String numbers(List<Integer> numbers) {
    return numbers.isEmpty()
        ? NOTHING
        : String.join(" ", numbers.stream().map(String::valueOf).toList());
  }

  private static String hex(Bytes bytes) {
    return bytes.isEmpty() ? NOTHING : bytes.hex();
  }

  /** A name may be any text, and a line must stay one. */
  private static String escaped(String text) {
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r");
  }

  private static Bytes sha256(String text) {
    return Bytes.wrap(Hashing.sha256().hashString(text, StandardCharsets.UTF_8).asBytes());
  }

  // ------------------------------------------------------------------------------------ read

  /**
   * Reads the text.
   *
   * @throws IntegrityException if it does not fit its digest
   * @throws UnsupportedFormatException if it is of another format
   */
  static BackupManifest read(Path file) {
    String text = text(file);
    List<String> lines = text.lines().toList();
    String first = lines.isEmpty() ? "" : lines.get(0);
    if (!first.equals(FIRST_LINE) && first.startsWith(FIRST_WORDS)) {
      throw new UnsupportedFormatException(
          "%s begins with '%s'; this release reads '%s': restore it with the release that made it, or one that reads it"
              .formatted(file, first, FIRST_LINE));
    }
    int lastLine = text.lastIndexOf('\n', text.length() - 2) + 1;
    String content = text.substring(0, lastLine);
    if (!first.equals(FIRST_LINE)
        || !text.substring(lastLine).equals("sha256 " + sha256(content).hex() + "\n")) {
      throw new IntegrityException(
          file + " does not fit its digest; put it back from a copy, or restore an earlier backup");
    }
    try {
      return parsed(new Lines(lines.subList(1, lines.size() - 1)), sha256(text));
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      throw new IntegrityException(file + " fits its digest and no format", e);
    }
  }

  private static String text(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw SmallFile.failed("cannot read " + file, e);
    }
  }

  private static BackupManifest parsed(Lines lines, Bytes digest) {
    int number = Integer.parseInt(lines.next("number"));
    Optional<Parent> parent = parent(lines.next("parent"));
    String created = lines.next("created");
    String chainId = lines.next("chain").translateEscapes();
    Bytes ledgerId = Bytes.fromHex(lines.next("ledger"));
    Bytes genesis = bytes(lines.next("genesis"));
    String ledgerDigest = lines.next("digest");
    String[] format = lines.next("format").split(" ", 2);
    Map<Database, String> engines = engines(lines.next("engines"));
    boolean encrypted = lines.next("encrypted").equals("yes");
    List<Integer> dataKeys = numbers(lines.next("datakeys"));
    String[] height = lines.next("height").split(" ", 2);
    String[] pivot = lines.next("pivot").split(" ", 2);
    Bytes branch = lines.isAt("branch") ? Bytes.fromHex(lines.next("branch")) : Bytes.EMPTY;
    boolean stateIncluded = lines.next("state").equals("included");
    List<BackupFile> files = new ArrayList<>();
    while (lines.isAt("file")) {
      files.add(BackupFile.of(lines.next("file")));
    }
    Optional<Bytes> seal =
        lines.isAt("seal") ? Optional.of(Bytes.fromHex(lines.next("seal"))) : Optional.empty();
    lines.requireEnd();
    BackedUpLedger ledger =
        new BackedUpLedger(
            chainId,
            ledgerId,
            ledgerDigest,
            Integer.parseInt(format[0]),
            format[1],
            encrypted,
            engines);
    Position position =
        new Position(
            Long.parseLong(height[0]),
            bytes(height[1]),
            Long.parseLong(pivot[0]),
            Long.parseLong(pivot[1]));
    BackupHead head =
        new BackupHead(
            number, parent, ledger, genesis, position, branch, stateIncluded, dataKeys, created);
    return new BackupManifest(head, files, seal, digest);
  }

  private static Optional<Parent> parent(String text) {
    if (text.equals(NOTHING)) {
      return Optional.empty();
    }
    String[] words = text.split(" ", 2);
    return Optional.of(new Parent(Integer.parseInt(words[0]), Bytes.fromHex(words[1])));
  }

  private static List<Integer> numbers(String text) {
    return text.equals(NOTHING)
        ? List.of()
        : Arrays.stream(text.split(" ", -1)).map(Integer::valueOf).toList();
  }

  private static Map<Database, String> engines(String text) {
    Iterator<String> names = Splitter.on(' ').split(text).iterator();
    Map<Database, String> engines = new EnumMap<>(Database.class);
    for (Database database : Database.values()) {
      if (!names.hasNext()) {
        throw new IllegalArgumentException("too few engines");
      }
      engines.put(database, names.next());
    }
    return engines;
  }

  private static Bytes bytes(String hex) {
    return hex.equals(NOTHING) ? Bytes.EMPTY : Bytes.fromHex(hex);
  }

  /** Lines of a word and the rest, which are taken one after the other. */
  private static final class Lines {

    private final List<String> lines;
    private int next;

    Lines(List<String> lines) {
      this.lines = lines;
    }

    boolean isAt(String word) {
      return next < lines.size() && lines.get(next).startsWith(word + " ");
    }

    String next(String word) {
      if (!isAt(word)) {
        throw new IllegalArgumentException("no line '" + word + "'");
      }
      return lines.get(next++).substring(word.length() + 1);
    }

    void requireEnd() {
      if (next < lines.size()) {
        throw new IllegalArgumentException("lines that nobody knows");
      }
    }
  }
}
