package service

import (
	"sync/atomic"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
)

// budget bounds the bytes of the requests that are worked on.
type budget struct {
	total int64
	taken atomic.Int64
}

func newBudget(total int64) *budget { return &budget{total: total} }

func (b *budget) take(n int64) (giveBack func(), err error) {
	if b.taken.Add(n) > b.total {
		b.taken.Add(-n)
		return nil, failure.New(pb.Failure_BUSY, "requests of %d bytes are under way, the maximum; try again", b.total)
	}
	return func() { b.taken.Add(-n) }, nil
}
