// Package service answers the calls of the protocol.
package service

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
	"io.ledgerkeep/badger/server/internal/lease"
	"io.ledgerkeep/badger/server/internal/metrics"
	"io.ledgerkeep/badger/server/internal/store"
)

const (
	protocolVersion = 1
	serverVersion   = "1.0"
	// inFlightBytes is the sum of the requests that are worked on at once, over all stores.
	inFlightBytes = 256 << 20
	// mutationBytes is what a mutation takes in a message besides its key and value, at most.
	mutationBytes = 16
)

// Service answers calls.
type Service struct {
	pb.UnimplementedEngineServer
	leases   *lease.Leases
	limits   *pb.Limits
	measures *metrics.Set
	health   *health.Server
	budget   *budget
	log      *slog.Logger
	instance string
}

// New makes a service on leases.
func New(leases *lease.Leases, limits store.Limits, measures *metrics.Set, log *slog.Logger) (*Service, error) {
	id := make([]byte, 8)
	if _, err := rand.Read(id); err != nil {
		return nil, fmt.Errorf("no random bytes: %w", err)
	}
	s := &Service{
		leases: leases, limits: limitsMessage(limits), measures: measures, health: health.NewServer(),
		budget: newBudget(inFlightBytes), log: log, instance: hex.EncodeToString(id),
	}
	s.defineMeasures()
	return s, nil
}

// Register puts the service and that of health on a server of gRPC.
func (s *Service) Register(on grpc.ServiceRegistrar) {
	pb.RegisterEngineServer(on, s)
	healthpb.RegisterHealthServer(on, s.health)
	s.health.SetServingStatus(pb.Engine_ServiceDesc.ServiceName, healthpb.HealthCheckResponse_SERVING)
}

// Stopping tells those who watch the health that there will be no service soon.
func (s *Service) Stopping() { s.health.Shutdown() }

// Instance is another one after each start.
func (s *Service) Instance() string { return s.instance }

// MaxMessageBytes is the largest request that can be within the limits.
func MaxMessageBytes(limits store.Limits) int {
	return int(limits.BatchBytes) + limits.BatchCount*mutationBytes + 64<<10
}

func limitsMessage(l store.Limits) *pb.Limits {
	return &pb.Limits{
		MaxKeyBytes:   int32(l.KeyBytes),
		MaxValueBytes: int32(l.ValueBytes),
		MaxBatchBytes: l.BatchBytes,
		MaxBatchCount: int32(l.BatchCount),
	}
}

// Info tells versions and limits.
func (s *Service) Info(context.Context, *pb.InfoRequest) (*pb.InfoResponse, error) {
	return &pb.InfoResponse{
		ProtocolVersion: protocolVersion, ServerVersion: serverVersion, BadgerVersion: badgerVersion(),
		InstanceId: s.instance, Limits: s.limits,
	}, nil
}

func badgerVersion() string {
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if strings.HasPrefix(module.Path, "github.com/dgraph-io/badger/") {
				return module.Version
			}
		}
	}
	return "unknown"
}

// Hold leases a store for as long as the stream is there.
func (s *Service) Hold(request *pb.HoldRequest, stream grpc.ServerStreamingServer[pb.HoldEvent]) error {
	session, created, err := s.leases.Hold(stream.Context(), lease.Request{
		Store: request.GetStore(), OwnerID: request.GetOwnerId(), ExistingOnly: request.GetExistingOnly(),
		Resume: request.GetResume(),
		Owner:  ownerNow(request.GetOwnerName(), request.GetOwnerProcess()),
	})
	if err != nil {
		return err
	}
	defer s.leases.Broken(session)
	last, err := session.Store.LastSequence(stream.Context(), request.GetOwnerId())
	if err != nil {
		return err
	}
	if err := stream.Send(&pb.HoldEvent{
		Lease: session.Lease, Limits: s.limits, Created: created, LastSequence: last, InstanceId: s.instance,
	}); err != nil {
		return err
	}
	select {
	case <-stream.Context().Done():
		return context.Cause(stream.Context())
	case <-session.Done():
		return failure.New(pb.Failure_LEASE_LOST, "the lease of store %s has ended", request.GetStore())
	}
}

// Close gives a lease back.
func (s *Service) Close(ctx context.Context, request *pb.CloseRequest) (*pb.CloseResponse, error) {
	return &pb.CloseResponse{}, s.leases.Close(ctx, request.GetRef().GetStore(), request.GetRef().GetLease())
}

// within runs a call in the session of its lease.
func (s *Service) within(ctx context.Context, ref *pb.StoreRef, call func(context.Context, *lease.Session) error) error {
	session, inside, leave, err := s.leases.Enter(ctx, ref)
	if err != nil {
		return err
	}
	defer leave()
	return call(inside, session)
}

// Sync makes what was written durable.
func (s *Service) Sync(ctx context.Context, request *pb.SyncRequest) (*pb.SyncResponse, error) {
	return &pb.SyncResponse{}, s.within(ctx, request.GetRef(), func(_ context.Context, in *lease.Session) error {
		return in.Store.Sync()
	})
}

// Size measures a store.
func (s *Service) Size(ctx context.Context, request *pb.SizeRequest) (*pb.SizeResponse, error) {
	response := &pb.SizeResponse{}
	return response, s.within(ctx, request.GetRef(), func(_ context.Context, in *lease.Session) (err error) {
		response.Bytes, err = in.Store.Size()
		return err
	})
}

// Metrics writes the measures.
func (s *Service) Metrics(context.Context, *pb.MetricsRequest) (*pb.MetricsResponse, error) {
	var text strings.Builder
	if err := s.measures.Write(&text); err != nil {
		return nil, err
	}
	return &pb.MetricsResponse{Text: text.String()}, nil
}
