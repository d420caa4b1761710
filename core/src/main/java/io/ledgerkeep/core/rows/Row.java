package io.ledgerkeep.core.rows;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.rows.AheadEngine.Ahead;
import java.util.Optional;

/**
 * A row to be written.
 *
 * @param value as readers see it
 * @param ahead what was done for it ahead
 */
public record Row(Bytes key, Rope value, Optional<Ahead> ahead) {}
