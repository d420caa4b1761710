package io.ledgerkeep;

/**
 * All databases of a ledger at one height: what is committed afterwards is not seen, what was
 * committed before is seen whole. Safe for any number of threads.
 *
 * <p>A view costs no copy. An archive job that runs meanwhile may take away bodies; they are then
 * answered as archived. Close it soon: an engine cannot give back the space of what a view sees.
 */
public interface LedgerView extends LedgerReader, AutoCloseable {

  /** Ends the view and its iterators; closing it twice does nothing. */
  @Override
  void close();
}
