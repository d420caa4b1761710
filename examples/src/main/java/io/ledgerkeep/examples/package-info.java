/** One runnable class per question. */
package io.ledgerkeep.examples;
