/** Small files that are replaced in one step, directories that are synced, or removed. */
@NullMarked
package io.ledgerkeep.core.files;

import org.jspecify.annotations.NullMarked;
