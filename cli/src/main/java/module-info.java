/** The {@code ledgerkeep} command, on the public API only. */
module io.ledgerkeep.cli {
  requires io.ledgerkeep.api;
  requires com.fasterxml.jackson.core;
  requires com.github.luben.zstd_jni;
  requires com.google.common;
  requires info.picocli;
  requires org.snakeyaml.engine;
  requires static org.jspecify;

  opens io.ledgerkeep.cli to
      info.picocli;
}
