/** Describes networks of nodes, and checks them against the rules of deployment. */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.cli.deploy;
