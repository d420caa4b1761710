package io.ledgerkeep.archive;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockVerifier;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.job.JobControl;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a check found.
 *
 * @param level how deep the check went
 * @param segments the number of segments checked
 * @param blocks the number of blocks checked
 * @param uncheckedBlocks the number of archived blocks that were passed over, because no archive is
 *     configured or the check did not get through it; 0 for an archive on its own
 * @param bytes the number of bytes read
 * @param findings what is wrong, each with its place; empty when all is well
 * @param cancelled whether the check was ended before its end
 */
public record Verification(
    Level level,
    long segments,
    long blocks,
    long uncheckedBlocks,
    long bytes,
    List<String> findings,
    boolean cancelled) {

  /** How deep a check goes; each level includes those before it. */
  public enum Level {
    /** The manifest's chain and the header, footer and trailer of every segment. */
    STRUCTURE,
    /** Every stored byte against its checksum and digest; needs no key. */
    BYTES,
    /** Every block decoded, every root computed anew. */
    CONTENT,
    /**
     * Every block against the ledger's own record, or by a {@link BlockVerifier}; state and history
     * against the writes of the blocks.
     */
    LEDGER
  }

  /** Copies the list. */
  public Verification {
    findings = List.copyOf(findings);
  }

  /** Returns the same check, which found more. */
  public Verification with(List<String> moreFindings) {
    List<String> all = new ArrayList<>(findings);
    all.addAll(moreFindings);
    return new Verification(level, segments, blocks, uncheckedBlocks, bytes, all, cancelled);
  }

  /** Returns whether nothing wrong was found. */
  public boolean ok() {
    return findings.isEmpty();
  }

  /**
   * A block that must be there: an anchor that was kept elsewhere, so that who sets a whole
   * directory back cannot set it back too.
   *
   * @param height its height
   * @param hash its hash
   */
  public record Expected(long height, Bytes hash) {

    /** Checks that both can be those of a block. */
    public Expected {
      if (height < 0) {
        throw new IllegalArgumentException("a height must not be negative, but is " + height);
      }
      if (hash.isEmpty() || hash.size() > Block.MAX_HASH_BYTES) {
        throw new IllegalArgumentException(
            "a hash has 1 to %s bytes, not %s".formatted(Block.MAX_HASH_BYTES, hash.size()));
      }
    }
  }

  /**
   * Asks for a check.
   *
   * @param level how deep to go
   * @param verifier the node's own rule, for level {@link Level#LEDGER}
   * @param expected blocks that must be there, at every level
   * @param control progress, rate and cancel
   */
  public record Request(
      Level level, Optional<BlockVerifier> verifier, List<Expected> expected, JobControl control) {

    /** Copies the list. */
    public Request {
      expected = List.copyOf(expected);
    }

    /** Asks for a check of the level, at full speed. */
    public static Request of(Level level) {
      return new Request(level, Optional.empty(), List.of(), JobControl.none());
    }

    /** Returns the same request with the node's own rule. */
    public Request with(BlockVerifier newVerifier) {
      return new Request(level, Optional.of(newVerifier), expected, control);
    }

    /** Returns the same request, which finds fault if the block is not there with that hash. */
    public Request expecting(long height, Bytes hash) {
      List<Expected> more = new ArrayList<>(expected);
      more.add(new Expected(height, hash));
      return new Request(level, verifier, more, control);
    }

    /** Returns the same request under the given control. */
    public Request with(JobControl newControl) {
      return new Request(level, verifier, expected, newControl);
    }
  }
}
