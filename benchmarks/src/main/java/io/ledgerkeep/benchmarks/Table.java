package io.ledgerkeep.benchmarks;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes the figures for people and for programs, with what they were measured on. */
final class Table {

  private static final JsonFactory JSON = new JsonFactory();

  private final Map<String, String> circumstances = new LinkedHashMap<>();

  Table(Arguments arguments, String[] words) {
    Setting setting = arguments.setting();
    circumstances.put("command", "benchmarks/run" + withoutPaths(words));
    circumstances.put("date", LocalDate.now(ZoneOffset.UTC).toString());
    circumstances.put("machine", machine());
    circumstances.put(
        "parameters",
        Notes.format(
            "small chain %s blocks, large chain %s blocks, %s rounds",
            setting.smallBlocks(), setting.largeBlocks(), setting.rounds()));
  }

  private static String withoutPaths(String[] words) {
    StringBuilder text = new StringBuilder();
    for (String word : words) {
      text.append(' ').append(word.substring(word.lastIndexOf('/') + 1));
    }
    return text.toString();
  }

  private static String machine() {
    OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    return Notes.format(
        "%s cores, %.0f GiB memory, %s %s, Java %s (%s)",
        Runtime.getRuntime().availableProcessors(),
        system.getTotalMemorySize() / (double) (1 << 30),
        System.getProperty("os.name"),
        System.getProperty("os.arch"),
        Runtime.version(),
        System.getProperty("java.vm.vendor"));
  }

  void write(Path directory, List<Figure> figures) throws IOException {
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("table.md"), markdown(figures));
    writeJson(directory.resolve("table.json"), figures);
  }

  private String markdown(List<Figure> figures) {
    List<String> lines = new ArrayList<>();
    lines.add("# Benchmarks");
    lines.add("");
    circumstances.forEach((name, value) -> lines.add("- " + name + ": " + value));
    lines.add("");
    lines.add(
        "A ratio is ours to the baseline: the median; behind it the middle half, of up to four all.");
    lines.add("");
    lines.add("| figure | unit | ours | baseline | ratio | aim | met | note |");
    lines.add("|---|---|---|---|---|---|---|---|");
    for (Figure figure : figures) {
      lines.add(
          "| %s | %s | %s | %s | %s | %s | %s | %s |"
              .formatted(
                  figure.name(),
                  figure.unit(),
                  number(figure.ours()),
                  number(figure.baseline()),
                  ratio(figure),
                  figure.aim(),
                  figure.met(),
                  figure.note()));
    }
    return String.join("\n", lines) + "\n";
  }

  /** Returns the figure in one line. */
  static String line(Figure figure) {
    return "%s: %s %s to %s, ratio %s, aim %s, met: %s; %s"
        .formatted(
            figure.name(),
            number(figure.ours()),
            figure.unit(),
            number(figure.baseline()),
            ratio(figure),
            figure.aim(),
            figure.met(),
            figure.note());
  }

  private static String ratio(Figure figure) {
    return figure.rounds() == 1
        ? Notes.format("%.3f", figure.ratio())
        : Notes.format(
            "%.2f (%.2f to %.2f, %s rounds)",
            figure.ratio(), figure.low(), figure.high(), figure.rounds());
  }

  private static String number(double value) {
    if (value >= 1000) {
      return Notes.format("%.0f", value);
    }
    return value >= 10 ? Notes.format("%.1f", value) : Notes.format("%.2f", value);
  }

  private void writeJson(Path file, List<Figure> figures) throws IOException {
    try (JsonGenerator json =
        JSON.createGenerator(Files.newBufferedWriter(file, StandardCharsets.UTF_8))) {
      json.setPrettyPrinter(new DefaultPrettyPrinter());
      json.writeStartObject();
      for (Map.Entry<String, String> entry : circumstances.entrySet()) {
        json.writeStringField(entry.getKey(), entry.getValue());
      }
      json.writeArrayFieldStart("figures");
      for (Figure figure : figures) {
        figure.writeTo(json);
      }
      json.writeEndArray();
      json.writeEndObject();
    }
  }
}
