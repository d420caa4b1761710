package store

import (
	"sync"
	"time"
)

// pauses are those that maintenance has made in the writes of a store.
type pauses struct {
	mu             sync.Mutex
	total, longest time.Duration
}

func (p *pauses) add(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total += d
	p.longest = max(p.longest, d)
}

// Pauses returns for how long maintenance has stopped writes, in all and at most.
func (s *Store) Pauses() (total, longest time.Duration) {
	s.pauses.mu.Lock()
	defer s.pauses.mu.Unlock()
	return s.pauses.total, s.pauses.longest
}
