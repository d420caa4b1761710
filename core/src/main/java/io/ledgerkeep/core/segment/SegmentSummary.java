package io.ledgerkeep.core.segment;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Archive;

/**
 * What is known of a sealed segment without its frames.
 *
 * @param header what the segment begins with
 * @param contents what its blocks sum up to
 * @param previousSegment the digest of the segment before, or nothing for the first
 * @param rawBytes the size of the decoded blocks
 * @param storedBytes the size of the file
 * @param digest the digest of the segment, which covers every byte
 */
public record SegmentSummary(
    SegmentHeader header,
    SegmentContents contents,
    Bytes previousSegment,
    long rawBytes,
    long storedBytes,
    Bytes digest) {

  /** Returns the summary in the words of the API. */
  public Archive.Segment toSegment(String name) {
    return new Archive.Segment(
        name,
        contents.firstHeight(),
        contents.lastHeight(),
        contents.transactions(),
        rawBytes,
        storedBytes,
        contents.contentRoot(),
        digest);
  }
}
