// Package wal looks at the write-ahead logs that a store has left which was not closed, before Badger
// does: Badger takes whatever it cannot read in one for its end, and forgets what is behind.
//
// A log that a kill or a power cut has torn ends within one transaction, the last, which nobody was
// told of: each is synced before the next begins. So there is damage where more than one is unreadable,
// or where a log was not the last one.
//
// Their numbers may have gaps: a log is removed once its table is written and no scan needs it any more,
// or when a store is opened and nothing is in it; a log before it may still be there then.
package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"io.ledgerkeep/badger/server/internal/mapped"
)

// ErrDamaged is the cause of every finding.
var ErrDamaged = errors.New("damaged")

const (
	extension = ".mem"
	// headBytes are those before the first entry: the number of a key, and the beginning of IVs.
	headBytes = 20
	// What the first byte of an entry says: it is one of a transaction's; it ends one.
	ofTransaction = 1 << 6
	ending        = 1 << 7
	// A key ends with the version of its transaction.
	versionBytes = 8
	maxKeyBytes  = 1 << 16
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	ofBadger   = []byte("!badger!")
)

// CheckStore checks the logs in dir, and tells whether there are any.
func CheckStore(dir string) (some bool, err error) {
	logs, err := list(dir)
	if err != nil {
		return false, err
	}
	for i, id := range logs {
		last := i == len(logs)-1
		path := filepath.Join(dir, fmt.Sprintf("%05d%s", id, extension))
		if err := mapped.Read(path, func(data []byte) error { return check(data, last) }); err != nil {
			return true, fmt.Errorf("log %05d%s: %w", id, extension, err)
		}
	}
	return len(logs) > 0, nil
}

// Count returns how many logs of an open store there are in dir: one is written, each other belongs to
// what is yet to become a table.
func Count(dir string) (int, error) {
	logs, err := filepath.Glob(filepath.Join(dir, "*"+extension))
	return len(logs), err
}

func list(dir string) ([]int, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"+extension))
	if err != nil {
		return nil, fmt.Errorf("cannot list the logs: %w", err)
	}
	var ids []int
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return nil, fmt.Errorf("cannot look at a log: %w", err)
		}
		id, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(file), extension))
		if err == nil && info.Size() > 0 { // else it was not begun
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

func check(data []byte, last bool) error {
	if len(data) < headBytes {
		return fmt.Errorf("it is %w: expected %d bytes at least, found %d", ErrDamaged, headBytes, len(data))
	}
	at := headBytes
	unfinished := map[uint64]bool{}
	for {
		entry, ok := read(data[at:])
		if !ok {
			break
		}
		switch {
		case entry.meta&ending != 0:
			delete(unfinished, entry.version)
		case entry.meta&ofTransaction != 0:
			unfinished[entry.version] = true
		}
		at += entry.bytes
	}
	rest := bytes.TrimRight(data[at:], "\x00")
	if !last && (len(rest) > 0 || len(unfinished) > 0) {
		return fmt.Errorf("it is %w at byte %d, though another was written after it", ErrDamaged, at)
	}
	for i := 1; i < len(rest); i++ {
		if entry, ok := read(rest[i:]); ok && entry.meta&(ofTransaction|ending) != 0 {
			unfinished[entry.version] = true
			i += entry.bytes - 1
		}
	}
	if len(unfinished) > 1 {
		return fmt.Errorf("it is %w at byte %d, and whole transactions are behind", ErrDamaged, at)
	}
	return nil
}

type entry struct {
	meta    byte
	version uint64
	bytes   int
}

// read reads an entry as this sidecar has them written: two bytes of marks, of which the second is 0,
// the lengths of key and value, no time to live, key, value, checksum.
func read(data []byte) (entry, bool) {
	if len(data) < 2 || data[1] != 0 {
		return entry{}, false
	}
	keyBytes, n := binary.Uvarint(data[2:])
	if n <= 0 || keyBytes <= versionBytes || keyBytes > maxKeyBytes {
		return entry{}, false
	}
	at := 2 + n
	valueBytes, n := binary.Uvarint(data[at:])
	if n <= 0 || valueBytes > uint64(len(data)) {
		return entry{}, false
	}
	at += n
	end := at + 1 + int(keyBytes) + int(valueBytes)
	if end+crc32.Size > len(data) || data[at] != 0 || !isKey(data[at+1:]) {
		return entry{}, false
	}
	if crc32.Checksum(data[:end], castagnoli) != binary.BigEndian.Uint32(data[end:]) {
		return entry{}, false
	}
	version := binary.BigEndian.Uint64(data[at+1+int(keyBytes)-versionBytes:])
	return entry{meta: data[0], version: version, bytes: end + crc32.Size}, true
}

// isKey tells whether a key may begin so: a cheap look before the checksum is computed. They are the
// prefixes of package store, and Badger's own.
func isKey(key []byte) bool {
	return key[0] == 'd' || key[0] == 'm' || key[0] == 's' || bytes.HasPrefix(key, ofBadger)
}
