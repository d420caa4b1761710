package io.ledgerkeep.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import io.ledgerkeep.cli.Main;
import io.ledgerkeep.cli.interchange.BlockLines;
import io.ledgerkeep.cli.interchange.BlockLinesWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The guide for operators shows commands that work, and what they really say. */
final class OperationsGuideTest {

  private static final Path GUIDE = Repository.ROOT.resolve("docs/operations.md");
  private static final String COMMAND = "$ ";
  private static final String LAUNCHER = "./ledgerkeep ";
  private static final String ANYTHING = "…";

  @TempDir Path directory;

  private int exitCode;
  private Waiting background;
  private Serving serving;

  @AfterEach
  void endWhatStillServes() {
    if (serving != null) {
      serving.close();
    }
  }

  @Test
  void everyCommandSaysWhatTheGuideShows() throws IOException {
    writeChain();
    writeCertificates();
    writeFilesShownByCat();

    for (String block : Repository.fenced(GUIDE, "console")) {
      for (String step : block.split("(?m)^\\$ ")) {
        if (!step.isEmpty()) {
          String command = step.lines().findFirst().orElseThrow();
          String expected = step.substring(command.length()).strip();
          assertThat(output(command)).as(command).matches(pattern(expected));
        }
      }
    }
  }

  @Test
  void everyOptionAndCommandIsInTheGuide() {
    TreeSet<String> missing = new TreeSet<>();
    String guide = Repository.text(GUIDE);
    for (String command : commands()) {
      if (!guide.contains("| `" + command)) {
        missing.add(command);
      }
      Matcher option = Pattern.compile("--[a-z-]+").matcher(output(LAUNCHER + command + " --help"));
      while (option.find()) {
        if (!guide.contains("`" + option.group())) {
          missing.add(command + " " + option.group());
        }
      }
    }
    assertThat(missing).isEmpty();
  }

  private List<String> commands() {
    String help = output(LAUNCHER + "--help");
    String list = help.substring(help.indexOf("Commands:"), help.indexOf("Exit codes:"));
    Matcher name = Pattern.compile("^  ([a-z-]+)", Pattern.MULTILINE).matcher(list);
    return name.results().map(found -> found.group(1)).filter(c -> !c.equals("help")).toList();
  }

  private void writeChain() throws IOException {
    String file = "chain.jsonl.gz";
    try (OutputStream out =
            BlockLines.compress(file, Files.newOutputStream(directory.resolve(file)));
        BlockLinesWriter writer = new BlockLinesWriter(out)) {
      for (Block block : MadeUpChain.blocks(2000)) {
        writer.write(block);
      }
    }
  }

  /** Those of the tests, with keys for their owner only, and a key to back them up under. */
  private void writeCertificates() throws IOException {
    Path originals = Repository.ROOT.resolve("cli/src/test/resources/certs");
    try (Stream<Path> files = Files.walk(originals)) {
      for (Path file : files.toList()) {
        Path copy = directory.resolve("certs").resolve(originals.relativize(file).toString());
        Files.copy(file, copy);
        if (file.toString().endsWith(".key")) {
          forOwner(copy);
        }
      }
    }
    byte[] key = new byte[32];
    new SecureRandom().nextBytes(key);
    forOwner(Files.write(directory.resolve("backup.key"), key));
  }

