package io.ledgerkeep.core.ledger;

import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.error.IntegrityException;
import java.util.Optional;

/** Somebody who has blocks of a chain. Asked for one after the other it is fast. For one thread. */
interface BlockSource extends AutoCloseable {

  /** Returns what it is and where, for messages. */
  String name();

  String chainId();

  /** Returns the hash of the genesis block; empty if that cannot be read. */
  Optional<Bytes> genesisHash();

  Bytes ledgerId();

  Digests digests();

  long lastHeight();

  boolean isEncrypted();

  /** Returns the encoded size of all its blocks, about, in bytes. */
  long rawBytes();

  /**
   * Returns the block, or empty where it is not expected to have it.
   *
   * @throws IntegrityException if it should have it, whole, and does not
   */
  Optional<StoredBlock> block(long height);

  /** Returns what it recorded when the block was committed; empty if that cannot be read. */
  Optional<BlockMeta> recorded(long height);

  @Override
  void close();
}
