package service

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
	"io.ledgerkeep/badger/server/internal/lease"
	"io.ledgerkeep/badger/server/internal/store"
)

// multiGetBytes is how much one answer to MultiGet has, at most, but for the value that goes beyond.
const multiGetBytes = 2 << 20

func ownerNow(name string, process int64) failure.Owner {
	return failure.Owner{Name: name, Process: process, SinceUnixMillis: time.Now().UnixMilli()}
}

// Get returns a value.
func (s *Service) Get(ctx context.Context, request *pb.GetRequest) (*pb.GetResponse, error) {
	response := &pb.GetResponse{}
	return response, s.read(ctx, request.GetRef(), request.GetSnapshot(), func(view *store.View) error {
		return get(view, request.GetKey(), response)
	})
}

func get(view *store.View, key []byte, into *pb.GetResponse) error {
	if len(key) == 0 {
		return failure.New(pb.Failure_INVALID, "expected a key of 1 byte at least, found an empty one")
	}
	value, found, err := view.Get(key)
	if found {
		into.Value = value
	}
	return err
}

func (s *Service) read(ctx context.Context, ref *pb.StoreRef, snapshot string, read func(*store.View) error) error {
	return s.within(ctx, ref, func(_ context.Context, in *lease.Session) error {
		view, giveBack, err := in.View(snapshot)
		if err != nil {
			return err
		}
		defer giveBack()
		return read(view)
	})
}

// MultiGet returns the values of the first keys, until there are enough bytes.
func (s *Service) MultiGet(ctx context.Context, request *pb.MultiGetRequest) (*pb.MultiGetResponse, error) {
	left := int64(multiGetBytes)
	if asked := request.GetBudgetBytes(); asked > 0 {
		left = min(left, asked)
	}
	giveBack, err := s.budget.take(left + int64(proto.Size(request)))
	if err != nil {
		return nil, err
	}
	defer giveBack()
	response := &pb.MultiGetResponse{}
	return response, s.read(ctx, request.GetRef(), request.GetSnapshot(), func(view *store.View) error {
		for _, key := range request.GetKeys() {
			one := &pb.GetResponse{}
			if err := get(view, key, one); err != nil {
				return err
			}
			response.Results = append(response.Results, one)
			if left -= int64(len(one.GetValue()) + mutationBytes); left <= 0 {
				return nil
			}
		}
		return nil
	})
}

// Write applies a batch.
func (s *Service) Write(ctx context.Context, request *pb.WriteRequest) (*pb.WriteResponse, error) {
	giveBack, err := s.budget.take(int64(proto.Size(request)))
	if err != nil {
		return nil, err
	}
	defer giveBack()
	mutations := make([]store.Mutation, len(request.GetMutations()))
	var bytes int
	for i, m := range request.GetMutations() {
		mutations[i] = store.Mutation{Key: m.GetKey(), Value: m.GetValue(), Delete: m.Value == nil}
		bytes += len(m.GetKey()) + len(m.GetValue())
	}
	return &pb.WriteResponse{}, s.within(ctx, request.GetRef(), func(ctx context.Context, in *lease.Session) error {
		begin := time.Now()
		if err := in.Store.Write(ctx, in.OwnerID, request.GetSequence(), mutations); err != nil {
			return err
		}
		s.measures.Add(writtenBytes, float64(bytes), "store", in.Store.Name())
		s.measures.Add(writeSeconds, time.Since(begin).Seconds(), "store", in.Store.Name())
		return nil
	})
}

// OpenSnapshot keeps a view of now.
func (s *Service) OpenSnapshot(ctx context.Context, request *pb.OpenSnapshotRequest) (*pb.OpenSnapshotResponse, error) {
	response := &pb.OpenSnapshotResponse{}
	return response, s.within(ctx, request.GetRef(), func(_ context.Context, in *lease.Session) error {
		id, granted, err := in.OpenSnapshot(milliseconds(request.GetTimeToLiveMillis()))
		response.Snapshot, response.TimeToLiveMillis = id, granted.Milliseconds()
		return err
	})
}

// milliseconds keeps what is too long for a duration from becoming short.
func milliseconds(n int64) time.Duration {
	return time.Duration(min(n, int64(365*24*time.Hour/time.Millisecond))) * time.Millisecond
}

// CloseSnapshot ends a view.
func (s *Service) CloseSnapshot(ctx context.Context, request *pb.CloseSnapshotRequest) (*pb.CloseSnapshotResponse, error) {
	return &pb.CloseSnapshotResponse{}, s.within(ctx, request.GetRef(), func(_ context.Context, in *lease.Session) error {
		in.CloseSnapshot(request.GetSnapshot())
		return nil
	})
}

// DeleteRange deletes the keys of a range.
func (s *Service) DeleteRange(ctx context.Context, request *pb.DeleteRangeRequest) (*pb.DeleteRangeResponse, error) {
	response := &pb.DeleteRangeResponse{}
	return response, s.within(ctx, request.GetRef(), func(ctx context.Context, in *lease.Session) error {
		done, err := in.Store.DeleteRange(ctx, store.Range{First: request.GetFirstKey(), End: request.GetEndKey()})
		response.DroppedPrefixes, response.DeletedKeys = int64(done.Prefixes), done.Keys
		response.PausedMicros = done.Pause.Microseconds()
		return err
	})
}

// Reclaim gives space back.
func (s *Service) Reclaim(ctx context.Context, request *pb.ReclaimRequest) (*pb.ReclaimResponse, error) {
	response := &pb.ReclaimResponse{}
	return response, s.within(ctx, request.GetRef(), func(ctx context.Context, in *lease.Session) (err error) {
		response.BytesBefore, response.BytesAfter, err = in.Store.Reclaim(ctx)
		return err
	})
}
