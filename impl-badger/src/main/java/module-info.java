import io.ledgerkeep.badger.BadgerStorageProvider;
import io.ledgerkeep.storage.StorageEngineProvider;

/** The storage engine over Badger, which runs in a sidecar. */
module io.ledgerkeep.badger {
  requires transitive io.ledgerkeep.api;
  requires com.google.common;
  requires com.google.protobuf;
  requires io.grpc;
  requires io.grpc.netty.shaded;
  requires io.grpc.protobuf;
  requires io.grpc.stub;
  requires io.grpc.util;
  requires org.slf4j;
  requires static org.jspecify;

  exports io.ledgerkeep.badger;

  // The messages are built by reflection.
  opens io.ledgerkeep.badger.proto to
      com.google.protobuf;

  provides StorageEngineProvider with
      BadgerStorageProvider;
}
