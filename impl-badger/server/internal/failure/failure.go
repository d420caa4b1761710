// Package failure is the one kind of error that leaves the sidecar: a reason of the protocol, and
// words for people that never have keys or values in them.
package failure

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
)

// Error is a failure with its reason.
type Error struct {
	Reason pb.Failure_Reason
	// Message is for people: what failed, what was expected and found, what to do.
	Message string
	// Owner is set with LEASED.
	Owner Owner
	cause error
}

// Owner is who has a store.
type Owner struct {
	Name            string
	Process         int64
	SinceUnixMillis int64
}

// New makes a failure; a %w among the arguments becomes its cause.
func New(reason pb.Failure_Reason, format string, args ...any) *Error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{Reason: reason, Message: wrapped.Error(), cause: errors.Unwrap(wrapped)}
}

// Leased tells a second owner of the first.
func Leased(store string, owner Owner) *Error {
	e := New(pb.Failure_LEASED, "store %s belongs to %q (process %d); stop it, or wait until it has closed the store",
		store, owner.Name, owner.Process)
	e.Owner = owner
	return e
}

func (e *Error) Error() string { return e.Message }

func (e *Error) Unwrap() error { return e.cause }

// ReasonOf returns the reason of an error, FAILED if it tells none.
func ReasonOf(err error) pb.Failure_Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return pb.Failure_FAILED
}

// Status makes the answer to a failed call. Errors that are not ours are told without their text,
// which may have keys in it.
func Status(err error) error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	default:
		if _, ok := status.FromError(err); ok {
			return err
		}
		e = New(pb.Failure_FAILED, "the call failed inside the sidecar; its log tells more")
	}
	answer := status.New(code(e.Reason), e.Message)
	detailed, failed := answer.WithDetails(&pb.Failure{
		Reason:              e.Reason,
		Message:             e.Message,
		OwnerName:           e.Owner.Name,
		OwnerProcess:        e.Owner.Process,
		HeldSinceUnixMillis: e.Owner.SinceUnixMillis,
	})
	if failed != nil {
		return answer.Err()
	}
	return detailed.Err()
}

func code(reason pb.Failure_Reason) codes.Code {
	switch reason {
	case pb.Failure_TOO_LARGE, pb.Failure_INVALID:
		return codes.InvalidArgument
	case pb.Failure_DISK_FULL:
		return codes.ResourceExhausted
	case pb.Failure_DAMAGED:
		return codes.DataLoss
	case pb.Failure_SNAPSHOT_GONE, pb.Failure_ABSENT:
		return codes.NotFound
	case pb.Failure_BUSY, pb.Failure_STOPPING:
		return codes.Unavailable
	case pb.Failure_FAILED:
		return codes.Internal
	default:
		return codes.FailedPrecondition
	}
}
