/** Small files that are replaced in one step, and directories that are synced. */
@NullMarked
package io.ledgerkeep.core.files;

import org.jspecify.annotations.NullMarked;
