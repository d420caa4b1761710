package store

import (
	"encoding/binary"
	"errors"

	"github.com/dgraph-io/badger/v4"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
)

// lastWrite is kept in the transaction of the write itself, so that a write that was repeated is
// known, also after a crash.
type lastWrite struct {
	owner    string
	sequence uint64
}

func (w lastWrite) encode() []byte {
	return append(binary.BigEndian.AppendUint64(nil, w.sequence), w.owner...)
}

func (s *Store) readLastWrite() (lastWrite, error) {
	record, found, err := s.getRecord(lastWriteKey)
	if err != nil || !found {
		return lastWrite{}, err
	}
	if len(record) < 8 {
		return lastWrite{}, s.foundDamage("its record of the last write is too short")
	}
	return lastWrite{owner: string(record[8:]), sequence: binary.BigEndian.Uint64(record)}, nil
}

// BeOwnedBy records who has the store now. Who had it before may only resume if nobody else had it
// since: what an owner remembers of a store is no longer so when another has written to it.
func (s *Store) BeOwnedBy(ownerID string, resume bool) error {
	record, found, err := s.getRecord(ownerKey)
	if err != nil {
		return err
	}
	if found && string(record) == ownerID {
		return nil
	}
	if resume {
		return failure.New(pb.Failure_OVERTAKEN,
			"another owner has had store %s since this one did; nothing was changed, open it anew", s.name)
	}
	return s.putRecord(ownerKey, []byte(ownerID))
}

func (s *Store) getRecord(key []byte) (value []byte, found bool, err error) {
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	return s.get(txn, key)
}

func (s *Store) putRecord(key, value []byte) error {
	return s.commit(func(txn *badger.Txn) error { return txn.SetEntry(framedEntry(key, value)) })
}

func (s *Store) deleteRecord(key []byte) error {
	return s.commit(func(txn *badger.Txn) error { return txn.Delete(key) })
}

func (s *Store) isEmpty() (bool, error) {
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	empty := true
	err := s.guard(func() error {
		it := txn.NewIterator(badger.IteratorOptions{})
		defer it.Close()
		it.Rewind()
		empty = !it.Valid()
		return nil
	})
	return empty, err
}

var errTooBig = errors.New("more than one transaction")
