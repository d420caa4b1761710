/**
 * The ledger as node code sees it: {@link io.ledgerkeep.Ledgerkeep} opens a {@link
 * io.ledgerkeep.Ledger}, which commits {@link io.ledgerkeep.Block blocks} and reads them back.
 *
 * <p>Begin with {@link io.ledgerkeep.Ledgerkeep}. Values here are immutable records checked in
 * their constructors. Nothing in this package accepts or returns {@code null}. Heights are 64-bit
 * and begin at 0, the genesis block. {@code first}/{@code last} include both ends, {@code
 * from}/{@code until} leave the end out.
 */
package io.ledgerkeep;
