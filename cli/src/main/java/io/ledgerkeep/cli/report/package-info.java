/** What commands tell: findings, and failures of files in words. */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.cli.report;
