package io.ledgerkeep.benchmarks;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/**
 * A row of the table.
 *
 * @param name what is measured, on which chain
 * @param unit the unit of both sides
 * @param ours what the library reached, the median of the rounds
 * @param baseline what the bare thing reached, the median of the rounds
 * @param ratio ours to the baseline, the median of the ratios of the rounds
 * @param low where the middle half of the ratios begins
 * @param high where it ends
 * @param rounds how many rounds there were
 * @param aim what the ratio should be, in words
 * @param met {@code yes}, {@code no} or {@code -}
 * @param note what the baseline is, and what else is worth knowing
 */
record Figure(
    String name,
    String unit,
    double ours,
    double baseline,
    double ratio,
    double low,
    double high,
    int rounds,
    String aim,
    String met,
    String note) {

  static Figure of(String name, String unit, Rounds rounds, Aim aim, String note) {
    return new Figure(
        name,
        unit,
        rounds.ours(),
        rounds.baseline(),
        rounds.ratio(),
        rounds.lowRatio(),
        rounds.highRatio(),
        rounds.count(),
        aim.toString(),
        aim.verdict(rounds.ratio()),
        note);
  }

  void writeTo(JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("name", name);
    json.writeStringField("unit", unit);
    json.writeNumberField("ours", ours);
    json.writeNumberField("baseline", baseline);
    json.writeNumberField("ratio", ratio);
    json.writeNumberField("low", low);
    json.writeNumberField("high", high);
    json.writeNumberField("rounds", rounds);
    json.writeStringField("aim", aim);
    json.writeStringField("met", met);
    json.writeStringField("note", note);
    json.writeEndObject();
  }

  /** Reads the figure that begins at the present token. */
  static Figure readFrom(JsonParser json) throws IOException {
    Map<String, String> fields = new HashMap<>();
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String field = json.currentName();
      json.nextToken();
      fields.put(field, json.getText());
    }
    return new Figure(
        text(fields, "name"),
        text(fields, "unit"),
        number(fields, "ours"),
        number(fields, "baseline"),
        number(fields, "ratio"),
        number(fields, "low"),
        number(fields, "high"),
        (int) number(fields, "rounds"),
        text(fields, "aim"),
        text(fields, "met"),
        text(fields, "note"));
  }

  private static String text(Map<String, String> fields, String name) {
    return Objects.requireNonNull(fields.get(name), name);
  }

  private static double number(Map<String, String> fields, String name) {
    return Double.parseDouble(text(fields, name));
  }
}
