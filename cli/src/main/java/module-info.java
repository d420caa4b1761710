/** The {@code ledgerkeep} command, on the public API only. */
module io.ledgerkeep.cli {
  requires transitive io.ledgerkeep.api;
  requires com.fasterxml.jackson.core;
  requires com.github.luben.zstd_jni;
  requires com.google.common;
  requires info.picocli;
  requires io.ledgerkeep.crypto.hsm;
  requires io.ledgerkeep.logback;
  requires jdk.httpserver;
  requires jdk.unsupported;
  requires micrometer.core;
  requires micrometer.registry.prometheus;
  requires org.bouncycastle.provider;
  requires org.slf4j;
  requires org.snakeyaml.engine;
  requires static org.jspecify;

  exports io.ledgerkeep.cli.interchange;

  opens io.ledgerkeep.cli to
      info.picocli;

  uses io.ledgerkeep.archive.ArchiveStoreProvider;
  uses io.ledgerkeep.encryption.EncryptorProvider;
  uses io.ledgerkeep.storage.StorageEngineProvider;
}
