/** The {@code ledgerkeep} command; {@link io.ledgerkeep.cli.Main} is where it starts. */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.cli;
