package io.ledgerkeep.core.archiving;

import java.time.Duration;

/**
 * What a run that seals segments of the archive anew did.
 *
 * @param segments how many it replaced
 * @param blocks how many blocks these have
 * @param bytesWritten the size of what took their place
 * @param segmentsLeft how many are not under the newest key yet
 * @param cancelled whether it was ended before its end; run it again to go on
 * @param elapsed how long it took
 */
public record ReencryptReport(
    long segments,
    long blocks,
    long bytesWritten,
    long segmentsLeft,
    boolean cancelled,
    Duration elapsed) {}
