package service

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
	"io.ledgerkeep/badger/server/internal/lease"
	"io.ledgerkeep/badger/server/internal/metrics"
	"io.ledgerkeep/badger/server/internal/store"
)

// fixture is a service with one store that is held.
type fixture struct {
	service *Service
	leases  *lease.Leases
	ref     *pb.StoreRef
	written uint64
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	options := store.Defaults()
	options.MemtableBytes, options.MinFreeBytes = 8<<20, 0
	options.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	f := &fixture{leases: lease.New(t.TempDir(), options, time.Hour)}
	var err error
	if f.service, err = New(f.leases, options.Limits(), metrics.New(), options.Log); err != nil {
		t.Fatal(err)
	}
	session, _, err := f.leases.Hold(context.Background(), lease.Request{Store: "s", OwnerID: "me"})
	if err != nil {
		t.Fatal(err)
	}
	f.ref = &pb.StoreRef{Store: "s", Lease: session.Lease}
	t.Cleanup(func() { _ = f.leases.Stop(context.Background()) })
	return f
}

// next makes three of four sequences such that they are not refused.
func (f *fixture) next(asked uint64) uint64 {
	if asked%4 == 3 {
		return asked % (1 << 60)
	}
	f.written++
	return f.written
}

// stillServes expects that an entry can be written and read.
func (f *fixture) stillServes(t *testing.T) {
	t.Helper()
	last, err := f.lastSequence(t)
	if err != nil {
		t.Fatal(err)
	}
	f.written = last + 1
	if _, err := f.service.Write(t.Context(), &pb.WriteRequest{Ref: f.ref, Sequence: f.written, Mutations: []*pb.Mutation{{Key: []byte("\xffmark"), Value: []byte("v")}}}); err != nil {
		t.Fatalf("cannot write any more: %v", err)
	}
	response, err := f.service.Get(t.Context(), &pb.GetRequest{Ref: f.ref, Key: []byte("\xffmark")})
	if err != nil || string(response.GetValue()) != "v" {
		t.Fatalf("cannot read any more: %v, %v", response, err)
	}
}

func (f *fixture) lastSequence(t *testing.T) (last uint64, err error) {
	err = f.service.within(t.Context(), f.ref, func(ctx context.Context, in *lease.Session) error {
		last, err = in.Store.LastSequence(ctx, "me")
		return err
	})
	return last, err
}

// answered runs a call as the server does, and expects an answer that is not the sidecar's own failure.
func (f *fixture) answered(t *testing.T, call func() error) {
	t.Helper()
	defer func() {
		if bad := recover(); bad != nil {
			t.Fatalf("a call panicked: %v", bad)
		}
	}()
	err := call()
	var told *failure.Error
	if errors.As(err, &told) && (told.Reason == pb.Failure_FAILED || told.Reason == pb.Failure_DAMAGED) {
		t.Fatalf("a request made the store fail: %v", err)
	}
	if failure.Status(err) == nil && err != nil {
		t.Fatal("an error without a status")
	}
}

type sink[T any] struct {
	grpc.ServerStream
	ctx context.Context
}

func (s sink[T]) Send(*T) error                { return nil }
func (s sink[T]) SendHeader(metadata.MD) error { return nil }
func (s sink[T]) Context() context.Context     { return s.ctx }

