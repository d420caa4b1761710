package io.ledgerkeep.leveldb;

import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.StorageException.Kind;
import java.io.IOException;
import java.nio.file.Path;
import org.fusesource.leveldbjni.internal.NativeDB.DBException;
import org.jspecify.annotations.Nullable;

/** Says what LevelDB and the file system report in the words of the library. */
final class LevelDbErrors {

  private LevelDbErrors() {}

  /** Returns what to throw when LevelDB does not open the directory. */
  static LedgerkeepException opening(Path directory, DBException e) {
    String text = text(e);
    if (text.contains("LOCK")) {
      return locked(directory);
    }
    return translated("opening the LevelDB store " + directory, e);
  }

  /** Returns what to throw when the store is open elsewhere. */
  static ConflictException locked(Path directory) {
    return new ConflictException(
        ConflictException.Reason.LOCKED,
        "the LevelDB store " + directory + " is open in another process or elsewhere in this one");
  }

  /** Returns what to throw when a read fails. */
  static LedgerkeepException reading(Path directory, DBException e) {
    return translated("reading the LevelDB store " + directory, e);
  }

  /** Returns what to throw when a write fails. */
  static LedgerkeepException writing(Path directory, DBException e) {
    return translated("writing to the LevelDB store " + directory, e);
  }

  /** Returns what to throw when a file of the store is damaged in a way that nothing explains. */
  static IntegrityException damage(Path file, String what) {
    return new IntegrityException(
        "the LevelDB store is damaged at "
            + file
            + ": "
            + what
            + "; nothing was changed. Keep the files as they are and run ledgerkeep doctor");
  }

  /** Returns what to throw when there is too little room to go on safely. */
  static StorageException outOfSpace(
      String action, Path directory, long neededBytes, long freeBytes) {
    return new StorageException(
        Kind.OUT_OF_SPACE,
        "%s %s needs %s bytes of room on its disk and %s are free; nothing was changed, make room"
            .formatted(action, directory, neededBytes, freeBytes));
  }

  /** Returns what to throw when a file of the store cannot be handled. */
  static StorageException file(String action, IOException e) {
    return new StorageException(
        isOutOfSpace(e.getMessage()) ? Kind.OUT_OF_SPACE : Kind.FATAL, action + " failed: " + e, e);
  }

  private static LedgerkeepException translated(String action, DBException e) {
    String text = text(e);
    if (text.startsWith("Corruption")) {
      return new IntegrityException(
          action
              + " met damage: "
              + withoutKey(text)
              + "; keep the files as they are and run ledgerkeep doctor");
    }
    Kind kind = isOutOfSpace(text) ? Kind.OUT_OF_SPACE : Kind.FATAL;
    return new StorageException(kind, action + " failed: " + text, e);
  }

  /** Cuts off the one text of LevelDB that goes on with a key; no key may reach a message. */
  private static String withoutKey(String text) {
    String before = "corrupted key for";
    int at = text.indexOf(before);
    return at < 0 ? text : text.substring(0, at + before.length() - " for".length());
  }

  private static String text(DBException e) {
    return String.valueOf(e.getMessage());
  }

  private static boolean isOutOfSpace(@Nullable String text) {
    return text != null
        && (text.contains("No space left on device") || text.contains("Disk quota exceeded"));
  }
}
