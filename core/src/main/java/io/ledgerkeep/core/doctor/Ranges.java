package io.ledgerkeep.core.doctor;

import com.google.common.collect.ContiguousSet;
import com.google.common.collect.DiscreteDomain;
import com.google.common.collect.Range;
import com.google.common.collect.RangeSet;
import com.google.common.collect.TreeRangeSet;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Heights;
import java.util.List;
import java.util.stream.Collectors;

/** Sets of heights as ranges, for which a million heights in a row are one. */
public final class Ranges {

  private static final int MOST_NAMED = 20;

  private Ranges() {}

  /** Adds a height. */
  public static void add(RangeSet<Long> set, long height) {
    add(set, height, height);
  }

  /** Adds heights that follow one another. */
  public static void add(RangeSet<Long> set, long first, long last) {
    if (first <= last) {
      set.add(Range.closedOpen(first, last + 1));
    }
  }

  /** Returns an empty set. */
  public static RangeSet<Long> none() {
    return TreeRangeSet.create();
  }

  /** Returns the ranges, both ends included. */
  public static List<Heights> of(RangeSet<Long> set) {
    return set.asRanges().stream().map(Ranges::heights).toList();
  }

  private static Heights heights(Range<Long> range) {
    ContiguousSet<Long> heights = ContiguousSet.create(range, DiscreteDomain.longs());
    return new Heights(heights.first(), heights.last());
  }

  /** Names the heights: {@code block 3}, or {@code blocks 3 to 7, 9}. */
  public static String named(RangeSet<Long> set) {
    List<Heights> ranges = of(set);
    String names =
        ranges.stream()
            .limit(MOST_NAMED)
            .map(
                range ->
                    range.first() == range.last()
                        ? String.valueOf(range.first())
                        : range.first() + " to " + range.last())
            .collect(Collectors.joining(", "));
    boolean isOne = ranges.size() == 1 && ranges.get(0).first() == ranges.get(0).last();
    long more = Math.max(0, ranges.size() - MOST_NAMED);
    return (isOne ? "block " : "blocks ") + names + (more == 0 ? "" : " and " + more + " ranges");
  }
}
