// Command badger-bare is the baseline of the benchmarks: a Badger in this process, with the options of
// a store of the sidecar, and nothing else around it.
//
// It is started with the directory of a new store and reads from standard input, a line each:
//
//	write BATCHES ENTRIES   puts the next entries, a synced transaction for each batch
//	get COUNT               gets the values of keys chosen at random, one by one
//	multiget CALLS KEYS     gets so many in one transaction
//	scan                    reads all entries in the order of their keys
//
// It answers each with the nanoseconds that it took. Keys are 8 bytes in no order, values 1 KiB that
// cannot be compressed: those of BadgerExperiment.java.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"github.com/dgraph-io/badger/v4"

	"io.ledgerkeep/badger/server/internal/store"
)

const valueBytes = 1 << 10

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "badger-bare:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("expected the directory of a new store, found %d arguments", len(os.Args)-1)
	}
	db, err := badger.Open(store.Bare(os.Args[1], slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	b := bare{db: db, random: rand.New(rand.NewPCG(1, 2))}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var word string
		var count, each int
		// Which of the numbers are missing shows below.
		_, _ = fmt.Sscan(lines.Text(), &word, &count, &each)
		begun := time.Now()
		if err := b.do(word, count, each); err != nil {
			return err
		}
		fmt.Println(time.Since(begun).Nanoseconds())
	}
	return db.Close()
}

type bare struct {
	db      *badger.DB
	random  *rand.Rand
	written uint64
	read    int
}

func (b *bare) do(word string, count, each int) error {
	switch {
	case word == "write" && count > 0 && each > 0:
		return repeat(count, func() error { return b.write(each) })
	case word == "get" && count > 0:
		return repeat(count, func() error { return b.get(1) })
	case word == "multiget" && count > 0 && each > 0:
		return repeat(count, func() error { return b.get(each) })
	case word == "scan":
		return b.scan()
	}
	return fmt.Errorf("expected write, get, multiget or scan with their numbers, found %q", word)
}

func repeat(count int, do func() error) error {
	for range count {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

func (b *bare) write(entries int) error {
	return b.db.Update(func(txn *badger.Txn) error {
		for range entries {
			if err := txn.Set(key(b.written), value(b.written)); err != nil {
				return err
			}
			b.written++
		}
		return nil
	})
}

func (b *bare) get(keys int) error {
	return b.db.View(func(txn *badger.Txn) error {
		for range keys {
			item, err := txn.Get(key(b.random.Uint64N(b.written)))
			if err != nil {
				return err
			}
			copied, err := item.ValueCopy(nil)
			if err != nil {
				return err
			}
			b.read += len(copied)
		}
		return nil
	})
}

func (b *bare) scan() error {
	return b.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			if err := it.Item().Value(func(value []byte) error { b.read += len(value); return nil }); err != nil {
				return err
			}
		}
		return nil
	})
}

func key(i uint64) []byte {
	return binary.BigEndian.AppendUint64(nil, i*0x9E3779B97F4A7C15)
}

func value(i uint64) []byte {
	filled := make([]byte, 0, valueBytes)
	for x := i*2 + 1; len(filled) < valueBytes; {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		filled = binary.BigEndian.AppendUint64(filled, x)
	}
	return filled
}
