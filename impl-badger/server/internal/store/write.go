package store

import (
	"context"
	"errors"

	"github.com/dgraph-io/badger/v4"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
)

// Mutation puts a value, or deletes a key.
type Mutation struct {
	Key, Value []byte
	Delete     bool
}

// Write applies the mutations in one transaction, once: a repetition of the owner's last sequence
// changes nothing.
func (s *Store) Write(ctx context.Context, owner string, sequence uint64, mutations []Mutation) error {
	if err := s.limits.check(mutations); err != nil {
		return err
	}
	if err := s.writing.take(ctx); err != nil {
		return err
	}
	defer s.writing.give()
	if s.last.owner == owner && sequence == s.last.sequence {
		return s.Trouble()
	}
	if s.last.owner == owner && sequence < s.last.sequence || sequence == 0 {
		return failure.New(pb.Failure_STALE,
			"expected a sequence above %d, found %d; nothing was changed", s.last.sequence, sequence)
	}
	if err := s.checkRoom(roomFor(mutations)); err != nil {
		return err
	}
	last := lastWrite{owner: owner, sequence: sequence}
	if err := s.commit(func(txn *badger.Txn) error { return fill(txn, last, mutations) }); err != nil {
		return err
	}
	s.last = last
	return nil
}

// LastSequence returns the sequence of the owner's last write, or 0.
func (s *Store) LastSequence(ctx context.Context, owner string) (uint64, error) {
	if err := s.writing.take(ctx); err != nil {
		return 0, err
	}
	defer s.writing.give()
	if s.last.owner != owner {
		return 0, nil
	}
	return s.last.sequence, nil
}

func (l Limits) check(mutations []Mutation) error {
	if len(mutations) > l.BatchCount {
		return failure.New(pb.Failure_TOO_LARGE, "expected at most %d mutations, found %d; nothing was changed",
			l.BatchCount, len(mutations))
	}
	var bytes int64
	for _, m := range mutations {
		if err := l.checkKey(m.Key); err != nil {
			return err
		}
		if len(m.Value) > l.ValueBytes {
			return failure.New(pb.Failure_TOO_LARGE, "expected values of at most %d bytes, found %d; nothing was changed",
				l.ValueBytes, len(m.Value))
		}
		bytes += int64(len(m.Key) + len(m.Value))
	}
	if bytes > l.BatchBytes {
		return failure.New(pb.Failure_TOO_LARGE, "expected at most %d bytes of keys and values, found %d; nothing was changed",
			l.BatchBytes, bytes)
	}
	return nil
}

func (l Limits) checkKey(key []byte) error {
	if len(key) == 0 {
		return failure.New(pb.Failure_INVALID, "expected keys of 1 byte at least, found an empty one; nothing was changed")
	}
	if len(key) > l.KeyBytes {
		return failure.New(pb.Failure_TOO_LARGE, "expected keys of at most %d bytes, found %d; nothing was changed",
			l.KeyBytes, len(key))
	}
	return nil
}

// roomFor lets batches that only delete go on when the disk is nearly full.
func roomFor(mutations []Mutation) room {
	for _, m := range mutations {
		if !m.Delete {
			return fullRoom
		}
	}
	return halfRoom
}

func fill(txn *badger.Txn, last lastWrite, mutations []Mutation) error {
	for _, m := range mutations {
		key := dataKey(m.Key)
		var err error
		if m.Delete {
			err = txn.Delete(key)
		} else {
			err = txn.SetEntry(framedEntry(key, m.Value))
		}
		if err != nil {
			return err
		}
	}
	return txn.SetEntry(framedEntry(lastWriteKey, last.encode()))
}

// commit runs one transaction. After a failed commit nobody knows what Badger has kept of it, in
// memory and on disk: the store has to be opened again.
func (s *Store) commit(fill func(*badger.Txn) error) (err error) {
	if err := s.Trouble(); err != nil {
		return err
	}
	defer func() {
		if recover() != nil {
			err = s.fail(failure.New(pb.Failure_FAILED, "Badger gave up a write of store %s; close it and open it again", s.name))
		}
	}()
	txn := s.db.NewTransaction(true)
	defer txn.Discard()
	if err := fill(txn); errors.Is(err, badger.ErrTxnTooBig) {
		return failure.New(pb.Failure_TOO_LARGE, "the batch is %w of store %s; nothing was changed", errTooBig, s.name)
	} else if err != nil {
		return failure.New(pb.Failure_INVALID, "store %s refused a mutation; nothing was changed", s.name)
	}
	if err := txn.Commit(); err != nil {
		return s.fail(failure.New(pb.Failure_FAILED,
			"a write of store %s failed%s; close it, make sure of the disk, and open it again", s.name, fullness(err)))
	}
	return s.Trouble()
}

func fullness(err error) string {
	if isFull(err) {
		return ", the disk is full"
	}
	return ""
}
