/**
 * A storage engine as a third party would write one, in three classes: {@link
 * io.ledgerkeep.examples.journal.JournalStorage} opens it, the engine keeps everything in memory,
 * and a journal on disk remembers every batch. It keeps all rules of {@link
 * io.ledgerkeep.storage.StorageEngine}, which its test proves with the contract of the testkit; it
 * is for reading, not for large ledgers: every write copies the index of all keys.
 */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.examples.journal;