  private static void forOwner(Path file) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
  }

  private void writeFilesShownByCat() throws IOException {
    Pattern shown = Pattern.compile("\\$ cat (\\./\\S+)\n(.*)", Pattern.DOTALL);
    for (String block : Repository.fenced(GUIDE, "console")) {
      Matcher file = shown.matcher(block);
      if (file.matches()) {
        String content = file.group(2) + "\n";
        Files.writeString(place(file.group(1)), content.replace("./", directory + "/"));
      }
    }
  }

  /** Plays the shell, as far as the guide needs one. */
  private String output(String command) {
    if (command.equals("echo $?")) {
      return Integer.toString(exitCode);
    }
    if (command.startsWith("cat ")) {
      String file = command.substring("cat ".length());
      return Repository.text(place(file)).replace(directory + "/", "./").strip();
    }
    if (command.equals("wait")) {
      return background.end();
    }
    if (command.startsWith("curl -s ")) {
      return text(command.substring("curl -s ".length()));
    }
    if (command.equals("kill %1")) {
      return serving.end();
    }
    assertThat(command).startsWith(LAUNCHER);
    List<String> args = new ArrayList<>();
    for (String word : command.substring(LAUNCHER.length()).split(" ")) {
      args.add(word.startsWith("./") ? place(word).toString() : word);
    }
    if (args.get(args.size() - 1).equals("&")) {
      List<String> inBackground = args.subList(0, args.size() - 1);
      if (args.contains("--serve")) {
        serving = Serving.start(inBackground);
        return serving.said();
      }
      background = new Waiting(inBackground);
      return "";
    }
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    exitCode = run(args, InputStream.nullInputStream(), output);
    return withoutProgress(output);
  }

  private Path place(String word) {
    Path path = directory.resolve(word.substring("./".length()));
    return word.contains("*") ? only(path) : path;
  }

  /** Returns the only one there is whose name is like that. */
  private static Path only(Path path) {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> names =
        Files.newDirectoryStream(path.getParent(), path.getFileName().toString())) {
      names.forEach(found::add);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    assertThat(found).hasSize(1);
    return found.get(0);
  }

  private static int run(List<String> args, InputStream in, ByteArrayOutputStream output) {
    PrintStream both = new PrintStream(output, true, StandardCharsets.UTF_8);
    return Main.run(args.toArray(String[]::new), in, both, both);
  }

  /** Progress is told every few seconds, so how much of it there is depends on the machine. */
  private static String withoutProgress(ByteArrayOutputStream output) {
    return output
        .toString(StandardCharsets.UTF_8)
        .lines()
        .filter(line -> !line.matches("[a-z ]+: .*(B/s| of [0-9]+ blocks)(, .* left)?"))
        .collect(Collectors.joining("\n"))
        .strip();
  }

  /** A line of the guide that is only dots stands for any number of lines. */
  private static Pattern pattern(String expected) {
    StringBuilder regex = new StringBuilder();
    for (String line : expected.lines().toList()) {
      if (line.equals(ANYTHING)) {
        regex.append("(?:.*\n)*?");
      } else {
        for (String part : line.split("((?<=…)|(?=…))")) {
          regex.append(part.equals(ANYTHING) ? ".*" : Pattern.quote(part));
        }
        regex.append("(?:\n|$)");
      }
    }
    return Pattern.compile(expected.endsWith(ANYTHING) ? regex + "(?s:.*)" : regex.toString());
  }

  /** Reads a page; the port is that of the command in the background. */
  private String text(String address) {
    String served = serving.said().replaceAll("[^0-9]*127\\.0\\.0\\.1:([0-9]+).*", "$1");
    try (InputStream page = URI.create(address.replace(ANYTHING, served)).toURL().openStream()) {
      return new String(page.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A command in the background, in a process of its own, that serves until it is ended. */
  private record Serving(Process process, String said) implements AutoCloseable {

    static Serving start(List<String> args) {
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
      command.addAll(args);
      try {
        Process process =
            new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        return new Serving(process, process.inputReader().readLine());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    String end() {
      process.destroy();
      assertThat(process.onExit().join().exitValue()).isZero();
      return "";
    }

    @Override
    public void close() {
      process.destroyForcibly();
    }
  }

  /** A command in the background that waits for its standard input. */
  private static final class Waiting {

    private final CountDownLatch reading = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);
    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private final CompletableFuture<Integer> exitCode;

    Waiting(List<String> args) {
      exitCode = CompletableFuture.supplyAsync(() -> run(args, input(), output));
      await(reading);
    }

    String end() {
      ended.countDown();
      exitCode.join();
      return withoutProgress(output);
    }

    private InputStream input() {
      return new InputStream() {
        @Override
        public int read() {
          reading.countDown();
          await(ended);
          return -1;
        }
      };
    }

    private static void await(CountDownLatch latch) {
      try {
        latch.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new AssertionError("interrupted", e);
      }
    }
  }
}
