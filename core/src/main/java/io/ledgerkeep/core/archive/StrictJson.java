package io.ledgerkeep.core.archive;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.IntegrityException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** A JSON object of texts and numbers; whoever reads one asks for every field it may have. */
final class StrictJson {

  /** The size of the largest object. */
  static final int MAX_BYTES = 4096;

  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final String what;
  private final Map<String, String> values = new LinkedHashMap<>();

  /** Reads an object; {@code what} names it in messages. */
  StrictJson(String what, Bytes bytes) {
    this.what = what;
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
      throw new IntegrityException(what + " is damaged: it is no JSON", e);
    }
  }

  /** Writes the fields of an object. */
  @FunctionalInterface
  interface Fields {

    void writeTo(JsonGenerator json) throws IOException;
  }

  /** Returns an object with the fields, without spaces. */
  static Bytes write(Fields fields) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      fields.writeTo(json);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Bytes.wrap(out.toByteArray());
  }

  /** Returns whether there is a field of the name that was not asked for yet. */
  boolean has(String field) {
    return values.containsKey(field);
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

  /** Returns the number of an archive key. */
  int keyNumber(String field) {
    long number = number(field);
    if (number < 1 || number > ArchiveNames.MAX_KEY) {
      throw damaged("there is no archive key " + number);
    }
    return (int) number;
  }

  Bytes hex(String field) {
    try {
      return Bytes.fromHex(text(field));
    } catch (IllegalArgumentException e) {
      throw damaged("field " + field + " is not in hexadecimal digits");
    }
  }

  /** Returns if every field was asked for. */
  void end() {
    if (!values.isEmpty()) {
      throw damaged("unknown fields " + values.keySet());
    }
  }

  IntegrityException damaged(String problem) {
    return new IntegrityException(what + " is damaged: " + problem);
  }
}
