/** The ledger, the archive and everything between; exports nothing. */
module io.ledgerkeep.core {
  requires io.ledgerkeep.api;
  requires com.fasterxml.jackson.core;
  requires com.github.luben.zstd_jni;
  requires com.google.common;
  requires jdk.net;
  requires org.slf4j;
  requires static org.jspecify;

  uses io.ledgerkeep.archive.ArchiveStoreProvider;
  uses io.ledgerkeep.encryption.EncryptorProvider;
  uses io.ledgerkeep.storage.StorageEngineProvider;

  provides io.ledgerkeep.Ledgerkeep.Implementation with
      io.ledgerkeep.core.ledger.CoreImplementation;
  provides io.ledgerkeep.archive.ArchiveStoreProvider with
      io.ledgerkeep.core.store.DirectoryStoreProvider;
}
