package io.ledgerkeep.core.audit;

import com.google.common.hash.Hashing;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.core.sealing.ArchiveKey;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Appends to the audit file of a ledger, which lies beside its block database. Each line has the
 * SHA-256 of the one before ({@code previous}) and, where the ledger has keys, an authentication
 * code of what precedes it ({@code key}, {@code mac}). For the owner of the ledger; serves any
 * number of threads.
 */
public final class AuditLog {

  /** The name of the file. */
  public static final String FILE = "audit.log";

  /** The job and the event of a line that says that lines before it are missing. */
  static final String JOB = "audit";

  static final String BROKEN = "broken";

  static final String PREVIOUS = "previous";
  static final String KEY = ",key=";
  static final String MAC = ",mac=";

  /** What the first line follows. */
  static final String NOTHING = "0".repeat(64);

  static final int MAX_LINE_BYTES = 64 << 10;

  /** Enough for some thousand jobs. */
  private static final int TAIL_BYTES = 1 << 20;

  private final Path file;
  private final ArchiveKeys keys;
  private final Clock clock;

  /**
   * Makes the log of a ledger; reads and writes nothing yet.
   *
   * @param home the directory of the block database
   * @param keys what it is authenticated with; all archive keys of the ledger
   */
  public AuditLog(Path home, ArchiveKeys keys, Clock clock) {
    this.file = home.resolve(FILE);
    this.keys = keys;
    this.clock = clock;
  }

  /**
   * What a line leaves behind: by it whoever has it kept knows whether the file still has the line.
   *
   * @param number the number of the line
   * @param digest the SHA-256 of the line
   */
  public record Mark(long number, String digest) {

    /** Returns the mark as it is kept. */
    public Bytes encode() {
      return new ByteWriter(40).u64(number).raw(Bytes.fromHex(digest)).take();
    }

    /** Returns the mark that was kept. */
    public static Mark decode(Bytes kept) {
      ByteReader in = new ByteReader(kept, "the mark of the audit file");
      Mark mark = new Mark(in.u64(), in.raw(32).hex());
      in.end();
      return mark;
    }
  }

