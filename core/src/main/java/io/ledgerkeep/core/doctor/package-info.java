/**
 * What looks at a ledger that may be damaged: each part by itself, on a copy. Begin with {@link
 * io.ledgerkeep.core.doctor.BlocksExam}.
 */
@NullMarked
package io.ledgerkeep.core.doctor;

import org.jspecify.annotations.NullMarked;
