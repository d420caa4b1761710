package io.ledgerkeep.benchmarks;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Figures as one process hands them to another: a JSON array. */
final class FigureFile {

  private static final JsonFactory JSON = new JsonFactory();

  private FigureFile() {}

  static void write(Path file, List<Figure> figures) throws IOException {
    try (JsonGenerator json =
        JSON.createGenerator(Files.newBufferedWriter(file, StandardCharsets.UTF_8))) {
      json.writeStartArray();
      for (Figure figure : figures) {
        figure.writeTo(json);
      }
      json.writeEndArray();
    }
  }

  static List<Figure> read(Path file) throws IOException {
    List<Figure> figures = new ArrayList<>();
    try (JsonParser json =
        JSON.createParser(Files.newBufferedReader(file, StandardCharsets.UTF_8))) {
      json.nextToken();
      while (json.nextToken() != JsonToken.END_ARRAY) {
        figures.add(Figure.readFrom(json));
      }
    }
    return figures;
  }
}
