/** What all maintenance jobs share: one at a time, watched, held back, cancelled. */
@NullMarked
package io.ledgerkeep.core.jobs;

import org.jspecify.annotations.NullMarked;
