package io.ledgerkeep.testkit;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;

/** Computes the hash of a sample block: every field, each with its length before it. */
final class SampleHash {

  private final MessageDigest digest;
  private final ByteBuffer number = ByteBuffer.allocate(Long.BYTES);

  private SampleHash() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /** Returns the hash; the hash that the block has, and its additional bytes, do not matter. */
  static Bytes of(Block block) {
    SampleHash hash = new SampleHash();
    hash.add(block.height());
    hash.add(block.kind().name());
    hash.add(block.previousHash());
    hash.add(block.header());
    hash.add(block.transactions().size());
    for (Transaction transaction : block.transactions()) {
      hash.add(transaction.id());
      hash.add(transaction.payload());
    }
    block.rwSets().forEach(hash::add);
    return Bytes.wrap(hash.digest.digest());
  }

  private void add(RwSet rwSet) {
    add(rwSet.reads().size());
    for (RwSet.Read read : rwSet.reads()) {
      add(read.namespace(), read.key(), read.value());
    }
    add(rwSet.writes().size());
    for (RwSet.Write write : rwSet.writes()) {
      add(write.namespace(), write.key(), write.value());
    }
  }

  private void add(String namespace, Bytes key, Optional<Bytes> value) {
    add(namespace);
    add(key);
    add(value.isPresent() ? 1 : 0);
    value.ifPresent(this::add);
  }

  private void add(String text) {
    add(Bytes.ofUtf8(text));
  }

  private void add(Bytes bytes) {
    add(bytes.size());
    digest.update(bytes.asBuffer());
  }

  private void add(long value) {
    digest.update(number.clear().putLong(value).flip());
  }
}
