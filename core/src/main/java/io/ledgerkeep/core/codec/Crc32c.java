package io.ledgerkeep.core.codec;

import io.ledgerkeep.Bytes;
import java.util.zip.CRC32C;

/** The checksum of everything that lies in files and needs no key to be looked at: CRC32C. */
public final class Crc32c {

  private Crc32c() {}

  /** Returns the checksum of the bytes. */
  public static int of(Bytes bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.asBuffer());
    return (int) crc.getValue();
  }

  /** Returns the checksum of the bytes. */
  public static int of(byte[] bytes) {
    return of(Bytes.wrap(bytes));
  }
}
