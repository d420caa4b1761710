package io.ledgerkeep.core.archive;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.core.segment.SegmentSummary;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
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
 * @param segment the segment that the entry adds; the first entry adds none
 */
record ManifestEntry(
    long sequence,
    Bytes previous,
    String chainId,
    Bytes genesisHash,
    Bytes ledgerId,
    String digest,
    Optional<Added> segment) {

  static final int MAX_BYTES = 4096;

  private static final int FORMAT = 1;
  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

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

  Bytes encode() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      json.writeNumberField("format", FORMAT);
      json.writeNumberField("sequence", sequence);
      json.writeStringField("previous", previous.hex());
      json.writeStringField("operation", segment.isPresent() ? "add" : "create");
      json.writeStringField("chainId", chainId);
      json.writeStringField("genesis", genesisHash.hex());
      json.writeStringField("ledger", ledgerId.hex());
      json.writeStringField("digest", digest);
      if (segment.isPresent()) {
        write(segment.get(), json);
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Bytes.wrap(out.toByteArray());
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
    Fields fields = new Fields(name, bytes);
    long format = fields.number("format");
    if (format != FORMAT) {
      throw new UnsupportedFormatException(
          "manifest entry %s has format %s; this release knows %s".formatted(name, format, FORMAT));
    }
    long sequence = fields.number("sequence");
    Bytes previous = fields.hex("previous");
    String operation = fields.text("operation");
    String chainId = fields.text("chainId");
    Bytes genesisHash = fields.hex("genesis");
    Bytes ledgerId = fields.hex("ledger");
    String digest = fields.text("digest");
    Optional<Added> added =
        switch (operation) {
          case "create" -> Optional.empty();
          case "add" -> Optional.of(added(fields));
          default ->
              throw new UnsupportedFormatException(
                  "manifest entry %s has the operation '%s', which this release does not know"
                      .formatted(name, operation));
        };
    ManifestEntry entry =
        new ManifestEntry(sequence, previous, chainId, genesisHash, ledgerId, digest, added);
    fields.end();
    if (!entry.encode().equals(bytes)) {
      throw fields.damaged("it is not written as entries are");
    }
    return entry;
  }

  private static Added added(Fields fields) {
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

  /** The fields of an entry; each is asked for once, and none may be left over. */
  private static final class Fields {

    private final String name;
    private final Map<String, String> values = new LinkedHashMap<>();

    Fields(String name, Bytes bytes) {
      this.name = name;
      try (JsonParser json = JSON.createParser(bytes.toArray())) {
        if (json.nextToken() != JsonToken.START_OBJECT) {
          throw damaged("it is no JSON object");
        }
        while (json.nextToken() == JsonToken.FIELD_NAME) {
          String field = json.currentName();
          JsonToken token = json.nextToken();
          if (!token.isScalarValue()) {
            throw damaged("field " + field + " is no text or number");
          }
          values.put(field, json.getText());
        }
        if (json.nextToken() != null) {
          throw damaged("something follows the JSON object");
        }
      } catch (IOException e) {
        throw new IntegrityException("manifest entry " + name + " is damaged: it is no JSON", e);
      }
    }

    String text(String field) {
      String value = values.remove(field);
      if (value == null) {
        throw damaged("field " + field + " is missing");
      }
      return value;
    }

    long number(String field) {
      try {
        return Long.parseLong(text(field));
      } catch (NumberFormatException e) {
        throw damaged("field " + field + " is no number");
      }
    }

    Bytes hex(String field) {
      try {
        return Bytes.fromHex(text(field));
      } catch (IllegalArgumentException e) {
        throw damaged("field " + field + " is not in hexadecimal digits");
      }
    }

    void end() {
      if (!values.isEmpty()) {
        throw damaged("unknown fields " + values.keySet());
      }
    }

    private IntegrityException damaged(String problem) {
      return new IntegrityException("manifest entry " + name + " is damaged: " + problem);
    }
  }
}
