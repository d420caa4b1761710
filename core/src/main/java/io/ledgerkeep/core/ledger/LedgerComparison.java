package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledgerkeep.Comparison;
import io.ledgerkeep.Ledgerkeep.Comparison.Difference;
import io.ledgerkeep.Ledgerkeep.Comparison.Part;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.derived.DerivedComparison;
import io.ledgerkeep.core.derived.DerivedStore.DerivedView;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.error.ArchivedException;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.job.JobControl;
import java.util.List;
import java.util.Optional;

/**
 * Looks for the first thing in which two ledgers differ: block by block, then state and history.
 * Bodies are compared where both can be read. Where one cannot, the digests that were recorded when
 * it was committed stand for it; so ledgers that are archived otherwise can be compared too.
 */
final class LedgerComparison {

  private final OpenLedger one;
  private final OpenLedger other;
  private final JobWatch watch;
  private final boolean isOfOneDigest;
  private long blocks;
  private long byDigest;

  private LedgerComparison(OpenLedger one, OpenLedger other, JobControl control) {
    this.one = one;
    this.other = other;
    this.watch = new JobWatch(control, () -> false);
    this.isOfOneDigest = digest(one) == digest(other);
  }

  private static Digests digest(OpenLedger ledger) {
    return ledger.parts().format().digest();
  }

  /** Compares two ledgers that nobody has open; no key file is emptied for it. */
  static Comparison of(Settings one, Settings other, JobControl control) {
    requireLedger(one);
    requireLedger(other);
    try (OwnerLock lock = OwnerLock.take(one.requiredDirectory());
        OwnerLock otherLock = OwnerLock.take(other.requiredDirectory());
        Encryption.Keys keys = one.encryption.open(one.classLoader);
        Encryption.Keys otherKeys = other.encryption.open(other.classLoader);
        OpenLedger ours = new LedgerOpener(reading(one)).openOwned(keys);
        OpenLedger theirs = new LedgerOpener(reading(other)).openOwned(otherKeys)) {
      return new LedgerComparison(ours, theirs, control).run();
    }
  }

  private static void requireLedger(Settings settings) {
    if (!Layout.exists(settings.requiredDirectory())) {
      throw new ConfigurationException("there is no ledger in " + settings.requiredDirectory());
    }
  }

  private static Settings reading(Settings settings) {
    Settings reading = settings.copy();
    reading.readThrough = true;
    reading.unarchivedBlocks = null;
    return reading;
  }

  private Comparison run() {
    long common = Math.min(one.height(), other.height());
    watch.begin("compare", common + 1);
    for (long height = 0; height <= common; height++) {
      if (watch.isCancelled()) {
        return result(Optional.empty(), true);
      }
      Optional<Difference> found = ofBlocks(height);
      if (found.isPresent()) {
        return result(found, false);
      }
      blocks++;
    }
    if (one.height() != other.height()) {
      return result(
          Optional.of(
              Difference.at(
                  Part.HEIGHT,
                  common + 1,
                  "one ends at height %s, the other at %s"
                      .formatted(one.height(), other.height()))),
          false);
    }
    return ofDerived();
  }

  private Comparison result(Optional<Difference> first, boolean cancelled) {
    return new Comparison(one.height(), other.height(), blocks, byDigest, first, cancelled);
  }

  // ------------------------------------------------------------------------------------ blocks

  private Optional<Difference> ofBlocks(long height) {
    MetaRow ours = one.metaRow(height);
    MetaRow theirs = other.metaRow(height);
    Optional<String> head = ofHeads(ours, theirs);
    if (head.isPresent()) {
      return Optional.of(Difference.at(Part.BLOCK, height, head.get()));
    }
    Optional<Block> block = body(one, height);
    Optional<Block> otherBlock = body(other, height);
    block.ifPresent(found -> requireCommitted(found, one));
    otherBlock.ifPresent(found -> requireCommitted(found, other));
    watch.advance(1, ours.meta().bodyBytes());
    if (block.isPresent() && otherBlock.isPresent()) {
      return ofBodies(block.get(), otherBlock.get());
    }
    if (!isOfOneDigest) {
      throw new ConfigurationException(
          "block %s is archived, and the ledgers record digests of two kinds, so it cannot be compared without its body; give the archives"
              .formatted(height));
    }
    byDigest++;
    return ofRecorded(ours, theirs);
  }

