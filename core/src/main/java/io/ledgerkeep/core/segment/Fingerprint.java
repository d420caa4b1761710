package io.ledgerkeep.core.segment;

import io.ledgerkeep.Bytes;
import java.security.MessageDigest;

/** Makes four bytes of an id or a hash, by which a locator finds it; collisions are legal. */
@FunctionalInterface
interface Fingerprint {

  /** The first four bytes of the digest. */
  Fingerprint DIGEST =
      (digest, key) -> {
        key.digestInto(digest);
        byte[] hash = digest.digest();
        return (hash[0] & 0xFF) << 24
            | (hash[1] & 0xFF) << 16
            | (hash[2] & 0xFF) << 8
            | (hash[3] & 0xFF);
      };

  int of(MessageDigest digest, Bytes key);
}
