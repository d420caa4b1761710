package io.ledgerkeep.core.backup;

import io.ledgerkeep.Bytes;
import java.util.List;
import java.util.Optional;

/**
 * What a backup says of itself, without its files.
 *
 * @param number counted from 1 in its directory
 * @param parent what it follows; empty for a full one
 * @param ledger whose it is
 * @param genesis the hash of the genesis block, or empty
 * @param position where the ledger stood
 * @param branch the id of the newest branch, or empty
 * @param stateIncluded whether state, history and indexes are in it whole
 * @param dataKeys the numbers of the data keys that its values may be under
 * @param created when it was begun, for people
 */
public record BackupHead(
    int number,
    Optional<Parent> parent,
    BackedUpLedger ledger,
    Bytes genesis,
    Position position,
    Bytes branch,
    boolean stateIncluded,
    List<Integer> dataKeys,
    String created) {

  /**
   * The backup that another one follows.
   *
   * @param digest SHA-256 of its manifest
   */
  public record Parent(int number, Bytes digest) {}

  /** Copies the list. */
  public BackupHead {
    dataKeys = List.copyOf(dataKeys);
  }

  /** Returns whether it is of use without another. */
  public boolean isFull() {
    return parent.isEmpty();
  }
}
