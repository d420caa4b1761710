/**
 * One runnable class per question a newcomer has. Each takes a directory as its only argument, can
 * be run again on it, and tells what it does:
 *
 * <ul>
 *   <li>{@link io.ledgerkeep.examples.Quickstart}: what is it all about? The README shows this one
 *   <li>{@link io.ledgerkeep.examples.CommitAndRead}: how do I keep a chain and read it back?
 *   <li>{@link io.ledgerkeep.examples.ReadAtOneHeight}: how do I read several things at one height?
 *   <li>{@link io.ledgerkeep.examples.ArchiveOldBlocks}: how do I make the node smaller, and still
 *       read everything?
 *   <li>{@link io.ledgerkeep.examples.ArchiveOnASchedule}: how does a node archive by itself?
 *   <li>{@link io.ledgerkeep.examples.WatchAJob}: how do I follow, slow down and stop a job?
 *   <li>{@link io.ledgerkeep.examples.ServeOperators}: how do operators look after the ledger of a
 *       node that runs?
 *   <li>{@link io.ledgerkeep.examples.MetricsOfANode}: how does a node show the measures of its
 *       ledger beside its own?
 *   <li>{@link io.ledgerkeep.examples.RestoreBlocks}: how do I bring archived blocks back?
 *   <li>{@link io.ledgerkeep.examples.QueryAnArchive}: how do I ask an archive without its node?
 *   <li>{@link io.ledgerkeep.examples.ChooseSyncPeers}: which peers can a node fetch blocks from?
 *   <li>{@link io.ledgerkeep.examples.KeepALog}: where do the lines of the ledger go, and how many?
 *   <li>{@link io.ledgerkeep.examples.KeepYourOwnStorage}: how does a node keep a storage of its
 *       own beside the ledger? Its {@code OwnStorageTest} tests it with the testkit
 *   <li>{@link io.ledgerkeep.examples.UseYourOwnEngine}: how do I bring a storage engine of my own?
 * </ul>
 *
 * <p>After {@code ./mvnw package -DskipTests}, from the root of the project, with the name of the
 * example in place of the last word:
 *
 * <pre>{@code
 * CP="cli/target/dist/lib/*:metrics/target/classes:examples/target/classes"
 * java -cp "$CP" io.ledgerkeep.examples.CommitAndRead
 * }</pre>
 */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.examples;
