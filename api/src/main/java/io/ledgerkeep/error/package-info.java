/**
 * One sealed family of unchecked exceptions, cut by what the caller can do. Messages say what
 * failed, what was expected, what was found and what to do; never a payload, a value or a key.
 */
package io.ledgerkeep.error;
