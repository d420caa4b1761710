/**
 * The command line {@code ledgerkeep}, on the public API only. {@link io.ledgerkeep.cli.Main} is
 * where it starts; each command is a class named after it.
 */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.cli;
