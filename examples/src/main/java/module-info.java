/** One runnable class per question. */
module io.ledgerkeep.examples {
  requires io.ledgerkeep.api;
}
