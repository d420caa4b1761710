package store

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/dgraph-io/badger/v4"
	badgerpb "github.com/dgraph-io/badger/v4/pb"
	"google.golang.org/protobuf/proto"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
)

// maxBackupList is the longest list of entries in a backup. Badger makes them of 4 MiB or so.
const maxBackupList = 64 << 20

// Backup writes what was written after a version, or all, in Badger's format of backups, and returns
// the version that the next backup begins with.
func (s *Store) Backup(sinceVersion uint64, to io.Writer) (version uint64, err error) {
	err = s.guard(func() error {
		stream := s.db.NewStream()
		stream.Prefix = []byte{dataPrefix}
		stream.NumGo = 2
		version, err = stream.Backup(to, sinceVersion)
		return err
	})
	return version, err
}

// Load puts the entries of a full backup into an empty store, all or none.
func (s *Store) Load(ctx context.Context, from io.Reader) error {
	if err := s.maintaining.take(ctx); err != nil {
		return err
	}
	defer s.maintaining.give()
	if err := s.requireEmpty(); err != nil {
		return err
	}
	if err := s.putRecord(loadingKey, nil); err != nil {
		return err
	}
	if err := s.loadLists(ctx, bufio.NewReader(from)); err != nil {
		return errors.Join(err, s.undoLoad())
	}
	return s.deleteRecord(loadingKey)
}

func (s *Store) requireEmpty() error {
	return s.walk([]byte{dataPrefix}, []byte{dataPrefix + 1}, func(it *badger.Iterator) error {
		if it.ValidForPrefix([]byte{dataPrefix}) {
			return failure.New(pb.Failure_NOT_EMPTY, "store %s holds entries; load a backup into an empty one", s.name)
		}
		return nil
	})
}

// undoLoad takes away what a load left that did not come to its end.
func (s *Store) undoLoad() error {
	_, loading, err := s.getRecord(loadingKey)
	if err != nil || !loading {
		return err
	}
	if _, err := s.drop(context.Background(), [][]byte{{dataPrefix}}); err != nil {
		return err
	}
	if _, err := s.deleteKeys(context.Background(), []byte{dataPrefix}, []byte{dataPrefix + 1}); err != nil {
		return err
	}
	return s.deleteRecord(loadingKey)
}

func (s *Store) loadLists(ctx context.Context, from io.Reader) error {
	batch := loadBatch{store: s}
	for {
		list, err := readList(from)
		if errors.Is(err, io.EOF) {
			return batch.flush(ctx)
		}
		if err != nil {
			return err
		}
		for _, kv := range list.GetKv() {
			if err := batch.add(ctx, kv); err != nil {
				return err
			}
		}
	}
}

func badBackup(what string) error {
	return failure.New(pb.Failure_INVALID, "this is no backup of a store: %s", what)
}

// readList reads one list; io.EOF is the end between two lists.
func readList(from io.Reader) (*badgerpb.KVList, error) {
	var head [8]byte
	if _, err := io.ReadFull(from, head[:]); errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, badBackup("it ends in the middle")
	} else if err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint64(head[:])
	if size > maxBackupList {
		return nil, badBackup("a list in it is too long")
	}
	var body bytes.Buffer
	if n, err := io.CopyN(&body, from, int64(size)); errors.Is(err, io.EOF) {
		return nil, badBackup("it ends in the middle")
	} else if err != nil || n != int64(size) {
		return nil, err
	}
	list := new(badgerpb.KVList)
	if err := proto.Unmarshal(body.Bytes(), list); err != nil {
		return nil, badBackup("a list in it is unreadable")
	}
	return list, nil
}

// loadBatch collects entries into transactions.
type loadBatch struct {
	store   *Store
	entries []*badger.Entry
	bytes   int64
	last    []byte
}

// deletedMark is set in the meta byte of a deleted key.
const deletedMark = 1

// add takes one entry. Of one key the newest comes first, and is the one that counts.
func (b *loadBatch) add(ctx context.Context, kv *badgerpb.KV) error {
	limits, key := b.store.limits, kv.GetKey()
	if len(key) < 2 || key[0] != dataPrefix || len(key) > limits.KeyBytes+1 {
		return badBackup("a key in it is none of a user")
	}
	if bytes.Equal(key, b.last) {
		return nil
	}
	b.last = key
	if meta := kv.GetMeta(); len(meta) > 0 && meta[0]&deletedMark != 0 {
		return nil
	}
	if value, whole := unframe(key, kv.GetValue()); !whole || len(value) > limits.ValueBytes {
		return badBackup("a value in it is not what was written")
	}
	size := int64(len(key) + len(kv.GetValue()))
	if len(b.entries) == limits.BatchCount || b.bytes+size > limits.BatchBytes {
		if err := b.flush(ctx); err != nil {
			return err
		}
	}
	b.entries, b.bytes = append(b.entries, badger.NewEntry(key, kv.GetValue())), b.bytes+size
	return nil
}

func (b *loadBatch) flush(ctx context.Context) error {
	if err := b.store.writing.take(ctx); err != nil {
		return err
	}
	defer b.store.writing.give()
	if err := b.store.checkRoom(fullRoom); err != nil {
		return err
	}
	entries := b.entries
	b.entries, b.bytes = nil, 0
	return b.store.commit(func(txn *badger.Txn) error {
		for _, entry := range entries {
			if err := txn.SetEntry(entry); err != nil {
				return err
			}
		}
		return nil
	})
}
