/**
 * What an engine author implements: {@link io.ledgerkeep.storage.StorageEngine}, an ordered byte
 * map, found through its {@link io.ledgerkeep.storage.StorageEngineProvider}. The rules are
 * numbered; the testkit has a contract test named after each number.
 */
package io.ledgerkeep.storage;
