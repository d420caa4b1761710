package io.ledgerkeep.testkit;

/** Holds the place of the first public type, since an empty package cannot be exported. */
public interface Skeleton {}