  private static Optional<String> ofHeads(MetaRow ours, MetaRow theirs) {
    if (!ours.meta().hash().equals(theirs.meta().hash())) {
      return Optional.of("the hash");
    }
    if (!ours.meta().previousHash().equals(theirs.meta().previousHash())) {
      return Optional.of("the hash of the block before");
    }
    if (ours.meta().kind() != theirs.meta().kind()) {
      return Optional.of("the kind");
    }
    if (!ours.meta().header().equals(theirs.meta().header())) {
      return Optional.of("the header");
    }
    return ours.meta().transactionCount() == theirs.meta().transactionCount()
        ? Optional.empty()
        : Optional.of("the number of transactions");
  }

  private static Optional<Block> body(OpenLedger ledger, long height) {
    try {
      return ledger.block(height);
    } catch (ArchivedException e) {
      return Optional.empty(); // and no archive to read it from
    }
  }

  /** A body is compared with another's digests, so it must fit its own. */
  private static void requireCommitted(Block block, OpenLedger ledger) {
    StoredBlock stored = StoredBlock.of(block);
    if (!BlockDigests.of(stored, digest(ledger).newDigest())
        .meta(stored)
        .equals(ledger.metaRow(block.height()).meta())) {
      throw new IntegrityException(
          "block %s of the ledger in %s is not what was committed; run ledgerkeep verify"
              .formatted(block.height(), ledger.parts().directory()));
    }
  }

  private static Optional<Difference> ofBodies(Block ours, Block theirs) {
    List<Transaction> transactions = ours.transactions();
    List<RwSet> rwSets = ours.rwSets();
    for (int i = 0; i < transactions.size(); i++) {
      if (!transactions.get(i).equals(theirs.transactions().get(i))) {
        return Optional.of(Difference.at(Part.TRANSACTION, ours.height(), "transaction " + i));
      }
      if (!rwSets.get(i).equals(theirs.rwSets().get(i))) {
        return Optional.of(
            Difference.at(Part.RW_SET, ours.height(), "the read/write set of transaction " + i));
      }
    }
    return ours.additional().equals(theirs.additional())
        ? Optional.empty()
        : Optional.of(Difference.at(Part.BLOCK, ours.height(), "the additional bytes"));
  }

  private static Optional<Difference> ofRecorded(MetaRow ours, MetaRow theirs) {
    long height = ours.meta().height();
    if (!ours.meta().transactionRoot().equals(theirs.meta().transactionRoot())) {
      return Optional.of(Difference.at(Part.TRANSACTION, height, "the root of its transactions"));
    }
    if (!ours.meta().rwSetRoot().equals(theirs.meta().rwSetRoot())) {
      return Optional.of(Difference.at(Part.RW_SET, height, "the root of its read/write sets"));
    }
    return ours.meta().additionalDigest().equals(theirs.meta().additionalDigest())
        ? Optional.empty()
        : Optional.of(Difference.at(Part.BLOCK, height, "the digest of the additional bytes"));
  }

  // ------------------------------------------------------------------------------------ derived

  private Comparison ofDerived() {
    try (DerivedView ours = one.derivedView();
        DerivedView theirs = other.derivedView()) {
      watch.begin("compare state and history", 0);
      DerivedComparison.Result result = DerivedComparison.compare(ours, theirs, watch::isCancelled);
      return result(
          result
              .first()
              .map(
                  found ->
                      new Difference(
                          found.database().equals("state") ? Part.STATE : Part.HISTORY,
                          -1,
                          Optional.of(found.namespace()),
                          "from the key on whose SHA-256 digest is " + found.keyDigest())),
          !result.complete());
    }
  }
}
