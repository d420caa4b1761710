package io.ledgerkeep.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The documents say what is so. */
final class DocumentsTest {

  private static final String EXAMPLES = "examples/src/main/java/io/ledgerkeep/examples/";
  private static final String JOURNAL = EXAMPLES + "journal/JournalStorage.java";
  private static final String JOURNAL_TEST =
      "examples/src/test/java/io/ledgerkeep/examples/journal/JournalEngineTest.java";
  private static final String CONSUMER = "examples/consumer/";
  private static final String CONSUMER_NODE = CONSUMER + "src/main/java/org/example/node/Node.java";

  private static final Pattern LINK =
      Pattern.compile("]\\(([^)\\s]+)\\)|^\\[[^]]+]: (\\S+)$", Pattern.MULTILINE);
  private static final Pattern HEADING = Pattern.compile("^#+ (.+)$", Pattern.MULTILINE);
  private static final Pattern IMPORT =
      Pattern.compile("^import (?:static )?io\\.ledgerkeep\\.core\\.(\\w+)\\.", Pattern.MULTILINE);

  /** A test by its class and name. */
  private static final Pattern TEST = Pattern.compile("`(\\w+(?:Test|Contract))\\.(\\w+)`");

  @Test
  void everyTestThatAPromiseNamesIsThere() {
    Map<String, String> sources = new TreeMap<>();
    Repository.files(".java")
        .forEach(
            file ->
                sources.put(
                    file.getFileName().toString().replace(".java", ""), Repository.text(file)));
    Matcher matcher = TEST.matcher(Repository.text("docs/security.md"));
    List<String> missing = new ArrayList<>();
    int named = 0;
    while (matcher.find()) {
      named++;
      String source = sources.getOrDefault(matcher.group(1), "");
      if (!source.contains("void " + matcher.group(2) + "(")) {
        missing.add(matcher.group());
      }
    }
    assertThat(missing).isEmpty();
    assertThat(named).isGreaterThan(20);
  }

  @Test
  void theReadmeIsShort() {
    assertThat(Repository.text("README.md").lines().count()).isLessThanOrEqualTo(100);
  }

  @Test
  void theReadmeShowsWhatTheBuildCompilesAndRuns() {
    Path readme = Repository.ROOT.resolve("README.md");
    String example = Repository.regions(EXAMPLES + "Quickstart.java").get("readme");
    String dependencies = Repository.regions(CONSUMER + "pom.xml").get("readme");

    assertThat(Repository.fenced(readme, "java")).containsExactly(example);
    assertThat(Repository.fenced(readme, "xml")).containsExactly(dependencies);
  }

  @Test
  void theProjectOutsideTheBuildRunsTheReadmesExample() {
    assertThat(Repository.regions(CONSUMER_NODE))
        .isEqualTo(Repository.regions(EXAMPLES + "Quickstart.java"));
    assertThat(versions(CONSUMER + "pom.xml", "ledgerkeep-bom"))
        .isEqualTo(versions("bom/pom.xml", "ledgerkeep-bom"));
  }

  private static List<String> versions(String pom, String artifact) {
    Matcher matcher =
        Pattern.compile(artifact + "</artifactId>\\s*<version>([^<]+)<")
            .matcher(Repository.text(pom));
    return matcher.results().map(result -> result.group(1)).toList();
  }

  @Test
  void everyCodeInTheDocumentsIsOfTheExamples() {
    List<String> known = new ArrayList<>();
    for (String file : List.of(JOURNAL, JOURNAL_TEST, EXAMPLES + "UseYourOwnEngine.java")) {
      known.addAll(Repository.regions(file).values());
    }
    List<String> shown = new ArrayList<>();
    for (Path document : Repository.files(".md")) {
      if (document.startsWith(Repository.ROOT.resolve("docs"))) {
        shown.addAll(Repository.fenced(document, "java"));
      }
    }
    assertThat(shown).isNotEmpty().isSubsetOf(known);
  }

  @Test
  void everyExampleIsOnTheList() {
    String list = Repository.text(EXAMPLES + "package-info.java");
    List<String> missing = new ArrayList<>();
    for (Path file : Repository.files(".java")) {
      String name = file.getFileName().toString().replace(".java", "");
      if (file.getParent().equals(Repository.ROOT.resolve(EXAMPLES).normalize())
          && Repository.text(file).contains("public static void main(")
          && !list.contains("{@link io.ledgerkeep.examples." + name + "}")) {
        missing.add(name);
      }
    }
    assertThat(missing).isEmpty();
  }

