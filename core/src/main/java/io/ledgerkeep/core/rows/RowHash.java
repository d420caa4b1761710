package io.ledgerkeep.core.rows;

import com.google.common.hash.HashFunction;
import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.Rope;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.SecureRandom;

/**
 * Hashes of rows that are added up: whatever the order, equal rows have equal sums, and others do
 * not, but for one chance in 2^64. SipHash under a key that is never stored: nobody can make rows
 * to a sum, and the hashes tell nothing of what they are of. Serves any number of threads.
 */
public final class RowHash {

  /** Rows up to this size are faster hashed in one piece. */
  private static final int MAX_JOINED_BYTES = 4 << 10;

  private final HashFunction function;

  /** Takes a new key. */
  public RowHash() {
    SecureRandom random = new SecureRandom();
    function = Hashing.sipHash24(random.nextLong(), random.nextLong());
  }

  /** Returns the hash of a key. */
  public long of(Bytes key) {
    return function.hashBytes(key.toArrayUnsafe()).asLong();
  }

  /** Returns the hash of a row. */
  public long of(Bytes key, Bytes value) {
    return of(key, Rope.of(value));
  }

  /** Returns the hash of a row. */
  public long of(Bytes key, Rope value) {
    long size = Integer.BYTES + key.size() + value.size();
    if (size > MAX_JOINED_BYTES) {
      Hasher hasher = function.newHasher().putInt(key.size()).putBytes(key.asBuffer());
      value.parts().forEach(part -> hasher.putBytes(part.asBuffer()));
      return hasher.hash().asLong();
    }
    byte[] joined = new byte[(int) size];
    ByteBuffer.wrap(joined).order(ByteOrder.LITTLE_ENDIAN).putInt(key.size());
    int at = Integer.BYTES;
    key.copyTo(joined, at);
    at += key.size();
    for (Bytes part : value.parts()) {
      part.copyTo(joined, at);
      at += part.size();
    }
    return function.hashBytes(joined).asLong();
  }
}
