/** Work handed to somebody else's threads whose results come back in order. */
@NullMarked
package io.ledgerkeep.core.parallel;

import org.jspecify.annotations.NullMarked;
