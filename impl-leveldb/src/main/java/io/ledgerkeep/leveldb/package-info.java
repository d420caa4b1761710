/** A storage engine over LevelDB. */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.leveldb;
