package io.ledgerkeep.core.archiving;

import io.ledgerkeep.archive.Archiver.Policy;
import io.ledgerkeep.core.chain.ChainReader;
import io.ledgerkeep.core.chain.MetaRow;
import java.time.Clock;
import java.time.Instant;
import java.util.OptionalLong;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/** Up to which height a policy wants a ledger archived. */
final class DueHeight {

  private final ChainReader reader;
  private final long pivot;
  private final long height;
  private final LongSupplier usableBytes;
  private final Clock clock;

  /**
   * Looks at a ledger as it is.
   *
   * @param usableBytes how much is free on the disk of the block database
   */
  DueHeight(Site site, LongSupplier usableBytes, Clock clock) {
    this.reader = site.chain().reader();
    this.pivot = site.chain().mark().pivot();
    this.height = site.height().getAsLong();
    this.usableBytes = usableBytes;
    this.clock = clock;
  }

  /** Returns the height, up to the highest that may be archived; empty at or below the pivot. */
  OptionalLong of(Policy policy, long highest) {
    if (highest <= pivot) {
      return OptionalLong.empty();
    }
    long wanted = pivot;
    if (policy.keepBlocks().isPresent()) {
      wanted = Math.max(wanted, height - policy.keepBlocks().getAsLong());
    }
    if (policy.keepBytes().isPresent()) {
      long least = normalBytes(height) - policy.keepBytes().getAsLong();
      wanted = Math.max(wanted, first(meta -> meta.normalBytes() >= least, highest));
    }
    if (policy.freeBytes().isPresent()) {
      long least = normalBytes(pivot) + policy.freeBytes().getAsLong() - usableBytes.getAsLong();
      wanted = Math.max(wanted, first(meta -> meta.normalBytes() >= least, highest));
    }
    if (policy.keepAge().isPresent()) {
      Policy.Age age = policy.keepAge().get();
      Instant youngest = clock.instant().minus(age.atLeast());
      wanted =
          Math.max(
              wanted, first(meta -> age.time().apply(meta.meta()).isAfter(youngest), highest) - 1);
    }
    long target = reader.highestNormal(Math.min(wanted, highest));
    return target > pivot ? OptionalLong.of(target) : OptionalLong.empty();
  }

  private long normalBytes(long at) {
    return reader.requiredMeta(at).normalBytes();
  }

  /** Returns the first height from the pivot on that has what all above it have, or one more. */
  private long first(Predicate<MetaRow> has, long highest) {
    long low = pivot;
    long high = highest + 1;
    while (low < high) {
      long middle = (low + high) >>> 1;
      if (has.test(reader.requiredMeta(middle))) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
}
