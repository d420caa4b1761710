package io.ledgerkeep.cli.interchange;

import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;

/**
 * Reads gzip and refuses to end early: where the JDK's own stream meets something after a member
 * that is not a whole further one, it takes it for the end, and blocks would be lost in silence.
 */
final class WholeGzipInputStream extends GZIPInputStream {

  private static final int TRAILER_BYTES = 8;

  WholeGzipInputStream(InputStream in, int bufferBytes) throws IOException {
    super(in, bufferBytes);
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    int read = super.read(target, offset, length);
    if (read < 0 && (inf.getRemaining() > TRAILER_BYTES || in.read() >= 0)) {
      throw new IOException("there is something after the end of the gzip data");
    }
    return read;
  }
}
