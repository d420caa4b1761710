/** Where a test can kill the process; of no account in production. */
@NullMarked
package io.ledgerkeep.core.failpoint;

import org.jspecify.annotations.NullMarked;
