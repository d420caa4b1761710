package store

import (
	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
	"io.ledgerkeep/badger/server/internal/space"
)

// room is how much of the watermark a call respects. Badger maps its files, and a page that the full
// disk cannot take kills the process; so there has to be room before it is asked. What gives space
// back may use half of what ordinary writes leave.
type room int64

const (
	fullRoom room = 1
	halfRoom room = 2
)

func (s *Store) checkRoom(part room) error {
	free, err := space.Free(s.dir)
	if err != nil {
		return ioFailure(err, "store %s", s.name)
	}
	need := s.options.watermark() / int64(part)
	if free < need {
		return failure.New(pb.Failure_DISK_FULL,
			"the disk of store %s is nearly full: expected %d bytes free, found %d; make room, nothing was changed",
			s.name, need, free)
	}
	return nil
}
