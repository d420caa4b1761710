package io.ledgerkeep.cli;

import com.google.common.hash.Hashing;
import com.google.common.hash.HashingInputStream;
import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.cli.interchange.BlockLines;
import io.ledgerkeep.cli.interchange.BlockLinesReader;
import io.ledgerkeep.error.ArchivedException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.job.JobReport;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.LongStream;

/** The main job on one chain, step by step, telling what it does. */
final class Demo {

  /** The least that a ledger keeps back from archiving. */
  private static final long MIN_UNARCHIVED = 10;

  private final Path chain;
  private final Settings settings;
  private final JobWatch watch;
  private final PrintStream story;
  private final Outcome outcome = Outcome.done();
  private String ledgerOfArchive = "";
  private int step;

  Demo(Path chain, Settings settings, JobWatch watch, PrintStream story) {
    this.chain = chain;
    this.settings = settings;
    this.watch = watch;
    this.story = story;
  }

  Outcome run() throws IOException {
    String imported = importChain();
    String before;
    Block sample;
    try (OpenLedger open = open(false)) {
      Ledger ledger = open.ledger();
      before = export(ledger, "export the whole chain");
      tell(before.equals(imported) ? "byte for byte what was imported" : "in canonical form");
      sample = sample(ledger, target(ledger));
      ledgerOfArchive = meta(ledger, 0).hash().hex() + "/" + ledger.status().ledgerId();
      archive(ledger);
      readWithoutReadThrough(ledger, sample);
    }
    try (OpenLedger open = open(true)) {
      readThrough(open.ledger(), sample);
    }
    queryTheArchiveAlone(sample);
    try (OpenLedger open = open(false)) {
      verify(open.ledger());
      restore(open.ledger());
      requireEqual(before, export(open.ledger(), "export the whole chain again"));
    }
    return outcome;
  }

  private String importChain() throws IOException {
    step("create a ledger and import " + chain);
    try (HashingInputStream plain =
            new HashingInputStream(
                Hashing.sha256(),
                BlockLines.decompress(chain.toString(), Files.newInputStream(chain)));
        BlockLinesReader reader = new BlockLinesReader(plain);
        OpenLedger open = OpenLedger.created(settings.newLedger(null).reserveBytes(0))) {
      Importer.Report report = new Importer(open.ledger(), reader, watch).run();
      requireGoingOn();
      if (report.height() <= MIN_UNARCHIVED) {
        throw CommandException.failed(
            "the newest 10 blocks are never archived, so the demo needs a longer chain than "
                + Units.blocks(report.height() + 1));
      }
      tell(Units.blocks(report.imported()) + ", heights 0 to " + report.height());
      outcome.put("blocks", report.imported());
      return plain.hash().toString();
    }
  }

  /** Opens the ledger so that it keeps back the newest tenth of the chain. */
  private OpenLedger open(boolean readThrough) {
    return OpenLedger.existing(
        settings
            .ledger()
            .reserveBytes(0)
            .unarchivedBlocks(MIN_UNARCHIVED)
            .readThrough(readThrough));
  }

  private String export(Ledger ledger, String title) throws IOException {
    step(title + "");
    Exporter.Report report =
        new Exporter(ledger, watch).write(0, ledger.height(), OutputStream.nullOutputStream());
    tell(Units.bytes(report.bytes()) + ", sha256 " + report.sha256());
    return report.sha256();
  }

  /** About nine tenths, and no config block. */
  private static long target(Ledger ledger) {
    long highest = Math.min(ledger.height() - MIN_UNARCHIVED, ledger.height() * 9 / 10);
    return LongStream.iterate(highest, height -> height > 0, height -> height - 1)
        .filter(height -> isNormal(ledger, height))
        .findFirst()
        .orElseThrow(() -> CommandException.failed("the chain has config blocks only"));
  }

  /** An archived block to look at, with transactions if there is one. */
  private static Block sample(Ledger ledger, long lastHeight) {
    long height =
        LongStream.rangeClosed(1, lastHeight)
            .filter(h -> isNormal(ledger, h) && meta(ledger, h).transactionCount() > 0)
            .findFirst()
            .orElse(lastHeight);
    return ledger.block(height).orElseThrow();
  }

