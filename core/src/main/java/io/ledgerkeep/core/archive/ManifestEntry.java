package io.ledgerkeep.core.archive;

import com.fasterxml.jackson.core.JsonGenerator;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.core.sealing.ArchiveKey;
import io.ledgerkeep.core.segment.SegmentSummary;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.Optional;

/**
 * One entry of a manifest, a JSON object with exactly these fields in this order.
 *
 * @param sequence counts from 0
 * @param previous the digest of the entry before, or nothing
 * @param chainId the name of the chain
 * @param genesisHash the identity of the chain
 * @param ledgerId the identity of the ledger
 * @param digest the name of the digest
 * @param operation what the entry does
 * @param segment the segment that the entry lists, if it lists one
 * @param edge where the archive begins, if that is not at height 0, or where it ends from now on
 * @param seal what authenticates the entry, or empty in an archive in plain
 */
record ManifestEntry(
    long sequence,
    Bytes previous,
    String chainId,
    Bytes genesisHash,
    Bytes ledgerId,
    String digest,
    Operation operation,
    Optional<Added> segment,
    Optional<Edge> edge,
    Optional<Seal> seal) {

  /** What an entry does. */
  enum Operation {
    /** Begins the manifest. */
    CREATE("create"),
    /** Lists a segment that follows the last one. */
    ADD("add"),
    /** Lists a segment with the same blocks in the place of a listed one. */
    REPLACE("replace"),
    /** Ends the archive at a height: what was listed above it counts no longer. */
    END("end");

    private final String text;

    Operation(String text) {
      this.text = text;
    }

    private static Operation of(String text, String entry) {
      for (Operation operation : values()) {
        if (operation.text.equals(text)) {
          return operation;
        }
      }
      throw new UnsupportedFormatException(
          "manifest entry %s has the operation '%s', which this release does not know"
              .formatted(entry, text));
    }
  }

  static final int MAX_BYTES = StrictJson.MAX_BYTES;

  private static final int FORMAT = 1;
  private static final Bytes MAC = Bytes.ofUtf8(",\"mac\":");

  /**
   * A segment with what links it to its neighbours.
   *
   * @param segment the segment
   * @param previousHash the hash that its first block names
   * @param lastHash the hash of its last block
   */
  record Added(Archive.Segment segment, Bytes previousHash, Bytes lastHash) {

    /** Returns what an entry says of a segment. */
    static Added of(SegmentSummary segment, String name) {
      return new Added(
          segment.toSegment(name),
          segment.contents().previousHash(),
          segment.contents().lastHash());
    }
  }

  /**
   * Where the blocks of an archive begin or end.
   *
   * @param height the lowest height, or the highest
   * @param hash what links it to the block beyond: the hash that the lowest block names as the one
   *     before it, or the hash of the highest
   */
  record Edge(long height, Bytes hash) {}

  /**
   * What authenticates an entry.
   *
   * @param key the number of the archive key
   * @param mac over what precedes it
   */
  record Seal(int key, Bytes mac) {}

  /** Returns the entry, authenticated under the key. */
  ManifestEntry sealedUnder(ArchiveKey key) {
    ManifestEntry unproven =
        with(new Seal(key.number(), Bytes.wrap(new byte[CipherSuite.MAC_BYTES])));
    return with(new Seal(key.number(), key.mac(unproven.authenticated())));
  }

  /** Returns whether the key authenticates the entry, which names it. */
  boolean isProvenBy(ArchiveKey key) {
    byte[] expected = key.mac(authenticated()).toArrayUnsafe();
    return seal.map(by -> MessageDigest.isEqual(expected, by.mac().toArray())).orElse(false);
  }

  private ManifestEntry with(Seal newSeal) {
    return new ManifestEntry(
        sequence,
        previous,
        chainId,
        genesisHash,
        ledgerId,
        digest,
        operation,
        segment,
        edge,
        Optional.of(newSeal));
  }

  /** Returns the bytes before the code, in hexadecimal digits within quotation marks, and brace. */
  private Bytes authenticated() {
    Bytes all = encode();
    return all.slice(0, all.size() - MAC.size() - 2 * CipherSuite.MAC_BYTES - 3);
  }

  Bytes encode() {
    return StrictJson.write(this::writeTo);
  }

  private void writeTo(JsonGenerator json) throws IOException {
    json.writeNumberField("format", FORMAT);
    json.writeNumberField("sequence", sequence);
    json.writeStringField("previous", previous.hex());
    json.writeStringField("operation", operation.text);
    json.writeStringField("chainId", chainId);
    json.writeStringField("genesis", genesisHash.hex());
    json.writeStringField("ledger", ledgerId.hex());
    json.writeStringField("digest", digest);
    if (segment.isPresent()) {
      write(segment.get(), json);
    }
    if (edge.isPresent()) {
      boolean begins = operation == Operation.CREATE;
      json.writeNumberField(begins ? "firstHeight" : "lastHeight", edge.get().height());
      json.writeStringField(begins ? "previousHash" : "lastHash", edge.get().hash().hex());
    }
    if (seal.isPresent()) {
      json.writeNumberField("key", seal.get().key());
      json.writeStringField("mac", seal.get().mac().hex());
    }
  }

  private static void write(Added added, JsonGenerator json) throws IOException {
    Archive.Segment segment = added.segment();
    json.writeStringField("segment", segment.name());
    json.writeNumberField("firstHeight", segment.firstHeight());
    json.writeNumberField("lastHeight", segment.lastHeight());
    json.writeNumberField("transactions", segment.transactions());
    json.writeNumberField("rawBytes", segment.rawBytes());
    json.writeNumberField("storedBytes", segment.storedBytes());
    json.writeStringField("contentRoot", segment.contentRoot().hex());
    json.writeStringField("segmentDigest", segment.digest().hex());
    json.writeStringField("previousHash", added.previousHash().hex());
    json.writeStringField("lastHash", added.lastHash().hex());
  }

  /** Reads an entry; what it says of its place in the manifest is checked by who asked for it. */
  static ManifestEntry decode(Bytes bytes, String name) {
    StrictJson fields = new StrictJson("manifest entry " + name, bytes);
    long format = fields.number("format");
    if (format != FORMAT) {
      throw new UnsupportedFormatException(
          "manifest entry %s has format %s; this release knows %s".formatted(name, format, FORMAT));
    }
    long sequence = fields.number("sequence");
    Bytes previous = fields.hex("previous");
    Operation operation = Operation.of(fields.text("operation"), name);
    String chainId = fields.text("chainId");
    Bytes genesisHash = fields.hex("genesis");
    Bytes ledgerId = fields.hex("ledger");
    String digest = fields.text("digest");
    boolean lists = operation == Operation.ADD || operation == Operation.REPLACE;
    Optional<Added> added = lists ? Optional.of(added(fields)) : Optional.empty();
    Optional<Edge> edge = edge(operation, fields);
    Optional<Seal> seal = fields.has("key") ? Optional.of(seal(fields)) : Optional.empty();
    ManifestEntry entry =
        new ManifestEntry(
            sequence,
            previous,
            chainId,
            genesisHash,
            ledgerId,
            digest,
            operation,
            added,
            edge,
            seal);
    fields.end();
    if (!entry.encode().equals(bytes)) {
      throw fields.damaged("it is not written as entries are");
    }
    return entry;
  }

  private static Optional<Edge> edge(Operation operation, StrictJson fields) {
    if (operation == Operation.END) {
      return Optional.of(new Edge(fields.number("lastHeight"), fields.hex("lastHash")));
    }
    return operation == Operation.CREATE && fields.has("firstHeight")
        ? Optional.of(new Edge(fields.number("firstHeight"), fields.hex("previousHash")))
        : Optional.empty();
  }

  private static Seal seal(StrictJson fields) {
    int key = fields.keyNumber("key");
    Bytes mac = fields.hex("mac");
    if (mac.size() != CipherSuite.MAC_BYTES) {
      throw fields.damaged("a mac does not have " + mac.size() + " bytes");
    }
    return new Seal(key, mac);
  }

  private static Added added(StrictJson fields) {
    return new Added(
        new Archive.Segment(
            fields.text("segment"),
            fields.number("firstHeight"),
            fields.number("lastHeight"),
            fields.number("transactions"),
            fields.number("rawBytes"),
            fields.number("storedBytes"),
            fields.hex("contentRoot"),
            fields.hex("segmentDigest")),
        fields.hex("previousHash"),
        fields.hex("lastHash"));
  }
}
