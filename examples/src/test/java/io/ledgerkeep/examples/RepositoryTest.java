package io.ledgerkeep.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What no file of the project may hold. The patterns are written so as not to find themselves. */
final class RepositoryTest {

  @Test
  void nothingIsLeftForLater() throws IOException {
    assertThat(findings("\\b(TO[D]O|FIX[M]E)\\b")).isEmpty();
  }

  @Test
  void noTestIsSwitchedOffWithoutAReason() throws IOException {
    assertThat(findings("@Disable[d]\\b(?!\\w)(?!\\(\"[^\"]{10,})")).isEmpty();
  }

  @Test
  void noPathOfSomebodysMachineIsNamed() throws IOException {
    assertThat(findings("(?<![\\w.}/-])/(home|root|Users|work|tmp)[/]\\w|[A-Z]:\\\\Users"))
        .isEmpty();
  }

  @Test
  void noRegistryIsNamed() throws IOException {
    assertThat(
            findings(
                "(repo1?[.]maven|maven[.]org|sonatype[.](org|com)|jitpack[.]io|npmjs[.]org"
                    + "|proxy[.]golang|pypi[.]org|docker[.]io|ghcr[.]io|[a]rtifactory|nexus[.])"))
        .isEmpty();
  }

  @Test
  void everyTextEndsWithALineEndAndNoLineWithABlank() throws IOException {
    List<String> findings = new ArrayList<>(findings("[ \\t]+$"));
    for (Path file : Repository.files()) {
      String text = text(file);
      if (!text.isEmpty() && !text.endsWith("\n") && !file.toString().endsWith(".json")) {
        findings.add(Repository.name(file) + ": no line end at its end");
      }
    }
    assertThat(findings).isEmpty();
  }

  private static List<String> findings(String regex) throws IOException {
    Pattern pattern = Pattern.compile(regex);
    List<String> findings = new ArrayList<>();
    for (Path file : Repository.files()) {
      int number = 0;
      for (String line : text(file).split("\n", -1)) {
        number++;
        if (pattern.matcher(line).find()) {
          findings.add(Repository.name(file) + ":" + number + ": " + line.strip());
        }
      }
    }
    return findings;
  }

  /** Returns the content, or nothing for a file that is no text. */
  private static String text(Path file) throws IOException {
    String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    return text.indexOf('\0') >= 0 ? "" : text;
  }
}
