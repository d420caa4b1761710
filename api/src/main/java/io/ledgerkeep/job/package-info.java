/**
 * What all maintenance jobs share: a plan (dry run), control while they run (progress, rate,
 * cancel) and a report of what they did.
 */
package io.ledgerkeep.job;
