package store

import (
	"bytes"
	"context"
	"time"

	"github.com/dgraph-io/badger/v4"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
	"io.ledgerkeep/badger/server/internal/wal"
)

const (
	// fewKeys is how many keys are deleted one by one rather than stop all writes for them.
	fewKeys   = 1024
	tileDepth = 3
	maxTiles  = 512
)

// Deleted is what DeleteRange did.
type Deleted struct {
	Prefixes int
	Keys     int64
	// Pause is the longest there was in the writes.
	Pause time.Duration
}

// DeleteRange deletes the keys of a range that are there when it is called. Prefixes are dropped, which
// pauses writes; Badger drops the oldest tables first, so that a deleted key never shows again, not
// even after a crash in the middle. What is then left of the range is deleted key by key.
func (s *Store) DeleteRange(ctx context.Context, r Range) (Deleted, error) {
	first, end := dataKey(r.First), dataEnd(r.End)
	if bytes.Compare(first, end) >= 0 {
		return Deleted{}, s.Trouble()
	}
	if err := s.maintaining.take(ctx); err != nil {
		return Deleted{}, err
	}
	defer s.maintaining.give()
	if err := s.checkRoom(halfRoom); err != nil {
		return Deleted{}, err
	}
	var done Deleted
	many, err := s.hasMany(first, end)
	if err != nil {
		return done, err
	}
	if many {
		if err := s.dropTiles(ctx, first, end, &done); err != nil {
			return done, err
		}
	}
	done.Keys, err = s.deleteKeys(ctx, first, end)
	return done, err
}

func (s *Store) dropTiles(ctx context.Context, first, end []byte, done *Deleted) error {
	full, err := s.fullTiles(tiles(first, end, tileDepth))
	if err != nil || len(full) == 0 {
		return err
	}
	if err := s.slowDown(ctx); err != nil {
		return err
	}
	// Two short pauses rather than a long one: what is in memory becomes tables in the first.
	if done.Pause, err = s.flush(ctx); err != nil {
		return err
	}
	done.Prefixes = len(full)
	second, err := s.drop(ctx, full)
	s.log.Info("dropped", "prefixes", len(full), "flushed", done.Pause, "paused", second)
	done.Pause = max(done.Pause, second)
	return err
}

const (
	slowSteps = 200
	slowStep  = 50 * time.Millisecond
)

// slowDown lets only a write through now and then until what is in memory and the newest tables are worked
// off, for a while: whatever is left of them is worked off while all writes wait.
func (s *Store) slowDown(ctx context.Context) error {
	for range slowSteps {
		logs, err := wal.Count(s.dir)
		if err != nil {
			return s.fail(failure.New(pb.Failure_FAILED, "store %s cannot be looked at: %v", s.name, err))
		}
		if logs <= 1 && s.db.Levels()[0].NumTables < newestTables {
			return nil
		}
		if err := s.writing.take(ctx); err != nil {
			return err
		}
		select {
		case <-time.After(slowStep):
		case <-ctx.Done():
		}
		s.writing.give()
	}
	return nil
}

// drop drops prefixes, and measures for how long it stopped the writes.
func (s *Store) drop(ctx context.Context, prefixes [][]byte) (pause time.Duration, err error) {
	if err := s.writing.take(ctx); err != nil {
		return 0, err
	}
	defer s.writing.give()
	if err := s.Trouble(); err != nil {
		return 0, err
	}
	begin := time.Now()
	defer func() {
		pause = time.Since(begin)
		s.pauses.add(pause)
		if recover() != nil {
			err = s.fail(failure.New(pb.Failure_FAILED, "Badger gave up deleting from store %s; close it and open it again", s.name))
		}
	}()
	if err := s.db.DropPrefix(prefixes...); err != nil {
		return 0, s.fail(failure.New(pb.Failure_FAILED,
			"deleting from store %s failed%s; close it, open it again and repeat it", s.name, fullness(err)))
	}
	return 0, s.Trouble()
}

// hasMany tells whether a range has more than a few keys.
func (s *Store) hasMany(first, end []byte) (many bool, err error) {
	err = s.walk(first, end, func(it *badger.Iterator) error {
		n := 0
		for ; n <= s.fewKeys && inRange(it, end); it.Next() {
			n++
		}
		many = n > s.fewKeys
		return nil
	})
	return many, err
}

// fullTiles returns the prefixes that have keys, not more than can be dropped at once.
func (s *Store) fullTiles(all [][]byte) (full [][]byte, err error) {
	err = s.walk(nil, nil, func(it *badger.Iterator) error {
		for _, tile := range all {
			if len(full) == maxTiles {
				return nil
			}
			if it.Seek(tile); it.ValidForPrefix(tile) {
				full = append(full, tile)
			}
		}
		return nil
	})
	return full, err
}

func (s *Store) walk(first, end []byte, step func(*badger.Iterator) error) error {
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	return s.guard(func() error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: commonPrefix(first, end)})
		defer it.Close()
		it.Seek(first)
		return step(it)
	})
}

func inRange(it *badger.Iterator, end []byte) bool {
	return it.Valid() && bytes.Compare(it.Item().Key(), end) < 0
}

type version struct {
	key []byte
	at  uint64
}

// deleteKeys deletes what a view of now sees of a range, unless it was written anew meanwhile.
func (s *Store) deleteKeys(ctx context.Context, first, end []byte) (int64, error) {
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	var total int64
	for {
		var found []version
		err := s.guard(func() error {
			found = s.nextKeys(txn, first, end)
			return nil
		})
		if err != nil || len(found) == 0 {
			return total, err
		}
		if err := s.deleteVersions(ctx, found); err != nil {
			return total, err
		}
		total += int64(len(found))
		first = append(found[len(found)-1].key, 0)
	}
}

func (s *Store) nextKeys(txn *badger.Txn, first, end []byte) []version {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: commonPrefix(first, end)})
	defer it.Close()
	var found []version
	var size int64
	for it.Seek(first); inRange(it, end); it.Next() {
		size += it.Item().KeySize() + entryBytes
		if len(found) == s.limits.BatchCount || size > s.limits.BatchBytes/2 && len(found) > 0 {
			break
		}
		found = append(found, version{it.Item().KeyCopy(nil), it.Item().Version()})
	}
	return found
}

func (s *Store) deleteVersions(ctx context.Context, found []version) error {
	if err := s.writing.take(ctx); err != nil {
		return err
	}
	defer s.writing.give()
	return s.commit(func(txn *badger.Txn) error {
		for _, old := range found {
			item, err := txn.Get(old.key)
			if err != nil || item.Version() != old.at {
				continue // gone, or newer than the call
			}
			if err := txn.Delete(old.key); err != nil {
				return err
			}
		}
		return nil
	})
}
