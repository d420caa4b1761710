package io.ledgerkeep.metrics;

import java.util.List;

/** All measures, as {@code docs/metrics.md} lists them. */
enum Measure {
  HEIGHT("height", "blocks", "", "the newest block, -1 while there is none"),
  ARCHIVED_HEIGHT("height.archived", "blocks", "", "the archived height (pivot)"),
  DERIVED_LAG(
      "derived.lag",
      "blocks",
      "",
      "how many of the newest blocks would be replayed into state and history after a crash"),
  ARCHIVE_LAG(
      "archive.lag", "blocks", "", "how far the archived height is below what may be archived"),
  DATABASE_SIZE(
      "database.size", "bytes", "database", "what `block`, `state` or `history` takes on its disk"),
  ARCHIVE_SIZE("archive.size", "bytes", "", "what the segments of the archive take"),
  ARCHIVE_SEGMENTS("archive.segments", "segments", "", "how many segments the archive has"),
  JOB_RUNNING("job.running", "", "", "1 if a maintenance job runs"),
  JOB_PROGRESS(
      "job.progress", "", "", "how much of its phase a running job has dealt with, from 0 to 1"),
  JOBS_ENDED(
      "job.ended",
      "seconds",
      "job, state",
      "how often jobs ended since the ledger was opened, and how long they took, by name (`archive`,"
          + " `restore`, `backup`, `verify`, `reencrypt`, `other`) and as `done`, `cancelled` or"
          + " `failed`"),
  BACKUP_AGE("backup.age", "seconds", "", "since when the newest backup is done, and so verified"),
  VERIFY_AGE(
      "verify.age",
      "seconds",
      "",
      "since when a `verify` that read every byte of the archive, and looked at all blocks, last"
          + " found nothing wrong"),
  STORAGE_UP(
      "storage.up",
      "",
      "",
      "1 if all databases answer, 0 if one does not: the sidecar of the Badger engine may be gone"),
  ENCRYPTION_ENABLED(
      "encryption.enabled", "", "", "1 if values are encrypted, 0 for a ledger in plain"),
  ENCRYPTION_UP(
      "encryption.up",
      "",
      "",
      "1 if the newest block could be opened with its key, 0 if the key was not there: a token (HSM)"
          + " that seals values itself does not answer"),
  KEY_BUDGET_VALUES(
      "key.budget.values", "values", "", "what may be sealed before a fresh key is derived"),
  KEY_BUDGET_BYTES("key.budget.bytes", "bytes", "", "the same, in bytes of values"),
  KEY_BUDGET_TIME("key.budget.time", "seconds", "", "how long until then at most"),
  KEY_DEVICE_CALLS(
      "key.device.calls",
      "calls",
      "",
      "how often the key in a token may still seal, where it seals values itself; no fresh one is"
          + " derived by itself"),
  DISK_FREE("disk.free", "bytes", "disk", "what can still be written there"),
  DISK_TOTAL("disk.total", "bytes", "disk", "the size of the disk");

  static final String PREFIX = "ledgerkeep.";

  final String id;
  final String unit;
  final String tag;
  final String meaning;

  Measure(String name, String unit, String tag, String meaning) {
    this.id = PREFIX + name;
    this.unit = unit;
    this.tag = tag;
    this.meaning = meaning;
  }

  /** Returns the cells of its row in the table. */
  List<String> cells() {
    return List.of(
        "`" + id + "`", unit, tag.isEmpty() ? "" : "`" + tag.replace(", ", "`, `") + "`", meaning);
  }
}
