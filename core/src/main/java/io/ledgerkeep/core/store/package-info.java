/** The archive store that comes with the library: objects as files below a directory. */
@NullMarked
package io.ledgerkeep.core.store;

import org.jspecify.annotations.NullMarked;
