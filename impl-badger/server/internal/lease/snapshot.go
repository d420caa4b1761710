package lease

import (
	"time"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
	"io.ledgerkeep/badger/server/internal/store"
)

const (
	defaultTimeToLive = 10 * time.Minute
	maxTimeToLive     = 7 * 24 * time.Hour
)

// snapshot is a view that is kept. It is guarded by its session's mutex.
type snapshot struct {
	view       *store.View
	timeToLive time.Duration
	expiry     *time.Timer
	users      int
	gone       bool
}

// OpenSnapshot keeps a view of now until it was not used for its time to live.
func (s *Session) OpenSnapshot(timeToLive time.Duration) (id string, granted time.Duration, err error) {
	if timeToLive <= 0 {
		timeToLive = defaultTimeToLive
	}
	timeToLive = min(timeToLive, maxTimeToLive)
	if id, err = randomName(); err != nil {
		return "", 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.snapshots) == maxSnapshots {
		return "", 0, failure.New(pb.Failure_BUSY, "store %s has %d snapshots, its maximum; close some", s.Store.Name(), maxSnapshots)
	}
	view, err := s.Store.View()
	if err != nil {
		return "", 0, err
	}
	kept := &snapshot{view: view, timeToLive: timeToLive}
	kept.expiry = time.AfterFunc(timeToLive, func() { s.expire(id, kept) })
	s.snapshots[id] = kept
	return id, timeToLive, nil
}

// View returns the view of a snapshot, or of now if id is empty, until it is given back.
func (s *Session) View(id string) (view *store.View, giveBack func(), err error) {
	if id == "" {
		view, err := s.Store.View()
		if err != nil {
			return nil, nil, err
		}
		return view, view.End, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, found := s.snapshots[id]
	if !found {
		return nil, nil, failure.New(pb.Failure_SNAPSHOT_GONE, "the snapshot has ended; open another")
	}
	kept.users++
	kept.expiry.Stop()
	return kept.view, func() { s.giveBack(kept) }, nil
}

func (s *Session) giveBack(kept *snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept.users--
	kept.expiry.Reset(kept.timeToLive)
	kept.endIfUnused()
}

// expire ends a snapshot whose time has come, unless it came into use meanwhile.
func (s *Session) expire(id string, kept *snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept.users == 0 {
		s.remove(id, kept)
	}
}

// CloseSnapshot ends a snapshot; one that has ended is no error.
func (s *Session) CloseSnapshot(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept, found := s.snapshots[id]; found {
		s.remove(id, kept)
	}
}

func (s *Session) endSnapshots() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, kept := range s.snapshots {
		s.remove(id, kept)
	}
}

func (s *Session) remove(id string, kept *snapshot) {
	if s.snapshots[id] != kept {
		return
	}
	delete(s.snapshots, id)
	kept.gone = true
	kept.endIfUnused()
}

func (k *snapshot) endIfUnused() {
	if k.gone && k.users == 0 {
		k.expiry.Stop()
		k.view.End()
	}
}