// FuzzRequests gives each call any message that can be read, with the lease it needs.
func FuzzRequests(f *testing.F) {
	shared := newFixture(f)
	kinds := []struct {
		message proto.Message
		call    func(*testing.T, []byte) (func() error, error)
	}{
		{&pb.GetRequest{}, unary(shared, shared.service.Get, func(m *pb.GetRequest, r *pb.StoreRef) { m.Ref = r })},
		{&pb.MultiGetRequest{}, unary(shared, shared.service.MultiGet, func(m *pb.MultiGetRequest, r *pb.StoreRef) { m.Ref = r })},
		{&pb.WriteRequest{}, unary(shared, shared.service.Write, func(m *pb.WriteRequest, r *pb.StoreRef) { m.Ref, m.Sequence = r, shared.next(m.GetSequence()) })},
		{&pb.DeleteRangeRequest{}, unary(shared, shared.service.DeleteRange, func(m *pb.DeleteRangeRequest, r *pb.StoreRef) { m.Ref = r })},
		{&pb.OpenSnapshotRequest{}, unary(shared, shared.service.OpenSnapshot, func(m *pb.OpenSnapshotRequest, r *pb.StoreRef) { m.Ref = r; m.TimeToLiveMillis %= 10 })},
		{&pb.CloseSnapshotRequest{}, unary(shared, shared.service.CloseSnapshot, func(m *pb.CloseSnapshotRequest, r *pb.StoreRef) { m.Ref = r })},
		{&pb.ScanRequest{}, stream(shared.service.Scan, func(m *pb.ScanRequest) { m.Ref = shared.ref })},
		{&pb.BackupRequest{}, stream(shared.service.Backup, func(m *pb.BackupRequest) { m.Ref = shared.ref })},
		{&pb.CloseRequest{}, unary(shared, shared.service.Close, func(*pb.CloseRequest, *pb.StoreRef) {})},
		{&pb.SizeRequest{}, unary(shared, shared.service.Size, func(*pb.SizeRequest, *pb.StoreRef) {})},
	}
	for kind := range kinds {
		f.Add(uint8(kind), []byte(nil))
		f.Add(uint8(kind), []byte{0x12, 0})
		f.Add(uint8(kind), []byte{0x12, 3, 'a', 0xff, 0, 0x1a, 2, 0xff, 0xff})
		f.Add(uint8(kind), []byte{0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0x1a, 4, 0x0a, 0, 0x12, 0})
		f.Add(uint8(kind), []byte{0x0a, 3, 0x0a, 1, 's', 0x18, 1, 0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	}
	f.Fuzz(func(t *testing.T, kind uint8, message []byte) {
		call, err := kinds[int(kind)%len(kinds)].call(t, message)
		if err != nil {
			return // gRPC does not let it through
		}
		shared.answered(t, call)
		shared.stillServes(t)
	})
}

func unary[Q any, A any, M interface {
	*Q
	proto.Message
}](f *fixture, call func(context.Context, M) (*A, error), give func(M, *pb.StoreRef)) func(*testing.T, []byte) (func() error, error) {
	return func(t *testing.T, text []byte) (func() error, error) {
		message := M(new(Q))
		if err := proto.Unmarshal(text, message); err != nil {
			return nil, err
		}
		give(message, f.ref)
		return func() error { _, err := call(t.Context(), message); return err }, nil
	}
}

func stream[Q any, A any, M interface {
	*Q
	proto.Message
}](call func(M, grpc.ServerStreamingServer[A]) error, give func(M)) func(*testing.T, []byte) (func() error, error) {
	return func(t *testing.T, text []byte) (func() error, error) {
		message := M(new(Q))
		if err := proto.Unmarshal(text, message); err != nil {
			return nil, err
		}
		give(message)
		return func() error { return call(message, sink[A]{ctx: t.Context()}) }, nil
	}
}

func TestABudgetThatIsUsedUpIsToldAsBusy(t *testing.T) {
	f := newFixture(t)
	f.service.budget = newBudget(100)
	small := &pb.WriteRequest{Ref: f.ref, Sequence: 1, Mutations: []*pb.Mutation{{Key: []byte("k")}}}
	if _, err := f.service.Write(t.Context(), small); err != nil {
		t.Fatal(err)
	}
	large := &pb.WriteRequest{Ref: f.ref, Sequence: 2, Mutations: []*pb.Mutation{{Key: make([]byte, 200)}}}
	if _, err := f.service.Write(t.Context(), large); failure.ReasonOf(err) != pb.Failure_BUSY {
		t.Errorf("expected BUSY, found %v", err)
	}
	if left := f.service.budget.taken.Load(); left != 0 {
		t.Errorf("expected that everything was given back, found %d bytes taken", left)
	}
}

func TestAPanicIsAnsweredAsAFailure(t *testing.T) {
	f := newFixture(t)
	err := f.service.around(t.Context(), "/x/Y", func(context.Context) error { return nil }, func() error { panic("secret key") })
	if err == nil || failure.ReasonOf(err) != pb.Failure_FAILED {
		t.Errorf("found %v", err)
	}
}
