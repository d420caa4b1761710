package io.ledgerkeep.core.audit;

import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.core.sealing.ArchiveKey;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads an audit file from the first line to the last; in constant memory. For one thread. */
final class AuditCheck {

  /** Where one line was changed, those after it follow by themselves. */
  private static final int MAX_FINDINGS = 10;

  private static final Pattern SEAL = Pattern.compile("(.*,key=([0-9]{1,9})),mac=([0-9a-f]+)");

  private final Path file;
  private final ArchiveKeys keys;
  private final Optional<AuditLog.Mark> kept;
  private final List<String> findings = new ArrayList<>();
  private String previous = AuditLog.NOTHING;
  private long lines;
  private int newestKey;

  AuditCheck(Path file, ArchiveKeys keys, Optional<AuditLog.Mark> kept) {
    this.file = file;
    this.keys = keys;
    this.kept = kept;
  }

  List<String> run() {
    if (AuditLog.isThere(file)) {
      try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
        while (findings.size() < MAX_FINDINGS && next(in)) {
          // line by line
        }
      } catch (IOException e) {
        throw SmallFile.failed("cannot read " + file, e);
      }
    }
    kept.filter(mark -> mark.number() > lines && findings.size() < MAX_FINDINGS)
        .ifPresent(
            mark ->
                found(
                    "it has %s lines, and the ledger knows of line %s: it was cut, removed, or is an older copy"
                        .formatted(lines, mark.number())));
    return findings;
  }

  /** Returns whether there was a line; one without an end was cut by a crash. */
  private boolean next(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        return false;
      }
      if (line.size() == AuditLog.MAX_LINE_BYTES) {
        found("line %s is too long".formatted(lines + 1));
        return false;
      }
      line.write(b);
    }
    lines++;
    look(line.toString(StandardCharsets.UTF_8));
    previous = AuditLog.digest(line.toByteArray());
    if (kept.filter(m -> m.number() == lines && !m.digest().equals(previous)).isPresent()) {
      found("line %s is not the one that the ledger knows of".formatted(lines));
    }
    return true;
  }

  private void look(String text) {
    Optional<AuditLine> line = AuditLine.parse(text);
    if (line.isEmpty()) {
      found("line %s is not in the form of a line".formatted(lines));
      return;
    }
    if (line.get().job().equals(AuditLog.JOB) && line.get().event().equals(AuditLog.BROKEN)) {
      found(
          "line %s says that lines before it are missing since %s: %s"
              .formatted(lines, line.get().at(), line.get().told().getOrDefault("message", "")));
    }
    if (line.get().number() != lines
        || !previous.equals(line.get().fields().getOrDefault(AuditLog.PREVIOUS, ""))) {
      found(
          "line %s does not follow the line before it: lines were changed, removed or put in"
              .formatted(lines));
    }
    if (!keys.all().isEmpty()) {
      lookAtSeal(text);
    }
  }

  private void lookAtSeal(String text) {
    Matcher seal = SEAL.matcher(text);
    if (!seal.matches()) {
      found(
          "line %s has no authentication code: it was not written by this ledger".formatted(lines));
      return;
    }
    int number = Integer.parseInt(seal.group(2));
    Optional<ArchiveKey> key = keys.all().stream().filter(k -> k.number() == number).findFirst();
    boolean fits =
        key.isPresent()
            && MessageDigest.isEqual(
                AuditLog.mac(key.get(), seal.group(1)).getBytes(StandardCharsets.US_ASCII),
                seal.group(3).getBytes(StandardCharsets.US_ASCII));
    if (number < newestKey) {
      found(
          "line %s is under archive key %s, and lines before it are under a newer one"
              .formatted(lines, number));
    }
    newestKey = Math.max(newestKey, number);
    if (!fits) {
      found("line %s does not fit its authentication code: it was changed".formatted(lines));
    }
  }

  private void found(String what) {
    findings.add(file + ": " + what);
  }
}
