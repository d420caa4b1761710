package lease

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
	"io.ledgerkeep/badger/server/internal/store"
)

func held1(t *testing.T) *Session {
	t.Helper()
	options := store.Options{MemtableBytes: 8 << 20, BlockCacheBytes: 1 << 20, ValueThreshold: 1 << 20, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	leases := New(t.TempDir(), options, time.Hour)
	session, _, err := leases.Hold(t.Context(), Request{Store: "s", OwnerID: "me"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := leases.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return session
}

func isGone(t *testing.T, s *Session, id string) bool {
	t.Helper()
	_, giveBack, err := s.View(id)
	var told *failure.Error
	if errors.As(err, &told) && told.Reason == pb.Failure_SNAPSHOT_GONE {
		return true
	}
	if err != nil {
		t.Fatal(err)
	}
	giveBack()
	return false
}

func TestASnapshotEndsWhenItWasNotUsedForItsTime(t *testing.T) {
	opened := held1(t).Store
	view, err := opened.View() // waits for the writes that made the store; within the bubble it must not
	if err != nil {
		t.Fatal(err)
	}
	view.End()
	synctest.Test(t, func(t *testing.T) {
		s, err := newSession(opened, "me")
		if err != nil {
			t.Fatal(err)
		}
		id, granted, err := s.OpenSnapshot(time.Minute)
		if err != nil || granted != time.Minute {
			t.Fatalf("found %v, %v", granted, err)
		}
		for range 3 {
			time.Sleep(50 * time.Second)
			if isGone(t, s, id) {
				t.Fatal("expected that use renews its time")
			}
		}
		_, giveBack, err := s.View(id)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if isGone(t, s, id) {
			t.Error("expected that it does not end while it is used")
		}
		giveBack()
		time.Sleep(61 * time.Second)
		if !isGone(t, s, id) {
			t.Error("expected that it has ended")
		}
		_, granted, err = s.OpenSnapshot(1000 * time.Hour)
		if err != nil || granted != maxTimeToLive {
			t.Errorf("expected the most there is, found %v, %v", granted, err)
		}
		s.end()
	})
}

func TestThereIsAMaximumOfSnapshotsAndScans(t *testing.T) {
	s := held1(t)
	busy := func(err error) bool { return failure.ReasonOf(err) == pb.Failure_BUSY }
	for range maxSnapshots {
		if _, _, err := s.OpenSnapshot(0); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.OpenSnapshot(0); !busy(err) {
		t.Errorf("expected BUSY, found %v", err)
	}
	var leave func()
	for range maxScans {
		var err error
		if leave, err = s.EnterScan(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.EnterScan(); !busy(err) {
		t.Errorf("expected BUSY, found %v", err)
	}
	leave()
	if _, err := s.EnterScan(); err != nil {
		t.Errorf("expected room for one, found %v", err)
	}
}

func TestHoldsAndClosesOfOneStoreByManyGoToOneOwnerAtATime(t *testing.T) {
	options := store.Options{MemtableBytes: 8 << 20, BlockCacheBytes: 1 << 20, ValueThreshold: 1 << 20, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	leases := New(t.TempDir(), options, time.Hour)
	var all sync.WaitGroup
	var mu sync.Mutex
	owners := 0
	for i := range 8 {
		all.Go(func() {
			for range 10 {
				session, _, err := leases.Hold(context.Background(), Request{Store: "s", OwnerID: string(rune('a' + i))})
				if failure.ReasonOf(err) == pb.Failure_LEASED {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				owners++
				if owners != 1 {
					t.Errorf("expected one owner, found %d", owners)
				}
				owners--
				mu.Unlock()
				leases.Broken(session)
				if err := leases.Close(context.Background(), "s", session.Lease); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := leases.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if len(leases.places) != 0 {
		t.Errorf("expected no place to be kept, found %d", len(leases.places))
	}
}
