package io.ledgerkeep.core.doctor;

import com.google.common.collect.RangeSet;
import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Remedy;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Severity;
import io.ledgerkeep.core.chain.ChainReader;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.error.IntegrityException;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the blocks of a block database: every meta with its link and its entry in the index of
 * hashes, and bodies with their entries in the index of transactions. Of a sample of bodies, or of
 * all; where one of the sample is lost, all are looked at, so that the lost ones are named.
 */
public final class BlocksExam {

  private static final String BLOCK = "block";
  private static final long AT_EACH_END = 256;
  private static final long BETWEEN = 2048;
  private static final long CHUNK_BLOCKS = 256;

  private final ChainReader reader;
  private final Subject subject;
  private final JobWatch watch;
  private final MessageDigest digest;

  private final RangeSet<Long> lost = Ranges.none();
  private final RangeSet<Long> withoutMeta = Ranges.none();
  private final RangeSet<Long> withoutBody = Ranges.none();
  private final RangeSet<Long> changed = Ranges.none();
  private final RangeSet<Long> unlinked = Ranges.none();
  private final RangeSet<Long> notFound = Ranges.none();
  private final RangeSet<Long> unknown = Ranges.none();
  private @Nullable String derivedIsWrong;
  private long checkedBlocks;
  private boolean cancelled;

  /**
   * What is to be looked at.
   *
   * @param digests of the ledger
   * @param last its last height
   * @param pivot its pivot
   * @param full whether every body is read
   * @param mightKnow whether the id filter knows an id
   * @param derived refuses a block whose writes are not in state and history
   */
  public record Subject(
      Digests digests,
      long last,
      long pivot,
      boolean full,
      Predicate<Bytes> mightKnow,
      Consumer<Block> derived) {}

  /** Looks through a reader of the block database. */
  public BlocksExam(ChainReader reader, Subject subject, JobWatch watch) {
    this.reader = reader;
    this.subject = subject;
    this.watch = watch;
    this.digest = subject.digests().newDigest();
  }

  /** Looks at everything that was asked for. */
  public void run() {
    watch.begin("blocks", subject.last() + 1);
    walk(subject.full());
    if (!lost.isEmpty() && !subject.full() && !cancelled) {
      watch.begin("all blocks", subject.last() + 1);
      walk(true);
    }
  }

  private void walk(boolean all) {
    Optional<MetaRow> previous = Optional.empty();
    for (long height = 0; height <= subject.last() && !cancelled; height++) {
      previous = look(height, previous, all);
      if (height % CHUNK_BLOCKS == CHUNK_BLOCKS - 1) {
        watch.advance(CHUNK_BLOCKS, 0);
        cancelled = watch.isCancelled();
      }
    }
  }

  private Optional<MetaRow> look(long height, Optional<MetaRow> previous, boolean all) {
    Optional<MetaRow> found;
    try {
      found = reader.meta(height);
    } catch (RuntimeException e) {
      found = Optional.empty();
    }
    if (found.isEmpty()) {
      lose(withoutMeta, height);
      return found;
    }
    MetaRow meta = found.get();
    previous.ifPresent(before -> lookAtLink(before, meta));
    lookAtHash(meta);
    if (!isArchived(meta.meta()) && (all || isOfTheSample(height))) {
      lookAtBody(meta);
    }
    return found;
  }

  private void lookAtLink(MetaRow before, MetaRow meta) {
    try {
      meta.requireAfter(before);
    } catch (IntegrityException e) {
      lose(unlinked, meta.meta().height());
    }
  }

  private void lookAtHash(MetaRow meta) {
    long height = meta.meta().height();
    try {
      if (reader.heightOf(meta.meta().hash()).orElse(-1) != height) {
        Ranges.add(notFound, height);
      }
    } catch (RuntimeException e) {
      Ranges.add(notFound, height);
    }
    if (!subject.mightKnow().test(meta.meta().hash())) {
      Ranges.add(unknown, height);
    }
  }

  private boolean isArchived(BlockMeta meta) {
    return meta.kind() == Block.Kind.NORMAL && meta.height() <= subject.pivot();
  }

