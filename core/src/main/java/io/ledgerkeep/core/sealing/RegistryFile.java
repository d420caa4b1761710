package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Crc32c;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The bytes of a registry of keys, as {@code docs/format.md} has them: a plain head, which is all
 * that is read before the master key is there, and a sealed body bound to it.
 *
 * @param kind whose the keys are
 * @param ledgerId of the ledger
 * @param chainId of its chain
 * @param suite the number of the suite that seals the body
 * @param generation raised with each change
 * @param wrappedRoot the root secret under the master key
 * @param salt drawn for this generation: the key of the body is derived with it
 * @param commitment derived with that key: no other key opens this body
 * @param body sealed
 */
record RegistryFile(
    Kind kind,
    Bytes ledgerId,
    String chainId,
    int suite,
    long generation,
    Bytes wrappedRoot,
    Bytes salt,
    Bytes commitment,
    Bytes body) {

  /** Whose the keys are. */
  enum Kind {
    /** The registry's own. */
    OWN(1),
    /** Those of an encryptor that is handed in: the registry holds none. */
    FOREIGN(2);

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    private static Kind of(int code, ByteReader in) {
      for (Kind kind : values()) {
        if (kind.code == code) {
          return kind;
        }
      }
      throw in.damaged("there is no kind " + code);
    }
  }

  static final int LEDGER_ID_BYTES = 16;

  private static final Bytes MAGIC = Bytes.fromHex("894c4b4b0d0a1a0a");
  private static final int VERSION = 1;
  private static final int CHECKSUM_BYTES = 4;
  private static final List<String> NAMES = List.of("KEYS", "KEYS.copy");

  /** Returns the two files of a ledger's directory; either of them suffices. */
  static List<Path> in(Path directory) {
    return NAMES.stream().map(directory::resolve).toList();
  }

  /**
   * Returns a registry without keys, which says that those of an encryptor handed in are needed.
   */
  static RegistryFile foreign(Bytes ledgerId, String chainId) {
    return new RegistryFile(
        Kind.FOREIGN, ledgerId, chainId, 0, 1, Bytes.EMPTY, Bytes.EMPTY, Bytes.EMPTY, Bytes.EMPTY);
  }

  /** Returns the next generation, with another body. */
  RegistryFile next(Bytes nextSalt, Bytes nextCommitment, Bytes nextBody) {
    return new RegistryFile(
        kind,
        ledgerId,
        chainId,
        suite,
        generation + 1,
        wrappedRoot,
        nextSalt,
        nextCommitment,
        nextBody);
  }

  /** Returns the registry with its root under another master key. */
  RegistryFile under(int otherSuite, Bytes otherWrappedRoot) {
    return new RegistryFile(
        kind, ledgerId, chainId, otherSuite, generation, otherWrappedRoot, salt, commitment, body);
  }

  /** Replaces both files, one after the other; durable when it returns. */
  void write(Path directory) {
    for (Path path : in(directory)) {
      writeTo(path);
      FailPoint.pass("keys.written");
    }
  }

  /** Replaces one of the files; durable when it returns. */
  void writeTo(Path path) {
    SmallFile.replaceDurably(path, encode().toArrayUnsafe());
  }

  /**
   * Reads one of the files.
   *
   * @throws IntegrityException if it is not what was written
   */
  static RegistryFile read(Path file) {
    try {
      return decode(Bytes.wrap(Files.readAllBytes(file)), file.toString());
    } catch (IOException e) {
      throw SmallFile.failed("cannot read " + file, e);
    }
  }

  /** Returns everything before the salt: what the body is bound to. */
  Bytes head() {
    return head(new ByteWriter(160)).take();
  }

  Bytes encode() {
    Bytes content =
        head(new ByteWriter(256 + body.size())).sized(salt).sized(commitment).sized(body).take();
    return new ByteWriter(content.size() + CHECKSUM_BYTES)
        .raw(content)
        .u32(Crc32c.of(content))
        .take();
  }

  private ByteWriter head(ByteWriter out) {
    return out.raw(MAGIC)
        .varint(VERSION)
        .u8(kind.code)
        .raw(ledgerId)
        .text(chainId)
        .varint(suite)
        .u64(generation)
        .sized(wrappedRoot);
  }

  static RegistryFile decode(Bytes bytes, String what) {
    ByteReader in = new ByteReader(bytes, what);
    if (!in.raw(MAGIC.size()).equals(MAGIC)) {
      throw in.damaged("it does not begin as a registry of keys");
    }
    Bytes content = bytes.slice(0, Math.max(0, bytes.size() - CHECKSUM_BYTES));
    if (new ByteReader(bytes.slice(content.size(), bytes.size()), what).u32()
        != Crc32c.of(content)) {
      throw in.damaged("it does not fit its checksum");
    }
    long version = in.varint();
    if (version != VERSION) {
      throw new UnsupportedFormatException(
          "%s has version %s; this release knows %s".formatted(what, version, VERSION));
    }
    RegistryFile file =
        new RegistryFile(
            Kind.of(in.u8(), in),
            in.raw(LEDGER_ID_BYTES),
            in.text(),
            in.number(),
            in.u64(),
            in.sized(),
            in.sized(),
            in.sized(),
            in.sized());
    in.raw(CHECKSUM_BYTES);
    in.end();
    return file;
  }
}
