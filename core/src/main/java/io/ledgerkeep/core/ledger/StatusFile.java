package io.ledgerkeep.core.ledger;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.ledgerkeep.Ledger.Jobs.Total;
import io.ledgerkeep.LedgerStatus;
import io.ledgerkeep.core.audit.JobBook;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.job.Progress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file {@code status.json}, which tells other processes how the ledger stands while this one
 * owns it. Replaced whole, for commits at most once a second; a failure to write it is no failure
 * of the ledger.
 */
final class StatusFile {

  private static final Logger LOG = LoggerFactory.getLogger(StatusFile.class);
  private static final long MIN_NANOS = 1_000_000_000L;

  private final Path file;
  private final Instant since = Instant.now();
  private long writtenAt = System.nanoTime() - MIN_NANOS;
  private boolean ended;

  StatusFile(Path directory) {
    this.file = directory.resolve("status.json");
  }

  /** Returns whether the last writing is so long ago that the next one is due. */
  synchronized boolean isDue() {
    return System.nanoTime() - writtenAt >= MIN_NANOS;
  }

  /** Writes how it stands; nothing once it was written that the ledger is closed. */
  synchronized void write(
      LedgerStatus status, Optional<LedgerKeys> keys, JobBook jobs, boolean open) {
    if (ended) {
      return;
    }
    ended = !open;
    writtenAt = System.nanoTime();
    try {
      SmallFile.replace(file, json(status, keys, jobs, open));
    } catch (IOException e) {
      LOG.debug("cannot write {}: {}", file, e.toString());
    }
  }

  private byte[] json(LedgerStatus status, Optional<LedgerKeys> keys, JobBook jobs, boolean open)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
      json.writeStartObject();
      json.writeBooleanField("open", open);
      json.writeNumberField("pid", ProcessHandle.current().pid());
      json.writeStringField("since", since.toString());
      json.writeStringField("written", Instant.now().toString());
      json.writeStringField("chainId", status.chainId());
      json.writeStringField("ledgerId", status.ledgerId());
      json.writeStringField("genesisHash", status.genesisHash().hex());
      json.writeStringField("digest", status.digest());
      json.writeNumberField("formatVersion", status.formatVersion());
      json.writeStringField("compatibilityVersion", status.compatibilityVersion());
      json.writeNumberField("height", status.height());
      json.writeNumberField("archivedHeight", status.archivedHeight());
      json.writeNumberField("highestArchivableHeight", status.highestArchivableHeight());
      json.writeNumberField("unarchivedBlocks", status.unarchivedBlocks());
      json.writeNumberField("derivedThrough", status.derivedThrough());
      json.writeBooleanField("readThrough", status.readThrough());
      json.writeStringField("encryption", status.encryption());
      json.writeStringField("archivePlace", status.archivePlace());
      json.writeStringField("job", status.job());
      writeJobs(json, status, jobs);
      json.writeObjectFieldStart("bytesOnDisk");
      for (var size : new java.util.TreeMap<>(status.bytesOnDisk()).entrySet()) {
        json.writeNumberField(size.getKey().lowerCaseName(), size.getValue());
      }
      json.writeEndObject();
      if (keys.isPresent()) {
        writeKeys(json, keys.get());
      }
      json.writeEndObject();
    }
    return out.toByteArray();
  }

  private static void writeJobs(JsonGenerator json, LedgerStatus status, JobBook jobs)
      throws IOException {
    writeTime(json, "lastBackup", status.lastBackup());
    writeTime(json, "lastVerification", status.lastVerification());
    Optional<Progress> progress = jobs.progress();
    if (progress.isPresent()) {
      json.writeObjectFieldStart("jobProgress");
      json.writeStringField("phase", progress.get().phase());
      json.writeNumberField("doneBlocks", progress.get().doneBlocks());
      json.writeNumberField("totalBlocks", progress.get().totalBlocks());
      json.writeNumberField("bytes", progress.get().bytes());
      json.writeEndObject();
    }
    json.writeObjectFieldStart("jobsEnded");
    for (Total total : jobs.totals()) {
      json.writeObjectFieldStart(
          total.name() + " " + total.state().name().toLowerCase(Locale.ROOT));
      json.writeNumberField("count", total.count());
      json.writeNumberField("millis", total.elapsed().toMillis());
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private static void writeTime(JsonGenerator json, String name, Optional<Instant> time)
      throws IOException {
    if (time.isPresent()) {
      json.writeStringField(name, time.get().toString());
    }
  }

  /** What is not there has no limit yet, or none at all. */
  private static void writeKeys(JsonGenerator json, LedgerKeys keys) throws IOException {
    Optional<LedgerKeys.Budget> budget = keys.budget();
    if (budget.isPresent()) {
      json.writeObjectFieldStart("keyBudget");
      json.writeNumberField("values", budget.get().values());
      json.writeNumberField("bytes", budget.get().bytes());
      json.writeStringField("until", budget.get().until().toString());
      json.writeEndObject();
    }
    for (LedgerKeys.DirectKey key : keys.directKeys()) {
      if (key.inUse()) {
        json.writeObjectFieldStart("deviceCalls");
        json.writeNumberField("leased", key.leasedCalls());
        json.writeNumberField("left", key.leftCalls());
        json.writeEndObject();
      }
    }
  }
}