  @Test
  void everyOptionOfLevelDbIsInItsTable() {
    String config =
        Repository.text("impl-leveldb/src/main/java/io/ledgerkeep/leveldb/LevelDbConfig.java");
    List<String> options =
        Pattern.compile("String [A-Z_]+ = \"([a-z-]+)\"")
            .matcher(config)
            .results()
            .map(found -> found.group(1))
            .toList();
    String table = Repository.text("docs/backends.md");

    assertThat(options).hasSize(7).allMatch(option -> table.contains("| `" + option + "` |"));
  }

  @Test
  void everyLinkLeadsSomewhere() {
    List<String> broken = new ArrayList<>();
    for (Path document : Repository.files(".md")) {
      Matcher matcher = LINK.matcher(Repository.text(document));
      while (matcher.find()) {
        String target = matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
        if (!target.matches("(https?|mailto):.*") && !resolves(document, target)) {
          broken.add(Repository.name(document) + ": " + target);
        }
      }
    }
    assertThat(broken).isEmpty();
  }

  private static boolean resolves(Path document, String target) {
    int hash = target.indexOf('#');
    String name = hash < 0 ? target : target.substring(0, hash);
    Path file = name.isEmpty() ? document : document.resolveSibling(name).normalize();
    return Files.exists(file)
        && (hash < 0 || anchors(Repository.text(file)).contains(target.substring(hash + 1)));
  }

  private static Set<String> anchors(String markdown) {
    Set<String> anchors = new TreeSet<>();
    Matcher matcher = HEADING.matcher(markdown);
    while (matcher.find()) {
      String heading = matcher.group(1).toLowerCase(Locale.ROOT);
      anchors.add(heading.replaceAll("[^a-z0-9 _-]", "").strip().replace(' ', '-'));
    }
    return anchors;
  }

  @Test
  void theTableOfRoomsNamesTheRealArrows() {
    Map<String, Set<String>> table = new TreeMap<>();
    Matcher row =
        Pattern.compile("^\\| ([a-z]+) \\|[^|]+\\|([a-z, ]*)\\|$", Pattern.MULTILINE)
            .matcher(Repository.text("docs/architecture.md"));
    while (row.find()) {
      table.put(row.group(1), words(row.group(2)));
    }
    assertThat(table.keySet().removeAll(List.of("room", "step"))).as("heads of tables").isTrue();
    assertThat(table).isEqualTo(arrows());
  }

  @Test
  void theDrawingHasEveryArrowBetweenTheRoomsItDraws() {
    Map<String, Set<String>> drawn = new TreeMap<>();
    Set<String> rooms = new TreeSet<>();
    Matcher arrow =
        Pattern.compile("^    ([a-z]+) --> ([a-z]+)$", Pattern.MULTILINE)
            .matcher(Repository.text("docs/architecture.md"));
    while (arrow.find()) {
      drawn.computeIfAbsent(arrow.group(1), room -> new TreeSet<>()).add(arrow.group(2));
      rooms.addAll(List.of(arrow.group(1), arrow.group(2)));
    }
    Map<String, Set<String>> real = arrows();
    real.keySet().retainAll(rooms);
    real.values().forEach(uses -> uses.retainAll(rooms));
    real.values().removeIf(Set::isEmpty);
    assertThat(drawn).isNotEmpty().isEqualTo(real);
  }

  /** Returns which package of core imports which others. */
  private static Map<String, Set<String>> arrows() {
    Path core = Repository.ROOT.resolve("core/src/main/java/io/ledgerkeep/core");
    Map<String, Set<String>> arrows = new TreeMap<>();
    for (Path file : Repository.files(".java")) {
      if (file.startsWith(core) && !file.getParent().equals(core)) {
        String room = core.relativize(file).getName(0).toString();
        Set<String> uses = arrows.computeIfAbsent(room, name -> new TreeSet<>());
        IMPORT.matcher(Repository.text(file)).results().forEach(found -> uses.add(found.group(1)));
        uses.remove(room);
      }
    }
    return arrows;
  }

  private static Set<String> words(String list) {
    Set<String> words = new TreeSet<>(List.of(list.strip().split(", ")));
    words.remove("");
    return words;
  }
}
