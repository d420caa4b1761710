package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"
	"golang.org/x/sys/unix"
)

const discardRatio = 0.01

// Reclaim gives back the space of what was deleted, and returns the size of the store before and after.
func (s *Store) Reclaim(ctx context.Context) (before, after int64, err error) {
	if err := s.maintaining.take(ctx); err != nil {
		return 0, 0, err
	}
	defer s.maintaining.give()
	if err := s.checkRoom(halfRoom); err != nil {
		return 0, 0, err
	}
	if before, err = s.Size(); err != nil {
		return 0, 0, err
	}
	if err := s.flatten(ctx); err != nil {
		return before, 0, err
	}
	if err := s.collect(ctx); err != nil {
		return before, 0, err
	}
	after, err = s.Size()
	return before, after, err
}

func (s *Store) flatten(ctx context.Context) error {
	if _, err := s.flush(ctx); err != nil {
		return err
	}
	return s.compactAll(ctx, s.enoughRounds())
}

// enoughRounds is how many compactions flatten the tree if no table is added meanwhile.
func (s *Store) enoughRounds() int { return 3*len(s.db.Tables()) + 50 }

var errFlattened = errors.New("flattened long enough")

// compactAll flattens the tree. Badger does so until all is in one level, which never comes while there
// are many writes, and cannot be told to stop; so it is left, between two compactions, by a panic of
// what it logs there.
func (s *Store) compactAll(ctx context.Context, rounds int) error {
	round := func() {
		if err := context.Cause(ctx); err != nil {
			panic(err)
		}
		if rounds--; rounds < 0 {
			panic(errFlattened)
		}
	}
	s.badgerLog.round.Store(&round)
	defer s.badgerLog.round.Store(nil)
	return s.maintain(ctx, func() (err error) {
		defer func() {
			if left, ok := recover().(error); ok && !errors.Is(left, errFlattened) {
				err = left
			}
		}()
		if err := s.db.Flatten(1); err != nil && !strings.Contains(err.Error(), nothingToCompact) {
			return err
		}
		return nil
	})
}

// nothingToCompact is what Badger calls a level that is as it should be.
const nothingToCompact = "Unable to fill tables"

// flush writes the memtables as tables: deletions that are only in memory free nothing. Badger does so
// when a prefix is dropped; this one has but an entry written for it.
func (s *Store) flush(ctx context.Context) (pause time.Duration, err error) {
	scratch := []byte{scratchPrefix}
	if err := s.writeScratch(ctx, scratch, nil); err != nil {
		return 0, err
	}
	return s.drop(ctx, [][]byte{scratch})
}

func (s *Store) writeScratch(ctx context.Context, key, value []byte) error {
	if err := s.writing.take(ctx); err != nil {
		return err
	}
	defer s.writing.give()
	return s.commit(func(txn *badger.Txn) error { return txn.SetEntry(framedEntry(key, value)) })
}

// collect rewrites the files of the value log that have garbage.
func (s *Store) collect(ctx context.Context) error {
	used, err := s.valueLogInUse()
	if err != nil || !used {
		return err
	}
	if err := s.rotateValueLog(ctx); err != nil {
		return err
	}
	for {
		again := false
		err := s.maintain(ctx, func() error {
			err := s.db.RunValueLogGC(discardRatio)
			again = err == nil
			if errors.Is(err, badger.ErrNoRewrite) {
				return nil
			}
			return err
		})
		if err != nil || !again {
			return err
		}
	}
}

// valueLogInUse tells whether any file of the value log has more than its head.
func (s *Store) valueLogInUse() (bool, error) {
	files, err := filepath.Glob(filepath.Join(s.dir, "*.vlog"))
	if err != nil {
		return false, err
	}
	for _, file := range files {
		var stat unix.Stat_t
		if err := unix.Stat(file, &stat); err == nil && stat.Blocks*512 > 1<<20 {
			return true, nil
		}
	}
	return false, nil
}

// rotateValueLog fills the file that is written to, so that it can be collected: Badger never takes
// that one, and takes no other either while it has the most garbage.
func (s *Store) rotateValueLog(ctx context.Context) error {
	filler := bytes.Repeat([]byte{0}, int(min(maxThreshold, s.options.MemtableBytes/8)))
	before, err := s.lastValueLog()
	if err != nil {
		return err
	}
	for i := uint32(0); i <= 2*valueLogBytes/uint32(len(filler)); i++ {
		if err := s.writeScratch(ctx, binary.BigEndian.AppendUint32([]byte{scratchPrefix}, i), filler); err != nil {
			return err
		}
		if last, err := s.lastValueLog(); err != nil || last != before {
			break
		}
	}
	if _, err := s.drop(ctx, [][]byte{{scratchPrefix}}); err != nil {
		return err
	}
	return s.compactAll(ctx, s.enoughRounds())
}

func (s *Store) lastValueLog() (string, error) {
	files, err := filepath.Glob(filepath.Join(s.dir, "*.vlog"))
	if err != nil || len(files) == 0 {
		return "", err
	}
	return files[len(files)-1], nil
}

// maintain runs a step of maintenance between two looks at the context.
func (s *Store) maintain(ctx context.Context, step func() error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return s.guard(func() error {
		if err := step(); err != nil && ctx.Err() != nil {
			return context.Cause(ctx)
		} else if err != nil {
			return ioFailure(err, "store %s could not give back space", s.name)
		}
		return nil
	})
}
