package io.ledgerkeep.badger;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.ledgerkeep.error.StorageException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import org.junit.jupiter.api.Test;

/** What gRPC says of a connection is told from what the sidecar says of a call. */
final class BadgerErrorsTest {

  @Test
  void aConnectionThatBreaksMayPassWhateverItsCode() {
    for (Status status :
        new Status[] {
          Status.UNAVAILABLE,
          Status.CANCELLED,
          Status.UNKNOWN.withCause(new ClosedChannelException()),
          Status.INTERNAL.withCause(new IOException("Connection reset by peer")),
          Status.INTERNAL
              .withDescription("http2 exception")
              .withCause(new IllegalStateException("reset"))
        }) {
      assertThat(BadgerErrors.mayPass(status.asRuntimeException())).as(status.toString()).isTrue();
      assertThat(BadgerErrors.translated("reading", "the sidecar", status.asRuntimeException()))
          .isInstanceOfSatisfying(StorageException.class, e -> assertThat(e.isRetryable()).isTrue())
          .hasMessageContaining("does not answer");
    }
  }

  @Test
  void whatTheSidecarDoesNotExplainDoesNotPass() {
    for (Status status : new Status[] {Status.UNKNOWN, Status.INTERNAL, Status.UNIMPLEMENTED}) {
      assertThat(BadgerErrors.mayPass(status.asRuntimeException())).as(status.toString()).isFalse();
    }
  }
}
