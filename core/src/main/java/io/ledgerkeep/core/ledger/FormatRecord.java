package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.core.chain.ChainKeys;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.UnsupportedFormatException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import java.util.Optional;

/**
 * What every database says of itself, so that no database is ever taken for another's.
 *
 * @param database which one it is
 * @param ledgerId drawn at random when the ledger was made, 16 bytes
 * @param chainId the name of the chain
 * @param digest the digest of the recorded roots
 * @param compatibilityVersion the release that made the ledger; no upgrade changes it
 * @param pieceBytes the size of the pieces of large rows
 */
record FormatRecord(
    Database database,
    Bytes ledgerId,
    String chainId,
    Digests digest,
    String compatibilityVersion,
    int pieceBytes) {

  /** The version of the format of the databases that this release writes. */
  static final int VERSION = 1;

  static final Bytes KEY = ChainKeys.record("format");
  private static final Bytes MAGIC = Bytes.ofUtf8("LKDB");

  /** Returns the record of another database of the same ledger. */
  FormatRecord of(Database another, int itsPieceBytes) {
    return new FormatRecord(
        another, ledgerId, chainId, digest, compatibilityVersion, itsPieceBytes);
  }

  /** Returns the record of the same database of a ledger made by another release. */
  FormatRecord withCompatibility(String version) {
    return new FormatRecord(database, ledgerId, chainId, digest, version, pieceBytes);
  }

  void write(StorageEngine engine) {
    Bytes record =
        new ByteWriter(128)
            .raw(MAGIC)
            .varint(VERSION)
            .text(compatibilityVersion)
            .text(database.lowerCaseName())
            .raw(ledgerId)
            .text(chainId)
            .text(digest.id())
            .varint(pieceBytes)
            .take();
    engine.write(new WriteBatch().put(KEY, record), Durability.DURABLE);
  }

  /** Returns whether the engine holds nothing but, perhaps, a format record and one of the keys. */
  static boolean hasNothingBeside(StorageEngine engine) {
    try (StorageEngine.Cursor cursor = engine.scan(KeyRange.all())) {
      while (cursor.next()) {
        if (!cursor.key().equals(KEY) && !cursor.key().equals(ChainKeys.record("keys"))) {
          return false;
        }
      }
      return true;
    }
  }

  /** Returns whether there is a record, whoever can read it. */
  static boolean exists(StorageEngine engine) {
    return engine.get(KEY).isPresent();
  }

  /** Returns the record, unless it is sealed or no record at all. */
  static Optional<FormatRecord> inPlain(StorageEngine engine) {
    return engine.get(KEY).filter(record -> record.startsWith(MAGIC)).map(FormatRecord::decode);
  }

  static Optional<FormatRecord> read(StorageEngine engine) {
    return engine.get(KEY).map(FormatRecord::decode);
  }

  private static FormatRecord decode(Bytes record) {
    ByteReader in = new ByteReader(record, "the format record");
    if (!in.raw(MAGIC.size()).equals(MAGIC)) {
      throw in.damaged(
          "it does not begin as one; if the ledger was encrypted, its registry KEYS is missing");
    }
    long version = in.varint();
    String compatibilityVersion = in.text();
    if (version != VERSION) {
      throw new UnsupportedFormatException(
          "the ledger has format %s, made by release %s; this release knows format %s"
              .formatted(version, compatibilityVersion, VERSION));
    }
    FormatRecord format =
        new FormatRecord(
            databaseNamed(in.text()),
            in.raw(16),
            in.text(),
            Digests.recorded(in.text(), "the ledger"),
            compatibilityVersion,
            in.number());
    in.end();
    if (format.pieceBytes() < 1) {
      throw in.damaged("pieces of " + format.pieceBytes() + " bytes");
    }
    return format;
  }

  private static Database databaseNamed(String name) {
    for (Database database : Database.values()) {
      if (database.lowerCaseName().equals(name)) {
        return database;
      }
    }
    throw new IntegrityException("the format record names the unknown database '" + name + "'");
  }
}
