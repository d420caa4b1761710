package io.ledgerkeep.cli;

import io.ledgerkeep.Database;
import io.ledgerkeep.LedgerStatus;
import io.ledgerkeep.Ledgerkeep.Maintenance;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.error.ConflictException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;

@Command(
    name = "status",
    description = {
      "Shows identity, heights and sizes of the ledger of --data, or else of the archives at"
          + " --archive.",
      "While another process has the ledger, asks that process, or shows what it last wrote down."
    })
final class StatusCommand extends LedgerCommand {

  static final String STATUS_FILE = "status.json";

  @Override
  Outcome run(Settings settings) {
    return settings.hasData() ? ledger(settings) : archives(settings);
  }

  private static Outcome ledger(Settings settings) {
    try (MaintainedLedger open = OpenLedger.maintained(settings)) {
      Outcome outcome = Outcome.done().put("source", open.isElsewhere() ? "control" : "ledger");
      return table(outcome, fields(open.ledger()));
    } catch (ConflictException e) {
      if (e.reason() != ConflictException.Reason.LOCKED) {
        throw e;
      }
      return fromFile(settings, e);
    }
  }

  private static Outcome fromFile(Settings settings, ConflictException locked) {
    String owner = Failure.of(locked).message();
    Path file = settings.data().resolve(STATUS_FILE);
    Map<String, Object> written;
    try {
      written = Json.object(Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      throw locked;
    } catch (IOException e) {
      // What the parser says would show pieces of a file that nobody can read anyway.
      throw CommandException.locked(
          owner + "; what it wrote down in " + file + " cannot be read; stop it and ask again");
    }
    Outcome outcome = Outcome.done().put("source", STATUS_FILE).put("locked", owner);
    outcome.say(owner).say("it wrote down in " + STATUS_FILE + ":");
    return table(outcome, written);
  }

  private static Map<String, Object> fields(Maintenance ledger) {
    LedgerStatus status = ledger.status();
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("chainId", status.chainId());
    fields.put("ledgerId", status.ledgerId());
    fields.put("genesisHash", status.genesisHash().hex());
    fields.put("digest", status.digest());
    fields.put("encryption", status.encryption());
    fields.put("masterKey", ledger.keys().map(LedgerKeys::masterKey).orElse(""));
    fields.put("formatVersion", status.formatVersion());
    fields.put("compatibilityVersion", status.compatibilityVersion());
    fields.put("height", status.height());
    fields.put("archivedHeight", status.archivedHeight());
    fields.put("highestArchivableHeight", status.highestArchivableHeight());
    fields.put("unarchivedBlocks", status.unarchivedBlocks());
    fields.put("derivedThrough", status.derivedThrough());
    fields.put("readThrough", status.readThrough());
    fields.put("archivePlace", status.archivePlace());
    fields.put("job", status.job());
    status.lastBackup().ifPresent(at -> fields.put("lastBackup", at.toString()));
    status.lastVerification().ifPresent(at -> fields.put("lastVerification", at.toString()));
    fields.put("engines", byDatabase(status.engines()));
    fields.put("bytesOnDisk", byDatabase(status.bytesOnDisk()));
    return fields;
  }

  private static <T> Map<String, T> byDatabase(Map<Database, T> values) {
    Map<String, T> named = new LinkedHashMap<>();
    for (Database database : Database.values()) {
      T value = values.get(database);
      if (value != null) {
        named.put(database.lowerCaseName(), value);
      }
    }
    return named;
  }

  private static Outcome archives(Settings settings) {
    List<Map<String, Object>> found = new ArrayList<>();
    Outcome outcome = Outcome.done();
    for (String ledger : settings.archivedLedgers()) {
      try (Archive archive = settings.openArchive(ledger)) {
        found.add(fields(archive));
      }
    }
    found.forEach(fields -> say(outcome, fields));
    return outcome.put("archives", found);
  }

  private static Map<String, Object> fields(Archive archive) {
    List<Archive.Segment> segments = archive.segments();
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("place", archive.place());
    fields.put("ledger", archive.genesisHash().hex() + "/" + archive.ledgerId());
    fields.put("chainId", archive.chainId());
    if (archive.firstHeight() > 0) {
      fields.put("firstHeight", archive.firstHeight()); // the backup of a roll back
    }
    fields.put("lastHeight", archive.lastHeight());
    fields.put("segments", segments.size());
    if (!archive.retiredSegments().isEmpty()) {
      fields.put("retiredSegments", archive.retiredSegments().size());
    }
    fields.put("transactions", segments.stream().mapToLong(Archive.Segment::transactions).sum());
    fields.put("rawBytes", segments.stream().mapToLong(Archive.Segment::rawBytes).sum());
    fields.put("storedBytes", segments.stream().mapToLong(Archive.Segment::storedBytes).sum());
    return fields;
  }

  private static Outcome table(Outcome outcome, Map<String, Object> fields) {
    say(outcome, fields);
    return outcome.putAll(fields);
  }

  private static void say(Outcome outcome, Map<String, Object> fields) {
    fields.forEach(
        (name, value) -> outcome.say("%-26s%s".formatted(words(name), shown(name, value))));
  }

  /** Turns {@code archivedHeight} into {@code archived height}. */
  private static String words(String name) {
    return name.replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT);
  }

  private static String shown(String name, Object value) {
    if (value instanceof Map<?, ?> map) {
      List<String> parts = new ArrayList<>();
      map.forEach((key, part) -> parts.add(key + " " + shown(name, part)));
      return String.join(", ", parts);
    }
    boolean bytes = name.toLowerCase(Locale.ROOT).contains("bytes") && value instanceof Long;
    return bytes ? Units.bytes((Long) value) : String.valueOf(value);
  }
}
