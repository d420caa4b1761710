package io.ledgerkeep.cli;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.cli.interchange.BlockLines;
import io.ledgerkeep.cli.interchange.BlockLinesReader;
import io.ledgerkeep.error.LedgerkeepException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Executor;

/**
 * A node in a process of its own. It commits the blocks of a file one by one and says each that is
 * committed on standard output; with a seed it archives and restores in between, at random, and
 * says the archived height after each job.
 */
final class Node {

  static final String COMMITTED = "committed ";
  static final String ARCHIVED = "archived ";

  private static final int BLOCKS_BETWEEN_JOBS = 40;

  private final Ledger ledger;
  private final Optional<Random> random;

  private Node(Ledger ledger, Optional<Random> random) {
    this.ledger = ledger;
    this.random = random;
  }

  /** Returns the command of a node that only commits. */
  static List<String> committing(Place place, Path file) {
    return command(place, file, "");
  }

  /** Returns the command of a node that does everything there is, as the seed says. */
  static List<String> busy(Place place, Path file, long seed) {
    return command(place, file, Long.toString(seed));
  }

  private static List<String> command(Place place, Path file, String seed) {
    return Child.java(
        Child.SHORT_LIVED, Node.class, place.config, place.data, place.archive, file, seed);
  }

  public static void main(String[] args) throws IOException {
    GlobalOptions options =
        new GlobalOptions(
            new Console(System.in, System.out, System.err, false, Interruption.byRequest()));
    options.config = Path.of(args[0]);
    options.data = Path.of(args[1]);
    options.archive = Path.of(args[2]);
    Path file = Path.of(args[3]);
    Optional<Random> random =
        args[4].isEmpty() ? Optional.empty() : Optional.of(new Random(Long.parseLong(args[4])));
    Executor control = Node::startDaemon;
    try (OpenLedger open = OpenLedger.existing(Settings.of(options).ledger().control(control));
        BlockLinesReader reader = BlockLines.reader(file.toString(), Files.newInputStream(file))) {
      new Node(open.ledger(), random).run(reader);
    } catch (LedgerkeepException e) {
      System.err.println(e.getMessage());
      System.exit(ExitCode.FAILED);
    }
  }

  private static void startDaemon(Runnable task) {
    Thread thread = new Thread(task, "control");
    thread.setDaemon(true);
    thread.start();
  }

  private void run(BlockLinesReader reader) throws IOException {
    for (Optional<Block> block = reader.read(); block.isPresent(); block = reader.read()) {
      if (block.get().height() > ledger.height()) {
        ledger.commit(block.get());
        say(COMMITTED, block.get().height());
        random.filter(chance -> chance.nextInt(BLOCKS_BETWEEN_JOBS) == 0).ifPresent(this::job);
      }
    }
    while (random.isPresent()) {
      job(random.get());
    }
  }

  private void job(Random chance) {
    long highest = ledger.status().highestArchivableHeight();
    if (chance.nextBoolean() && highest > 0) {
      long target = 1 + chance.nextInt((int) highest);
      if (ledger.meta(target).orElseThrow().kind() == Block.Kind.NORMAL) {
        ledger.archiver().archive(ArchiveRequest.upTo(target));
      }
    } else if (ledger.archivedHeight() > 0) {
      long lowest = 1 + chance.nextInt((int) ledger.archivedHeight());
      ledger.restorer().restore(RestoreRequest.downTo(lowest));
    }
    say(ARCHIVED, ledger.archivedHeight());
  }

  private static void say(String what, long height) {
    System.out.println(what + height);
    System.out.flush();
  }
}