  private boolean isOfTheSample(long height) {
    return height < AT_EACH_END
        || height > subject.last() - AT_EACH_END
        || (height > subject.pivot() && height <= subject.pivot() + AT_EACH_END)
        || height % (subject.last() / BETWEEN + 1) == 0;
  }

  private void lookAtBody(MetaRow meta) {
    long height = meta.meta().height();
    Optional<StoredBlock> body;
    try {
      body = reader.block(meta);
    } catch (RuntimeException e) {
      lose(changed, height);
      return;
    }
    if (body.isEmpty()) {
      lose(withoutBody, height);
      return;
    }
    checkedBlocks++;
    lookAt(meta.meta(), body.get());
  }

  private void lookAt(BlockMeta meta, StoredBlock block) {
    Block decoded;
    try {
      if (!meta.equals(BlockDigests.of(block, digest).meta(block))) {
        lose(changed, meta.height());
        return;
      }
      decoded = block.decode();
    } catch (RuntimeException e) {
      lose(changed, meta.height());
      return;
    }
    watch.advance(0, block.bodyBytes());
    lookAtIds(decoded);
    lookAtDerived(decoded);
  }

  private void lookAtIds(Block block) {
    for (int ordinal = 0; ordinal < block.transactions().size(); ordinal++) {
      String id = block.transactions().get(ordinal).id();
      ChainReader.Location expected = new ChainReader.Location(block.height(), ordinal);
      try {
        if (!reader.locationOf(id).filter(expected::equals).isPresent()) {
          Ranges.add(notFound, block.height());
        }
      } catch (RuntimeException e) {
        Ranges.add(notFound, block.height());
      }
      if (!subject.mightKnow().test(Bytes.ofUtf8(id))) {
        Ranges.add(unknown, block.height());
      }
    }
  }

  private void lookAtDerived(Block block) {
    if (derivedIsWrong == null) {
      try {
        subject.derived().accept(block);
      } catch (RuntimeException e) {
        derivedIsWrong = String.valueOf(e.getMessage());
      }
    }
  }

  private void lose(RangeSet<Long> how, long height) {
    Ranges.add(how, height);
    Ranges.add(lost, height);
  }

  // ------------------------------------------------------------------------------------ results

  /** Returns the heights of blocks that are lost or damaged. */
  public RangeSet<Long> lost() {
    return lost;
  }

  /** Returns whether every lost block has its meta, so that a body from elsewhere can be proven. */
  public boolean areBodiesOnly() {
    return withoutMeta.isEmpty() && unlinked.isEmpty();
  }

  /** Returns how many bodies were read and compared. */
  public long checkedBlocks() {
    return checkedBlocks;
  }

  /** Returns whether it was ended before its end. */
  public boolean isCancelled() {
    return cancelled;
  }

  /**
   * Tells what was found.
   *
   * @param forBlocks what brings lost blocks back
   * @param forDerived what puts indexes, state and history right
   * @param forFilter what puts the id filter right
   */
  public void tell(Findings findings, Remedy forBlocks, Remedy forDerived, Remedy forFilter) {
    tell(findings, withoutMeta, "the meta is missing or cannot be read", forBlocks);
    tell(findings, unlinked, "does not follow the block before", forBlocks);
    tell(findings, withoutBody, "the body is not whole on the node", forBlocks);
    tell(findings, changed, "the body is damaged, or not what was committed", forBlocks);
    tell(findings, notFound, "an index does not lead there", forDerived);
    if (!unknown.isEmpty()) {
      findings.add(
          Severity.DAMAGE,
          "id filter",
          Ranges.named(unknown) + ": the id filter does not know a hash or an id of it",
          forFilter);
    }
    if (derivedIsWrong != null) {
      findings.add(Severity.DAMAGE, "state and history", derivedIsWrong, forDerived);
    }
  }

  private static void tell(Findings findings, RangeSet<Long> heights, String what, Remedy remedy) {
    if (!heights.isEmpty()) {
      findings.add(Severity.DAMAGE, BLOCK, Ranges.named(heights) + ": " + what, remedy);
    }
  }
}