  /**
   * Appends a line; it is durable when the call returns.
   *
   * @param fields what it tells; its number and its place in the chain are added
   */
  public synchronized Mark append(
      String level, String job, String event, Map<String, String> fields) {
    try {
      Files.createDirectories(home());
      boolean isNew = !isThere();
      try (FileChannel channel =
          FileChannel.open(
              file,
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              LinkOption.NOFOLLOW_LINKS)) {
        End end = end(channel);
        long number = end.number() + 1;
        Map<String, String> all = new LinkedHashMap<>();
        all.put(AuditLine.NUMBER, Long.toString(number));
        all.putAll(fields);
        all.put(PREVIOUS, end.digest());
        AuditLine line =
            new AuditLine(level, clock.instant().truncatedTo(ChronoUnit.MICROS), job, event, all);
        String text = authenticated(line.text());
        write(channel, end.position(), text + "\n");
        if (isNew) {
          SmallFile.syncDirectory(home());
        }
        return new Mark(number, digest(text.getBytes(StandardCharsets.UTF_8)));
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot write what is done into " + file, e);
    }
  }

  /** A link would have another file written, and a pipe would have everybody wait. */
  private boolean isThere() {
    return isThere(file);
  }

  static boolean isThere(Path file) {
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)
        && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      throw new IntegrityException(
          file + " is no regular file, as an audit file is: put the file back, or move it away");
    }
    return Files.exists(file, LinkOption.NOFOLLOW_LINKS);
  }

  private Path home() {
    return file.resolveSibling(".").normalize();
  }

  private String authenticated(String line) {
    Optional<ArchiveKey> key =
        keys.all().stream().reduce((older, newer) -> newer); // a foreign encryptor has none
    return key.map(by -> line + KEY + by.number() + MAC + mac(by, line + KEY + by.number()))
        .orElse(line);
  }

  static String mac(ArchiveKey key, String line) {
    return key.auditMac(Bytes.ofUtf8(line)).hex();
  }

  static String digest(byte[] line) {
    return Hashing.sha256().hashBytes(line).toString();
  }

  private static void write(FileChannel channel, long position, String text) throws IOException {
    try {
      channel.truncate(position); // a line that a crash has cut was never told to be there
      ByteBuffer buffer = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
      for (long at = position; buffer.hasRemaining(); ) {
        at += channel.write(buffer, at);
      }
      channel.force(true);
    } catch (IOException e) {
      try {
        channel.truncate(position);
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  /** Where the next line goes, and what it follows. */
  private record End(long position, long number, String digest) {}

  private End end(FileChannel channel) throws IOException {
    Tail tail = tail(channel);
    long cut = channel.size() - tail.end();
    if (cut > MAX_LINE_BYTES) {
      throw new IntegrityException(
          "%s ends with %s bytes that are no line: put the file back, or move it away"
              .formatted(file, cut));
    }
    if (tail.lines().isEmpty()) {
      return new End(tail.end(), 0, NOTHING);
    }
    long number = 0;
    for (int i = tail.lines().size() - 1; i >= 0 && number == 0; i--) {
      number = AuditLine.parse(tail.lines().get(i)).map(AuditLine::number).orElse(0L);
    }
    String last = tail.lines().get(tail.lines().size() - 1);
    return new End(tail.end(), number, digest(last.getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * The newest part of the file.
   *
   * @param end where the last whole line ends
   */
  private record Tail(List<String> lines, long end) {}

  private static Tail tail(FileChannel channel) throws IOException {
    long size = channel.size();
    long start = Math.max(0, size - TAIL_BYTES);
    ByteBuffer buffer = ByteBuffer.allocate((int) (size - start));
    while (buffer.hasRemaining() && channel.read(buffer, start + buffer.position()) >= 0) {
      // until all of it is there
    }
    byte[] bytes = buffer.array();
    int end = buffer.position();
    while (end > 0 && bytes[end - 1] != '\n') {
      end--;
    }
    List<String> lines = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < end; i++) {
      if (bytes[i] == '\n') {
        if (from > 0 || start == 0) { // else it may be the rest of a line
          lines.add(new String(bytes, from, i - from, StandardCharsets.UTF_8));
        }
        from = i + 1;
      }
    }
    return new Tail(lines, start + end);
  }

  /** Returns the newest lines, the oldest of them first; what is none is left out. */
  public synchronized List<AuditLine> newest() {
    return lines().stream().map(AuditLine::parse).flatMap(Optional::stream).toList();
  }

  private List<String> lines() {
    if (!isThere()) {
      return List.of();
    }
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
      return tail(channel).lines();
    } catch (IOException e) {
      throw SmallFile.failed("cannot read " + file, e);
    }
  }

  /** Returns what the newest line leaves behind, if it tells of an end. */
  public synchronized Optional<Mark> lastEnd() {
    List<String> lines = lines();
    if (lines.isEmpty()) {
      return Optional.empty();
    }
    String line = lines.get(lines.size() - 1);
    return AuditLine.parse(line)
        .filter(read -> !read.event().equals(AuditLine.BEGUN))
        .map(read -> new Mark(read.number(), digest(line.getBytes(StandardCharsets.UTF_8))));
  }

  /**
   * Where the file has not the line that is known to have been there, appends a line that says so:
   * what follows would hide it.
   */
  public synchronized void requireFollows(Mark kept) {
    boolean isThere =
        lines().stream()
            .anyMatch(line -> digest(line.getBytes(StandardCharsets.UTF_8)).equals(kept.digest()));
    if (!isThere) {
      append(
          "error",
          JOB,
          BROKEN,
          Map.of(
              "message", "line %s that the ledger knows of is not here".formatted(kept.number())));
    }
  }

  /**
   * Returns what is wrong with the file; nothing where it is as it was written.
   *
   * @param kept the newest line that is known to have been there, if one is
   */
  public synchronized List<String> findings(Optional<Mark> kept) {
    return new AuditCheck(file, keys, kept).run();
  }
}