  private void archive(Ledger ledger) {
    long target = target(ledger);
    step("archive up to height " + target);
    JobReport report = ledger.archiver().archive(ArchiveRequest.upTo(target).with(watch.control()));
    requireGoingOn();
    tell("moved " + Units.blocks(report.blocks()) + ", " + Units.bytes(report.bytesMoved()));
    tell("wrote " + Units.bytes(report.bytesWritten()) + " to the archive, read back and verified");
    tell(
        "freed %s on the node: the block database went from %s to %s"
            .formatted(
                report.bytesFreed() > 0 ? Units.bytes(report.bytesFreed()) : "nothing",
                Units.bytes(report.bytesOnDiskBefore()),
                Units.bytes(report.bytesOnDiskAfter())));
    outcome
        .put("archivedBlocks", report.blocks())
        .put("archivedHeight", report.archivedHeightAfter())
        .put("bytesMoved", report.bytesMoved())
        .put("bytesWritten", report.bytesWritten())
        .put("bytesFreed", report.bytesFreed());
  }

  private void readWithoutReadThrough(Ledger ledger, Block sample) {
    step("read block " + sample.height() + " from the node alone");
    try {
      ledger.block(sample.height());
      throw new IntegrityException("block " + sample.height() + " is still on the node");
    } catch (ArchivedException e) {
      tell("refused: " + e.getMessage());
    }
  }

  private void readThrough(Ledger ledger, Block sample) {
    step("read block " + sample.height() + " through to the archive");
    requireSame(sample, ledger.block(sample.height()).orElseThrow());
    tell("hash " + sample.hash().hex() + ", with everything in it");
  }

  private void queryTheArchiveAlone(Block sample) {
    step("ask the archive alone, without the node");
    try (Archive archive = settings.openArchive(ledgerOfArchive)) {
      if (sample.transactions().isEmpty()) {
        Bytes hash = sample.hash();
        requireSame(sample, archive.blockByHash(hash).orElseThrow());
        tell("found block " + sample.height() + " by its hash " + hash.hex());
      } else {
        Transaction transaction = sample.transactions().get(0);
        requireSame(transaction, archive.transaction(transaction.id()).orElseThrow());
        requireSame(sample.rwSets().get(0), archive.rwSet(transaction.id()).orElseThrow());
        tell("found transaction " + transaction.id() + " and its RWSet");
      }
    }
  }

  private void verify(Ledger ledger) {
    step("verify every block against the node's own record");
    Verification result =
        ledger.verify(Verification.Request.of(Verification.Level.LEDGER).with(watch.control()));
    requireGoingOn();
    if (!result.ok()) {
      throw new IntegrityException(String.join(System.lineSeparator(), result.findings()));
    }
    tell(Units.blocks(result.blocks()) + " checked, all is well");
  }

  private void restore(Ledger ledger) {
    step("restore everything");
    JobReport report = ledger.restorer().restore(RestoreRequest.downTo(1).with(watch.control()));
    requireGoingOn();
    tell("brought back " + Units.blocks(report.blocks()));
    outcome.put("restoredBlocks", report.blocks());
  }

  private void requireEqual(String before, String after) {
    if (!before.equals(after)) {
      throw new IntegrityException("the exports differ: sha256 " + before + " and " + after);
    }
    tell("equal to the first export: nothing was lost");
    outcome.put("sha256", after).put("equal", true);
  }

  private static void requireSame(Object expected, Object found) {
    if (!expected.equals(found)) {
      throw new IntegrityException("the archive gave back something else than was archived");
    }
  }

  private void requireGoingOn() {
    if (watch.cancelled()) {
      throw CommandException.interrupted("the demo was stopped");
    }
  }

  private static boolean isNormal(Ledger ledger, long height) {
    return meta(ledger, height).kind() == Block.Kind.NORMAL;
  }

  private static BlockMeta meta(Ledger ledger, long height) {
    return ledger.meta(height).orElseThrow();
  }

  private void step(String title) {
    requireGoingOn();
    watch.endLine();
    story.println(++step + ". " + title);
  }

  private void tell(String line) {
    watch.endLine();
    story.println("   " + line);
  }
}
