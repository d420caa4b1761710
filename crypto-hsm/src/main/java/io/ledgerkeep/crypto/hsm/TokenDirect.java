package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.KeyWrapper.Calls;
import io.ledgerkeep.encryption.KeyWrapper.Direct;
import java.util.concurrent.atomic.AtomicBoolean;

/** Values sealed in a token. */
final class TokenDirect implements Direct {

  private final Connection connection;
  private final TokenSuite suite;
  private final boolean archives;
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * Creates it.
   *
   * @param connection one share in it, given away
   */
  TokenDirect(Connection connection, TokenSuite.Kind kind, boolean archives, Calls calls) {
    this.connection = connection;
    this.archives = archives;
    this.suite = new TokenSuite(connection, kind, calls, closed::get);
  }

  @Override
  public CipherSuite suite() {
    return suite;
  }

  @Override
  public boolean archives() {
    return archives;
  }

  @Override
  public Bytes identity() {
    return connection.directIdentity();
  }

  @Override
  public void close() {
    if (!closed.getAndSet(true)) {
      connection.release();
    }
  }

  @Override
  public String toString() {
    return "Direct[" + suite + "]";
  }
}
