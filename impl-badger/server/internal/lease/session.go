package lease

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
	"io.ledgerkeep/badger/server/internal/store"
)

const (
	maxSnapshots = 4096
	maxScans     = 4096
)

// Session is the time of one lease. Calls enter it and leave it; when it ends, it waits for them.
type Session struct {
	Store   *store.Store
	Lease   string
	OwnerID string

	ctx    context.Context
	cancel context.CancelFunc
	active sync.WaitGroup

	mu        sync.Mutex
	ended     bool
	scans     int
	snapshots map[string]*snapshot
}

func newSession(opened *store.Store, ownerID string) (*Session, error) {
	lease, err := randomName()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Session{
		Store: opened, Lease: lease, OwnerID: ownerID, ctx: ctx, cancel: cancel, snapshots: map[string]*snapshot{},
	}, nil
}

func randomName() (string, error) {
	name := make([]byte, 16)
	if _, err := rand.Read(name); err != nil {
		return "", failure.New(pb.Failure_FAILED, "no random bytes: %w", err)
	}
	return hex.EncodeToString(name), nil
}

// Done is closed when the session ends.
func (s *Session) Done() <-chan struct{} { return s.ctx.Done() }

// enter lets a call in. Its context ends with the session, too.
func (s *Session) enter(ctx context.Context) (inside context.Context, leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, nil, s.lost()
	}
	s.active.Add(1)
	inside, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(s.ctx, func() { cancel(s.lost()) })
	return inside, func() {
		stop()
		cancel(nil)
		s.active.Done()
	}, nil
}

func (s *Session) lost() error {
	return failure.New(pb.Failure_LEASE_LOST, "the lease of store %s has ended; hold it anew", s.Store.Name())
}

// EnterScan counts a scan in, until it leaves.
func (s *Session) EnterScan() (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scans == maxScans {
		return nil, failure.New(pb.Failure_BUSY, "store %s has %d scans under way, its maximum; close some", s.Store.Name(), maxScans)
	}
	s.scans++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.scans--
	}, nil
}

// Counts returns how many scans and snapshots there are.
func (s *Session) Counts() (scans, snapshots int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.scans, len(s.snapshots)
}

// end lets nobody in any more, and waits for those inside, who are told by their context.
func (s *Session) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.cancel()
	s.active.Wait()
	s.endSnapshots()
}
