/**
 * What node code, integrators and backend authors compile against. Begin reading at {@link
 * io.ledgerkeep.Ledgerkeep}; needs nothing but the Java base.
 */
module io.ledgerkeep.api {
  exports io.ledgerkeep;
  exports io.ledgerkeep.archive;
  exports io.ledgerkeep.encryption;
  exports io.ledgerkeep.error;
  exports io.ledgerkeep.job;
  exports io.ledgerkeep.storage;

  uses io.ledgerkeep.Ledgerkeep.Implementation;
}
