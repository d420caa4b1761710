package store

import (
	"bytes"
	"context"
	"errors"

	"github.com/dgraph-io/badger/v4"
)

// View is one moment of a store. End it before the store is closed.
type View struct {
	store *Store
	txn   *badger.Txn
}

// View begins a view of now.
func (s *Store) View() (*View, error) {
	if err := s.Trouble(); err != nil {
		return nil, err
	}
	return &View{store: s, txn: s.db.NewTransaction(false)}, nil
}

// End ends the view.
func (v *View) End() { v.txn.Discard() }

// Get returns the value of a key.
func (v *View) Get(key []byte) (value []byte, found bool, err error) {
	return v.store.get(v.txn, dataKey(key))
}

func (s *Store) get(txn *badger.Txn, key []byte) (value []byte, found bool, err error) {
	err = s.guard(func() error {
		item, err := txn.Get(key)
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			return s.readFailure(err)
		}
		framed, err := item.ValueCopy(nil)
		if err != nil {
			return s.readFailure(err)
		}
		whole := false
		if value, whole = unframe(key, framed); !whole {
			return s.foundDamage("a value is not what was written")
		}
		found = true
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	return value, found, nil
}

// Range is what a scan goes through: from First to before End, an empty End being none.
type Range struct{ First, End []byte }

// Query is what a scan returns.
type Query struct {
	Range
	KeysOnly bool
	Limit    int64 // 0 for all
}

// Entry is a key with its value.
type Entry struct{ Key, Value []byte }

const (
	// Chunks grow from the first to the last size, so that many scans that rest hold little memory.
	firstChunkBytes = 16 << 10
	chunkBytes      = 256 << 10

	chunkEntries = 4096
	// entryBytes is what an entry takes in a message besides its key and value, at most.
	entryBytes = 16
)

// Scan hands the entries of a range to emit, in chunks that emit may keep.
func (v *View) Scan(ctx context.Context, query Query, emit func([]Entry) error) error {
	first, end := dataKey(query.First), dataEnd(query.End)
	it := v.txn.NewIterator(badger.IteratorOptions{Prefix: commonPrefix(first, end)})
	defer it.Close()
	chunks := chunker{store: v.store, query: query, left: query.Limit, end: end, size: firstChunkBytes}
	if err := v.store.guard(func() error { it.Seek(first); return nil }); err != nil {
		return err
	}
	for {
		var chunk []Entry
		err := v.store.guard(func() (err error) { chunk, err = chunks.next(it); return err })
		if err != nil {
			return err
		}
		if len(chunk) == 0 {
			return nil
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := emit(chunk); err != nil {
			return err
		}
	}
}

// commonPrefix lets Badger leave out the tables that cannot have keys of the range.
func commonPrefix(first, end []byte) []byte {
	n := 0
	for n < min(len(first), len(end)) && first[n] == end[n] {
		n++
	}
	return first[:n]
}

type chunker struct {
	store *Store
	query Query
	left  int64
	end   []byte
	size  int // of the next chunk
}

func (c *chunker) next(it *badger.Iterator) ([]Entry, error) {
	var chunk []Entry
	most := c.size
	c.size = min(4*c.size, chunkBytes)
	slab := make([]byte, 0, most)
	for ; it.Valid(); it.Next() {
		item := it.Item()
		key := item.Key()
		if bytes.Compare(key, c.end) >= 0 || c.query.Limit > 0 && c.left == 0 {
			return chunk, nil
		}
		size := len(key) - 1
		if !c.query.KeysOnly {
			size += int(item.ValueSize())
		}
		size += entryBytes
		if len(chunk) > 0 && (len(slab)+(len(chunk)+1)*entryBytes+size > most || len(chunk) == chunkEntries) {
			return chunk, nil
		}
		start := len(slab)
		slab = append(slab, key[1:]...)
		middle := len(slab)
		if !c.query.KeysOnly {
			if err := c.appendValue(&slab, item, key); err != nil {
				return nil, err
			}
		}
		chunk = append(chunk, Entry{Key: slab[start:middle:middle], Value: slab[middle:len(slab):len(slab)]})
		c.left--
	}
	return chunk, nil
}

func (c *chunker) appendValue(slab *[]byte, item *badger.Item, key []byte) error {
	whole := false
	err := item.Value(func(framed []byte) error {
		var value []byte
		value, whole = unframe(key, framed)
		*slab = append(*slab, value...)
		return nil
	})
	if err != nil {
		return c.store.readFailure(err)
	}
	if !whole {
		return c.store.foundDamage("a value is not what was written")
	}
	return nil
}

// guard runs a read, and refuses its result if damage was met meanwhile, by whomever: it cannot be
// known whether that was this read. A panic of Badger's over what it found is damage, too.
func (s *Store) guard(read func() error) (err error) {
	if err := s.Trouble(); err != nil {
		return err
	}
	defer func() {
		if recover() != nil {
			err = s.foundDamage("Badger gave up over what it read")
		}
	}()
	raised := s.alarm.Raised()
	if err := read(); err != nil {
		return err
	}
	if s.alarm.Raised() != raised {
		if err := s.Trouble(); err != nil {
			return err
		}
		return s.damaged("a checksum was wrong during this read")
	}
	return nil
}

func (s *Store) readFailure(err error) error {
	if errors.Is(err, badger.ErrDBClosed) {
		return err
	}
	return s.foundDamage("a key or value cannot be read")
}
