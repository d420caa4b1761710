/** The ledger behind the API; found by ServiceLoader, named by nobody. */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.core;
