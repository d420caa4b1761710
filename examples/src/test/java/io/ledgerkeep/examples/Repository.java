package io.ledgerkeep.examples;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The files of the project, as whoever clones it has them. */
final class Repository {

  static final Path ROOT =
      Path.of(System.getProperty("basedir", "examples")).toAbsolutePath().getParent();

  private static final Set<String> NOT_OURS = Set.of(".git", ".idea", ".vscode", "target");
  private static final Pattern REGION =
      Pattern.compile(
          " *(?://|<!--) \\[(\\w+)](?: -->)?\n(.*?)\n *(?://|<!--) \\[/\\1]", Pattern.DOTALL);
  private static final Pattern FENCE =
      Pattern.compile("^```(\\w*)\n(.*?)^```$", Pattern.DOTALL | Pattern.MULTILINE);

  private Repository() {}

  /** Returns all files that are tracked, or would be; without Git all that are not made. */
  static List<Path> files() {
    try {
      return Files.exists(ROOT.resolve(".git")) ? tracked() : walked();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<Path> tracked() throws IOException {
    Process git =
        new ProcessBuilder("git", "ls-files", "-co", "--exclude-standard", "-z")
            .directory(ROOT.toFile())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    List<Path> files = new ArrayList<>();
    try (InputStream out = git.getInputStream()) {
      for (String name : new String(out.readAllBytes(), StandardCharsets.UTF_8).split("\0")) {
        Path file = ROOT.resolve(name);
        if (Files.isRegularFile(file)) {
          files.add(file);
        }
      }
    }
    return files.isEmpty() ? walked() : files;
  }

  private static List<Path> walked() throws IOException {
    List<Path> files = new ArrayList<>();
    Files.walkFileTree(
        ROOT,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            return NOT_OURS.contains(directory.getFileName().toString())
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            files.add(file);
            return FileVisitResult.CONTINUE;
          }
        });
    return files;
  }

  static List<Path> files(String suffix) {
    return files().stream().filter(file -> file.toString().endsWith(suffix)).toList();
  }

  static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String text(String name) {
    return text(ROOT.resolve(name));
  }

  static String name(Path file) {
    return ROOT.relativize(file).toString();
  }

  /** Returns what stands between {@code [name]} and {@code [/name]}, without its indentation. */
  static TreeMap<String, String> regions(String file) {
    TreeMap<String, String> regions = new TreeMap<>();
    Matcher matcher = REGION.matcher(text(file));
    while (matcher.find()) {
      regions.put(matcher.group(1), matcher.group(2).stripIndent().stripTrailing());
    }
    return regions;
  }

  /** Returns the fenced blocks of a document that are in the language. */
  static List<String> fenced(Path document, String language) {
    Matcher matcher = FENCE.matcher(text(document));
    List<String> blocks = new ArrayList<>();
    while (matcher.find()) {
      if (matcher.group(1).equals(language)) {
        blocks.add(matcher.group(2).stripTrailing());
      }
    }
    return blocks;
  }
}
