package io.ledgerkeep.core.ledger;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.ledgerkeep.LedgerStatus;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.encryption.LedgerKeys;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
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

  StatusFile(Path directory) {
    this.file = directory.resolve("status.json");
  }

  /** Returns whether the last writing is so long ago that the next one is due. */
  synchronized boolean isDue() {
    return System.nanoTime() - writtenAt >= MIN_NANOS;
  }

  synchronized void write(LedgerStatus status, Optional<LedgerKeys> keys, boolean open) {
    writtenAt = System.nanoTime();
    try {
      SmallFile.replace(file, json(status, keys, open));
    } catch (IOException e) {
      LOG.debug("cannot write {}: {}", file, e.toString());
    }
  }

  private byte[] json(LedgerStatus status, Optional<LedgerKeys> keys, boolean open)
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
