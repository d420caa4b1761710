package io.ledgerkeep.badger;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.ledgerkeep.badger.proto.Failure;
import io.ledgerkeep.badger.proto.Failure.Reason;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.StorageException.Kind;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.time.Instant;

/** Says what the sidecar and gRPC report in the words of the library. */
final class BadgerErrors {

  /** Where gRPC has the status in full, and the field of its details. */
  private static final Metadata.Key<byte[]> STATUS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private static final int DETAILS = 3;

  private BadgerErrors() {}

  /** Returns why the sidecar refused a call; one without reason where the sidecar did not say. */
  static Failure failure(StatusRuntimeException thrown) {
    Metadata trailers = thrown.getTrailers();
    byte[] status = trailers == null ? null : trailers.get(STATUS);
    try {
      return status == null ? Failure.getDefaultInstance() : failure(status);
    } catch (InvalidProtocolBufferException e) {
      return Failure.getDefaultInstance();
    }
  }

  /**
   * Finds the failure in a {@code google.rpc.Status}. Its class is in an artifact without a module
   * name, which no module should require.
   */
  private static Failure failure(byte[] status) throws InvalidProtocolBufferException {
    for (ByteString detail :
        UnknownFieldSet.parseFrom(status).getField(DETAILS).getLengthDelimitedList()) {
      Any any = Any.parseFrom(detail);
      if (any.is(Failure.class)) {
        return any.unpack(Failure.class);
      }
    }
    return Failure.getDefaultInstance();
  }

  /** Returns whether the same call may fare better soon, on a lease that may have to be new. */
  static boolean mayPass(StatusRuntimeException thrown) {
    Reason reason = failure(thrown).getReason();
    return switch (reason) {
      case LEASE_LOST, BUSY, STOPPING -> true;
      case REASON_UNSPECIFIED -> isUnreachable(thrown);
      default -> false;
    };
  }

  /** Returns whether the sidecar has too much to do, and all else is as it was. */
  static boolean isBusy(StatusRuntimeException thrown) {
    return failure(thrown).getReason() == Reason.BUSY;
  }

  /** A connection that breaks may be of any code, but has a cause; what a sidecar says has none. */
  private static boolean isUnreachable(StatusRuntimeException thrown) {
    Status status = thrown.getStatus();
    return status.getCode() == Status.Code.UNAVAILABLE
        || status.getCode() == Status.Code.CANCELLED
        || status.getCause() != null;
  }

  /**
   * Returns what to throw when a call failed.
   *
   * @param action what was tried, on which store
   * @param where which sidecar was asked
   */
  static RuntimeException translated(String action, String where, StatusRuntimeException thrown) {
    Failure failure = failure(thrown);
    String told = action + " failed: " + failure.getMessage();
    return switch (failure.getReason()) {
      case LEASED -> leased(action, failure);
      case DAMAGED ->
          new IntegrityException(
              action
                  + " met damage: "
                  + failure.getMessage()
                  + "; keep the files as they are and run ledgerkeep doctor",
              thrown);
      case ABSENT ->
          new IntegrityException(
              told + "; the store was there before, so " + where + " is another one, or lost it",
              thrown);
      case OVERTAKEN -> new ConflictException(ConflictException.Reason.LOCKED, told);
      case DISK_FULL -> new StorageException(Kind.OUT_OF_SPACE, told, thrown);
      case UNSUPPORTED_FORMAT -> new UnsupportedFormatException(told);
      case INVALID -> new ConfigurationException(told, thrown);
      case TOO_LARGE -> new IllegalArgumentException(told, thrown);
      case LEASE_LOST, SNAPSHOT_GONE, BUSY, STOPPING ->
          new StorageException(Kind.RETRYABLE, told, thrown);
      case STALE, NOT_EMPTY, FAILED -> new StorageException(Kind.FATAL, told, thrown);
      case REASON_UNSPECIFIED, UNRECOGNIZED -> withoutReason(action, where, thrown);
    };
  }

  private static ConflictException leased(String action, Failure failure) {
    String process =
        failure.getOwnerProcess() == 0 ? "" : " (process " + failure.getOwnerProcess() + ")";
    String since =
        failure.getHeldSinceUnixMillis() == 0
            ? ""
            : " since " + Instant.ofEpochMilli(failure.getHeldSinceUnixMillis());
    return new ConflictException(
        ConflictException.Reason.LOCKED,
        "%s was refused: it is open by %s%s%s"
            .formatted(
                action,
                failure.getOwnerName().isEmpty()
                    ? "another owner"
                    : failure.getOwnerName().replaceAll("\\p{Cntrl}", "?"),
                process,
                since));
  }

  private static LedgerkeepException withoutReason(
      String action, String where, StatusRuntimeException thrown) {
    Status status = thrown.getStatus();
    String said = status.getDescription() == null ? "" : ": " + status.getDescription();
    if (isUnreachable(thrown) || status.getCode() == Status.Code.DEADLINE_EXCEEDED) {
      return new StorageException(
          Kind.RETRYABLE,
          "%s failed, as %s does not answer (%s%s); see that it runs, then try again"
              .formatted(action, where, status.getCode(), said),
          thrown);
    }
    return switch (status.getCode()) {
      case PERMISSION_DENIED, UNAUTHENTICATED ->
          new ConfigurationException(
              "%s failed, as %s does not let us in%s; give a certificate that it accepts"
                  .formatted(action, where, said),
              thrown);
      case UNIMPLEMENTED ->
          new ConfigurationException(
              "%s failed, as %s is no sidecar of this release, but something else%s"
                  .formatted(action, where, said),
              thrown);
      default ->
          new StorageException(
              Kind.FATAL,
              "%s failed at %s: %s%s".formatted(action, where, status.getCode(), said),
              thrown);
    };
  }
}
