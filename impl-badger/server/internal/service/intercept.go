package service

import (
	"context"
	"errors"
	"path"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
)

// Options returns what a server of gRPC needs around the service: panics answered, failures with
// their reasons, measures, and an admission that is asked at every call.
func (s *Service) Options(admit func(context.Context) error) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (response any, err error) {
			err = s.around(ctx, info.FullMethod, admit, func() (err error) {
				response, err = handle(ctx, request)
				return err
			})
			if err != nil {
				return nil, err
			}
			return response, nil
		}),
		grpc.ChainStreamInterceptor(func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			ctx, end := admittedFor(stream.Context(), admit)
			defer end()
			return s.around(ctx, info.FullMethod, admit, func() error { return handle(server, admitted{stream, ctx, admit}) })
		}),
	}
}

func (s *Service) around(ctx context.Context, method string, admit func(context.Context) error, call func() error) error {
	begin := time.Now()
	err := s.recovered(func() error {
		if err := admit(ctx); err != nil {
			return err
		}
		return call()
	})
	s.note(path.Base(method), time.Since(begin), err)
	return failure.Status(err)
}

func (s *Service) recovered(call func() error) (err error) {
	defer func() {
		if bad := recover(); bad != nil {
			s.log.Error("a call panicked", "stack", string(debug.Stack()))
			err = failure.New(pb.Failure_FAILED, "the call failed inside the sidecar; its log tells where")
		}
	}()
	return call()
}

func (s *Service) note(method string, took time.Duration, err error) {
	outcome := outcomeOf(err)
	s.measures.Add(calls, 1, "method", method, "outcome", outcome)
	s.measures.Add(callSeconds, took.Seconds(), "method", method)
	switch outcome {
	case pb.Failure_FAILED.String(), pb.Failure_DAMAGED.String(), pb.Failure_DISK_FULL.String(), pb.Failure_LEASED.String():
		var told *failure.Error
		if errors.As(err, &told) {
			s.log.Warn("a call failed", "method", method, "reason", outcome, "message", told.Message)
		} else {
			s.log.Warn("a call failed", "method", method, "reason", outcome)
		}
	}
}

func outcomeOf(err error) string {
	var told *failure.Error
	switch code := status.Code(err); {
	case err == nil:
		return "OK"
	case errors.As(err, &told):
		return told.Reason.String()
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "CANCELLED"
	case code != codes.Unknown:
		return code.String()
	default:
		return pb.Failure_FAILED.String()
	}
}

// admitAgain is how often a stream's client is looked at on which nothing is sent: that of a lease.
const admitAgain = time.Second

// admittedFor returns a context that ends when the client is no longer admitted.
func admittedFor(ctx context.Context, admit func(context.Context) error) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		again := time.NewTicker(admitAgain)
		defer again.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-again.C:
				if err := admit(ctx); err != nil {
					cancel(err)
				}
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}

// admitted asks for each message whether the client may still send it, or have it.
type admitted struct {
	grpc.ServerStream
	ctx   context.Context
	admit func(context.Context) error
}

func (a admitted) Context() context.Context { return a.ctx }

func (a admitted) RecvMsg(message any) error {
	if err := a.ServerStream.RecvMsg(message); err != nil {
		return err
	}
	return a.admit(a.Context())
}

func (a admitted) SendMsg(message any) error {
	if err := a.admit(a.Context()); err != nil {
		return err
	}
	return a.ServerStream.SendMsg(message)
}
